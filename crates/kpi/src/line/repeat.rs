//! The repeat-contact form of first-contact resolution: answered contacts with no further answered one within W.
//!
//! Our own call-backs never count; a journey counts once, and only a contact of another one repeats it (KPIS.md §5).
//! Invariant: `repeat_none` and `repeat_final` never exceed `repeat_eligible`.

use pegcount_domain::time::{Interval, Micros};
use smallvec::SmallVec;

use crate::{
    cells::{Attribution, Contribution, Contributions, Part},
    fact::Slot,
    line::{Item, root},
    measure::Measure,
    reference::Reference,
};

pub(super) fn fold(items: &[(Slot, Item)], reference: &Reference, out: &mut Contributions) {
    let asked = items.iter().filter(|(_, item)| item.from_customer);
    let answered = asked.filter_map(|(slot, item)| Some((item.answered_at?, root(*slot, item), *slot, item)));
    let mut answers: SmallVec<[(Micros, Slot, Slot, &Item); 4]> = answered.collect();
    let has_journeys = answers.iter().any(|(.., item)| item.journey.is_some());
    // Stable: of two answers at one instant, the contact that started first comes first.
    answers.sort_by_key(|(at, ..)| *at);
    for (index, (answered, root, slot, item)) in answers.iter().enumerate() {
        let Some(completed) = item.completed_at else { continue };
        if has_journeys && answers.iter().take(index).any(|(_, other, ..)| other == root) {
            continue;
        }
        let further = answers.partition_point(|(at, ..)| at <= answered);
        let until = completed.plus(reference.law(item.started).rules.repeat_window);
        let mut later = answers.iter().skip(further).take_while(|(at, ..)| *at <= until);
        let repeated = later.any(|(_, other, ..)| other != root);
        out.source(Part::Contact(*slot), *answered, completed);
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
        self.push_maturing(until.plus(Micros(1)), contribution);
    }
}
