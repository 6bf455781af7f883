//! Late, amended and annulled facts, and new reference data, for an agent's unit.
//!
//! The chapter that a change touches and those after it are folded again until the state carried from one to the next
//! is what it was. Invariant: a leg is whole within one chapter, before and afterwards.

use pegcount_domain::{envelope::Position, time::Micros};

use crate::{
    agent::{
        chapter::Chapter,
        clock::Carried,
        emit::Output,
        fold::{Until, fold},
        unit::AgentUnit,
    },
    fact::{AgentFact, insert_sorted},
    reference::Reference,
};

/// A change of the past.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Change {
    /// A fact came late, or belongs to a leg that begins at the instant said.
    Insert(AgentFact, Micros),
    /// A fact never happened.
    Remove(Position),
}

impl AgentUnit {
    /// Changes the past: `minus` is to be taken from the cells, `plus` to be added. False if there was nothing to
    /// remove.
    pub(crate) fn revise(
        &mut self,
        change: Change,
        reference: &Reference,
        minus: &mut Output,
        plus: &mut Output,
    ) -> bool {
        let Some((first, last)) = self.reach(change) else { return false };
        let mut state = self.chapters.get(first).map_or(self.start, |chapter| chapter.open().start);
        let mut pending: Vec<AgentFact> = Vec::new();
        let mut unchanged = false;
        for (index, closed) in (first..).zip(self.chapters.split_off(first)) {
            if unchanged {
                self.chapters.push(closed);
                continue;
            }
            let chapter = closed.open();
            unchanged = index > last && pending.is_empty() && state == chapter.start;
            if unchanged {
                self.chapters.push(closed);
                continue;
            }
            let whose = self.whose(reference);
            fold(&chapter.start, &chapter.facts, &whose, Until::QuietPoint, minus);
            pending.extend_from_slice(&chapter.facts);
            if index == last {
                alter(&mut pending, change);
            }
            if index >= last {
                let lengths = plus.lengths();
                match fold(&state, &pending, &whose, Until::QuietPoint, plus) {
                    Some(end) => {
                        self.chapters.push(Chapter::close(&state, &pending));
                        pending.clear();
                        state = end;
                    }
                    None => plus.cut_back(lengths),
                }
            }
        }
        if !unchanged {
            self.restart(state, pending, reference, minus, plus, (last == usize::MAX).then_some(change));
        }
        true
    }

    /// The chapters that a change touches first and last; `usize::MAX` stands for the present one.
    fn reach(&self, change: Change) -> Option<(usize, usize)> {
        match change {
            Change::Insert(fact, from) => {
                let first = self.chapters.partition_point(|chapter| chapter.last().at < from);
                let last = self.chapters.partition_point(|chapter| chapter.last() < fact.stamp);
                let last = if last < self.chapters.len() { last } else { usize::MAX };
                Some((first.min(last), last))
            }
            Change::Remove(position) => {
                let is_it = |fact: &AgentFact| fact.stamp.position == position;
                if self.facts.iter().any(is_it) {
                    return Some((self.chapters.len(), usize::MAX));
                }
                let index =
                    self.chapters.iter().rposition(|chapter| chapter.open().facts.iter().any(is_it))?;
                Some((index, index))
            }
        }
    }

    /// Begins the present chapter again from `state`, with `before` in front of it.
    fn restart(
        &mut self,
        state: Carried,
        mut before: Vec<AgentFact>,
        reference: &Reference,
        minus: &mut Output,
        plus: &mut Output,
        change: Option<Change>,
    ) {
        if before.is_empty() && change.is_none() && state == self.start {
            return;
        }
        let whose = self.whose(reference);
        let settled = self.facts.get(..self.folded).unwrap_or_default();
        fold(&self.start, settled, &whose, Until::QuietPoint, minus);
        before.append(&mut self.facts);
        if let Some(change) = change {
            alter(&mut before, change);
        }
        self.begin(state, before);
        self.settle(reference, plus);
    }

    /// Takes everything from an instant on out of the cells, to be put in again by reference data that differ from then on.
    pub(crate) fn withdraw(&self, reference: &Reference, from: Micros, minus: &mut Output) {
        let whose = self.whose(reference);
        let first = self.chapters.partition_point(|chapter| chapter.last().at < from);
        for chapter in self.chapters.iter().skip(first).map(Chapter::open) {
            fold(&chapter.start, &chapter.facts, &whose, Until::QuietPoint, minus);
        }
        let settled = self.facts.get(..self.folded).unwrap_or_default();
        fold(&self.start, settled, &whose, Until::QuietPoint, minus);
    }

    /// Folds that again, after [`Self::withdraw`], and by the same chapters: a leg is whole within one.
    pub(crate) fn restore(&mut self, reference: &Reference, from: Micros, plus: &mut Output) {
        let whose = self.whose(reference);
        let first = self.chapters.partition_point(|chapter| chapter.last().at < from);
        let chapters = self.chapters.split_off(first);
        let mut state = chapters.first().map_or(self.start, |chapter| chapter.open().start);
        let mut pending: Vec<AgentFact> = Vec::new();
        for chapter in chapters.iter().map(Chapter::open) {
            pending.extend_from_slice(&chapter.facts);
            let lengths = plus.lengths();
            match fold(&state, &pending, &whose, Until::QuietPoint, plus) {
                Some(end) => {
                    self.chapters.push(Chapter::close(&state, &pending));
                    pending.clear();
                    state = end;
                }
                None => plus.cut_back(lengths),
            }
        }
        pending.append(&mut self.facts);
        self.begin(state, pending);
        self.settle(reference, plus);
    }

    /// Begins the present chapter: nothing of it stands in the cells.
    fn begin(&mut self, state: Carried, facts: Vec<AgentFact>) {
        (self.start, self.carried, self.folded) = (state, state, 0);
        self.track_again(&facts);
        self.facts = facts;
    }
}

fn alter(facts: &mut Vec<AgentFact>, change: Change) {
    match change {
        Change::Insert(fact, _) => insert_sorted(facts, fact, |fact| fact.stamp),
        Change::Remove(position) => facts.retain(|fact| fact.stamp.position != position),
    }
}
