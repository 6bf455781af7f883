//! Slices sum to the whole, and logs that share no unit sum to the one that holds all (KPIS.md §1, §2).
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

use std::collections::{BTreeMap, HashMap};

use jiff::tz::TimeZone;
use oracle::{
    compare::{apply, fold, names, range, seeds},
    story::{Arrival, Dice, tell},
};
use pegcount_domain::{
    envelope::{Position, Recorded, StreamKind},
    event::{Event, LegRef},
    ids::{AgentId, ContactId, CustomerId, Key, QueueId},
    ticketing::{FieldValue, TicketEvent},
    time::{Interval, Micros},
};
use pegcount_kpi::{Attribution, Dimension, Kpi, Query, Table, Value};
use support::{key, query};

/// Seeds unless the environment says otherwise.
const SEEDS: u64 = 8;
/// Logs that together hold what one holds.
const LOGS: u64 = 3;

/// A table's additive columns, summed over its rows; without those that the rows cannot have.
fn sums(table: &Table) -> BTreeMap<&'static str, i64> {
    let mut sums = BTreeMap::new();
    for row in &table.rows {
        for (column, value) in table.columns.iter().zip(&row.values) {
            if let (Value::Amount(amount), false, None) = (value, column.gauge, column.formula) {
                *sums.entry(column.name).or_default() += *amount;
            }
        }
    }
    sums
}

/// A random instant of the range on the grid.
fn grid((from, to): (Micros, Micros), dice: &mut Dice) -> Micros {
    let intervals = (to.0 - from.0) / Interval::LENGTH.0;
    Micros(from.0 + dice.below(intervals + 1) * Interval::LENGTH.0)
}

/// The whole range of a story, or a part of it.
fn some_range(history: &[Recorded], dice: &mut Dice) -> (Micros, Micros) {
    let whole = range(history);
    let (one, other) = (grid(whole, dice), grid(whole, dice));
    if one == other || dice.chance(40) { whole } else { (one.min(other), one.max(other)) }
}

/// What a part has and the whole has not, or has otherwise.
fn differs(parts: &BTreeMap<&str, i64>, whole: &BTreeMap<&str, i64>) -> Vec<String> {
    let wrong = parts.iter().filter(|(column, sum)| **sum != whole.get(*column).copied().unwrap_or(0));
    wrong.map(|(column, sum)| format!("{column}: {sum}, not {:?}", whole.get(column))).collect()
}

#[test]
fn parts_of_any_cut_of_time_sum_to_the_whole_to_the_microsecond() {
    for seed in seeds(0, SEEDS) {
        let history = tell(seed, 10, Arrival::ALittleLate);
        let (kpi, mut dice) = (fold(&history), Dice(seed ^ 0xC07));
        for _ in 0..12 {
            let (from, to) = some_range(&history, &mut dice);
            let as_of = if dice.chance(50) {
                to.plus(Micros::HOUR)
            } else {
                grid(range(&history), &mut dice).plus(Micros(7))
            };
            let attribution = dice.pick(&Attribution::ALL);
            let asked = Query { attribution, ..query("north", from, to, &[], as_of) };
            let whole = sums(&kpi.query(&asked).unwrap());
            let mut cuts = vec![from, to];
            for _ in 0..dice.below(6) {
                cuts.push(grid((from, to), &mut dice));
            }
            cuts.sort_unstable();
            cuts.dedup();
            let mut parts: BTreeMap<&str, i64> = BTreeMap::new();
            for cut in cuts.windows(2) {
                let part = Query { from: cut[0], to: cut[1], ..asked.clone() };
                for (column, sum) in sums(&kpi.query(&part).unwrap()) {
                    *parts.entry(column).or_default() += sum;
                }
            }
            assert_eq!(
                differs(&parts, &whole),
                Vec::<String>::new(),
                "seed {seed}: {asked:?} cut at {cuts:?}"
            );
        }
    }
}

#[test]
fn rows_of_any_dimensions_sum_to_the_whole_to_the_microsecond() {
    let zones = ["UTC", "Europe/Berlin", "Asia/Kathmandu", "Australia/Lord_Howe"];
    for seed in seeds(1_000, SEEDS) {
        let history = tell(seed, 10, Arrival::Anyhow);
        let (kpi, mut dice) = (fold(&history), Dice(seed ^ 0xD13));
        let (from, to) = some_range(&history, &mut dice);
        let as_of = to.plus(Micros(20 * 24 * Micros::HOUR.0));
        for attribution in Attribution::ALL {
            let asked = Query { attribution, ..query("north", from, to, &[], as_of) };
            let whole = sums(&kpi.query(&asked).unwrap());
            for dimension in Dimension::ALL {
                let mut by = vec![dimension];
                by.extend(Dimension::ALL.into_iter().filter(|other| *other != dimension && dice.chance(12)));
                let time_zone = TimeZone::get(dice.pick(&zones)).unwrap();
                let cut = Query { by, time_zone, ..asked.clone() };
                let rows = sums(&kpi.query(&cut).unwrap());
                assert_eq!(differs(&rows, &whole), Vec::<String>::new(), "seed {seed}: {cut:?}");
            }
        }
    }
}

/// Whoever is somebody in one log is nobody in the others.
fn other(name: Key, log: u64) -> Key {
    Key(name.0 ^ u128::from(log).wrapping_mul(0x9E37_79B9_7F4A_7C15_0000_0000_0000_0001))
}

/// A story of the same site about other agents, queues, customers, contacts and tickets.
fn of_log(history: Vec<Recorded>, log: u64) -> Vec<Recorded> {
    let moved = |mut one: Recorded| {
        if matches!(one.stream.kind, StreamKind::Agent | StreamKind::Contact | StreamKind::Ticket) {
            one.stream.id = other(one.stream.id, log);
        }
        if let Some(place) = &mut one.source_seq {
            place.epoch.0 ^= u128::from(log) << 70;
        }
        one.event = event_of_log(one.event, log);
        one
    };
    // What holds for the whole site: logs that differ in it could not be one.
    let is_of_all = |one: &Recorded| {
        matches!(
            one.event,
            Event::FormulaDefined(_)
                | Event::ReasonDefined(_)
                | Event::SiteDefined(_)
                | Event::AllowanceDefined(_)
                | Event::AuthorityDefined(_)
                | Event::TargetDefined(_)
        )
    };
    let own = history.into_iter().filter(|one| one.stream.site == key("north") && !is_of_all(one));
    own.map(moved).collect()
}

fn event_of_log(event: Event<Key>, log: u64) -> Event<Key> {
    let agent = |agent: AgentId<Key>| AgentId(other(agent.0, log));
    let queue = |queue: QueueId<Key>| QueueId(other(queue.0, log));
    let contact = |contact: ContactId<Key>| ContactId(other(contact.0, log));
    let customer = |customer: CustomerId<Key>| CustomerId(other(customer.0, log));
    match event {
        Event::OutboundAssigned { contact: of, leg } => Event::OutboundAssigned { contact: contact(of), leg },
        Event::Leg { leg, mut step } => {
            if let pegcount_domain::event::LegStep::Transferred { to_queue, .. } = &mut step {
                *to_queue = to_queue.map(queue);
            }
            let (own, served) = (leg.agent.map(agent), leg.queue.map(queue));
            Event::Leg {
                leg: LegRef { contact: contact(leg.contact), agent: own, queue: served, ..leg },
                step,
            }
        }
        Event::ContactStarted { channel, direction, entry, customer: from, journey, callback, priority } => {
            let (customer, journey) = (from.map(customer), journey.map(contact));
            Event::ContactStarted { channel, direction, entry, customer, journey, callback, priority }
        }
        Event::ContactIdentified { customer: from, topic } => {
            Event::ContactIdentified { customer: from.map(customer), topic }
        }
        Event::QueueEntered { visit, queue: entered, priority } => {
            Event::QueueEntered { visit, queue: queue(entered), priority }
        }
        Event::Ticket(TicketEvent::Opened(mut opening)) => {
            opening.contact = opening.contact.map(contact);
            opening.receiver = opening.receiver.map(agent);
            opening.queue = opening.queue.map(queue);
            for value in &mut opening.set {
                if let FieldValue::Customer(own) = value {
                    *own = customer(*own);
                }
            }
            Event::Ticket(TicketEvent::Opened(opening))
        }
        Event::Ticket(TicketEvent::Resolved { way, agent: by, reason }) => {
            Event::Ticket(TicketEvent::Resolved { way, agent: by.map(agent), reason })
        }
        Event::Ticket(TicketEvent::Reopened { reason, rework, agent: by }) => {
            Event::Ticket(TicketEvent::Reopened { reason, rework, agent: by.map(agent) })
        }
        Event::Ticket(TicketEvent::Closed { agent: by, reason }) => {
            Event::Ticket(TicketEvent::Closed { agent: by.map(agent), reason })
        }
        Event::QueueDefined(mut one) => {
            one.queue = queue(one.queue);
            Event::QueueDefined(one)
        }
        Event::AgentDefined(mut one) => {
            one.agent = agent(one.agent);
            Event::AgentDefined(one)
        }
        Event::Amended { target, reason, occurred_at, event } => {
            Event::Amended { target, reason, occurred_at, event: Box::new(event_of_log(*event, log)) }
        }
        other => other,
    }
}

/// Stories of the same days: others would make a range of years.
fn of_one_week(seed: u64) -> Vec<Vec<Recorded>> {
    let mut logs: Vec<Vec<Recorded>> = Vec::new();
    for try_seed in seed * 1_000.. {
        let own = tell(try_seed, 6, Arrival::ALittleLate);
        let near = |log: &Vec<Recorded>| (range(log).0.0 - range(&own).0.0).abs() < 24 * Micros::HOUR.0;
        if logs.first().is_none_or(near) {
            let number = u64::try_from(logs.len()).unwrap();
            logs.push(of_log(own, number));
        }
        if u64::try_from(logs.len()).unwrap() == LOGS {
            break;
        }
    }
    logs
}

/// One log with the events of all, each log's in its order, as chance mixes them.
fn mixed(logs: &[Vec<Recorded>], dice: &mut Dice) -> Vec<Recorded> {
    let mut next = vec![0; logs.len()];
    let mut places: Vec<HashMap<u64, u64>> = vec![HashMap::new(); logs.len()];
    let mut all: Vec<Recorded> = Vec::new();
    let mut clock = Micros(i64::MIN);
    while all.len() < logs.iter().map(Vec::len).sum() {
        let log = usize::try_from(dice.below(i64::try_from(logs.len()).unwrap())).unwrap();
        let Some(one) = logs[log].get(next[log]) else { continue };
        next[log] += 1;
        let mut one = one.clone();
        let place = u64::try_from(all.len()).unwrap() + 1;
        places[log].insert(one.position.0, place);
        one.position = Position(place);
        if let Event::Annulled { target, .. } | Event::Amended { target, .. } = &mut one.event {
            *target = places[log].get(target).copied().unwrap_or(u64::MAX);
        }
        clock = clock.max(one.recorded_at);
        one.recorded_at = clock;
        all.push(one);
    }
    all
}

#[test]
fn logs_that_share_no_unit_sum_to_the_log_that_holds_all() {
    for seed in seeds(2_000, SEEDS) {
        let mut dice = Dice(seed ^ 0x3E6);
        let logs = of_one_week(seed);
        let mut words: HashMap<Key, String> = names();
        for log in 0..LOGS {
            let own = names().into_iter().map(|(name, word)| (other(name, log), format!("{word} of {log}")));
            words.extend(own);
        }
        words.insert(key("north"), "north".to_owned());
        let folded = |history: &[Recorded]| {
            let mut kpi = Kpi::new();
            for one in history {
                apply(&mut kpi, one, &words);
            }
            kpi
        };
        let one = folded(&mixed(&logs, &mut dice));
        let parts: Vec<Kpi> = logs.iter().map(|log| folded(log)).collect();
        let (from, to) = logs
            .iter()
            .map(|log| range(log))
            .fold((Micros::MAX, Micros(i64::MIN)), |(from, to), own| (from.min(own.0), to.max(own.1)));
        let as_of = to.plus(Micros(20 * 24 * Micros::HOUR.0));
        for attribution in Attribution::ALL {
            for by in
                [&[][..], &[Dimension::Hour, Dimension::Channel], &[Dimension::Day, Dimension::Direction]]
            {
                let asked = Query { attribution, ..query("north", from, to, by, as_of) };
                let mut merged: BTreeMap<(Micros, Vec<Option<String>>, &str), i64> = BTreeMap::new();
                let rows =
                    |kpi: &Kpi, into: &mut BTreeMap<(Micros, Vec<Option<String>>, &'static str), i64>| {
                        let table = kpi.query(&asked).unwrap();
                        for row in &table.rows {
                            let keys: Vec<_> =
                                row.keys.iter().map(|key| key.as_ref().map(ToString::to_string)).collect();
                            for (column, value) in table.columns.iter().zip(&row.values) {
                                if let (Value::Amount(amount), false, None) =
                                    (value, column.gauge, column.formula)
                                {
                                    *into.entry((row.from, keys.clone(), column.name)).or_default() +=
                                        *amount;
                                }
                            }
                        }
                        into.retain(|_, amount| *amount != 0);
                    };
                let mut whole = BTreeMap::new();
                rows(&one, &mut whole);
                for kpi in &parts {
                    rows(kpi, &mut merged);
                }
                // Percentiles are no sums; everything else is.
                let is_sum = |column: &str| !column.starts_with("asa_");
                merged.retain(|(_, _, column), _| is_sum(column));
                whole.retain(|(_, _, column), _| is_sum(column));
                assert!(!whole.is_empty());
                assert_eq!(merged, whole, "seed {seed} by {by:?} {attribution}");
            }
        }
    }
}
