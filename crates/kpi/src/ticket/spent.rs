//! The time that a ticket took: since its opening, and of that, while it was open and not on hold.
//!
//! Invariant: real time and working time are those of the same spans.

use pegcount_domain::{deadlines::ClockKind, ticketing::Status, time::Micros};

use crate::reference::Reference;

/// Amounts of time: real, real without pauses, working, working without pauses.
pub(super) type Amounts = [i64; 4];

/// Time spent, as far as a ticket has come.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spent {
    opened_at: Micros,
    /// Since when it is open and not on hold.
    since: Option<Micros>,
    /// Before that.
    real: i64,
    working: i64,
}

const fn runs(status: Status) -> bool {
    status.is_open() && !matches!(status, Status::OnHold)
}

fn working(reference: &Reference, from: Micros, to: Micros) -> i64 {
    let clock = ClockKind::Working(reference.standard_calendar());
    // What no calendar reaches adds nothing.
    reference.world().between(&clock, from, to).unwrap_or(Micros::ZERO).0
}

impl Spent {
    pub(super) fn from(opened_at: Micros) -> Self {
        Self { opened_at, since: Some(opened_at), real: 0, working: 0 }
    }

    /// It stands so since `at`.
    pub(super) fn stand(&mut self, status: Status, at: Micros, reference: &Reference) {
        match self.since {
            Some(since) if !runs(status) => {
                self.real = self.real.saturating_add(at.minus(since).0);
                self.working = self.working.saturating_add(working(reference, since, at));
                self.since = None;
            }
            None if runs(status) => self.since = Some(at),
            _ => {}
        }
    }

    /// What was spent by `at`.
    pub(super) fn by(&self, at: Micros, reference: &Reference) -> Amounts {
        let (real, worked) = self.since.map_or((0, 0), |since| {
            // Mostly there was no pause, and then both are the same.
            let worked = if since == self.opened_at { 0 } else { working(reference, since, at) };
            (at.minus(since).0, worked)
        });
        let whole = working(reference, self.opened_at, at);
        let unpaused_working =
            if self.since == Some(self.opened_at) { whole } else { self.working.saturating_add(worked) };
        [at.minus(self.opened_at).0, self.real.saturating_add(real), whole, unpaused_working]
    }
}
