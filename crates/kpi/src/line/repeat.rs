//! The repeat-contact form of first-contact resolution: answered contacts with no further answered one within W.
//!
//! Our own call-backs and the later parts of a journey neither count nor are repeats (KPIS.md §5). Invariant:
//! `repeat_none` and `repeat_final` never exceed `repeat_eligible`.

use pegcount_domain::time::{Interval, Micros};
use smallvec::SmallVec;

use crate::{
    cells::{Attribution, Contribution, Contributions},
    fact::Slot,
    line::{Item, REPEAT_WINDOW},
    measure::Measure,
};

pub(super) fn fold(items: &[(Slot, Item)], out: &mut Contributions) {
    let asked = items.iter().filter(|(_, item)| item.from_customer);
    let mut answers: SmallVec<[Micros; 8]> = asked.clone().filter_map(|(_, item)| item.answered_at).collect();
    answers.sort_unstable();
    for (_, item) in asked {
        let (Some(answered), Some(completed)) = (item.answered_at, item.completed_at) else { continue };
        let further = answers.partition_point(|other| *other <= answered);
        let until = completed.plus(REPEAT_WINDOW);
        let repeated = answers.get(further).is_some_and(|other| *other <= until);
        let mut count = |measure| out.at(completed, Attribution::Event, item.credited, measure, 1);
        count(Measure::RepeatEligible);
        if repeated {
            count(Measure::RepeatFinal);
        } else {
            count(Measure::RepeatNone);
            out.mature(until, completed, item, Measure::RepeatFinal);
        }
    }
}

pub(super) fn unknown(item: &Item, out: &mut Contributions) {
    if let (true, Some(_), Some(completed)) = (item.from_customer, item.answered_at, item.completed_at) {
        out.at(completed, Attribution::Event, item.credited, Measure::FcrUnidentified, 1);
    }
}

impl Contributions {
    /// One thing of the interval of `at` that is so only after `until` has passed.
    pub(super) fn mature(&mut self, until: Micros, at: Micros, item: &Item, measure: Measure) {
        let (interval, dims) = (Interval::containing(at), item.credited);
        let attribution = Attribution::Event;
        let contribution = Contribution { measure, attribution, interval, dims, amount: 1 };
        self.maturing.push((until.plus(Micros(1)), contribution));
    }
}
