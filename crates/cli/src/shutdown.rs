//! The wish to end: SIGINT (Ctrl-C) or SIGTERM.
//!
//! Invariant: from [`wish`] on, neither signal ends the process by itself any more.

use std::io;

/// Resolves when the user or the system asks this process to end; says how.
#[cfg(unix)]
pub(crate) fn wish() -> io::Result<impl Future<Output = &'static str>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => "SIGINT",
            _ = terminate.recv() => "SIGTERM",
        }
    })
}

/// Resolves when the user asks this process to end.
#[cfg(not(unix))]
pub(crate) fn wish() -> io::Result<impl Future<Output = &'static str>> {
    Ok(async {
        let _ = tokio::signal::ctrl_c().await;
        "Ctrl-C"
    })
}
