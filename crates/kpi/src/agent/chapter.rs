//! One closed chapter of an agent's history, at rest from its closing on.
//!
//! Not for deciding where chapters end: that is the unit's. Invariant: what is opened is what was closed.

use serde::{Deserialize, Serialize};

use crate::{
    agent::clock::Carried,
    fact::{AgentFact, Stamp},
    packed::{Packed, bytes::Writer, chapter},
};

/// A closed part of the history, at rest: it is opened when a late fact or a question concerns it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Chapter {
    last: Stamp,
    count: u32,
    facts: Packed,
}

/// A chapter in use.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) start: Carried,
    pub(crate) facts: Vec<AgentFact>,
}

impl Chapter {
    /// Closes a chapter.
    pub(crate) fn close(start: &Carried, facts: &[AgentFact]) -> Self {
        let mut writer = Writer::default();
        chapter::write(start, facts, &mut writer);
        let last = facts.last().map_or(Stamp::FIRST, |fact| fact.stamp);
        Self { last, count: u32::try_from(facts.len()).unwrap_or(u32::MAX), facts: writer.take() }
    }

    /// How it began, and its facts.
    pub(crate) fn open(&self) -> Opened {
        let (start, facts) = chapter::read(self.facts.bytes(), self.len());
        Opened { start, facts }
    }

    /// How many facts it has.
    pub(crate) fn len(&self) -> usize {
        usize::try_from(self.count).unwrap_or(usize::MAX)
    }

    /// What its facts take, bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.facts.bytes().len()
    }

    /// Of its last fact.
    pub(super) fn last(&self) -> Stamp {
        self.last
    }
}
