//! Who is believed where a softphone and an exchange both report the same leg.
//!
//! Offers, answers, holds and ends: the exchange, if it reports that field of that leg at all. After-call work: the
//! softphone, if it reports any. So each field has one source, and the same leg never counts twice.
//!
//! Invariant: the answer depends on the whole history of the leg, never on which report came first.

use crate::fact::{Step, Track};

/// A field of a leg.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
enum Field {
    Assigned,
    Offered,
    Ringing,
    Dialing,
    Answered,
    Held,
    Transferred,
    Ended,
    AfterCall,
}

const fn field(step: Step) -> Field {
    match step {
        Step::Assigned => Field::Assigned,
        Step::Offered => Field::Offered,
        Step::Ringing => Field::Ringing,
        Step::Dialing => Field::Dialing,
        Step::Answered => Field::Answered,
        Step::Held | Step::Retrieved | Step::Consulting | Step::Conferenced | Step::Interrupted => {
            Field::Held
        }
        Step::Transferred { .. } => Field::Transferred,
        Step::Missed | Step::Rejected | Step::CustomerGone | Step::Failed | Step::Ended { .. } => {
            Field::Ended
        }
        Step::AfterCallStarted | Step::AfterCallEnded => Field::AfterCall,
    }
}

/// What each track has reported of one leg.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Reports {
    phone: u16,
    switch: u16,
    /// What the softphone said of after-call work when it reported the end.
    phone_announced: Option<bool>,
}

impl Reports {
    /// Learns of one report.
    #[inline]
    pub(crate) fn learn(&mut self, step: Step, track: Track) {
        let bit = 1 << field(step) as u16;
        match track {
            Track::Phone => self.phone |= bit,
            Track::Switch => self.switch |= bit,
        }
        if let (Step::Ended { after_call, .. }, Track::Phone) = (step, track) {
            self.phone_announced = Some(after_call);
        }
    }

    /// Whether this report is believed.
    #[inline]
    pub(crate) fn believes(self, step: Step, track: Track) -> bool {
        if self.phone == 0 || self.switch == 0 {
            return true;
        }
        let field = field(step);
        let bit = 1 << field as u16;
        match (field, track) {
            (Field::AfterCall, Track::Switch) => self.phone & bit == 0,
            (Field::AfterCall, Track::Phone) | (_, Track::Switch) => true,
            (_, Track::Phone) => self.switch & bit == 0,
        }
    }

    /// Whether after-call work follows the end, of which the believed report said `said`.
    #[inline]
    pub(crate) fn after_call(self, said: bool) -> bool {
        self.phone_announced.unwrap_or(said)
    }
}
