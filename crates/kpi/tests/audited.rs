//! The figures against the auditor, which counts the raw facts by other means: they never differ, however facts come, and
//! a cell that is not what the facts say is always seen (KPIS.md §3, balance and agent clock).
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

use std::collections::HashMap;

use oracle::{
    compare::{SITES, fold, in_words, names, range, seeds, shrink},
    story::{Arrival, Dice, tell},
};
use pegcount_audit::{Auditor, Counts, Difference, Keep, Limits, Subject, differences};
use pegcount_domain::{
    envelope::Recorded,
    ids::Key,
    time::{Interval, Micros, Span},
};
use pegcount_kpi::{Dimension, Kpi, Value};
use pegcount_proto::stored::FiguresArchive;
use prost::Message;
use support::{key, query};

/// Seeds unless the environment says otherwise.
const SEEDS: u64 = 6;
/// More facts than any story has.
const ALL: usize = usize::MAX / 4;

/// What the figures say.
fn stated(kpi: &Kpi, site: &str, range: Span, as_of: Micros) -> Counts<String> {
    let mut counts = Counts::default();
    for of_queues in [true, false] {
        let by = [Dimension::Interval15, if of_queues { Dimension::Queue } else { Dimension::Agent }];
        let table = kpi.query(&query(site, range.start, range.end, &by, as_of)).unwrap();
        for row in &table.rows {
            for (column, value) in table.columns.iter().zip(&row.values) {
                let Value::Amount(amount) = value else { continue };
                let (interval, who) =
                    (Interval::containing(row.from), row.keys[0].as_ref().map(ToString::to_string));
                if of_queues {
                    counts.add_queue(interval, who, column.name, *amount);
                } else {
                    counts.add_agent(interval, who, column.name, *amount);
                }
            }
        }
    }
    counts
}

fn audited(history: &[Recorded], limits: Limits) -> Auditor {
    let mut auditor = Auditor::new(limits);
    for recorded in history {
        auditor.apply(recorded);
    }
    auditor
}

/// In what the figures of a site differ from the facts, as far as these can be counted.
fn differ(
    kpi: &Kpi,
    auditor: &Auditor,
    site: &str,
    whole: (Micros, Micros),
    as_of: Micros,
    names: &HashMap<Key, String>,
) -> Vec<Difference<String>> {
    let word = |key: Key| names.get(&key).cloned().unwrap_or_else(|| format!("{:032x}", key.0));
    let first = auditor.first(key(site)).max(whole.0);
    if first >= whole.1 {
        return Vec::new();
    }
    let range = Span::new(first, whole.1);
    let counted = auditor.count(key(site), range, as_of);
    let doubts: Vec<_> = counted
        .doubts
        .iter()
        .map(|(subject, from)| match subject {
            Subject::Visits => (Subject::Visits, *from),
            Subject::Agents => (Subject::Agents, *from),
            Subject::Agent(agent) => (Subject::Agent(word(*agent)), *from),
        })
        .collect();
    let mut stated = stated(kpi, site, range, as_of);
    stated.leave_out(&doubts);
    differences(&stated, &counted.counts.named(word))
}

fn instants(history: &[Recorded], dice: &mut Dice) -> [Micros; 3] {
    let (from, to) = range(history);
    let some = |dice: &mut Dice| Micros(from.0 + dice.below((to.0 - from.0) / 1_000_000) * 1_000_000 + 17);
    [to.plus(Micros(20 * 24 * Micros::HOUR.0)), some(dice), some(dice)]
}

fn first_difference(history: &[Recorded], limits: Limits, as_of: Micros) -> Option<String> {
    let (kpi, auditor, names) = (fold(history), audited(history, limits), names());
    SITES.into_iter().find_map(|site| {
        let all = differ(&kpi, &auditor, site, range(history), as_of, &names);
        (!all.is_empty()).then(|| format!("{site}: {all:?}"))
    })
}

fn check(first: u64, arrival: Arrival, facts_max: usize) {
    for seed in seeds(first, SEEDS) {
        let history = tell(seed, 10, arrival);
        let limits = Limits { facts_max, keep: Keep::Last(8) };
        // What has been let go of was counted to its end: only the present can be asked about.
        let instants = instants(&history, &mut Dice(seed ^ 0xA0D1));
        let asked = if facts_max == ALL { &instants[..] } else { &instants[..1] };
        for as_of in asked.iter().copied() {
            if first_difference(&history, limits, as_of).is_some() {
                let short = shrink(history, |history| first_difference(history, limits, as_of).is_some());
                let words = first_difference(&short, limits, as_of).unwrap();
                panic!(
                    "{arrival:?}, {facts_max} facts: seed {seed} as of {as_of}: {words}\n{}",
                    in_words(&short)
                );
            }
        }
    }
}

#[test]
fn figures_are_what_an_independent_count_of_the_facts_says() {
    check(0, Arrival::InOrder, ALL);
    check(10_000, Arrival::ALittleLate, ALL);
    check(20_000, Arrival::Anyhow, ALL);
}

#[test]
fn an_auditor_that_lets_go_of_old_facts_counts_the_same_or_says_what_is_in_doubt() {
    check(30_000, Arrival::InOrder, 150);
    check(40_000, Arrival::ALittleLate, 150);
    check(50_000, Arrival::Anyhow, 150);
}

/// What the auditor counts of what cells hold.
const AUDITED: [&str; 13] = [
    "offered",
    "ended",
    "answered",
    "abandoned",
    "callback_taken",
    "signed_in_clock",
    "occupied_clock",
    "lost_clock",
    "ready_clock",
    "ringing_clock",
    "away_clock",
    "unsigned_clock",
    "sign_ins",
];

/// Makes one cell of a site wrong, as chance will have it. Gives its interval and what it counts; none if there is no cell
/// that the auditor looks at.
fn make_wrong(archive: &mut FiguresArchive, site: usize, dice: &mut Dice) -> Option<(Interval, String)> {
    let mut places = Vec::new();
    let site = &mut archive.sites[site];
    for (number, table) in site.cells.iter().enumerate() {
        for row in 0..table.intervals.len() {
            for (column, measure) in table.measures.iter().enumerate() {
                if AUDITED.contains(&measure.as_str()) && table.attributions[column] == 0 {
                    places.push((number, row, column));
                }
            }
        }
    }
    if places.is_empty() {
        return None;
    }
    let (number, row, column) = dice.pick(&places);
    let table = &mut site.cells[number];
    let amount = &mut table.amounts[row * table.measures.len() + column];
    *amount += dice.pick(&[1, -1, 17, -1_000_000, 900_000_000]);
    Some((Interval(table.intervals[row]), table.measures[column].clone()))
}

#[test]
fn a_cell_that_is_not_what_the_facts_say_is_always_seen() {
    let mut seen = 0;
    for seed in seeds(60_000, SEEDS) {
        for arrival in [Arrival::InOrder, Arrival::Anyhow] {
            let history = tell(seed, 8, arrival);
            let mut dice = Dice(seed ^ 0xBAD);
            let (from, to) = range(&history);
            let as_of = to.plus(Micros(20 * 24 * Micros::HOUR.0));
            let auditor = audited(&history, Limits { facts_max: ALL, keep: Keep::Last(8) });
            let archived = fold(&history).archived();
            for _ in 0..8 {
                let mut archive = FiguresArchive::decode(archived.as_slice()).unwrap();
                let index = usize::try_from(dice.below(2)).unwrap();
                let site = archive.sites[index].name.clone();
                let Some((interval, measure)) = make_wrong(&mut archive, index, &mut dice) else { continue };
                let wrong = Kpi::restored(&archive.encode_to_vec()).unwrap();
                let found = differ(&wrong, &auditor, &site, (from, to), as_of, &names());
                let named = found.iter().any(|one| one.interval == interval);
                assert!(
                    named,
                    "seed {seed}, {arrival:?}: {measure} in {interval:?} of {site} was not seen: {found:?}"
                );
                seen += 1;
            }
        }
    }
    assert!(seen > 20, "only {seen} cells were made wrong");
}

#[test]
fn a_visit_that_waits_in_the_figures_alone_is_seen_as_a_broken_balance() {
    let mut seen = 0;
    for seed in seeds(70_000, SEEDS) {
        let history = tell(seed, 12, Arrival::InOrder);
        let (from, to) = range(&history);
        let as_of = to.plus(Micros(20 * 24 * Micros::HOUR.0));
        let auditor = audited(&history, Limits { facts_max: ALL, keep: Keep::Last(8) });
        let mut archive = FiguresArchive::decode(fold(&history).archived().as_slice()).unwrap();
        let site = &mut archive.sites[0];
        let Some(crossing) = site.crossings.first().copied() else { continue };
        site.crossings.push(crossing);
        let name = site.name.clone();
        let wrong = Kpi::restored(&archive.encode_to_vec()).unwrap();
        let found = differ(&wrong, &auditor, &name, (from, to), as_of, &names());
        let kinds: Vec<_> = found.iter().map(|one| (one.interval.0, one.kind.word())).collect();
        for expected in [(crossing.interval, "queue"), (crossing.interval + 1, "balance")] {
            assert!(kinds.contains(&expected), "seed {seed}: {expected:?} is not among {kinds:?}");
        }
        seen += 1;
    }
    assert!(seen > 2, "only {seen} stories had a visit that waited across an interval's end");
}
