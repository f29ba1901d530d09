//! Every bound of the language, in one place.

use std::time::Duration;

/// The shortest time a rule may lend, and a person may ask for.
pub const MIN_TIME: Duration = Duration::from_secs(1);

/// The longest time any rule may lend: seven days.
pub const MAX_TIME: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// The highest uid or gid: above `INT_MAX` some programs read a negative number, and
/// 2^32-1 means "don't change" to setresuid(2).
pub const MAX_ID: u32 = i32::MAX as u32;

/// The most approvals a rule may ask for.
pub const MAX_APPROVALS: u32 = 16;

/// The most tasks a rule may allow: the kernel's `PID_MAX_LIMIT`.
pub const MAX_TASKS: u32 = 4 * 1024 * 1024;

/// The longest name of a role, rule or alias, in bytes.
pub const MAX_NAME: usize = 64;

/// The longest name of a user or group, in bytes (`LOGIN_NAME_MAX` of Linux).
pub const MAX_ACCOUNT: usize = 256;

/// The longest pattern of a ticket, in bytes.
pub const MAX_TICKET: usize = 256;

/// The longest value of an attribute that a role may ask for, in bytes.
pub const MAX_VALUE: usize = 1024;

/// The longest command pattern, in bytes.
pub const MAX_PATTERN: usize = 4096;

/// The most alternatives that the braces of one word may stand for.
pub const MAX_ALTERNATIVES: usize = 256;

/// The least memory that a rule may allow, in bytes: what a shell needs.
pub const MIN_MEMORY: u64 = 1 << 20;

/// The most memory that a rule may allow, in bytes: a petabyte.
pub const MAX_MEMORY: u64 = 1 << 50;

/// The most time of processors that a rule may allow, in percent of one: the 8192 of the kernel's
/// highest `NR_CPUS`.
pub const MAX_CPU: u32 = 8192 * 100;

/// The most folders and files that a contained session may write, each a mount of its own.
pub const MAX_WRITABLE: usize = 64;
