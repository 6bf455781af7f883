//! The folds against the oracle, and a failing story made short.
//!
//! Invariant: every column of every row is compared, absent ones and quotients too.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::tz::TimeZone;
use pegcount_domain::{
    envelope::Recorded,
    ids::{AgentId, Key, QueueId},
    target::Comparison,
    time::{Interval, Micros},
};
use pegcount_kpi::{
    Attribution, Dimension, EfficiencyTarget, ExplainQuery, InUse, Kpi, Query, UnderFormula, Value, Variant,
    describe,
};

use super::{
    super::support::{SEED, key, query},
    Oracle,
    means::{Means, is_mean},
    ratios::is_ratio,
    story::{Dice, told, words},
    tables::{Cut, PERCENTILES, RowKey, is_percentile, same},
};

pub const SITES: [&str; 2] = ["north", "south"];

pub const CUTS: [&[Dimension]; 5] = [
    &[Dimension::Interval15, Dimension::Queue, Dimension::Channel, Dimension::Direction],
    &[Dimension::Interval15, Dimension::Agent, Dimension::Team],
    &[Dimension::Interval15, Dimension::Queue, Dimension::Agent, Dimension::Team, Dimension::Channel],
    &[Dimension::Interval15, Dimension::Entry, Dimension::Queue],
    &[Dimension::Hour, Dimension::Agent, Dimension::Group, Dimension::Category, Dimension::Channel],
];

pub fn names() -> HashMap<Key, String> {
    words().into_iter().map(|word| (key(&word), word)).collect()
}

/// Nothing has happened yet; all, nothing, or most of what may rest is going to.
pub fn some(chance: u64) -> Kpi {
    let mut kpi = Kpi::new();
    kpi.set_seed(SEED);
    let most = InUse { units: 3, rows: 5 };
    kpi.set_in_use(Dice(chance ^ 0xC01D).pick(&[InUse::NOTHING, InUse::NOTHING, most, InUse::default()]));
    kpi
}

/// The folds after these events.
pub fn fold(history: &[Recorded]) -> Kpi {
    let mut kpi = Kpi::new();
    kpi.set_seed(SEED);
    fold_into(kpi, history)
}

pub fn fold_into(mut kpi: Kpi, history: &[Recorded]) -> Kpi {
    let names = names();
    for recorded in history {
        apply(&mut kpi, recorded, &names);
    }
    kpi
}

pub fn apply(kpi: &mut Kpi, recorded: &Recorded, names: &HashMap<Key, String>) {
    kpi.apply(recorded);
    for key in kpi.missing_names() {
        if let Some(name) = names.get(&key) {
            kpi.name(key, name);
        }
    }
}

/// A day before the first fact to a day after the last.
pub fn range(history: &[Recorded]) -> (Micros, Micros) {
    let first = history.iter().map(|recorded| recorded.occurred_at).min().unwrap_or_default();
    let last = history.iter().map(|recorded| recorded.occurred_at).max().unwrap_or_default();
    let day = Micros(24 * Micros::HOUR.0);
    (Interval::containing(first.minus(day)).start(), Interval::containing(last.plus(day)).end())
}

/// What is asked of one site: all cuts under all attributions, and a few cuts, zones and filters by chance.
pub fn questions(site: &str, (from, to): (Micros, Micros), as_of: Micros, chance: u64) -> Vec<Query> {
    let mut questions = Vec::new();
    for attribution in Attribution::ALL {
        for by in CUTS {
            questions.push(Query { attribution, ..query(site, from, to, by, as_of) });
        }
    }
    let mut dice = Dice(chance);
    for _ in 0..5 {
        questions.push(question(site, (from, to), as_of, &mut dice));
    }
    questions
}

fn question(site: &str, (from, to): (Micros, Micros), as_of: Micros, dice: &mut Dice) -> Query {
    use Dimension::{
        Agent, Category, Cause, Channel, Day, Direction, Entry, Group, Hour, Interval15, Interval30, Kind,
        Month, Priority, Queue, Reason, Region, Team, Tier, Week,
    };
    let mut by: Vec<Dimension> = dice
        .pick(&[None, Some(Interval15), Some(Interval30), Some(Hour), Some(Day), Some(Week), Some(Month)])
        .into_iter()
        .collect();
    by.extend([Queue, Agent, Team, Channel, Direction, Entry].into_iter().filter(|_| dice.chance(22)));
    by.extend([Reason, Cause, Priority].into_iter().filter(|_| dice.chance(10)));
    by.extend([Kind, Category, Group, Tier, Region].into_iter().filter(|_| dice.chance(10)));
    let zones = ["UTC", "Europe/Berlin", "Asia/Kathmandu", "Australia/Lord_Howe"];
    let mut some = |kind: &str| -> Vec<String> {
        let all = (0..3).map(|index| format!("{kind} {index}"));
        let wanted = dice.chance(35);
        all.filter(|_| wanted && dice.chance(40)).collect()
    };
    let queues = some("queue").iter().map(|queue| QueueId::new(queue).unwrap()).collect();
    let agents = some("agent").iter().map(|agent| AgentId::new(agent).unwrap()).collect();
    let time_zone = TimeZone::get(dice.pick(&zones)).unwrap();
    let attribution = dice.pick(&Attribution::ALL);
    let less_than_a_day = by.first().is_some_and(|by| *by < Day);
    let target = dice.pick(&[None, None, Some(100), Some(500), Some(1_000), Some(3_000)]);
    let variant = Variant {
        mean_of_days: !less_than_a_day && dice.chance(50),
        efficiency_target: target.map(|milli| EfficiencyTarget {
            millionths: milli * 1_000,
            comparison: dice.pick(&[Comparison::Above, Comparison::Above, Comparison::AtLeast]),
        }),
    };
    Query {
        by: by.clone(),
        attribution,
        time_zone,
        queues,
        agents,
        variant,
        ..query(site, from, to, &by, as_of)
    }
}

/// The first difference between the folds and the oracle, in words.
pub fn difference(history: &[Recorded], as_of: Micros, chance: u64) -> Option<String> {
    differs_on(history, as_of, chance, |site| questions(site, range(history), as_of, chance))
}

/// The same on these questions.
pub fn differs_on(
    history: &[Recorded],
    as_of: Micros,
    chance: u64,
    questions: impl Fn(&str) -> Vec<Query>,
) -> Option<String> {
    let names = names();
    let (kpi, mut dice) = (fold_into(some(chance), history), Dice(chance ^ 0x0F0F));
    let word = |key: Key| names.get(&key).cloned().unwrap_or_else(|| format!("{:032x}", key.0));
    SITES.into_iter().find_map(|site| {
        let truth = Oracle::count(history, key(site), as_of, None);
        let questions = questions(site);
        let differs_as_told = questions.iter().find_map(|asked| differs(&kpi, &truth, asked, &word));
        differs_as_told.or_else(|| {
            let site_id = &questions.first()?.site;
            let known: Vec<u8> = (1..=4).filter(|number| kpi.formula(site_id, *number).is_some()).collect();
            // A third of the looks is enough: each takes a fold and a count more.
            if known.is_empty() || !chance.is_multiple_of(3) {
                return None;
            }
            let forced = dice.pick(&known);
            let (_, formula) = kpi.formula(site_id, forced)?;
            let truth = Oracle::count(history, key(site), as_of, Some(formula));
            let mut under = Kpi::under(key(site), &formula);
            under.set_seed(SEED);
            let under = fold_into(under, history);
            questions.iter().find_map(|asked| {
                let asked = Query { formula_version: Some(forced), ..asked.clone() };
                let told = differs(&under, &truth, &asked, &word);
                // What differs in ratios alone is answered from what has been counted.
                let here = kpi.under_formula(&asked.site, forced) == Ok(UnderFormula::Here);
                let here = here.then(|| differs(&kpi, &truth, &asked, &word)).flatten();
                told.or(here).map(|words| format!("by version {forced}: {words}"))
            })
        })
    })
}

/// Some cell's explanation, item by item.
pub fn explained_alike(kpis: &[&Kpi], asked: &Query, dice: &mut Dice, what: &str) {
    let [first, rest @ ..] = kpis else { return };
    let Ok(table) = first.query(asked) else { return };
    if table.rows.is_empty() {
        return;
    }
    let row = dice.pick(&table.rows);
    let told = describe().iter().zip(&row.values).filter(|(_, value)| **value != Value::Absent);
    let columns: Vec<&str> = told.map(|(column, _)| column.name).collect();
    let column = dice.pick(&columns).to_owned();
    let keys = asked.by.iter().filter(|by| !by.is_time()).copied().zip(row.keys.iter().cloned());
    let query = Query { from: row.from, to: row.to, by: Vec::new(), ..asked.clone() };
    let asked = ExplainQuery { query, cell: keys.collect(), column, skip: 0, limit: usize::MAX };
    let first = first.explain(&asked);
    for other in rest.iter().map(|kpi| kpi.explain(&asked)) {
        match (&first, other) {
            (Ok(first), Ok(other)) => assert_eq!(*first, other, "{what} {}", asked.column),
            (Err(first), Err(other)) => assert_eq!(first.to_string(), other.to_string(), "{what}"),
            (first, other) => panic!("{what}: {first:?} and {other:?}"),
        }
    }
}

fn differs(kpi: &Kpi, truth: &Oracle, asked: &Query, word: &dyn Fn(Key) -> String) -> Option<String> {
    let table = kpi.query(asked).unwrap();
    let cut = Cut::of(asked);
    let mut expected = truth.rows(&cut, word);
    let lengths = truth.lengths_by_row(&cut, word);
    let versions = truth.versions_by_row(&cut, word);
    let means = asked.variant.mean_of_days.then(|| Means::of(truth, asked, word));
    let ends: BTreeMap<Micros, Micros> = cut.buckets.iter().copied().collect();
    for row in &table.rows {
        let keys = row.keys.iter().map(|key| key.as_ref().map(ToString::to_string)).collect();
        let at: RowKey = (row.from, keys);
        if ends.get(&row.from) != Some(&row.to) {
            return Some(format!("{}: {at:?} ends at {}", asking(asked), row.to));
        }
        let amounts = expected.remove(&at).unwrap_or_default();
        let law = truth.formula(row.from);
        let mut by: BTreeSet<u8> = versions.get(&at).cloned().unwrap_or_default();
        by.insert(law.number);
        if !row.versions.iter().eq(&by) {
            return Some(format!("{}: {at:?} by {by:?}, told {:?}", asking(asked), row.versions));
        }
        for (column, found) in table.columns.iter().zip(&row.values) {
            if let Some((name, of, percent)) = PERCENTILES.iter().find(|(name, ..)| *name == column.name) {
                let own = lengths.get(&at).map_or(&[][..], |lengths| &lengths[*of]);
                if !is_percentile(*found, own, *percent) {
                    return Some(format!("{}: {at:?} {name}: {found:?} of {own:?}", asking(asked)));
                }
                continue;
            }
            let days = means.as_ref().filter(|_| is_ratio(column.name)).map(|means| means.days(&at));
            let is_right = match &days {
                Some(days) => is_mean(*found, days.iter().map(|day| cut.value(column.name, day, law.forms))),
                None => same(*found, cut.value(column.name, &amounts, law.forms)),
            };
            if !is_right {
                let wanted = cut.value(column.name, &amounts, law.forms);
                let name = column.name;
                return Some(format!(
                    "{}: {at:?} {name}: expected {wanted:?}, found {found:?}",
                    asking(asked)
                ));
            }
        }
    }
    expected.pop_first().map(|row| format!("{}: no row for {row:?}", asking(asked)))
}

fn asking(asked: &Query) -> String {
    let words = |list: Vec<String>| list.join(", ");
    let by = words(asked.by.iter().map(ToString::to_string).collect());
    let queues = words(asked.queues.iter().map(ToString::to_string).collect());
    let agents = words(asked.agents.iter().map(ToString::to_string).collect());
    let variant = asked.variant;
    format!("{} {} by [{by}] of [{queues}] [{agents}] {variant:?}", asked.site, asked.attribution)
}

/// Leaves out whatever is not needed for it to fail.
pub fn shrink(mut history: Vec<Recorded>, fails: impl Fn(&[Recorded]) -> bool) -> Vec<Recorded> {
    let mut step = history.len() / 2;
    while step > 0 {
        let mut index = 0;
        while index < history.len() {
            let mut fewer = history.clone();
            fewer.drain(index..(index + step).min(history.len()));
            if fails(&fewer) {
                history = fewer;
            } else {
                index += step;
            }
        }
        step /= 2;
    }
    history
}

/// A story in words, one fact in a line.
pub fn in_words(history: &[Recorded]) -> String {
    history.iter().map(|recorded| told(recorded) + "\n").collect()
}

/// The seeds to look at, from `first` on: one by `KPI_SEED`, as many as `KPI_SEEDS` says, else so many.
pub fn seeds(first: u64, many: u64) -> std::ops::Range<u64> {
    let number = |name: &str| std::env::var(name).ok().and_then(|number| number.parse().ok());
    match number("KPI_SEED") {
        Some(seed) => seed..seed + 1,
        None => first..first + number("KPI_SEEDS").unwrap_or(many),
    }
}
