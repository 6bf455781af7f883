//! What a lasting connection says first: it has to come soon, and to be a hello.

use tonic::{Status, Streaming};

use super::Room;
use crate::{options::HELLO_WAIT, status};

/// The hello that `of` finds in the first message.
///
/// Errors: none came within [`HELLO_WAIT`], something else came, the server goes down.
pub(super) async fn hello<M, H>(
    room: &Room,
    inbound: &mut Streaming<M>,
    of: impl FnOnce(M) -> Option<H>,
) -> Result<H, Status> {
    let first = tokio::select! {
        () = room.closing.cancelled() => return Err(status::shutting_down()),
        first = tokio::time::timeout(HELLO_WAIT, inbound.message()) => first,
    };
    let late = |_| status::invalid("hello", format!("did not come within {HELLO_WAIT:?}; send it first"));
    let first = first.map_err(late)?.map_err(status::of_transport)?;
    let missing = || status::invalid("hello", "is missing; it must be the first message");
    first.and_then(of).ok_or_else(missing)
}
