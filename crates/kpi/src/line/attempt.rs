//! First attempts: contacts with no earlier one of the customer to the same entry within 30 minutes, or what the formula
//! says.
//!
//! Invariant: counted once per contact, at its end (KPIS.md §3).

use pegcount_domain::time::Micros;

use crate::{
    cells::{Contributions, Part},
    contact::fold::at_end,
    fact::Slot,
    line::Item,
    measure::Measure,
    reference::Reference,
};

pub(super) fn fold(items: &[(Slot, Item)], reference: &Reference, out: &mut Contributions) {
    for (index, (slot, item)) in items.iter().enumerate() {
        out.source(Part::Contact(*slot), item.started, item.ended_at.unwrap_or(item.started));
        let window = reference.law(item.started).rules.attempt_window;
        if counts(item) && !follows_another(items.get(..index).unwrap_or_default(), item, window) {
            emit(item, Measure::FirstAttempts, out);
            if item.answered_at.is_some() {
                emit(item, Measure::FirstAttemptsAnswered, out);
            }
        }
    }
}

pub(super) fn unknown(item: &Item, out: &mut Contributions) {
    if counts(item) {
        emit(item, Measure::AttemptsUnknown, out);
    }
}

fn counts(item: &Item) -> bool {
    item.from_customer && item.asked_for_queue && item.ended_at.is_some()
}

fn follows_another(earlier: &[(Slot, Item)], item: &Item, window: Micros) -> bool {
    let since = item.started.minus(window);
    let in_window = earlier.iter().rev().take_while(|(_, other)| other.started >= since);
    let mut attempts = in_window.filter(|(_, other)| other.from_customer && other.started < item.started);
    attempts.any(|(_, other)| other.at_entry.entry == item.at_entry.entry)
}

fn emit(item: &Item, measure: Measure, out: &mut Contributions) {
    let Some(ended) = item.ended_at else { return };
    for (attribution, at) in at_end(item.started, ended) {
        out.at(at, attribution, item.at_entry, measure, 1);
    }
}
