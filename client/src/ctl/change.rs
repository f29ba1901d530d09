//! Taking back and ending.

use elevate_protocol::Id;

use super::output;
use crate::bus::{block_on, call, connect};
use crate::cli::End;
use crate::failure::Failure;

/// `elevatectl cancel ID`
pub(super) fn cancel(id: Id) -> Result<(), Failure> {
    block_on(async { call(&connect().await?, "Cancel", &(id.as_str(),)).await })?;
    output::line(&format!("request {id} is withdrawn"))
}

/// `elevatectl grants revoke ID`
pub(super) fn revoke(end: &End) -> Result<(), Failure> {
    let body = (end.id.as_str(), end.reason.as_str());
    block_on(async { call(&connect().await?, "Revoke", &body).await })?;
    output::line(&format!("grant {} is revoked", end.id))
}
