use super::{Scene, line};
use crate::trial::seat::Who;
use crate::trial::stage::Typed;

pub(super) const SCENE: Scene = Scene {
    title: "Contained: root, and yet only where the rule lets it write",
    steps: &[
        line(
            "It is root, and writes what the rule names",
            Typed {
                who: Who::Alice,
                line: "elevate bash -c 'id -un; date >/srv/reports/today && echo written'",
                status: 0,
                shows: &["root", "written"],
            },
        ),
        line(
            "What root's programs read it can't change",
            Typed {
                who: Who::Alice,
                line: "elevate bash -c 'echo \"* * * * * root id\" >/etc/cron.d/mine'",
                status: 1,
                shows: &["Read-only file system"],
            },
        ),
        line(
            "Nobody outside runs anything for it",
            Typed {
                who: Who::Alice,
                line: "elevate bash -c 'systemd-run --quiet touch /etc/mine'",
                status: 1,
                shows: &["Failed to connect"],
            },
        ),
    ],
};
