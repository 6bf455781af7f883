//! Subscriptions with a filter: only frames with something wanted are handed out.
//!
//! Works over a subscription to all. Not for who has confirmed what: that is `consumers`.
//!
//! Invariant: everything up to `reached` was looked at, and what passes was handed out, once.

use std::{pin::Pin, sync::Arc};

use futures_util::{FutureExt, Stream, StreamExt, stream};
use pegcount_domain::envelope::Position;

use crate::{
    api::{LogError, Subscription},
    filter::Filter,
    frame::{Frame, FrameEvent},
    limits::PROGRESS_FRAMES,
    stream::StreamPart,
};

/// What passed of the next stretch of the log.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// None: nothing passed, and this only says how far it has come.
    part: Option<StreamPart>,
    /// Everything up to here has been looked at.
    pub reached: Position,
}

impl Delivery {
    /// The events in order, each with its frame, which holds its texts. None if nothing passed.
    pub fn events(&self) -> impl Iterator<Item = (&Frame, FrameEvent<'_>)> {
        self.part.iter().flat_map(|part| part.events().map(|event| (part.frame(), event)))
    }

    /// Whether nothing passed: then it only says how far the subscription has come.
    pub fn is_empty(&self) -> bool {
        self.part.is_none()
    }
}

/// What passes, in order, without end: first history, then what comes.
pub type Deliveries = Pin<Box<dyn Stream<Item = Result<Delivery, LogError>> + Send>>;

struct Matching {
    frames: Subscription,
    filter: Filter,
    /// How many frames have passed by since the last delivery.
    passed_by: usize,
    /// The end of the last of them.
    reached: Position,
    over: bool,
}

/// What passes `filter` of `frames`.
pub(crate) fn deliveries(frames: Subscription, filter: Filter) -> Deliveries {
    let matching = Matching { frames, filter, passed_by: 0, reached: Position::START, over: false };
    Box::pin(stream::unfold(matching, |mut matching| async {
        let delivery = matching.next().await?;
        Some((delivery, matching))
    }))
}

impl Matching {
    async fn next(&mut self) -> Option<Result<Delivery, LogError>> {
        while !self.over {
            // Who has passed frames by says so before it waits.
            let frame = if self.passed_by == 0 {
                self.frames.next().await
            } else if self.passed_by < PROGRESS_FRAMES
                && let Some(frame) = self.frames.next().now_or_never()
            {
                frame
            } else {
                return Some(Ok(self.delivery(None)));
            };
            match frame {
                Some(Ok(frame)) => {
                    self.reached = frame.last();
                    if let Some(part) = self.part(frame) {
                        return Some(Ok(self.delivery(Some(part))));
                    }
                    self.passed_by += 1;
                }
                Some(Err(error)) => {
                    self.over = true;
                    return Some(Err(error));
                }
                None => {
                    self.over = true;
                    return (self.passed_by > 0).then(|| Ok(self.delivery(None)));
                }
            }
        }
        None
    }

    fn part(&self, frame: Arc<Frame>) -> Option<StreamPart> {
        let records = frame.records_passing(&self.filter);
        (!records.is_empty()).then(|| StreamPart::new(frame, records))
    }

    fn delivery(&mut self, part: Option<StreamPart>) -> Delivery {
        self.passed_by = 0;
        Delivery { part, reached: self.reached }
    }
}
