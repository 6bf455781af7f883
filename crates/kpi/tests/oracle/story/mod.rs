//! Random histories from a seed: agents, calls in several queues, two reporters, late and missing and repeated and
//! impossible facts, journeys, tickets, definitions that change, corrections.
//!
//! - [`shifts`], [`days`]: definitions, agents; [`contacts`]: contacts and their visits; [`legs`]: who talked;
//!   [`tickets`]: wrap-ups and tickets
//! - [`arrival`]: times, counters and the order of arrival; [`corrections`]: what was wrong
//!
//! Invariant: each matter has its own dice, and nothing here knows what a figure is.

pub mod arrival;
mod contacts;
mod corrections;
mod days;
mod dice;
mod legs;
mod shifts;
mod tickets;

use std::collections::HashMap;

use pegcount_domain::{
    envelope::{Recorded, StreamKind},
    event::Event,
    ids::Key,
};

pub use self::dice::Dice;
use super::super::support::key;

/// How events arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrival {
    InOrder,
    ALittleLate,
    Anyhow,
}

/// A fact before it has a counter and a place.
#[derive(Clone, Debug)]
struct Draft {
    site: &'static str,
    kind: StreamKind,
    id: String,
    at: i64,
    event: Event<Key>,
}

const AGENTS: [&str; 3] = ["agent 0", "agent 1", "agent 2"];
const QUEUES: [&str; 3] = ["queue 0", "queue 1", "queue 2"];
const CUSTOMERS: [&str; 3] = ["customer 0", "customer 1", "customer 2"];
const DAY: i64 = 24 * 3600;

/// Everything that names may be.
pub fn words() -> Vec<String> {
    let mut words: Vec<String> = [
        "north",
        "south",
        "meal",
        "rest",
        "all",
        "hotline",
        "web form",
        "repair",
        "complaint",
        "letter",
        "email",
    ]
    .map(str::to_owned)
    .to_vec();
    for index in 0..12 {
        for kind in ["agent", "queue", "team", "c", "customer", "topic", "trade", "tier", "region", "group"] {
            words.push(format!("{kind} {index}"));
        }
    }
    words
}

/// A fact in words, for whoever has to find out what was wrong.
pub fn told(recorded: &Recorded) -> String {
    let mut words = words();
    let people = || AGENTS.iter().chain(["nobody"].iter());
    for index in 0..40 {
        words.extend(["c", "t", "v"].map(|kind| format!("{kind} {index}")));
        words.extend(people().map(|agent| format!("leg {index} {agent}")));
    }
    words.extend(["done", "mute", "wrong"].map(str::to_owned));
    let names: HashMap<String, String> =
        words.into_iter().map(|word| (key(&word).0.to_string(), word)).collect();
    let text = format!(
        "#{} {} {:?} Key({}) {:?} {:?}",
        recorded.position,
        recorded.occurred_at.0,
        recorded.stream.kind,
        recorded.stream.id.0,
        recorded.source_seq.map(|seq| (seq.epoch.0 >> 112, seq.seq)),
        recorded.event
    );
    let mut parts = text.split("Key(");
    let mut told = parts.next().unwrap().to_owned();
    for part in parts {
        let (number, rest) = part.split_once(')').unwrap();
        told.push_str(names.get(number).map_or(number, |word| word));
        told.push_str(rest);
    }
    told
}

/// One site's storyteller.
struct Teller {
    site: &'static str,
    start: i64,
    drafts: Vec<Draft>,
    /// What has been told of earlier contacts, for those that go on with them.
    past: Vec<contacts::Past>,
    dice: Dice,
    routing: Dice,
    legs: Dice,
    naming: Dice,
    journeys: Dice,
    tickets: Dice,
    formulas: Dice,
    days: Dice,
}

/// A history of two sites, `size` contacts in one and 2 in the other, in the order of arrival.
pub fn tell(seed: u64, size: i64, arrival: Arrival) -> Vec<Recorded> {
    let mut dice = Dice(seed);
    // Around a midnight, a leap day, and both changes of the clocks in Europe, in Montreal and on Lord Howe, where the
    // site's midnight lies close.
    let days = [
        1_772_409_600,
        1_774_742_400,
        1_792_886_400,
        1_709_164_800,
        1_835_395_200,
        1_772_946_000,
        1_793_505_600,
        1_775_311_200,
        1_791_036_000,
    ];
    let start = dice.pick(&days) - 3600 * 2 + dice.below(7200);
    let mut drafts = Vec::new();
    for site in ["north", "south"] {
        let size = if site == "north" { size } else { 2 };
        let mut teller = Teller::new(Dice(dice.roll()), site, start);
        teller.definitions();
        teller.formulas();
        teller.days();
        for agent in AGENTS {
            teller.shift(agent);
        }
        for index in 0..size {
            teller.call(index);
        }
        drafts.append(&mut teller.drafts);
    }
    arrival::record(drafts, &mut dice, arrival)
}

impl Teller {
    fn new(dice: Dice, site: &'static str, start: i64) -> Self {
        Self {
            site,
            start,
            drafts: Vec::new(),
            past: Vec::new(),
            routing: dice.of(1),
            legs: dice.of(2),
            naming: dice.of(3),
            journeys: dice.of(4),
            tickets: dice.of(5),
            formulas: dice.of(6),
            days: dice.of(7),
            dice,
        }
    }

    fn put(&mut self, kind: StreamKind, id: &str, at: i64, event: Event<Key>) {
        if self.dice.chance(5) {
            return;
        }
        let draft = Draft { site: self.site, kind, id: id.to_owned(), at, event };
        if self.dice.chance(4) {
            let again = at + self.dice.below(40);
            self.drafts.push(Draft { at: again, ..draft.clone() });
        }
        self.drafts.push(draft);
    }
}
