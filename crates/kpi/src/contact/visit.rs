//! Queue visits, joined from facts by id, and the rules for what was not said (KPIS.md §3, §6).
//!
//! An answer ends the other visits that wait at that instant; a hang-up counts in the longest-waiting one; an entry
//! is synthesised only where the whole history has none. Invariant: a visit ends at most once, and not before it
//! began.

use pegcount_domain::{
    envelope::Position,
    event::{Party, QueueExit},
    time::Micros,
};
use smallvec::SmallVec;

use crate::{
    anomaly::{Anomaly, AnomalyKind},
    contact::{ContactBody, ContactFact, LegOutcome},
    fact::{Mark, Slot},
    names::Id,
};

/// How a visit ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Left {
    pub(crate) at: Micros,
    pub(crate) exit: QueueExit,
    pub(crate) ringing: bool,
}

/// One visit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Visit {
    pub(crate) mark: Mark,
    pub(crate) queue: Id,
    pub(crate) priority: u8,
    pub(crate) entered: Micros,
    pub(crate) left: Option<Left>,
    /// The fact to mark if something about the visit as a whole is odd.
    position: Position,
    has_entry: bool,
}

/// A contact as its facts tell it.
#[derive(Debug, Default)]
pub(crate) struct Story {
    pub(crate) started: Option<Started>,
    pub(crate) first_at: Option<Micros>,
    pub(crate) customer: Option<Slot>,
    pub(crate) topic: Mark,
    pub(crate) visits: SmallVec<[Visit; 2]>,
    pub(crate) ended: Option<Ended>,
}

/// What the contact's start said.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Started {
    pub(crate) at: Micros,
    pub(crate) channel: u8,
    pub(crate) direction: u8,
    pub(crate) entry: Id,
    pub(crate) journey: Option<Slot>,
    pub(crate) callback: bool,
}

/// What the contact's end said.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ended {
    pub(crate) at: Micros,
    pub(crate) by: Option<Party>,
    pub(crate) self_served: bool,
}

impl Story {
    /// Joins the facts, which are in the order of their stamps, and closes what the rules close.
    pub(crate) fn of(facts: &[ContactFact], legs: &[LegOutcome], anomalies: &mut Vec<Anomaly>) -> Self {
        let mut story = Self::default();
        for fact in facts {
            if let Some(kind) = story.take(fact) {
                anomalies.push(Anomaly { position: fact.stamp.position, kind });
            }
        }
        story.complete(legs, anomalies);
        story.answered_elsewhere(anomalies);
        story.hung_up_elsewhere(anomalies);
        story.close_at_end(anomalies);
        story.abandoned_once(anomalies);
        story
    }

    fn take(&mut self, fact: &ContactFact) -> Option<AnomalyKind> {
        let at = fact.stamp.at;
        self.first_at.get_or_insert(at);
        match fact.body {
            ContactBody::Started { channel, direction, entry, customer, journey, callback } => {
                if self.started.is_some() {
                    return Some(AnomalyKind::ContactStartedTwice);
                }
                let (channel, direction) = (channel.code(), direction.code());
                self.started = Some(Started { at, channel, direction, entry, journey, callback });
                self.customer = self.customer.or(customer);
            }
            ContactBody::Identified { customer, topic } => {
                self.customer = customer.or(self.customer);
                self.tell_topic(topic);
            }
            ContactBody::Entered { visit, queue, priority } => {
                return self.enter(visit, queue, priority, fact);
            }
            ContactBody::Left { visit, exit, ringing } => {
                return self.leave(visit, Left { at, exit, ringing }, fact.stamp.position);
            }
            ContactBody::WrappedUp { topic, .. } => self.tell_topic(topic),
            ContactBody::Ended { by, self_served } => {
                if self.ended.is_some() {
                    return Some(AnomalyKind::ContactEndedTwice);
                }
                self.ended = Some(Ended { at, by, self_served });
            }
        }
        None
    }

    fn tell_topic(&mut self, topic: Mark) {
        if topic != Mark::NONE {
            self.topic = topic;
        }
    }

    fn enter(&mut self, mark: Mark, queue: Id, priority: u8, fact: &ContactFact) -> Option<AnomalyKind> {
        let (entered, position) = (fact.stamp.at, fact.stamp.position);
        match self.visits.iter_mut().find(|visit| visit.mark == mark) {
            Some(known) if known.has_entry => Some(AnomalyKind::VisitEnteredTwice),
            Some(known) => {
                (known.queue, known.priority, known.entered, known.has_entry) =
                    (queue, priority, entered, true);
                None
            }
            None => {
                let (left, has_entry) = (None, true);
                self.visits.push(Visit { mark, queue, priority, entered, left, position, has_entry });
                None
            }
        }
    }

    fn leave(&mut self, mark: Mark, left: Left, position: Position) -> Option<AnomalyKind> {
        match self.visits.iter_mut().find(|visit| visit.mark == mark) {
            Some(known) if known.left.is_some() => Some(AnomalyKind::VisitLeftTwice),
            Some(known) => {
                known.left = Some(left);
                None
            }
            None => {
                let (queue, priority, entered) = (Id::NONE, 0, left.at);
                let (left, has_entry) = (Some(left), false);
                self.visits.push(Visit { mark, queue, priority, entered, left, position, has_entry });
                None
            }
        }
    }

    /// Entries that nobody reported, exits that only the answering leg tells of, and ends before their entries.
    fn complete(&mut self, legs: &[LegOutcome], anomalies: &mut Vec<Anomaly>) {
        for visit in &mut self.visits {
            if !visit.has_entry {
                let leg = legs.iter().find(|leg| leg.visit == visit.mark && leg.queue != Id::NONE);
                visit.queue = leg.map_or(Id::NONE, |leg| leg.queue);
                anomalies.push(visit.odd(AnomalyKind::EntrySynthesised));
            }
            let answers = legs.iter().filter(|leg| leg.visit == visit.mark).filter_map(|leg| leg.answered_at);
            if visit.left.is_none()
                && let Some(at) = answers.min()
            {
                let at = at.max(visit.entered);
                visit.left = Some(Left { at, exit: QueueExit::Answered, ringing: false });
                anomalies.push(visit.odd(AnomalyKind::VisitLeftOpen));
            }
            if let Some(left) = &mut visit.left
                && left.at < visit.entered
            {
                left.at = visit.entered;
                anomalies.push(visit.odd(AnomalyKind::VisitLeftBeforeEntered));
            }
        }
        self.visits.sort_by_key(|visit| (visit.entered, visit.mark));
    }

    /// An answer ends the visits that wait elsewhere at that instant, whatever is said of them later; of two answers
    /// the first counts.
    fn answered_elsewhere(&mut self, anomalies: &mut Vec<Anomaly>) {
        if self.visits.len() < 2 {
            return;
        }
        let mut answers: SmallVec<[(Micros, usize); 2]> = self.ended_by(QueueExit::Answered).collect();
        answers.sort_unstable();
        for (at, answer) in answers {
            if self.visits.get(answer).is_none_or(|visit| visit.exit() != Some(QueueExit::Answered)) {
                continue;
            }
            let others = self.visits.iter_mut().enumerate().filter(|(index, _)| *index != answer);
            for (_, visit) in others.filter(|(_, visit)| visit.entered < at) {
                let exit = QueueExit::AnsweredElsewhere;
                match &mut visit.left {
                    None => {
                        visit.left = Some(Left { at, exit, ringing: false });
                        anomalies.push(visit.odd(AnomalyKind::VisitLeftOpen));
                    }
                    Some(left) if left.at > at || (left.at == at && left.exit == QueueExit::Answered) => {
                        let said = left.exit;
                        *left = Left { at, exit, ringing: false };
                        if said != exit {
                            anomalies.push(visit.odd(AnomalyKind::VisitEndedElsewhere));
                        }
                    }
                    Some(_) => {}
                }
            }
        }
    }

    /// Nobody waits in a contact that is over.
    fn close_at_end(&mut self, anomalies: &mut Vec<Anomaly>) {
        let Some(ended) = self.ended else { return };
        let exit = if ended.by == Some(Party::Customer) { QueueExit::Abandoned } else { QueueExit::System };
        for visit in self.visits.iter_mut().filter(|visit| visit.left.is_none()) {
            visit.left = Some(Left { at: ended.at.max(visit.entered), exit, ringing: false });
            anomalies.push(visit.odd(AnomalyKind::VisitLeftOpen));
        }
    }

    /// A hang-up ends the visits that still wait.
    fn hung_up_elsewhere(&mut self, anomalies: &mut Vec<Anomaly>) {
        if self.visits.len() < 2 {
            return;
        }
        let hang_up = self.ended_by(QueueExit::Abandoned).map(|(at, _)| at).min();
        for visit in self.visits.iter_mut().filter(|visit| visit.left.is_none()) {
            if let Some(at) = hang_up.filter(|at| visit.entered < *at) {
                visit.left = Some(Left { at, exit: QueueExit::Abandoned, ringing: false });
                anomalies.push(visit.odd(AnomalyKind::VisitLeftOpen));
            }
        }
    }

    /// A hang-up is abandoned in the longest-waiting visit only.
    fn abandoned_once(&mut self, anomalies: &mut Vec<Anomaly>) {
        let mut counted_until: Option<Micros> = None;
        for visit in &mut self.visits {
            let Some(left) = visit.left.as_mut().filter(|left| left.exit == QueueExit::Abandoned) else {
                continue;
            };
            if counted_until.is_some_and(|until| visit.entered < until) {
                left.exit = QueueExit::AbandonedElsewhere;
                anomalies.push(visit.odd(AnomalyKind::VisitEndedElsewhere));
            } else {
                counted_until = Some(left.at);
            }
        }
    }

    fn ended_by(&self, exit: QueueExit) -> impl Iterator<Item = (Micros, usize)> {
        self.visits.iter().enumerate().filter_map(move |(index, visit)| {
            visit.left.filter(|left| left.exit == exit).map(|left| (left.at, index))
        })
    }
}

impl Visit {
    fn odd(&self, kind: AnomalyKind) -> Anomaly {
        Anomaly { position: self.position, kind }
    }

    fn exit(&self) -> Option<QueueExit> {
        self.left.map(|left| left.exit)
    }

    /// How it ended, if by `as_of`.
    pub(crate) fn left_by(&self, as_of: Micros) -> Option<Left> {
        self.left.filter(|left| left.at <= as_of)
    }
}
