//! When agents' days and months are to be judged.
//!
//! Every event asks whether any is due, so the first instant stands beside the set. Invariant: `first` is the instant of
//! the first one.

use std::collections::BTreeSet;

use pegcount_domain::time::Micros;
use serde::{Deserialize, Serialize};

use crate::fact::Slot;

/// The ends of days and months that may stand otherwise in the books than they are.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct DaysDue {
    ends: BTreeSet<(Micros, Slot)>,
    first: Option<Micros>,
}

impl DaysDue {
    /// One of an agent's ends at an instant.
    pub(super) fn insert(&mut self, end: Micros, agent: Slot) {
        self.ends.insert((end, agent));
        self.first = Some(self.first.map_or(end, |first| first.min(end)));
    }

    /// Whether any is due by an instant.
    #[inline]
    pub(super) fn any_by(&self, at: Micros) -> bool {
        self.first.is_some_and(|first| first <= at)
    }

    /// Takes the first one that is due by an instant.
    #[inline]
    pub(super) fn take_by(&mut self, at: Micros) -> Option<(Micros, Slot)> {
        if !self.any_by(at) {
            return None;
        }
        let first = self.ends.pop_first();
        self.first = self.ends.first().map(|(end, _)| *end);
        first
    }
}
