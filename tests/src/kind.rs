//! What a machine is: a container on the host's kernel, or a whole computer with its own.

use std::process::Command;
use std::time::Duration;

use crate::console::Console;
use crate::disk::Disk;
use crate::keeper::Keeper;
use crate::layer::Layer;
use crate::spec::Packages;
use crate::whole_machine::WholeMachine;
use crate::{Error, Spec, base, packages};

/// All that commands in a machine find in their environment.
const ENVIRONMENT: &[(&str, &str)] = &[
    (
        "PATH",
        "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    ),
    ("HOME", "/root"),
    ("USER", "root"),
    ("LOGNAME", "root"),
    ("SHELL", "/bin/bash"),
    ("LANG", "C.UTF-8"),
    ("TERM", "xterm"),
];

#[derive(Debug)]
pub(crate) enum Kind {
    Container { keeper: Keeper, _layers: Vec<Layer> },
    Whole(WholeMachine),
}

impl Kind {
    pub(crate) fn start(spec: &Spec) -> Result<Self, Error> {
        let base = base::layer(spec.release)?;
        let debs = match &spec.packages {
            Packages::Nothing => Vec::new(),
            Packages::FromEnvironment => packages::from_environment()?,
            Packages::These(debs) => debs.clone(),
        };
        if spec.whole {
            let disk = Disk::get(spec.release, base.path(), &debs)?;
            let key = base.path().join("root/.ssh/id_ed25519");
            return WholeMachine::start(&spec.name, disk, &key).map(Self::Whole);
        }
        let mut layers = Vec::new();
        if !debs.is_empty() {
            layers.push(packages::layer(spec.release, base.path(), &debs)?);
        }
        let uppers = layers.iter().map(|layer| layer.path().join("upper"));
        let lower: Vec<_> = uppers.chain([base.path().into()]).collect();
        layers.push(base);
        Ok(Self::Container {
            keeper: Keeper::start(&spec.name, &lower)?,
            _layers: layers,
        })
    }

    /// The container that this is.
    ///
    /// # Panics
    /// If it is none.
    #[track_caller]
    pub(crate) fn container(&self) -> &Keeper {
        match self {
            Self::Container { keeper, .. } => keeper,
            Self::Whole(_) => panic!("a whole machine is no process of this host"),
        }
    }

    /// A command of this host that runs `argv` in the machine.
    pub(crate) fn enter(&self, argv: &[&str], on_terminal: bool) -> Command {
        match self {
            Self::Container { keeper, .. } => keeper.enter(argv, ENVIRONMENT),
            Self::Whole(machine) => machine.enter(argv, ENVIRONMENT, on_terminal),
        }
    }

    /// [`enter`](Self::enter) while the machine may still boot.
    pub(crate) fn enter_booting(&self, argv: &[&str]) -> Command {
        match self {
            Self::Container { keeper, .. } => keeper.enter_booting(argv, ENVIRONMENT),
            Self::Whole(machine) => machine.enter(argv, ENVIRONMENT, false),
        }
    }

    /// How long the rest of a boot may take. A container's takes half a second, a whole machine's
    /// several where it has a processor to itself.
    pub(crate) fn boot_patience(&self) -> Duration {
        match self {
            Self::Container { .. } => Duration::from_secs(20),
            Self::Whole(_) => Duration::from_secs(300),
        }
    }

    pub(crate) fn console(&self) -> &Console {
        match self {
            Self::Container { keeper, .. } => keeper.console(),
            Self::Whole(machine) => machine.console(),
        }
    }
}
