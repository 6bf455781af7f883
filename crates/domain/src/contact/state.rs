//! What is known of one contact now.

use smallvec::SmallVec;

use crate::{
    agent::{Phase, StepKind, transition::transition},
    contact::ContactAnomaly,
    event::{Channel, Direction, Event, LegRef, LegStep, Party, QueueExit, TransferKind},
    ids::{AgentId, ContactId, CustomerId, EntryId, LegId, Name, QueueId, TopicId, VisitId, WrapUpCode},
    time::Micros,
};

/// One stay in one queue. A re-offer after a ring with no answer is the same visit (KPIS.md §3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContactVisit<N = Name> {
    /// Its id.
    pub visit: VisitId<N>,
    /// The queue; none if only its exit was reported.
    pub queue: Option<QueueId<N>>,
    /// Entered.
    pub entered: Micros,
    /// Left, and why.
    pub left: Option<(Micros, QueueExit)>,
}

/// One agent's part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContactLeg<N = Name> {
    /// Its id.
    pub leg: LegId<N>,
    /// Who; none if nobody knows.
    pub agent: Option<AgentId<N>>,
    /// Where it stands.
    pub phase: Phase,
    /// Since when.
    pub since: Micros,
    /// How it was passed on, if it was.
    pub transferred: Option<TransferKind>,
}

/// One contact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContactState<N = Name> {
    /// Its id.
    pub contact: ContactId<N>,
    /// The medium, once a start was reported.
    pub channel: Option<Channel>,
    /// The direction, once a start was reported.
    pub direction: Option<Direction>,
    /// Where it came in.
    pub entry: Option<EntryId<N>>,
    /// The customer's surrogate, as known now.
    pub customer: Option<CustomerId<N>>,
    /// The topic, as known now.
    pub topic: Option<TopicId<N>>,
    /// The first contact of its journey, if it goes on with one.
    pub journey: Option<ContactId<N>>,
    /// Our own call-back.
    pub callback: bool,
    /// The first fact's instant.
    pub started: Option<Micros>,
    /// Over, and by whom.
    pub ended: Option<(Micros, Option<Party>)>,
    /// Served by a menu or a machine.
    pub self_served: bool,
    /// Visits in the order in which they began.
    pub visits: SmallVec<[ContactVisit<N>; 1]>,
    /// Legs in the order in which they began.
    pub legs: SmallVec<[ContactLeg<N>; 1]>,
    /// The wrap-up code, and whether it says that the matter is resolved.
    pub wrap_up: Option<(WrapUpCode<N>, Option<bool>)>,
    /// The survey's score, 1 to 5.
    pub score: Option<u8>,
    known: bool,
}

impl<N: Clone + Eq> ContactState<N> {
    /// A contact of which nothing is known.
    pub fn new(contact: ContactId<N>) -> Self {
        Self {
            contact,
            channel: None,
            direction: None,
            entry: None,
            customer: None,
            topic: None,
            journey: None,
            callback: false,
            started: None,
            ended: None,
            self_served: false,
            visits: SmallVec::new(),
            legs: SmallVec::new(),
            wrap_up: None,
            score: None,
            known: false,
        }
    }

    /// Waiting, ringing or talking.
    pub fn is_open(&self) -> bool {
        self.ended.is_none()
    }

    /// Takes `event`, which happened at `at`, in; facts come by time. Gives why it was not expected, if it was not.
    pub fn apply(&mut self, event: &Event<N>, at: Micros) -> Option<ContactAnomaly> {
        // Legs alone may come from softphones, before the exchange says anything or where there is none.
        let unstarted = !self.known && !matches!(event, Event::ContactStarted { .. } | Event::Leg { .. });
        self.known |= !matches!(event, Event::Leg { .. });
        self.started.get_or_insert(at);
        let mark = match event {
            Event::ContactStarted { channel, direction, entry, customer, journey, callback, .. } => {
                let again = self.channel.replace(*channel).is_some();
                self.direction = Some(*direction);
                self.entry.clone_from(entry);
                self.journey.clone_from(journey);
                self.callback = *callback;
                self.customer = customer.clone().or(self.customer.take());
                again.then_some(ContactAnomaly::StartedAlready)
            }
            Event::QueueEntered { visit, queue, .. } => self.enter(visit, queue, at),
            Event::QueueLeft { visit, exit, .. } => self.leave(visit, *exit, at),
            Event::Leg { leg, step } => self.step(leg, step, at),
            Event::ContactEnded { by, self_served } => self.end(*by, *self_served, at),
            _ => self.learn(event),
        };
        mark.or(unstarted.then_some(ContactAnomaly::StartMissing))
    }

    /// What is known about the customer and the matter.
    fn learn(&mut self, event: &Event<N>) -> Option<ContactAnomaly> {
        let mut about = |topic: &Option<TopicId<N>>| self.topic = topic.clone().or(self.topic.take());
        match event {
            Event::ContactIdentified { customer, topic } => {
                about(topic);
                self.customer = customer.clone().or(self.customer.take());
            }
            Event::WrappedUp { code, topic, resolved } => {
                about(topic);
                self.wrap_up = Some((code.clone(), *resolved));
            }
            Event::SurveyAnswered { score, .. } => self.score = Some(*score),
            _ => {}
        }
        None
    }

    fn enter(&mut self, visit: &VisitId<N>, queue: &QueueId<N>, at: Micros) -> Option<ContactAnomaly> {
        if self.visits.iter().any(|known| known.visit == *visit) {
            return Some(ContactAnomaly::EnteredAlready);
        }
        let queue = Some(queue.clone());
        self.visits.push(ContactVisit { visit: visit.clone(), queue, entered: at, left: None });
        self.ended.map(|_| ContactAnomaly::EndedAlready)
    }

    fn leave(&mut self, visit: &VisitId<N>, exit: QueueExit, at: Micros) -> Option<ContactAnomaly> {
        let Some(index) = self.visits.iter().position(|known| known.visit == *visit) else {
            let left = Some((at, exit));
            self.visits.push(ContactVisit { visit: visit.clone(), queue: None, entered: at, left });
            return Some(ContactAnomaly::EntryMissing);
        };
        let known = self.visits.get_mut(index)?;
        if known.left.is_some() {
            return Some(ContactAnomaly::LeftAlready);
        }
        known.left = Some((at, exit));
        let entered = known.entered;
        // Waiting in several queues at once, an answer in one ends the others as answered elsewhere (KPIS.md §3).
        let meanwhile = |other: &ContactVisit<N>| {
            other.visit != *visit
                && other.left.is_some_and(|(left, exit)| exit == QueueExit::Answered && left > entered)
        };
        let twice = exit == QueueExit::Answered && self.visits.iter().any(meanwhile);
        twice.then_some(ContactAnomaly::AnsweredTwice)
    }

    fn step(&mut self, leg: &LegRef<N>, step: &LegStep<N>, at: Micros) -> Option<ContactAnomaly> {
        let index = self.legs.iter().position(|known| known.leg == leg.leg);
        let from = index.and_then(|index| self.legs.get(index)).map(|leg| leg.phase);
        let moved = transition(from, StepKind::from(step));
        let known = match index {
            Some(index) => self.legs.get_mut(index),
            None => moved.to.and_then(|phase| {
                let agent = leg.agent.clone();
                self.legs.push(ContactLeg {
                    leg: leg.leg.clone(),
                    agent,
                    phase,
                    since: at,
                    transferred: None,
                });
                self.legs.last_mut()
            }),
        };
        if let Some(known) = known {
            if let Some(phase) = moved.to
                && phase != known.phase
            {
                known.phase = phase;
                known.since = at;
            }
            known.agent = leg.agent.clone().or(known.agent.take());
            if let LegStep::Transferred { kind, .. } = step {
                known.transferred = Some(*kind);
            }
        }
        let begins = moved.to.is_some_and(|phase| phase.is_offer() || phase.is_conversation());
        let late = (begins && self.ended.is_some_and(|(ended, _)| ended < at))
            .then_some(ContactAnomaly::EndedAlready);
        moved.mark.map(ContactAnomaly::Leg).or(late)
    }

    fn end(&mut self, by: Option<Party>, self_served: bool, at: Micros) -> Option<ContactAnomaly> {
        if self.ended.is_some() {
            return Some(ContactAnomaly::EndedAlready);
        }
        self.ended = Some((at, by));
        self.self_served = self_served;
        let waiting = self.visits.iter().any(|visit| visit.left.is_none());
        let talking = self.legs.iter().any(|leg| leg.phase.is_offer() || leg.phase.is_conversation());
        (waiting || talking).then_some(ContactAnomaly::EndedOpen)
    }
}
