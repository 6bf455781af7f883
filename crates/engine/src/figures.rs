//! The KPI fold: the log's frames into `pegcount_kpi`, and queries out of it.

use pegcount_domain::envelope::Position;
use pegcount_kpi::{Kpi, Query, QueryError, Table};
use pegcount_log::Frame;

use crate::{follow::Fold, recorded::FrameKeys};

/// The KPI cells, kept up to date.
pub struct Figures {
    pub(crate) kpi: Kpi,
    keys: FrameKeys,
}

impl Figures {
    /// Empty. `seed` keeps a hostile client from making two names meet.
    pub fn new(seed: u64) -> Self {
        Self::restored(Kpi::new(), seed)
    }

    /// As they were, with the seed that they were made with.
    pub(crate) fn restored(kpi: Kpi, seed: u64) -> Self {
        Self { kpi, keys: FrameKeys::new(seed) }
    }

    /// Of all fingerprints.
    pub(crate) fn seed(&self) -> u64 {
        self.keys.seed()
    }
}

impl Figures {
    /// Takes one frame in.
    pub fn fold(&mut self, frame: &Frame) {
        self.fold_until(frame, frame.last());
    }

    /// Takes a frame's events up to `last` in.
    pub(crate) fn fold_until(&mut self, frame: &Frame, last: Position) {
        self.keys.load(frame);
        for event in frame.events().take_while(|event| event.envelope.position <= last) {
            match self.keys.recorded(&event) {
                Ok(recorded) => self.kpi.apply(&recorded),
                Err(error) => {
                    metrics::counter!("pegcount_undecodable_events_total").increment(1);
                    tracing::error!(position = event.envelope.position.0, %error, "left out of the figures");
                }
            }
        }
        for key in self.kpi.missing_names() {
            if let Some(text) = self.keys.text_of(frame, key) {
                self.kpi.name(key, text);
            }
        }
    }

    /// The figures of a range, as far as frames have been taken in.
    pub fn query(&self, query: &Query) -> Result<Table, QueryError> {
        self.kpi.query(query)
    }
}

impl Fold for Figures {
    const NAME: &'static str = "figures";

    fn apply(&mut self, frame: &Frame) {
        self.fold(frame);
    }
}
