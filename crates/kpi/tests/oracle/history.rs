//! What holds after all corrections.
//!
//! Invariant: of facts at one instant the softphone's come before the exchange's; then those without a counter, as they
//! came; then by the counter.

use std::collections::BTreeMap;

use pegcount_domain::{
    envelope::{Position, Recorded, StreamKind},
    event::Event,
};

/// The history after its corrections, in the order in which facts happened.
pub fn corrected(own: &[Recorded]) -> Vec<Recorded> {
    let mut history: BTreeMap<Position, Recorded> = BTreeMap::new();
    for recorded in own {
        match &recorded.event {
            Event::Annulled { target, .. } => {
                history.remove(&Position(*target));
            }
            Event::Amended { target, occurred_at, event, .. } => {
                if let Some(fact) = history.get_mut(&Position(*target)) {
                    fact.occurred_at = *occurred_at;
                    fact.event = (**event).clone();
                }
            }
            _ => {
                history.insert(recorded.position, recorded.clone());
            }
        }
    }
    let mut history: Vec<_> = history.into_values().collect();
    for fact in &mut history {
        if let Event::ConnectionLost { last_heard } = fact.event {
            fact.occurred_at = fact.occurred_at.min(last_heard);
        }
    }
    history.sort_by_key(|fact| {
        (fact.occurred_at, fact.stream.kind != StreamKind::Agent, fact.source_seq, fact.position)
    });
    history
}
