//! Reads a bank file and adds its facts up, in the slow and obvious way.
#![allow(dead_code, unreachable_pub, reason = "each test file uses its part")]

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use pegcount_domain::{
    event::{Event, LegStep, QueueExit},
    time::Micros,
};
use pegcount_import::{
    ContactRecord,
    bank::{BankReader, BankReport},
};

pub const SMALL: &str = include_str!("../fixtures/bank-small.tsv");

pub fn zone() -> TimeZone {
    TimeZone::get("Asia/Jerusalem").unwrap()
}

pub fn read(text: &str) -> (Vec<ContactRecord>, BankReport) {
    let mut reader = BankReader::new(text.as_bytes(), zone()).unwrap();
    let records = reader.by_ref().collect::<Result<Vec<_>, _>>().unwrap();
    (records, reader.into_report())
}

/// Seconds and counts, added up over records.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Figures {
    pub offered: u64,
    pub answered: u64,
    pub abandoned: u64,
    pub abandoned_at_once: u64,
    pub abandoned_within_5: u64,
    pub abandoned_within_20: u64,
    pub answered_within_20: u64,
    pub wait_answered: i64,
    pub wait_abandoned: i64,
    pub legs: u64,
    pub handle: i64,
}

impl Figures {
    pub fn add(&mut self, record: &ContactRecord) {
        let find = |wanted: fn(&Event) -> bool| record.facts.iter().find(|(_, event)| wanted(event));
        let at = |wanted| find(wanted).map(|(at, _)| *at);
        let entered = at(|event| matches!(event, Event::QueueEntered { .. })).unwrap();
        let (left, exit) = find(|event| matches!(event, Event::QueueLeft { .. })).unwrap();
        let wait = left.minus(entered).0 / Micros::SECOND.0;
        self.offered += 1;
        if matches!(exit, Event::QueueLeft { exit: QueueExit::Answered, .. }) {
            self.answered += 1;
            self.wait_answered += wait;
            self.answered_within_20 += u64::from(wait <= 20);
        } else {
            self.abandoned += 1;
            self.wait_abandoned += wait;
            self.abandoned_at_once += u64::from(wait == 0);
            self.abandoned_within_5 += u64::from(wait <= 5);
            self.abandoned_within_20 += u64::from(wait <= 20);
        }
        let answer = at(|event| matches!(event, Event::Leg { step: LegStep::Answered, .. }));
        let end = at(|event| matches!(event, Event::Leg { step: LegStep::Ended { .. }, .. }));
        if let (Some(answer), Some(end)) = (answer, end) {
            self.legs += 1;
            self.handle += end.minus(answer).0 / Micros::SECOND.0;
        }
    }

    pub fn of<'a>(records: impl IntoIterator<Item = &'a ContactRecord>) -> Self {
        let mut figures = Self::default();
        records.into_iter().for_each(|record| figures.add(record));
        figures
    }
}

pub fn queue(record: &ContactRecord) -> String {
    record
        .facts
        .iter()
        .find_map(|(_, event)| match event {
            Event::QueueEntered { queue, .. } => Some(queue.to_string()),
            _ => None,
        })
        .unwrap()
}

pub fn agent(record: &ContactRecord) -> Option<String> {
    record.facts.iter().find_map(|(_, event)| match event {
        Event::Leg { leg, .. } => leg.agent.as_ref().map(ToString::to_string),
        _ => None,
    })
}

pub fn by<K: Ord>(records: &[ContactRecord], key: impl Fn(&ContactRecord) -> K) -> BTreeMap<K, Figures> {
    let mut figures = BTreeMap::<K, Figures>::new();
    for record in records {
        figures.entry(key(record)).or_default().add(record);
    }
    figures
}
