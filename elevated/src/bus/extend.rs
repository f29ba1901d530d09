//! The `a{sv}` of `Manager.Extend`, read within its limits.

use elevate_protocol::bus::extend;

use super::ask::{Fields, duration, reason, take, unknown};
use crate::conversation::{Extension, Refusal};

/// What `fields` ask for; a key that is not known is refused.
pub(super) fn read(mut fields: Fields) -> Result<Extension, Refusal> {
    let id: String = take(&mut fields, extend::ID)?.unwrap_or_default();
    let non_interactive: Option<bool> = take(&mut fields, extend::NON_INTERACTIVE)?;
    let extension = Extension {
        session: super::manager::parse(&id)?,
        duration: take(&mut fields, extend::DURATION)?
            .map(duration)
            .transpose()?,
        reason: reason(&mut fields, extend::REASON)?,
        interactive: !non_interactive.unwrap_or_default(),
        terminal: take(&mut fields, extend::TERMINAL)?.unwrap_or_default(),
    };
    unknown(fields)?;
    Ok(extension)
}
