//! Contacts as they are now: open ones, and the latest that have ended.
//!
//! A contact has few events, so they are kept and its state is folded when somebody asks: late and amended facts need
//! no special path. What has left memory is folded from the log (see `crate::contacts`).
//!
//! Invariant: an entry whose `recorded` is its version holds the whole stream.

use std::collections::VecDeque;

use pegcount_domain::{
    contact::{ContactAnomaly, ContactState},
    envelope::{Envelope, Position, Version},
    event::Event,
    ids::{ContactId, SiteId},
    time::Micros,
};
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use super::history::History;

/// How many ended contacts stay in memory.
const ENDED_MAX: usize = 10_000;

/// A fact that was not expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MarkedContactFact {
    /// Where it is.
    pub position: Position,
    /// When it happened.
    pub occurred_at: Micros,
    /// Why it was not expected.
    pub anomaly: ContactAnomaly,
}

/// One contact as it is now.
#[derive(Clone, Debug)]
pub struct ContactView {
    /// Its site.
    pub site: SiteId,
    /// Visits, legs, customer.
    pub state: ContactState,
    /// The stream's version.
    pub version: Version,
    /// Facts that were not expected.
    pub anomalies: Vec<MarkedContactFact>,
    /// The log position up to which this has been folded.
    pub position: Position,
}

/// The events of one contact.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct ContactEntry {
    facts: History,
    recorded: u64,
    version: Version,
}

impl ContactEntry {
    pub(crate) fn insert(&mut self, envelope: &Envelope<'_>, event: &Event) {
        self.facts.insert(envelope.position, envelope.occurred_at, envelope.source_seq, event);
        self.recorded += 1;
        self.version = envelope.version;
    }

    /// The stream's version as far as it has come.
    pub(crate) fn version(&self) -> Version {
        self.version
    }

    /// Whether every event of the stream is here.
    pub(crate) fn is_whole(&self) -> bool {
        self.recorded == self.version.0
    }

    pub(crate) fn view(&self, site: &SiteId, contact: &ContactId, position: Position) -> ContactView {
        let mut state = ContactState::new(contact.clone());
        let mut anomalies = Vec::new();
        for fact in self.facts.facts() {
            if let Some(anomaly) = state.apply(&fact.event, fact.at) {
                anomalies.push(MarkedContactFact { position: fact.position, occurred_at: fact.at, anomaly });
            }
        }
        ContactView { site: site.clone(), state, version: self.version, anomalies, position }
    }
}

/// The contacts of one site.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Contacts {
    open: FxHashMap<ContactId, ContactEntry>,
    /// Not in checkpoints: they are read from the log as those before them are.
    #[serde(skip)]
    ended: FxHashMap<ContactId, ContactEntry>,
    #[serde(skip)]
    ended_by_age: VecDeque<ContactId>,
    /// How many corrections a contact's stream holds; only of those that have any.
    corrections: FxHashMap<ContactId, u64>,
}

impl Contacts {
    pub(crate) fn insert(&mut self, contact: ContactId, envelope: &Envelope<'_>, event: &Event) {
        let ends = matches!(event, Event::ContactEnded { .. });
        if matches!(event, Event::Annulled { .. } | Event::Amended { .. }) {
            *self.corrections.entry(contact.clone()).or_default() += 1;
        }
        if let Some(entry) = self.ended.get_mut(&contact) {
            entry.insert(envelope, event);
            return;
        }
        let entry = self.open.entry(contact.clone()).or_default();
        entry.insert(envelope, event);
        // A late fact of a contact that has left memory must not stay open for good: it knows too little to end.
        if ends || !entry.is_whole() {
            self.put_away(contact);
        }
    }

    fn put_away(&mut self, contact: ContactId) {
        if let Some(entry) = self.open.remove(&contact) {
            self.ended.insert(contact.clone(), entry);
            self.ended_by_age.push_back(contact);
        }
        while self.ended_by_age.len() > ENDED_MAX {
            if let Some(oldest) = self.ended_by_age.pop_front() {
                self.ended.remove(&oldest);
            }
        }
    }

    /// Whether it is here and has not ended.
    pub(crate) fn is_open(&self, contact: &ContactId) -> bool {
        self.open.contains_key(contact)
    }

    /// The contacts whose streams hold corrections, and how many.
    pub(crate) fn corrected(&self) -> impl Iterator<Item = (&ContactId, u64)> {
        self.corrections.iter().map(|(contact, corrections)| (contact, *corrections))
    }

    /// So many of the stream's events are corrections, those that are gone included.
    pub(crate) fn set_corrections(&mut self, contact: ContactId, corrections: u64) {
        self.corrections.insert(contact, corrections);
    }

    /// How many of the stream's events are corrections of others.
    pub(crate) fn corrections_of(&self, contact: &ContactId) -> u64 {
        self.corrections.get(contact).copied().unwrap_or_default()
    }

    pub(crate) fn get(&self, contact: &ContactId) -> Option<&ContactEntry> {
        self.open.get(contact).or_else(|| self.ended.get(contact))
    }

    /// Contacts that have not ended.
    pub(crate) fn open(&self) -> impl Iterator<Item = (&ContactId, &ContactEntry)> {
        self.open.iter()
    }
}
