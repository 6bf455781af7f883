//! Definitions left to a fold from the beginning: until that takes this one's place, it is as if they had not been made.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "tests"
)]

mod oracle;
mod support;

use oracle::{
    compare::{SITES, fold, fold_into, questions, range, seeds},
    story::{Arrival, Dice, tell},
};
use pegcount_domain::{envelope::Recorded, time::Micros};
use pegcount_kpi::{Kpi, Table};
use support::{SEED, key};

/// Seeds unless the environment says otherwise.
const SEEDS: u64 = 40;

/// Without the definitions of each site from the first deferred one on.
fn without(history: &[Recorded], deferring: &Kpi, limit: usize) -> Vec<Recorded> {
    let mut kept = Vec::new();
    for site in SITES.map(key) {
        let mut own = Kpi::new();
        own.set_seed(SEED);
        own.set_touch_limit(Some(limit));
        for recorded in history.iter().filter(|recorded| recorded.stream.site == site) {
            own.apply(recorded);
            if own.deferred_since().is_none() || !recorded.event.is_definition() {
                kept.push(recorded.clone());
            }
        }
    }
    kept.sort_by_key(|recorded| recorded.position);
    assert!(kept.len() < history.len() || deferring.deferred_since().is_none());
    kept
}

#[test]
fn a_fold_that_defers_definitions_answers_as_if_they_had_not_been_made_and_says_so() {
    let mut deferred = 0;
    for seed in seeds(70_000, SEEDS) {
        let history = tell(seed, 6, Arrival::ALittleLate);
        let limit = if seed % 2 == 0 { 0 } else { 20 };
        let mut kpi = Kpi::new();
        kpi.set_seed(SEED);
        kpi.set_touch_limit(Some(limit));
        let deferring = fold_into(kpi, &history);
        let expected = fold(&without(&history, &deferring, limit));
        deferred += usize::from(deferring.deferred_since().is_some());
        let as_of = range(&history).1.plus(Micros(20 * 24 * Micros::HOUR.0));
        for site in SITES {
            for asked in questions(site, range(&history), as_of, Dice(seed).roll()) {
                let told = deferring.query(&asked).unwrap();
                let expected = expected.query(&asked).unwrap();
                let expected =
                    Table { position: told.position, older_definitions: told.older_definitions, ..expected };
                assert_eq!(told, expected, "seed {seed}, {site}");
            }
        }
    }
    assert!(deferred > 0, "no story had a definition to defer");
}
