//! What is over rests as bytes: no figure, no explanation and no correction is another for it, whatever comes late.
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
    compare::{SITES, apply, explained_alike, names, questions, range, seeds},
    story::{Arrival, Dice, tell},
};
use pegcount_domain::{ids::Name, ids::SiteId, time::Micros};
use pegcount_kpi::{InUse, Kpi, Part, PartError, Query};
use support::{Centre, t};

/// Seeds unless the environment says otherwise.
const SEEDS: u64 = 6;
const ARRIVALS: [Arrival; 3] = [Arrival::InOrder, Arrival::ALittleLate, Arrival::Anyhow];

fn site(name: &str) -> SiteId {
    SiteId(Name::new(name).unwrap())
}

fn through_parts(kpi: &Kpi, in_use: InUse) -> Kpi {
    let mut parts = Vec::new();
    kpi.parts::<PartError>(|bytes| {
        parts.push(Part::read(&bytes)?);
        Ok(())
    })
    .unwrap();
    let mut kpi = Kpi::assembled(parts).unwrap();
    kpi.set_in_use(in_use);
    kpi
}

fn assert_same(left: &Kpi, right: &Kpi, asked: &Query, what: &str) {
    let (left, right) = (left.query(asked).unwrap(), right.query(asked).unwrap());
    assert_eq!(left.rows.len(), right.rows.len(), "{what}");
    for (left, right) in left.rows.iter().zip(&right.rows) {
        assert_eq!(left, right, "{what}");
    }
}

/// Folds a story with nothing at rest, with all at rest that may, and with that taken apart now and then, and compares.
fn check(seed: u64, arrival: Arrival) {
    let history = tell(seed, 8, arrival);
    let (names, (from, to)) = (names(), range(&history));
    let mut dice = Dice(seed ^ 0x3C3C);
    let [mut awake, mut resting, mut parted] = [(); 3].map(|()| Kpi::new());
    awake.set_in_use(InUse::EVERYTHING);
    resting.set_in_use(InUse::NOTHING);
    parted.set_in_use(InUse { units: 2, rows: 3 });
    for recorded in &history {
        for kpi in [&mut awake, &mut resting, &mut parted] {
            apply(kpi, recorded, &names);
        }
        if dice.chance(4) {
            parted = through_parts(&parted, InUse { units: 2, rows: 3 });
        }
        if !dice.chance(6) {
            continue;
        }
        let as_of = Micros(from.0 + dice.below((to.0 - from.0) / 1_000_000) * 1_000_000);
        for name in SITES {
            let mut all = questions(name, (from, to), as_of, dice.roll());
            let asked = all.swap_remove(usize::try_from(dice.below(17)).unwrap());
            let what = format!("seed {seed} {arrival:?} {name} as of {as_of}");
            assert_same(&awake, &resting, &asked, &what);
            assert_same(&awake, &parted, &asked, &what);
        }
    }
    for name in SITES {
        let what = format!("seed {seed} {arrival:?} {name}");
        for kpi in [&resting, &parted] {
            assert_eq!(awake.corrections(&site(name)), kpi.corrections(&site(name)), "{what}");
            assert_eq!(awake.anomalies(&site(name)), kpi.anomalies(&site(name)), "{what}");
        }
        for asked in questions(name, (from, to), to.plus(Micros(9 * 24 * Micros::HOUR.0)), dice.roll()) {
            assert_same(&awake, &resting, &asked, &what);
            assert_same(&awake, &parted, &asked, &what);
            if dice.chance(40) {
                explained_alike(&[&awake, &resting, &parted], &asked, &mut dice, &what);
            }
        }
    }
}

#[test]
fn figures_explanations_and_corrections_are_the_same_whether_units_rest_or_not() {
    for seed in seeds(60_000, SEEDS) {
        for arrival in ARRIVALS {
            check(seed, arrival);
        }
    }
}

#[test]
fn what_is_over_takes_little_memory_and_what_is_open_is_ready() {
    let (calls, mut centre) = (200, Centre::new());
    centre.kpi.set_in_use(InUse { units: 10, rows: 0 });
    centre.sign_in("ann", "8:00:00");
    centre.start("open", "8:00:00", "hotline", "somebody");
    centre.enter("open", "8:00:00", "v", "sales");
    for call in 0..calls {
        let (contact, at) = (format!("call {call}"), format!("{}:{:02}", 8 + call / 60, call % 60));
        centre.start(&contact, &format!("{at}:00"), "hotline", &format!("customer {call}"));
        centre.talk("ann", &contact, "sales", &format!("{at}:10"), &format!("{at}:40"));
        centre.end(&contact, &format!("{at}:40"));
    }
    let weights = centre.kpi.weights();
    let of = |what: &str| weights.iter().find(|weight| weight.what == what).unwrap();
    // Some calls wait for their agent to be folded: they are open.
    assert!(of("contacts in use").count < 40, "{weights:?}");
    assert!(of("contacts at rest").count > 160, "{weights:?}");
    assert!(of("contacts at rest").bytes < of("contacts at rest").count * 300, "{weights:?}");
    assert_eq!(of("open rows of cells").count, 0, "{weights:?}");
    assert!(of("closed chapters").bytes < 400 * 40, "{weights:?}");
    let asked = centre.query("8", "12", &[]);
    let table = centre.kpi.query(&Query { as_of: t("11:30:00"), ..asked }).unwrap();
    assert_eq!(support::amount(&table.rows[0], "handled"), calls);
    assert_eq!(support::amount(&table.rows[0], "waiting"), 1);
}
