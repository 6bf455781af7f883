//! What a follower does when its server goes away for a while: it says so, waits, and goes on from where it was.
//!
//! Invariant: only what passes by itself is waited for; a refusal ends the command.

use std::{io::Write, time::Duration};

use tonic::{Code, Status};

/// Between two tries.
const PAUSE: Duration = Duration::from_secs(1);

/// Whether trying again may help: the server is down, restarting or overloaded, or the connection broke.
pub(crate) fn is_passing(status: &Status) -> bool {
    matches!(status.code(), Code::Unavailable | Code::Unknown | Code::Cancelled | Code::ResourceExhausted)
}

/// Says what is wrong, and waits before the next try.
pub(crate) async fn wait(status: &Status) {
    // Standard error may be gone; there is nobody to tell then.
    let _ = writeln!(std::io::stderr(), "no answer ({}); trying again", status.message());
    tokio::time::sleep(PAUSE).await;
}
