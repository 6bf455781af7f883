//! `Reconcile`: a range recounted from the log, with what differs.
//!
//! Invariant: the last message of a stream that ended well has the summary.

use std::sync::Arc;

use pegcount_domain::{
    ids::SiteId,
    time::{Micros, Span},
};
use pegcount_engine::{EngineError, ReconcileProgress};
use pegcount_proto::v1;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

use super::{Answers, Room, incarnation_bytes};
use crate::{access::Caller, status, wire};

/// So many differences go into one message.
const DIFFERENCES_AT_ONCE: usize = 1_000;
/// Messages that wait for a slow reader.
const WAITING_MAX: usize = 8;

/// Begins; the answers come as they are ready. Whoever goes away ends it.
pub(super) fn answer(
    room: &Room,
    caller: &Caller,
    request: &v1::ReconcileRequest,
) -> Result<Answers<v1::ReconcileUpdate>, Status> {
    let site = caller.site("site", &request.site)?;
    let (from, to) = (Micros(request.from_us), Micros(request.to_us));
    room.engine.check_reconcile(&site, from, to).map_err(status::of)?;
    let (outbox, inbox) = mpsc::channel(WAITING_MAX);
    let (room, expires) = (room.clone(), caller.clone());
    tokio::spawn(async move {
        let end = tokio::select! {
            () = room.closing.cancelled() => Err(status::shutting_down()),
            () = expires.expired() => Err(status::token_expired()),
            () = outbox.closed() => return,
            done = recount(&room, &site, Span { start: from, end: to }, &outbox) => done.map_err(status::of),
        };
        if let Err(refusal) = end {
            // The client may have gone already.
            let _ = outbox.send(Err(refusal)).await;
        }
    });
    Ok(Box::pin(ReceiverStream::new(inbox)))
}

async fn recount(
    room: &Room,
    site: &SiteId,
    range: Span,
    outbox: &mpsc::Sender<Result<v1::ReconcileUpdate, Status>>,
) -> Result<(), EngineError> {
    let incarnation = incarnation_bytes(room.engine.incarnation());
    let mut progress = ReconcileProgress { read: 0, of: 0 };
    let mut tell = |now: ReconcileProgress| {
        progress = now;
        // A reader that has not taken the last word does not need this one.
        let _ = outbox.try_send(Ok(update(now)));
    };
    let done = Arc::clone(&room.engine).reconcile(site, range, &mut tell).await?;
    for part in done.differences.chunks(DIFFERENCES_AT_ONCE) {
        let differences = part.iter().map(wire::difference).collect();
        let message = v1::ReconcileUpdate { differences, ..update(progress) };
        if outbox.send(Ok(message)).await.is_err() {
            return Ok(());
        }
    }
    let last =
        v1::ReconcileUpdate { summary: Some(wire::reconciled(&done)), incarnation, ..update(progress) };
    let _ = outbox.send(Ok(last)).await;
    Ok(())
}

fn update(progress: ReconcileProgress) -> v1::ReconcileUpdate {
    v1::ReconcileUpdate { events_read: progress.read, events_total: progress.of, ..Default::default() }
}
