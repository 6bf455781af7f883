//! A door for tests alone: makes a cell say what no fact says, so that it can be seen whether somebody notices.
//!
//! Not compiled into the program (feature `corrupting`). Invariant: nothing but one cell changes.

use pegcount_domain::{
    ids::{Name, SiteId},
    time::Interval,
};

use crate::{
    Kpi, Measure,
    cells::{Attribution, Contribution, Dims},
    measure::Sheet,
};

impl Kpi {
    /// Adds `amount` to a measure of a queue (or, if the measure is an agent's, of an agent) in an interval, under
    /// [`Attribution::Event`]. False if there is no such name.
    pub fn corrupt(
        &mut self,
        site: &SiteId,
        measure: Measure,
        who: &Name,
        interval: Interval,
        amount: i64,
    ) -> bool {
        let named = |known: &&mut crate::site::Site| known.name.as_ref() == Some(&site.0);
        let Some(site) = self.sites.iter_mut().find(named) else { return false };
        let Some(id) = site.names.find_text(who.as_str()) else { return false };
        let dims = match measure.sheet() {
            Sheet::Visit | Sheet::Wait => Dims { queue: id, ..Dims::default() },
            _ => Dims { agent: id, ..Dims::default() },
        };
        site.books.cells.add(&Contribution {
            measure,
            attribution: Attribution::Event,
            interval,
            dims,
            amount,
        });
        true
    }
}
