//! The same facts in another order of arrival: the same tables in every cut, and the same facts marked as odd.
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

use std::collections::BTreeSet;

use oracle::{
    compare::{SITES, fold, in_words, questions, range, seeds, shrink},
    story::{Arrival, Dice, arrival::reordered, tell},
};
use pegcount_domain::{
    envelope::{Recorded, StreamName},
    event::Event,
    ids::{Key, Name, SiteId},
    time::Micros,
};
use pegcount_kpi::{AnomalyKind, Kpi};

/// Seeds unless the environment says otherwise.
const SEEDS: u64 = 12;

/// What is odd about which fact. A correction happens when it is recorded, which is another instant each time.
type Odd = BTreeSet<(StreamName<Key>, Option<Micros>, AnomalyKind)>;

fn odd(kpi: &Kpi, site: &str, history: &[Recorded]) -> Odd {
    let site = SiteId(Name::new(site).unwrap());
    let marks = kpi.anomalies(&site).into_iter().map(|mark| {
        let fact = history.iter().find(|recorded| recorded.position == mark.position).unwrap();
        let corrects = matches!(fact.event, Event::Annulled { .. } | Event::Amended { .. });
        (fact.stream, Some(fact.occurred_at).filter(|_| !corrects), mark.kind)
    });
    marks.collect()
}

/// In which way two orders of arrival tell different things.
fn difference(one: &[Recorded], other: &[Recorded], chance: u64) -> Option<String> {
    let (one_kpi, other_kpi) = (fold(one), fold(other));
    let mut dice = Dice(chance);
    let (from, to) = range(one);
    let middle = from.plus(Micros(24 * Micros::HOUR.0 + dice.below(8 * 3600) * 1_000_000));
    for site in SITES {
        for as_of in [to.plus(Micros(10 * 24 * Micros::HOUR.0)), middle] {
            for asked in questions(site, (from, to), as_of, dice.roll()) {
                let (one, other) = (one_kpi.query(&asked).unwrap(), other_kpi.query(&asked).unwrap());
                if one.rows != other.rows {
                    let row = one.rows.iter().zip(&other.rows).find(|(one, other)| one != other);
                    return Some(format!(
                        "{site} as of {as_of} {:?} {}: {row:?}",
                        asked.by, asked.attribution
                    ));
                }
            }
        }
        let (one, other) = (odd(&one_kpi, site, one), odd(&other_kpi, site, other));
        if one != other {
            return Some(format!("{site}: odd only in one order: {:?}", one.symmetric_difference(&other)));
        }
    }
    None
}

fn check(seed: u64, size: i64, arrival: Arrival) {
    let history = tell(seed, size, arrival);
    let chance = Dice(seed ^ 0x0DDE).roll();
    let at_random = |recorded: &Recorded| {
        let fact = recorded.source_seq.map_or(0, |seq| seq.seq ^ u64::try_from(seq.epoch.0 >> 64).unwrap());
        Dice(chance ^ fact ^ recorded.position.0).roll()
    };
    let in_time = |recorded: &Recorded| u64::try_from(recorded.occurred_at.0).unwrap();
    let orders: [&dyn Fn(&Recorded) -> u64; 2] = [&at_random, &in_time];
    for order in orders {
        let again = |history: &[Recorded]| reordered(history, |_, recorded| order(recorded));
        if difference(&history, &again(&history), chance).is_some() {
            let differs = |history: &[Recorded]| difference(history, &again(history), chance);
            let short = shrink(history, |history| differs(history).is_some());
            let (words, other) = (differs(&short).unwrap(), in_words(&again(&short)));
            let story = in_words(&short);
            panic!(
                "seed {seed} size {size} {arrival:?}: {words}\n{story}and as it came the other way:\n{other}"
            );
        }
    }
}

#[test]
fn the_order_of_arrival_changes_neither_a_table_nor_a_mark() {
    for seed in seeds(0, SEEDS) {
        check(seed, 7, Arrival::InOrder);
        check(seed + 1_000, 7, Arrival::Anyhow);
    }
}
