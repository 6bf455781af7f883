//! What surrounds an event: position, stream, times, actor, source.
//!
//! Two shapes: [`Envelope`] borrows from a decoded frame of the log, its payload still encoded, its names still
//! texts; [`Recorded`] is what folds take: the same with the event decoded and every name a [`Key`].

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{
    event::{Event, EventType},
    ids::{CommandId, Epoch, Key, Name},
    time::Micros,
};

/// An event's place in the log: dense, from 1; 0 means "before the first".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Position(pub u64);

impl Position {
    /// Before the first event.
    pub const START: Self = Self(0);

    /// The one after this.
    #[inline]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// An event's place in its stream: dense, from 1; 0 means "no such stream yet".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Version(pub u64);

/// What a stream is about. A fact's reporter follows from it: agent streams are written by softphones, contact
/// streams by exchanges, gateways and importers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[repr(u8)]
pub enum StreamKind {
    /// One agent.
    Agent,
    /// One contact.
    Contact,
    /// One ticket.
    Ticket,
    /// The definitions of a site.
    Definition,
    /// What was refused or lost, per source.
    Quarantine,
    /// One customer's file; the id is the customer's surrogate.
    Customer,
}

impl StreamKind {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Agent, Self::Contact, Self::Ticket, Self::Definition, Self::Quarantine, Self::Customer];

    /// The middle part of the stream's name.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Agent => "agent",
            Self::Contact => "contact",
            Self::Ticket => "ticket",
            Self::Definition => "definition",
            Self::Quarantine => "quarantine",
            Self::Customer => "customer",
        }
    }

    /// The one of this word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }
}

/// A stream's name: `site/kind/id`. The site holds no `/`; the id may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct StreamName<N = Name> {
    /// The site.
    pub site: N,
    /// What it is about.
    pub kind: StreamKind,
    /// The agent's, contact's, ticket's id; the source's name for quarantine; `all` for definitions.
    pub id: N,
}

impl<N: AsRef<str>> fmt::Display for StreamName<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.site.as_ref(), self.kind.word(), self.id.as_ref())
    }
}

impl<'a> StreamName<&'a str> {
    /// Takes `site/kind/id` apart.
    pub fn parse(text: &'a str) -> Option<Self> {
        let mut parts = text.splitn(3, '/');
        let (site, kind, id) = (parts.next()?, parts.next()?, parts.next()?);
        Some(Self { site, kind: StreamKind::from_word(kind)?, id })
    }
}

/// A place in a source's counter: together the identity of a fact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SourceSeq {
    /// The counter's epoch.
    pub epoch: Epoch,
    /// Dense, from 1.
    pub seq: u64,
}

/// One stored event, borrowed from a decoded frame.
#[derive(Clone, Copy, Debug)]
pub struct Envelope<'a> {
    /// Its place in the log.
    pub position: Position,
    /// Its stream.
    pub stream: StreamName<&'a str>,
    /// Its place in the stream.
    pub version: Version,
    /// Its type.
    pub event_type: EventType,
    /// The version of the type's payload.
    pub schema_version: u16,
    /// When it happened, by the corrected clock; never after it was written.
    pub occurred_at: Micros,
    /// Set if even the corrected time lay in the future: then it counts as having happened when it was written.
    pub clamped: bool,
    /// When it happened, by the source's own clock.
    pub source_time: Micros,
    /// When it was written; monotone with position.
    pub recorded_at: Micros,
    /// The principal who said it.
    pub actor: &'a str,
    /// On whose behalf, if not its own.
    pub on_behalf_of: Option<&'a str>,
    /// The source.
    pub source: &'a str,
    /// Its place in the source's counter, if the source keeps one.
    pub source_seq: Option<SourceSeq>,
    /// The command, if it came of one.
    pub command_id: Option<CommandId>,
    /// Correlates events over streams (a request's id).
    pub correlation: Option<u128>,
    /// The event that caused it.
    pub causation: Option<Position>,
    /// The encoded payload; its ordinals count in the event's names.
    pub payload: &'a [u8],
}

/// What folds take: an event with its place and times, every name a [`Key`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// Its place in the log.
    pub position: Position,
    /// Its stream.
    pub stream: StreamName<Key>,
    /// When it happened.
    pub occurred_at: Micros,
    /// When it was written.
    pub recorded_at: Micros,
    /// The source.
    pub source: Key,
    /// Its place in the source's counter.
    pub source_seq: Option<SourceSeq>,
    /// What happened.
    pub event: Event<Key>,
}
