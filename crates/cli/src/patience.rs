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
        || is_cut(status)
}

/// Whether the connection was cut in the middle of an answer: the transport's word for that, not the server's.
fn is_cut(status: &Status) -> bool {
    status.code() == Code::Internal && status.message().starts_with("h2 protocol error")
}

/// Says what is wrong, and waits before the next try.
pub(crate) async fn wait(status: &Status) {
    // Standard error may be gone; there is nobody to tell then.
    let _ = writeln!(std::io::stderr(), "no answer ({}); trying again", status.message());
    tokio::time::sleep(PAUSE).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_that_was_cut_is_waited_for_and_a_refusal_is_not() {
        assert!(is_passing(&Status::internal("h2 protocol error: http2 error")));
        assert!(is_passing(&Status::unavailable("tcp connect error")));
        assert!(!is_passing(&Status::internal("the answer makes no sense")));
        assert!(!is_passing(&Status::permission_denied("no")));
    }
}
