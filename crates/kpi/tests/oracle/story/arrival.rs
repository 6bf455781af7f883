//! Times, counters and the order of arrival.
//!
//! Invariant: an order of arrival changes nothing but positions and times of recording, keeps every correction behind
//! its target and the corrections of one target in order, and keeps the order among definitions and among facts
//! without a counter: for these the order of arrival is all that there is.

use std::collections::HashMap;

use pegcount_domain::{
    envelope::{Position, Recorded, SourceSeq, StreamKind, StreamName},
    event::Event,
    ids::Epoch,
    time::Micros,
};

use super::{Arrival, Dice, Draft, corrections::correct, key};

/// A fact, or a correction of an earlier one.
#[derive(Clone, Debug)]
pub(super) struct Told {
    pub(super) arrives: i64,
    pub(super) recorded: Recorded,
    /// The place of the target.
    pub(super) corrects: Option<usize>,
}

/// What holds for all clocks and counters of one story.
struct Clocks {
    /// Times are told in multiples of it (seconds), so that they meet.
    grain: i64,
    /// Each stream's times have their own microsecond, so that they never meet.
    apart: bool,
    /// Streams without a counter, in percent.
    uncounted: i64,
}

/// One stream's counter.
struct Counter {
    name: StreamName<String>,
    epoch: Epoch,
    seq: u64,
    counted: bool,
}

pub(super) fn record(mut drafts: Vec<Draft>, dice: &mut Dice, arrival: Arrival) -> Vec<Recorded> {
    let mut chance = dice.of(11);
    let clocks = Clocks {
        grain: chance.pick(&[1, 1, 1, 5, 60]),
        apart: chance.chance(60),
        uncounted: chance.pick(&[0, 0, 0, 20, 100]),
    };
    for draft in &mut drafts {
        draft.at -= draft.at.rem_euclid(clocks.grain);
    }
    drafts.sort_by_key(|draft| draft.at);
    let mut counters: Vec<Counter> = Vec::new();
    let mut told: Vec<Told> = Vec::new();
    for draft in drafts {
        let arrives = draft.at + delay(arrival, dice);
        let recorded = count(draft, &clocks, &mut counters, &mut chance);
        told.push(Told { arrives, recorded, corrects: None });
    }
    correct(&mut told, &mut dice.of(12));
    place(&told)
}

fn delay(arrival: Arrival, dice: &mut Dice) -> i64 {
    match arrival {
        Arrival::InOrder => 0,
        Arrival::ALittleLate if dice.chance(10) => dice.below(4000),
        Arrival::ALittleLate => dice.below(3),
        Arrival::Anyhow => dice.below(100_000_000),
    }
}

/// A draft gets its microsecond and its place in its stream's counter.
fn count(draft: Draft, clocks: &Clocks, counters: &mut Vec<Counter>, chance: &mut Dice) -> Recorded {
    let name = StreamName { site: draft.site.to_owned(), kind: draft.kind, id: draft.id };
    let index = counters.iter().position(|counter| counter.name == name).unwrap_or_else(|| {
        let (name, epoch) = (name.clone(), Epoch(u128::from(chance.roll()) << 64));
        counters.push(Counter { name, epoch, seq: 0, counted: !chance.chance(clocks.uncounted) });
        counters.len() - 1
    });
    let residue = if clocks.apart { i64::try_from(index).unwrap() % 1000 } else { 0 };
    let counter = &mut counters[index];
    if chance.chance(3) {
        // Started anew; which of two epochs is the later one cannot be told from them.
        counter.epoch = Epoch(u128::from(chance.roll()) << 64);
        counter.seq = 0;
    }
    counter.seq += 1;
    let at = Micros(draft.at * 1_000_000 + residue);
    let event = match draft.event {
        Event::ConnectionLost { last_heard } => {
            Event::ConnectionLost { last_heard: Micros(last_heard.0 + residue) }
        }
        other => other,
    };
    Recorded {
        position: Position(0),
        stream: StreamName { site: key(&name.site), kind: name.kind, id: key(&name.id) },
        occurred_at: at,
        recorded_at: at,
        source: key("source"),
        source_seq: counter.counted.then_some(SourceSeq { epoch: counter.epoch, seq: counter.seq }),
        event,
    }
}

/// Positions by arrival, and with them the targets of the corrections.
fn place(told: &[Told]) -> Vec<Recorded> {
    let mut order: Vec<usize> = (0..told.len()).collect();
    order.sort_by_key(|index| told[*index].arrives);
    let mut places = vec![0; told.len()];
    for (position, index) in (1..).zip(&order) {
        places[*index] = position;
    }
    let history = order.into_iter().map(|index| {
        let Told { mut recorded, corrects, .. } = told[index].clone();
        if let Some(corrected) = corrects {
            aim(&mut recorded.event, places[corrected]);
        }
        Recorded { position: Position(places[index]), ..recorded }
    });
    clocked(history.collect())
}

fn aim(event: &mut Event<pegcount_domain::ids::Key>, at: u64) {
    if let Event::Annulled { target, .. } | Event::Amended { target, .. } = event {
        *target = at;
    }
}

/// Recorded when the latest of what had come by then happened; a correction happens when it is recorded.
fn clocked(mut history: Vec<Recorded>) -> Vec<Recorded> {
    let mut clock = Micros(i64::MIN);
    for recorded in &mut history {
        if target(recorded).is_some() {
            recorded.occurred_at = clock;
        }
        clock = clock.max(recorded.occurred_at);
        recorded.recorded_at = clock;
    }
    history
}

fn target(recorded: &Recorded) -> Option<u64> {
    match recorded.event {
        Event::Annulled { target, .. } | Event::Amended { target, .. } => Some(target),
        _ => None,
    }
}

/// The same facts in another order of arrival: by `rank` as far as the order is free.
pub fn reordered(history: &[Recorded], rank: impl Fn(usize, &Recorded) -> u64) -> Vec<Recorded> {
    // Whom each has to follow: the last one of its chain.
    let mut follows: Vec<Option<usize>> = Vec::new();
    let mut last_of_target: HashMap<u64, usize> = HashMap::new();
    let (mut last_definition, mut last_uncounted) = (None, None);
    for (index, recorded) in history.iter().enumerate() {
        follows.push(if let Some(target) = target(recorded) {
            last_of_target.insert(target, index)
        } else if recorded.stream.kind == StreamKind::Definition {
            last_definition.replace(index)
        } else if recorded.source_seq.is_none() {
            last_uncounted.replace(index)
        } else {
            None
        });
        if target(recorded).is_none() {
            last_of_target.insert(recorded.position.0, index);
        }
    }
    let mut ranks: Vec<usize> = (0..history.len()).collect();
    ranks.sort_by_key(|index| rank(*index, &history[*index]));
    let mut order: Vec<usize> = Vec::new();
    let mut seen = vec![false; history.len()];
    for index in ranks {
        let mut chain = vec![];
        let mut next = Some(index);
        while let Some(index) = next.filter(|index| !seen[*index]) {
            seen[index] = true;
            chain.push(index);
            next = follows[index];
        }
        order.extend(chain.into_iter().rev());
    }
    let places: HashMap<u64, u64> =
        (1..).zip(&order).map(|(place, index)| (history[*index].position.0, place)).collect();
    let again = order.into_iter().map(|index| {
        let mut recorded = history[index].clone();
        if let Some(corrected) = target(&recorded) {
            aim(&mut recorded.event, places.get(&corrected).copied().unwrap_or(u64::MAX));
        }
        Recorded { position: Position(places[&recorded.position.0]), ..recorded }
    });
    clocked(again.collect())
}
