//! A site's figures once more by another formula version, from its units alone: they are what a fold of all events by that
//! version comes to, and go on as that does.
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
    compare::{SITES, apply, explained_alike, fold_into, names, questions, range, seeds, some},
    story::{Arrival, Dice, tell},
};
use pegcount_domain::{
    envelope::Recorded,
    formula::FormulaDefinition,
    ids::{Key, Name, SiteId},
    time::Micros,
};
use pegcount_kpi::Kpi;
use support::{SEED, key};

/// Seeds unless the environment says otherwise.
const SEEDS: u64 = 8;

/// A version that counts otherwise than the built-in one in all that a version can say.
fn another() -> FormulaDefinition<Key> {
    let mut other = FormulaDefinition { number: 200, ..FormulaDefinition::built_in() };
    let rules = &mut other.rules;
    rules.short = Micros(rules.short.0 * 2);
    rules.threshold = Micros(rules.threshold.0 / 2);
    rules.short_handle = Micros(rules.short_handle.0 * 6);
    rules.attempt_window = Micros(rules.attempt_window.0 / 3);
    rules.repeat_window = Micros(rules.repeat_window.0 / 9);
    other
}

fn under(site: &str, formula: &FormulaDefinition<Key>) -> Kpi {
    let mut kpi = Kpi::under(key(site), formula);
    kpi.set_seed(SEED);
    kpi
}

/// Everything that can be asked of both is answered the same.
fn assert_same(reckoned: &Kpi, folded: &Kpi, site: &str, history: &[Recorded], dice: &mut Dice, what: &str) {
    let (from, to) = range(history);
    let within = Micros(from.0 + dice.below((to.0 - from.0) / 1_000_000) * 1_000_000);
    for as_of in [within, to] {
        for asked in questions(site, (from, to), as_of, dice.roll()) {
            let (left, right) = (reckoned.query(&asked).unwrap(), folded.query(&asked).unwrap());
            assert_eq!(left, right, "{what} as of {as_of}: {asked:?}");
            if dice.chance(10) {
                explained_alike(&[reckoned, folded], &asked, dice, what);
            }
        }
    }
    let id = SiteId(Name::new(site).unwrap());
    assert_eq!(reckoned.anomalies(&id), folded.anomalies(&id), "{what}");
    assert_eq!(reckoned.position(), folded.position(), "{what}");
}

#[test]
fn what_is_reckoned_from_units_is_what_a_fold_of_all_events_comes_to() {
    let (other, names) = (another(), names());
    for seed in seeds(80_000, SEEDS) {
        for arrival in [Arrival::InOrder, Arrival::ALittleLate, Arrival::Anyhow] {
            let mut dice = Dice(seed);
            let history = tell(seed, 8, arrival);
            let cut = usize::try_from(dice.below(i64::try_from(history.len()).unwrap())).unwrap();
            let (first, rest) = history.split_at(cut);
            for site in SITES {
                let what = format!("seed {seed} {arrival:?} {site} after {cut} of {}", history.len());
                let present = fold_into(some(dice.roll()), first);
                let mut reckoned = present.reckoned_under(key(site), &other).expect("nothing is closed");
                let mut folded = fold_into(under(site, &other), first);
                if cut > 0 {
                    assert_same(&reckoned, &folded, site, first, &mut dice, &what);
                }
                for recorded in rest {
                    apply(&mut reckoned, recorded, &names);
                    apply(&mut folded, recorded, &names);
                }
                assert_same(&reckoned, &folded, site, &history, &mut dice, &format!("{what}, and the rest"));
            }
        }
    }
}
