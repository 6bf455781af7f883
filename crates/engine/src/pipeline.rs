//! History into a fold as fast as two cores can: one thread reads and decodes, another folds.
//!
//! Not for what comes live: there a frame is folded where it arrives. Invariant: events are folded in the order of their
//! positions, and none after the position that is asked for.

use std::sync::{
    Arc,
    mpsc::{self, Receiver, SyncSender},
};

use futures_util::StreamExt;
use pegcount_domain::{envelope::Position, ids::Key};
use pegcount_log::{EventLog, Frame, LogError};
use tokio::runtime::Handle;

use crate::{
    error::EngineError,
    figures::{Decoded, Figures},
    progress::Running,
    recorded::FrameKeys,
};

/// Decoded frames that may wait for the fold: some 20 MB.
const AHEAD: usize = 256;

/// Folds on to `position`, which is durable.
///
/// Errors: the log's; it was interrupted. What has been folded by then stands.
pub(crate) fn fold_to(
    log: &Arc<dyn EventLog>,
    figures: &mut Figures,
    seed: u64,
    position: Position,
    running: &Running,
    runtime: &Handle,
) -> Result<(), EngineError> {
    let next = figures.kpi.position().next();
    running.goes(figures.kpi.position(), position);
    if next > position {
        return Ok(());
    }
    let only = figures.kpi.only_site();
    std::thread::scope(|scope| {
        let (send, decoded) = mpsc::sync_channel(AHEAD);
        let (give_back, spare) = mpsc::channel();
        let decoding = Decoding { log, next, position, only, keys: FrameKeys::new(seed), spare };
        scope.spawn(move || decoding.run(&send, runtime));
        for decoded in decoded {
            let decoded: Decoded = decoded?;
            let Some(frame) = decoded.frame.clone() else { continue };
            figures.take(&decoded, &frame);
            let last = frame.last().min(position);
            figures.kpi.stand_at(last);
            running.has_come_to(last);
            if last >= position {
                return Ok(());
            }
            if running.is_stopped() {
                break;
            }
            // The decoder may have ended; then nobody needs it back.
            let _ = give_back.send(decoded);
        }
        Err(EngineError::Precondition("the figures' fold over history was interrupted: ask again".to_owned()))
    })
}

struct Decoding<'a> {
    log: &'a Arc<dyn EventLog>,
    next: Position,
    position: Position,
    only: Option<Key>,
    keys: FrameKeys,
    spare: Receiver<Decoded>,
}

impl Decoding<'_> {
    /// Until the position is reached, the log gives no more, or nobody takes it.
    fn run(mut self, to: &SyncSender<Result<Decoded, LogError>>, runtime: &Handle) {
        let mut frames = self.log.subscribe(self.next);
        while let Some(frame) = runtime.block_on(frames.next()) {
            let last = frame.as_ref().map_or(self.position, |frame| frame.last());
            let decoded = frame.map(|frame| self.decode(frame));
            if to.send(decoded).is_err() || last >= self.position {
                return;
            }
        }
    }

    fn decode(&mut self, frame: Arc<Frame>) -> Decoded {
        let mut decoded = self.spare.try_recv().unwrap_or_default();
        decoded.load(&frame, &mut self.keys, self.position, self.only);
        decoded.frame = Some(frame);
        decoded
    }
}
