//! Transient scopes, made by systemd (org.freedesktop.systemd1(5)).

use std::collections::{HashMap, HashSet};
use std::sync::Mutex;
use std::time::Duration;

use elevate_protocol::{Id, paths};
use tokio::sync::oneshot;
use zbus::{Connection, Message, OwnedObjectPath, Variant};

const SYSTEMD: &str = "org.freedesktop.systemd1";
const MANAGER: &str = "org.freedesktop.systemd1.Manager";
const OBJECT: &str = "/org/freedesktop/systemd1";
const UNIT_EXISTS: &str = "org.freedesktop.systemd1.UnitExists";
/// How long systemd may take to move one process.
const TIME: Duration = Duration::from_secs(20);
/// How much later than the leader PID 1 ends a session.
const LAST_BOUND: Duration = Duration::from_secs(2);

/// What bounds a session whatever becomes of its leader.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// The longest that the rule could ever allow.
    pub longest: Duration,
    /// How many tasks.
    pub tasks: Option<u32>,
    /// How many bytes of memory, none of it in swap.
    pub memory: Option<u64>,
    /// How much processor time, in percent of one processor.
    pub cpu: Option<u32>,
}

/// What systemd was told to make.
#[derive(Debug, Default)]
pub struct Scopes(Mutex<Told>);

#[derive(Debug, Default)]
struct Told {
    /// Jobs that somebody waits for, by the unit's name.
    waiting: HashMap<String, oneshot::Sender<String>>,
    /// Sessions that are not over and may have a scope.
    begun: HashSet<Id>,
}

impl Scopes {
    /// Put `pid` into the scope of session `id`; done when it is there. A scope that is there already
    /// is as good.
    pub async fn start(
        &self,
        bus: &Connection,
        id: Id,
        pid: i32,
        description: &str,
        bounds: Bounds,
    ) -> Result<(), String> {
        let unit = id.scope();
        let (done, result) = oneshot::channel();
        {
            let mut told = self.lock();
            told.begun.insert(id);
            told.waiting.insert(unit.clone(), done);
        }
        let started = tokio::time::timeout(TIME, async {
            match call(bus, &unit, pid, description, bounds).await {
                Ok(()) => {}
                Err(zbus::Error::MethodError(name, ..)) if name.as_str() == UNIT_EXISTS => {
                    return Ok(());
                }
                Err(error) => return Err(error.to_string()),
            }
            match result.await.as_deref() {
                Ok("done") => Ok(()),
                Ok(other) => Err(format!("the job ended as \"{other}\"")),
                Err(_) => Err("systemd went away".to_owned()),
            }
        });
        let outcome = started
            .await
            .unwrap_or_else(|_| Err("systemd took too long".into()));
        self.lock().waiting.remove(&unit);
        outcome.map_err(|why| format!("systemd did not make {unit}: {why}"))
    }

    /// Session `id` is over; whether it may have a scope.
    pub fn forget(&self, id: Id) -> bool {
        self.lock().begun.remove(&id)
    }

    /// Have systemd drop the scope of a session that is over, if there is one. Its process may have
    /// ended before the scope was there, and systemd hears of the end of a scope's last process but
    /// not of a scope that never had one.
    pub async fn drop_empty(&self, bus: &Connection, id: Id) {
        let body = (id.scope(), "replace");
        // There is none in most cases.
        let _ = bus
            .call_method(Some(SYSTEMD), OBJECT, Some(MANAGER), "StopUnit", &body)
            .await;
    }

    /// Take note of a `JobRemoved` signal of systemd.
    pub fn job_removed(&self, signal: &Message) {
        let body = signal.body();
        let Ok((_, _, unit, result)) = body.deserialize::<(u32, OwnedObjectPath, &str, &str)>()
        else {
            return;
        };
        if let Some(done) = self.lock().waiting.remove(unit) {
            // Whoever waited may have given up.
            let _ = done.send(result.to_owned());
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Told> {
        self.0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

async fn call(
    bus: &Connection,
    unit: &str,
    pid: i32,
    description: &str,
    bounds: Bounds,
) -> zbus::Result<()> {
    let last = (bounds.longest + LAST_BOUND).as_micros() as u64;
    let mut properties: Vec<(&str, Variant<'_>)> = vec![
        ("PIDs", Variant::from(vec![pid as u32])),
        ("Slice", paths::SLICE.into()),
        ("Description", description.into()),
        ("CollectMode", "inactive-or-failed".into()),
        ("RuntimeMaxUSec", last.into()),
        ("KillMode", "control-group".into()),
        ("SendSIGKILL", true.into()),
        // What has no memory left is killed by the kernel alone; the rest of the session goes on.
        ("OOMPolicy", "continue".into()),
        ("TimeoutStopUSec", 100_000u64.into()),
    ];
    if let Some(tasks) = bounds.tasks {
        properties.push(("TasksMax", u64::from(tasks).into()));
    }
    if let Some(memory) = bounds.memory {
        properties.push(("MemoryMax", memory.into()));
        properties.push(("MemorySwapMax", 0u64.into()));
    }
    if let Some(cpu) = bounds.cpu {
        // Microseconds in each second; a percent is 10 ms.
        let share = u64::from(cpu) * 10_000;
        properties.push(("CPUQuotaPerSecUSec", share.into()));
    }
    let auxiliary: Vec<(&str, Vec<(&str, Variant<'_>)>)> = Vec::new();
    let body = (unit, "fail", properties, auxiliary);
    bus.call_method(
        Some(SYSTEMD),
        OBJECT,
        Some(MANAGER),
        "StartTransientUnit",
        &body,
    )
    .await?;
    Ok(())
}
