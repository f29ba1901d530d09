//! systemd's `JobRemoved` signals, for those who wait for a scope.

use std::sync::Arc;

use zbus::{Connection, MatchRule, MessageStream, message};

use crate::daemon::Daemon;

/// Listen from now on.
pub async fn follow_jobs(daemon: Arc<Daemon>, bus: &Connection) -> zbus::Result<()> {
    let rule = MatchRule::builder()
        .msg_type(message::Type::Signal)
        .sender("org.freedesktop.systemd1")
        .interface("org.freedesktop.systemd1.Manager")
        .member("JobRemoved")
        .build()?;
    let mut signals = MessageStream::for_match_rule(rule, bus, None).await?;
    tokio::spawn(async move {
        while let Some(signal) = next(&mut signals).await {
            if let Ok(signal) = signal {
                daemon.scopes.job_removed(&signal);
            }
        }
    });
    Ok(())
}

async fn next(stream: &mut MessageStream) -> Option<zbus::Result<zbus::Message>> {
    use zbus::export::futures_core::Stream;
    std::future::poll_fn(|context| std::pin::Pin::new(&mut *stream).poll_next(context)).await
}
