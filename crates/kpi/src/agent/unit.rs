//! One agent's history: chapters of facts between quiet points, and how much of it stands in the cells.
//!
//! In order, a fact is appended and folded a few facts later at a quiet point. A late, amended or annulled fact is
//! put in its place, and its chapter and those after it are folded again until the state carried from one to the next
//! is what it was. Invariant: the cells hold exactly the folds of all chapters and of the present one's `folded` part.

use pegcount_domain::{
    envelope::Position,
    time::{Micros, Span},
};
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use crate::{
    agent::{
        chapter::Chapter,
        clock::{Carried, Clock},
        emit::{Output, Whose},
        fold::{Until, fold},
    },
    day::ledger::Ledger,
    fact::{AgentFact, Mark, Slot, Stamp, Step, Track, insert_sorted},
    names::Id,
    reference::Reference,
};

/// At a quiet point, so many facts are worth a fold; fewer wait, and are folded when somebody reads.
const BATCH: usize = 8;
/// After a fold that met an open leg, wait for so many more facts.
const PATIENCE: usize = 16;
/// A chapter of so many facts is closed: what is closed takes a fifth of the memory, and a late fact folds a few of them again.
const CHAPTER: usize = 8;
/// Room for so many facts that are not closed stays with every agent.
const ROOM: usize = 16;

/// How far each track has reported a leg of the unfolded part.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Open {
    leg: Mark,
    contact: Slot,
    phone: Reported,
    switch: Reported,
    /// Whether any of its facts itself says whose leg it is.
    names_agent: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Reported {
    Nothing,
    Going,
    AfterCall,
    Over,
}

/// One agent, or the legs of one contact that nobody is known to have handled.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct AgentUnit {
    pub(crate) id: Id,
    /// Tells it from other agents in the same order whoever came first.
    pub(crate) mark: Mark,
    pub(crate) has_clock: bool,
    pub(crate) chapters: Vec<Chapter>,
    pub(crate) start: Carried,
    pub(crate) facts: Vec<AgentFact>,
    pub(crate) folded: usize,
    pub(crate) carried: Carried,
    /// The days, as far as they stand in the cells.
    pub(crate) ledger: Ledger,
    #[serde(with = "pegcount_domain::small")]
    open: SmallVec<[Open; 2]>,
    next_try: usize,
}

/// For a place that is free.
impl Default for AgentUnit {
    fn default() -> Self {
        Self::nobody()
    }
}

impl AgentUnit {
    /// An agent.
    pub(crate) fn new(id: Id, mark: Mark) -> Self {
        Self {
            id,
            mark,
            has_clock: true,
            chapters: Vec::new(),
            start: Carried::default(),
            facts: Vec::new(),
            folded: 0,
            carried: Carried::default(),
            ledger: Ledger::default(),
            open: SmallVec::new(),
            next_try: 0,
        }
    }

    /// The legs of one contact that nobody is known to have handled.
    pub(crate) fn nobody() -> Self {
        Self { has_clock: false, ..Self::new(Id::NONE, Mark::NONE) }
    }

    pub(super) fn whose<'a>(&self, reference: &'a Reference) -> Whose<'a> {
        let (teams, slots) = (reference.teams(self.id), reference.slots(self.id));
        Whose { agent: self.id, has_clock: self.has_clock, teams, slots, reference }
    }

    /// The last fact that stands in the cells.
    fn folded_to(&self) -> Stamp {
        let current = self.folded.checked_sub(1).and_then(|last| self.facts.get(last)).map(|fact| fact.stamp);
        current.or_else(|| self.chapters.last().map(Chapter::last)).unwrap_or(Stamp::FIRST)
    }

    /// Whether a fact of this stamp comes after everything that stands in the cells.
    pub(crate) fn is_next(&self, stamp: Stamp) -> bool {
        stamp > self.folded_to()
    }

    /// The instant from which on the unit's figures are still open.
    pub(crate) fn open_since(&self) -> Option<Micros> {
        self.facts.get(self.folded).map(|fact| fact.stamp.at)
    }

    /// The same, the running clock included.
    pub(crate) fn running_since(&self) -> Option<Micros> {
        let clock = self.carried.clock.measure().map(|_| self.carried.clock_since);
        self.open_since().into_iter().chain(clock).min()
    }

    /// The earliest instant of which a fold may still tell something.
    pub(crate) fn reaches_back_to(&self) -> Option<Micros> {
        let opened = self.chapters.first().map(Chapter::open);
        let known = opened.as_ref().map(|opened| (&opened.start, opened.facts.as_slice()));
        let (start, facts) = known.unwrap_or((&self.start, self.facts.as_slice()));
        let clock = start.clock.measure().map(|_| start.clock_since);
        let first = facts.first().map(|fact| fact.stamp.at);
        clock.into_iter().chain(first).chain(self.running_since()).min()
    }

    /// Whether facts wait to be folded, and the last of all is older than an instant.
    pub(crate) fn rests_before(&self, before: Micros) -> bool {
        self.folded < self.facts.len() && self.facts.last().is_some_and(|fact| fact.stamp.at < before)
    }

    /// Forgets the chapters that end before an instant; the cells keep what they gave.
    pub(crate) fn forget(&mut self, before: Micros) {
        let gone = self.chapters.partition_point(|chapter| chapter.last().at < before);
        self.chapters.drain(..gone);
        let is_over = self.folded == self.facts.len()
            && self.chapters.is_empty()
            && self.facts.last().is_some_and(|fact| fact.stamp.at < before);
        if is_over {
            self.facts = Vec::new();
            (self.start, self.folded) = (self.carried, 0);
        }
    }

    /// Goes on from another's present chapter: what is known before it and after its first `folded` facts, which stand in
    /// the cells. False if there are not so many.
    pub(crate) fn go_on_from(
        &mut self,
        (start, carried): (Carried, Carried),
        facts: Vec<AgentFact>,
        folded: usize,
    ) -> bool {
        let Some(waiting) = facts.get(folded..) else { return false };
        self.track_again(waiting);
        (self.start, self.carried, self.folded, self.facts) = (start, carried, folded, facts);
        true
    }

    /// When a chapter ends; the present one, as far as it stands in the cells, comes after all others.
    pub(crate) fn end_of(&self, chapter: usize) -> Option<Stamp> {
        match self.chapters.get(chapter) {
            Some(chapter) => Some(chapter.last()),
            None if chapter == self.chapters.len() && self.folded > 0 => Some(self.folded_to()),
            None => None,
        }
    }

    /// Folds a chapter once more, as [`Self::end_of`] counts them: what it puts into the cells.
    pub(crate) fn reckon(&self, chapter: usize, reference: &Reference, out: &mut Output) {
        let whose = self.whose(reference);
        if let Some(chapter) = self.chapters.get(chapter).map(Chapter::open) {
            fold(&chapter.start, &chapter.facts, &whose, Until::QuietPoint, out);
        } else {
            let settled = self.facts.get(..self.folded).unwrap_or_default();
            fold(&self.start, settled, &whose, Until::QuietPoint, out);
        }
    }

    /// Takes a fact that [`Self::is_next`] in.
    pub(crate) fn push(&mut self, fact: AgentFact) {
        self.track(&fact);
        insert_sorted(&mut self.facts, fact, |fact| fact.stamp);
    }

    /// The contact of a leg that waits to be folded and is known to be this agent's, if a fact of this stamp comes after
    /// all others: then the contact knows all that such a fact could tell it.
    #[inline]
    pub(crate) fn contact_of_waiting(&self, leg: Mark, stamp: Stamp) -> Option<Slot> {
        let open = self.open.iter().find(|open| open.leg == leg && open.names_agent)?;
        self.facts.last().filter(|last| last.stamp < stamp)?;
        Some(open.contact)
    }

    fn track(&mut self, fact: &AgentFact) {
        let Some(leg) = fact.leg() else { return };
        let reported = match leg.step {
            Step::Assigned | Step::Transferred { .. } => return,
            Step::Ended { after_call: true, .. } | Step::AfterCallStarted => Reported::AfterCall,
            Step::Ended { .. }
            | Step::Missed
            | Step::Rejected
            | Step::CustomerGone
            | Step::Failed
            | Step::AfterCallEnded => Reported::Over,
            _ => Reported::Going,
        };
        let index = self.open.iter().position(|open| open.leg == leg.leg).unwrap_or_else(|| {
            let (phone, switch) = (Reported::Nothing, Reported::Nothing);
            self.open.push(Open { leg: leg.leg, contact: leg.contact, phone, switch, names_agent: false });
            self.open.len() - 1
        });
        if let Some(open) = self.open.get_mut(index) {
            open.names_agent |= leg.names_agent;
            match fact.stamp.track {
                Track::Phone => open.phone = reported,
                Track::Switch => open.switch = reported,
            }
        }
    }

    /// Forgets what was tracked, and tracks these facts.
    pub(super) fn track_again(&mut self, facts: &[AgentFact]) {
        self.open.clear();
        self.next_try = 0;
        for fact in facts {
            self.track(fact);
        }
    }

    /// Whether there is enough to fold, and nothing seems to be going on.
    #[inline]
    pub(crate) fn wants_fold(&self) -> bool {
        let waiting = self.facts.len() - self.folded;
        if waiting < BATCH {
            return false;
        }
        let any = |reported| self.open.iter().any(|open| open.phone == reported || open.switch == reported);
        !any(Reported::Going) && (!any(Reported::AfterCall) || waiting >= self.next_try)
    }

    /// Folds up to the present quiet point; what it gives is to be added to the cells. False, and nothing given, if
    /// a leg turns out to be open.
    pub(crate) fn settle(&mut self, reference: &Reference, plus: &mut Output) -> bool {
        let lengths = plus.lengths();
        let whose = self.whose(reference);
        let waiting = self.facts.get(self.folded..).unwrap_or_default();
        let Some(end) = fold(&self.carried, waiting, &whose, Until::QuietPoint, plus) else {
            plus.cut_back(lengths);
            self.next_try = waiting.len() + PATIENCE;
            return false;
        };
        self.carried = end;
        self.folded = self.facts.len();
        self.open.clear();
        self.next_try = 0;
        if self.facts.len() >= CHAPTER {
            self.chapters.push(Chapter::close(&self.start, &self.facts));
            self.facts.clear();
            self.facts.shrink_to(ROOM);
            self.start = end;
            self.folded = 0;
        }
        true
    }

    /// Adds what is open at `as_of` to `plus`; if the cells hold things later than `settled_by`, those go to `minus`. Gives
    /// the clock's state at the instant.
    pub(crate) fn read(
        &self,
        reference: &Reference,
        (as_of, settled_by): (Micros, Micros),
        minus: &mut Output,
        plus: &mut Output,
    ) -> Clock {
        let whose = self.whose(reference);
        let until = Until::Instant(as_of);
        if self.folded_to().at <= settled_by {
            let waiting = self.facts.get(self.folded..).unwrap_or_default();
            if waiting.is_empty() && self.carried.clock == Clock::Off {
                return Clock::Off;
            }
            let end = fold(&self.carried, waiting, &whose, until, plus);
            return end.map_or(Clock::Off, |end| end.clock);
        }
        let first = self.chapters.partition_point(|chapter| chapter.last().at <= settled_by);
        for chapter in self.chapters.iter().skip(first).map(Chapter::open) {
            fold(&chapter.start, &chapter.facts, &whose, Until::QuietPoint, minus);
        }
        let settled = self.facts.get(..self.folded).unwrap_or_default();
        fold(&self.start, settled, &whose, Until::QuietPoint, minus);
        let end = match self.chapters.get(first).map(Chapter::open) {
            Some(chapter) => fold(&chapter.start, &chapter.facts, &whose, until, plus),
            None => fold(&self.start, &self.facts, &whose, until, plus),
        };
        end.map_or(Clock::Off, |end| end.clock)
    }

    /// Folds what counts in the traced output's range, as of an instant.
    pub(crate) fn trace(&self, reference: &Reference, range: Span, as_of: Micros, out: &mut Output) {
        let whose = self.whose(reference);
        let first = self.chapters.partition_point(|chapter| chapter.last().at < range.start);
        for closed in self.chapters.iter().skip(first) {
            let chapter = closed.open();
            if closed.last().at > as_of {
                fold(&chapter.start, &chapter.facts, &whose, Until::Instant(as_of), out);
                return;
            }
            fold(&chapter.start, &chapter.facts, &whose, Until::QuietPoint, out);
            // The first one after the range closes the clock's span.
            if chapter.facts.first().is_some_and(|fact| fact.stamp.at >= range.end) {
                return;
            }
        }
        fold(&self.start, &self.facts, &whose, Until::Instant(as_of), out);
    }

    /// The facts at one of two instants.
    pub(crate) fn facts_between(&self, from: Micros, to: Micros) -> Vec<Position> {
        let first = self.chapters.partition_point(|chapter| chapter.last().at < from);
        let closed = self.chapters.iter().skip(first).flat_map(|chapter| chapter.open().facts);
        let near = closed.chain(self.facts.iter().copied()).take_while(|fact| fact.stamp.at <= to);
        let ends = near.filter(|fact| fact.stamp.at == from || fact.stamp.at == to);
        ends.map(|fact| fact.stamp.position).collect()
    }

    /// The facts of a span of time, and the one before it, which says how it began.
    pub(crate) fn facts_within(&self, from: Micros, to: Micros) -> Vec<Position> {
        let first = self.chapters.partition_point(|chapter| chapter.last().at < from).saturating_sub(1);
        let after = self.chapters.partition_point(|chapter| chapter.last().at < to);
        let closed = self.chapters.get(first..self.chapters.len().min(after + 1)).unwrap_or_default();
        let closed = closed.iter().flat_map(|chapter| chapter.open().facts);
        let near: Vec<_> = closed.chain(self.facts.iter().copied()).map(|fact| fact.stamp).collect();
        let begin = near.partition_point(|stamp| stamp.at < from).saturating_sub(1);
        let end = near.partition_point(|stamp| stamp.at < to);
        let own = near.get(begin..end.max(begin)).unwrap_or_default();
        own.iter().map(|stamp| stamp.position).collect()
    }

    /// The facts of a leg that begins at `since` or later.
    pub(crate) fn facts_of(&self, leg: Mark, since: Micros) -> Vec<AgentFact> {
        let first = self.chapters.partition_point(|chapter| chapter.last().at < since);
        let of_leg = |fact: &AgentFact| fact.leg().is_some_and(|known| known.leg == leg);
        // A leg is whole within one chapter.
        for chapter in self.chapters.iter().skip(first) {
            let mut facts = chapter.open().facts;
            facts.retain(of_leg);
            if !facts.is_empty() {
                return facts;
            }
        }
        self.facts.iter().filter(|fact| of_leg(fact)).copied().collect()
    }

    /// The legs of which it has any fact.
    pub(crate) fn legs(&self) -> Vec<Mark> {
        let closed = self.chapters.iter().flat_map(|chapter| chapter.open().facts);
        let all = closed.chain(self.facts.iter().copied());
        let mut legs: Vec<Mark> = all.filter_map(|fact| fact.leg().map(|leg| leg.leg)).collect();
        legs.sort_unstable();
        legs.dedup();
        legs
    }

    /// The fact at a position.
    pub(crate) fn fact_at(&self, position: Position) -> Option<AgentFact> {
        let is_it = |fact: &AgentFact| fact.stamp.position == position;
        let present = self.facts.iter().rev().find(|fact| is_it(fact)).copied();
        present.or_else(|| {
            let closed = self.chapters.iter().rev().map(|chapter| chapter.open().facts);
            closed.into_iter().find_map(|facts| facts.into_iter().find(is_it))
        })
    }

    /// How many facts it has in chapters that reach to an instant or beyond; 0 if all of it is older.
    pub(crate) fn facts_since(&self, from: Micros) -> usize {
        let first = self.chapters.partition_point(|chapter| chapter.last().at < from);
        let closed: usize = self.chapters.iter().skip(first).map(Chapter::len).sum();
        let present = self.facts.last().is_some_and(|fact| fact.stamp.at >= from);
        if closed > 0 || present { closed + self.facts.len() } else { 0 }
    }

    /// The same, if any leg in there names the queue.
    pub(crate) fn meets_queue_since(&self, queue: Id, from: Micros) -> usize {
        let first = self.chapters.partition_point(|chapter| chapter.last().at < from);
        let meets = |fact: &AgentFact| fact.leg().is_some_and(|leg| leg.queue == queue);
        let mut closed = self.chapters.iter().skip(first).map(|chapter| chapter.open().facts);
        let meets = self.facts.iter().any(meets) || closed.any(|facts| facts.iter().any(meets));
        if meets { self.facts_since(from) } else { 0 }
    }
}
