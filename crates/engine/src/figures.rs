//! The KPI fold: the log's frames into `pegcount_kpi`, and queries out of it.

use std::sync::Arc;

use pegcount_domain::{
    envelope::{Position, Recorded},
    ids::{CustomerId, Key, SiteId},
    time::Micros,
};
use pegcount_kpi::{Kpi, Query, QueryError, Table};
use pegcount_log::Frame;

use crate::{
    follow::Fold,
    recorded::{FrameKeys, text_of},
};

/// The KPI cells, kept up to date.
pub struct Figures {
    pub(crate) kpi: Kpi,
    keys: FrameKeys,
    spare: Decoded,
}

/// A frame's events, decoded, with its texts' keys.
#[derive(Debug, Default)]
pub(crate) struct Decoded {
    pub(crate) frame: Option<Arc<Frame>>,
    keys: Vec<Key>,
    events: Vec<Recorded>,
}

impl Decoded {
    /// Decodes a frame's events up to `last`; of one site alone if it says which.
    pub(crate) fn load(&mut self, frame: &Frame, keys: &mut FrameKeys, last: Position, only: Option<Key>) {
        keys.load(frame);
        keys.copy_to(&mut self.keys);
        self.events.clear();
        for event in frame.events().take_while(|event| event.envelope.position <= last) {
            if only.is_some() && only != keys.site_of(&event) {
                continue;
            }
            match keys.recorded(&event) {
                Ok(recorded) => self.events.push(recorded),
                Err(error) => {
                    metrics::counter!("pegcount_undecodable_events_total").increment(1);
                    tracing::error!(position = event.envelope.position.0, %error, "left out of the figures");
                }
            }
        }
    }

    fn text_of<'f>(&self, frame: &'f Frame, key: Key) -> Option<&'f str> {
        text_of(frame, &self.keys, key)
    }
}

impl Figures {
    /// Empty. `seed` keeps a hostile client from making two names meet.
    pub fn new(seed: u64) -> Self {
        Self::restored(Kpi::new(), seed)
    }

    /// As they were, with the seed that they were made with.
    pub(crate) fn restored(mut kpi: Kpi, seed: u64) -> Self {
        kpi.set_seed(seed);
        Self { kpi, keys: FrameKeys::new(seed), spare: Decoded::default() }
    }

    /// Of all fingerprints.
    pub(crate) fn seed(&self) -> u64 {
        self.keys.seed()
    }
}

impl Figures {
    /// When each contact of a customer began, and where its first fact stands in the log; in no order.
    pub(crate) fn customer_contacts(&self, site: &SiteId, customer: &CustomerId) -> Vec<(Micros, Position)> {
        self.kpi.customer_contacts(site, self.keys.of(customer.as_str()))
    }

    /// Takes one frame in.
    pub fn fold(&mut self, frame: &Frame) {
        let mut decoded = std::mem::take(&mut self.spare);
        decoded.load(frame, &mut self.keys, frame.last(), self.kpi.only_site());
        self.take(&decoded, frame);
        self.spare = decoded;
    }

    /// Takes a frame's decoded events in.
    pub(crate) fn take(&mut self, decoded: &Decoded, frame: &Frame) {
        for recorded in &decoded.events {
            self.kpi.apply(recorded);
        }
        for key in self.kpi.missing_names() {
            if let Some(text) = decoded.text_of(frame, key) {
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
