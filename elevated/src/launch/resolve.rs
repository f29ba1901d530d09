//! Which file a command is: asked of a resolver in the host's own view of its files.

use std::io;

use elevate_protocol::launch::{Resolution, Resolve};
use elevate_protocol::limits::{LAUNCH_BYTES, RESOLVE_TIME};
use elevate_protocol::{Id, seqpacket};

use super::{Launcher, Packets};

/// Have `launcher` fork a resolver, and wait for its answer.
pub async fn resolve(launcher: &Launcher, id: Id, question: &Resolve) -> io::Result<Resolution> {
    let (ours, theirs) = seqpacket::pair()?;
    let ours = Packets::new(ours)?;
    launcher.resolve(id, question, theirs).await?;
    let answer = tokio::time::timeout(RESOLVE_TIME, ours.receive(LAUNCH_BYTES)).await;
    match answer {
        Ok(Ok(Some(packet))) => Ok(serde_json::from_slice(&packet.body)?),
        Ok(Ok(None)) => Ok(Resolution::Failed("the resolver gave no answer".into())),
        Ok(Err(error)) => Err(error),
        Err(_) => Ok(Resolution::Failed(
            "looking for the command took too long".into(),
        )),
    }
}
