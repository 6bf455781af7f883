//! One agent's history: chapters of facts between quiet points, and how much of it stands in the cells.
//!
//! In order, a fact is appended and folded a few facts later at a quiet point. A late, amended or annulled fact is
//! put in its place, and its chapter and those after it are folded again until the state carried from one to the next
//! is what it was. Invariant: the cells hold exactly the folds of all chapters and of the present one's `folded` part.

use pegcount_domain::{envelope::Position, time::Micros};
use smallvec::SmallVec;

use crate::{
    agent::{
        clock::{Carried, Clock},
        emit::{Output, Whose},
        fold::{Until, fold},
    },
    fact::{AgentFact, Mark, Stamp, Step, Track, insert_sorted},
    names::Id,
    reference::Reference,
};

/// At a quiet point, so many facts are worth a fold; fewer wait, and are folded when somebody reads.
const BATCH: usize = 8;
/// After a fold that met an open leg, wait for so many more facts.
const PATIENCE: usize = 16;
/// A chapter of so many facts is closed.
const CHAPTER: usize = 64;

/// A closed part of the history.
#[derive(Debug)]
struct Chapter {
    start: Carried,
    facts: Box<[AgentFact]>,
}

impl Chapter {
    fn last(&self) -> Stamp {
        self.facts.last().map_or(Stamp::FIRST, |fact| fact.stamp)
    }
}

/// How far each track has reported a leg of the unfolded part.
#[derive(Clone, Copy, Debug)]
struct Open {
    leg: Mark,
    phone: Reported,
    switch: Reported,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reported {
    Nothing,
    Going,
    AfterCall,
    Over,
}

/// One agent, or the legs of one contact that nobody is known to have handled.
#[derive(Debug)]
pub(crate) struct AgentUnit {
    pub(crate) id: Id,
    pub(crate) has_clock: bool,
    chapters: Vec<Chapter>,
    start: Carried,
    facts: Vec<AgentFact>,
    folded: usize,
    carried: Carried,
    open: SmallVec<[Open; 2]>,
    next_try: usize,
}

/// A change of the past.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Change {
    /// A fact came late, or belongs to a leg that begins at the instant said.
    Insert(AgentFact, Micros),
    /// A fact never happened.
    Remove(Position),
}

impl AgentUnit {
    pub(crate) fn new(id: Id, has_clock: bool) -> Self {
        Self {
            id,
            has_clock,
            chapters: Vec::new(),
            start: Carried::default(),
            facts: Vec::new(),
            folded: 0,
            carried: Carried::default(),
            open: SmallVec::new(),
            next_try: 0,
        }
    }

    fn whose<'a>(&self, reference: &'a Reference) -> Whose<'a> {
        Whose { agent: self.id, has_clock: self.has_clock, teams: reference.teams(self.id), reference }
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

    /// Takes a fact that [`Self::is_next`] in.
    pub(crate) fn push(&mut self, fact: AgentFact) {
        self.track(&fact);
        insert_sorted(&mut self.facts, fact, |fact| fact.stamp);
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
            self.open.push(Open { leg: leg.leg, phone: Reported::Nothing, switch: Reported::Nothing });
            self.open.len() - 1
        });
        if let Some(open) = self.open.get_mut(index) {
            match fact.stamp.track {
                Track::Phone => open.phone = reported,
                Track::Switch => open.switch = reported,
            }
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
            let facts = std::mem::take(&mut self.facts).into_boxed_slice();
            self.chapters.push(Chapter { start: self.start, facts });
            self.facts.reserve(CHAPTER);
            self.start = end;
            self.folded = 0;
        }
        true
    }

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
        let mut state = self.chapters.get(first).map_or(self.start, |chapter| chapter.start);
        let mut pending: Vec<AgentFact> = Vec::new();
        let mut unchanged = false;
        for (index, chapter) in (first..).zip(self.chapters.split_off(first)) {
            unchanged = unchanged || (index > last && pending.is_empty() && state == chapter.start);
            if unchanged {
                self.chapters.push(chapter);
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
                        let facts = std::mem::take(&mut pending).into_boxed_slice();
                        self.chapters.push(Chapter { start: state, facts });
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
                let index = self.chapters.iter().rposition(|chapter| chapter.facts.iter().any(is_it))?;
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

    /// Takes everything out of the cells, to be put in again by other reference data.
    pub(crate) fn withdraw(&self, reference: &Reference, minus: &mut Output) {
        let whose = self.whose(reference);
        for chapter in &self.chapters {
            fold(&chapter.start, &chapter.facts, &whose, Until::QuietPoint, minus);
        }
        let settled = self.facts.get(..self.folded).unwrap_or_default();
        fold(&self.start, settled, &whose, Until::QuietPoint, minus);
    }

    /// Folds everything again, after [`Self::withdraw`], and by the same chapters: a leg is whole within one.
    pub(crate) fn restore(&mut self, reference: &Reference, plus: &mut Output) {
        let whose = self.whose(reference);
        let chapters = std::mem::take(&mut self.chapters);
        let mut state = chapters.first().map_or(self.start, |chapter| chapter.start);
        let mut pending: Vec<AgentFact> = Vec::new();
        for chapter in chapters {
            pending.extend_from_slice(&chapter.facts);
            let lengths = plus.lengths();
            match fold(&state, &pending, &whose, Until::QuietPoint, plus) {
                Some(end) => {
                    let facts = std::mem::take(&mut pending).into_boxed_slice();
                    self.chapters.push(Chapter { start: state, facts });
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
        self.open.clear();
        for fact in &facts {
            self.track(fact);
        }
        self.facts = facts;
    }

    /// Adds what is open at `as_of` to `plus`; if the cells hold later things, those go to `minus`.
    pub(crate) fn read(&self, reference: &Reference, as_of: Micros, minus: &mut Output, plus: &mut Output) {
        let whose = self.whose(reference);
        let until = Until::Instant(as_of);
        if self.folded_to().at <= as_of {
            let waiting = self.facts.get(self.folded..).unwrap_or_default();
            if !waiting.is_empty() || self.carried.clock != Clock::Off {
                fold(&self.carried, waiting, &whose, until, plus);
            }
            return;
        }
        let first = self.chapters.partition_point(|chapter| chapter.last().at <= as_of);
        for chapter in self.chapters.iter().skip(first) {
            fold(&chapter.start, &chapter.facts, &whose, Until::QuietPoint, minus);
        }
        let settled = self.facts.get(..self.folded).unwrap_or_default();
        fold(&self.start, settled, &whose, Until::QuietPoint, minus);
        match self.chapters.get(first) {
            Some(chapter) => fold(&chapter.start, &chapter.facts, &whose, until, plus),
            None => fold(&self.start, &self.facts, &whose, until, plus),
        };
    }

    /// The facts of one leg.
    pub(crate) fn facts_of(&self, leg: Mark) -> Vec<AgentFact> {
        let closed = self.chapters.iter().flat_map(|chapter| chapter.facts.iter());
        let of_leg = |fact: &&AgentFact| fact.leg().is_some_and(|known| known.leg == leg);
        closed.chain(&self.facts).filter(of_leg).copied().collect()
    }

    /// The fact at a position.
    pub(crate) fn fact_at(&self, position: Position) -> Option<AgentFact> {
        let closed = self.chapters.iter().flat_map(|chapter| chapter.facts.iter());
        closed.chain(&self.facts).find(|fact| fact.stamp.position == position).copied()
    }

    /// Whether any leg of it names one of these queues.
    pub(crate) fn meets_queue(&self, queue: Id) -> bool {
        let closed = self.chapters.iter().flat_map(|chapter| chapter.facts.iter());
        closed.chain(&self.facts).any(|fact| fact.leg().is_some_and(|leg| leg.queue == queue))
    }
}

fn alter(facts: &mut Vec<AgentFact>, change: Change) {
    match change {
        Change::Insert(fact, _) => insert_sorted(facts, fact, |fact| fact.stamp),
        Change::Remove(position) => facts.retain(|fact| fact.stamp.position != position),
    }
}
