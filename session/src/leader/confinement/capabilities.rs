//! The capabilities that a command has, and the most that anything it starts can ever have
//! (capabilities(7)).

use std::io;

use elevate_protocol::ErrorName;
use elevate_protocol::launch::Launch;
use rustix::io::Errno;
use rustix::thread::{
    CapabilitiesSecureBits, CapabilitySet, CapabilitySets, capabilities,
    capability_is_in_ambient_set, capability_is_in_bounding_set, clear_ambient_capability_set,
    configure_capability_in_ambient_set, no_new_privs, remove_capability_from_bounding_set,
    set_capabilities, set_capabilities_secure_bits, set_keep_capabilities, set_no_new_privs,
};

use crate::leader::failure::Failure;

/// What root has in a contained session whose rule names no capabilities: over the files and
/// processes that it sees, and nothing over the machine.
const CONTAINED_ROOT: CapabilitySet = CapabilitySet::CHOWN
    .union(CapabilitySet::DAC_OVERRIDE)
    .union(CapabilitySet::FOWNER)
    .union(CapabilitySet::KILL)
    .union(CapabilitySet::SETGID)
    .union(CapabilitySet::SETUID)
    .union(CapabilitySet::SETPCAP)
    .union(CapabilitySet::NET_BIND_SERVICE)
    .union(CapabilitySet::IPC_OWNER)
    .union(CapabilitySet::SYS_CHROOT);

/// What nobody has in a contained session, whatever the rule says: each leads out of it, or leaves
/// something behind that does.
const NEVER_CONTAINED: CapabilitySet = CapabilitySet::SYS_ADMIN
    .union(CapabilitySet::SYS_PTRACE)
    .union(CapabilitySet::SYS_MODULE)
    .union(CapabilitySet::SYS_RAWIO)
    .union(CapabilitySet::SYS_BOOT)
    .union(CapabilitySet::SYSLOG)
    .union(CapabilitySet::MKNOD)
    .union(CapabilitySet::BPF)
    .union(CapabilitySet::PERFMON)
    .union(CapabilitySet::CHECKPOINT_RESTORE)
    .union(CapabilitySet::DAC_READ_SEARCH)
    .union(CapabilitySet::AUDIT_CONTROL)
    .union(CapabilitySet::AUDIT_READ)
    .union(CapabilitySet::AUDIT_WRITE)
    .union(CapabilitySet::MAC_ADMIN)
    .union(CapabilitySet::MAC_OVERRIDE)
    .union(CapabilitySet::LINUX_IMMUTABLE)
    .union(CapabilitySet::FSETID)
    .union(CapabilitySet::SETFCAP);

/// The most that a command can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ceiling {
    set: CapabilitySet,
    /// Whether the rule named it: then the command has all of it, whoever it runs as. Else it is
    /// what root has, and nobody else has any.
    named: bool,
}

impl Ceiling {
    /// Of this session; `None` where nothing is below what the uid brings.
    pub(super) fn of(launch: &Launch) -> Result<Option<Ceiling>, Failure> {
        let contained = launch.confinement.contain.is_some();
        let Some(mask) = launch.confinement.capabilities else {
            let set = match launch.target.uid {
                0 => CONTAINED_ROOT & bounding(),
                _ => CapabilitySet::empty(),
            };
            let named = false;
            return Ok(contained.then_some(Ceiling { set, named }));
        };
        let set = CapabilitySet::from_bits_retain(mask);
        if !contained && launch.target.uid == 0 {
            return Err(Failure::new(
                ErrorName::InvalidArgument,
                "capabilities for root without `contain` would be all of them again by /etc/cron.d",
            ));
        }
        let leads_out = set & NEVER_CONTAINED;
        if contained && !leads_out.is_empty() {
            let message = format!("{} leads out of a contained session", names(leads_out));
            return Err(Failure::new(ErrorName::InvalidArgument, message));
        }
        let lacking = set - bounding();
        if !lacking.is_empty() {
            let message = format!("{} cannot be had on this host", names(lacking));
            return Err(Failure::new(ErrorName::Unavailable, message));
        }
        Ok(Some(Ceiling { set, named: true }))
    }

    /// Take from this process, while it is root, what nothing below may get again. What it needs to
    /// become the target stays until then.
    pub(super) fn lower(&self) -> io::Result<()> {
        for capability in bounding().difference(self.set) {
            remove_capability_from_bounding_set(capability)?;
        }
        if self.named {
            // Nobody gets any by becoming uid 0.
            let root_is_nobody =
                CapabilitiesSecureBits::NO_ROOT | CapabilitiesSecureBits::NO_ROOT_LOCKED;
            set_capabilities_secure_bits(root_is_nobody)?;
            // All of them over the change of the uid; what is too much goes right after it.
            set_keep_capabilities(true)?;
        }
        Ok(set_no_new_privs(true)?)
    }

    /// Once this process is the target: have these, and look whether it is so.
    pub(super) fn hold(&self) -> io::Result<()> {
        let ambient = match self.named {
            true => self.set,
            false => CapabilitySet::empty(),
        };
        let sets = CapabilitySets {
            effective: self.set,
            permitted: self.set,
            inheritable: ambient,
        };
        set_keep_capabilities(false)?;
        set_capabilities(None, sets)?;
        clear_ambient_capability_set()?;
        for capability in ambient {
            configure_capability_in_ambient_set(capability, true)?;
        }
        let held = CapabilitySet::from_bits_retain(
            every()
                .filter(|&one| capability_is_in_ambient_set(one) == Ok(true))
                .fold(0, |all, one| all | one.bits()),
        );
        if capabilities(None)? != sets
            || held != ambient
            || bounding() != self.set
            || !no_new_privs()?
        {
            return Err(io::Error::other("the kernel did not set the capabilities"));
        }
        Ok(())
    }
}

/// Every capability that this kernel knows.
fn every() -> impl Iterator<Item = CapabilitySet> {
    (0..u64::BITS)
        .map(|number| CapabilitySet::from_bits_retain(1 << number))
        .take_while(|&one| capability_is_in_bounding_set(one) != Err(Errno::INVAL))
}

/// What this process could ever have.
fn bounding() -> CapabilitySet {
    every()
        .filter(|&one| capability_is_in_bounding_set(one) == Ok(true))
        .fold(CapabilitySet::empty(), |all, one| all | one)
}

/// As capabilities(7) names them.
fn names(set: CapabilitySet) -> String {
    let name = |one: CapabilitySet| {
        let known = CapabilitySet::all().iter_names();
        let name = { known }.find(|(_, known)| *known == one);
        match name {
            Some((name, _)) => format!("CAP_{name}"),
            None => format!("capability {}", one.bits().trailing_zeros()),
        }
    };
    let each = (0..u64::BITS).map(|number| CapabilitySet::from_bits_retain(1 << number));
    let names: Vec<_> = each.filter(|&one| set.contains(one)).map(name).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::leader::start::tests::launch;
    use elevate_protocol::launch::Contain;

    fn ceiling(uid: u32, mask: Option<u64>, contained: bool) -> Result<Option<Ceiling>, Failure> {
        let mut launch = launch();
        launch.target.uid = uid;
        launch.confinement.capabilities = mask;
        launch.confinement.contain = contained.then(|| Contain {
            writable: Vec::new(),
            network: false,
        });
        Ceiling::of(&launch)
    }

    #[test]
    fn who_is_not_confined_has_what_the_uid_brings() {
        assert_eq!(ceiling(0, None, false), Ok(None));
        assert_eq!(ceiling(1000, None, false), Ok(None));
    }

    #[test]
    fn contained_nobody_but_root_has_any() {
        let set = |uid| ceiling(uid, None, true).unwrap().unwrap().set;
        assert_eq!(set(0), CONTAINED_ROOT);
        assert_eq!(set(1000), CapabilitySet::empty());
        assert!(CONTAINED_ROOT.intersection(NEVER_CONTAINED).is_empty());
    }

    #[test]
    fn root_with_fewer_capabilities_is_contained_or_refused() {
        let chown = CapabilitySet::CHOWN.bits();
        let refused = ceiling(0, Some(chown), false).unwrap_err();
        assert_eq!(refused.error, ErrorName::InvalidArgument);
        assert!(ceiling(0, Some(chown), true).is_ok());
        assert!(ceiling(1000, Some(chown), false).is_ok());
    }

    #[test]
    fn no_capability_that_leads_out_is_had_contained() {
        let refused = ceiling(1000, Some(CapabilitySet::SYS_ADMIN.bits()), true).unwrap_err();
        assert_eq!(
            refused.message,
            "CAP_SYS_ADMIN leads out of a contained session"
        );
    }

    #[test]
    fn a_capability_that_the_host_lacks_is_named() {
        let refused = ceiling(1000, Some(1 << 63), false).unwrap_err();
        assert_eq!(refused.error, ErrorName::Unavailable);
        assert_eq!(refused.message, "capability 63 cannot be had on this host");
    }
}
