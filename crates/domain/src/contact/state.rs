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
        let first = !self.known;
        self.known = true;
        if self.started.is_none() {
            self.started = Some(at);
        }
        match event {
            Event::ContactStarted { channel, direction, entry, customer, journey, callback, .. } => {
                let again = self.channel.is_some();
                self.channel = Some(*channel);
                self.direction = Some(*direction);
                self.entry.clone_from(entry);
                self.journey.clone_from(journey);
                self.callback = *callback;
                self.customer = customer.clone().or(self.customer.take());
                return again.then_some(ContactAnomaly::StartedAlready);
            }
            Event::ContactIdentified { customer, topic } => {
                self.customer = customer.clone().or(self.customer.take());
                self.topic = topic.clone().or(self.topic.take());
            }
            Event::QueueEntered { visit, queue, .. } => return self.enter(visit, queue, at),
            Event::QueueLeft { visit, exit, .. } => return self.leave(visit, *exit, at),
            Event::Leg { leg, step } => return self.step(leg, step, at),
            Event::WrappedUp { code, topic, resolved } => {
                self.wrap_up = Some((code.clone(), *resolved));
                self.topic = topic.clone().or(self.topic.take());
            }
            Event::ContactEnded { by, self_served } => return self.end(*by, *self_served, at),
            Event::SurveyAnswered { score, .. } => self.score = Some(*score),
            _ => return None,
        }
        (first && self.channel.is_none()).then_some(ContactAnomaly::StartMissing)
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
        let answered_now =
            |known: &ContactVisit<N>| known.visit != *visit && known.left == Some((at, QueueExit::Answered));
        let twice = exit == QueueExit::Answered && self.visits.iter().any(answered_now);
        match self.visits.iter_mut().find(|known| known.visit == *visit) {
            Some(known) if known.left.is_some() => Some(ContactAnomaly::LeftAlready),
            Some(known) => {
                known.left = Some((at, exit));
                twice.then_some(ContactAnomaly::AnsweredTwice)
            }
            None => {
                let left = Some((at, exit));
                self.visits.push(ContactVisit { visit: visit.clone(), queue: None, entered: at, left });
                Some(ContactAnomaly::EntryMissing)
            }
        }
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
        moved.mark.map(ContactAnomaly::Leg)
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

#[cfg(test)]
mod tests {
    use super::*;

    type State = ContactState<&'static str>;

    const STARTED: Event<&str> = Event::ContactStarted {
        channel: Channel::Voice,
        direction: Direction::Inbound,
        entry: None,
        customer: Some(CustomerId("c_1")),
        journey: None,
        callback: false,
        priority: 0,
    };

    fn entered(visit: &'static str) -> Event<&'static str> {
        Event::QueueEntered { visit: VisitId(visit), queue: QueueId("sales"), priority: 0 }
    }

    fn left(visit: &'static str, exit: QueueExit) -> Event<&'static str> {
        Event::QueueLeft { visit: VisitId(visit), exit, ringing: false }
    }

    fn step(step: LegStep<&'static str>) -> Event<&'static str> {
        let leg = LegRef {
            contact: ContactId("c"),
            leg: LegId("1"),
            agent: Some(AgentId("7")),
            visit: None,
            queue: None,
            channel: None,
            direction: None,
        };
        Event::Leg { leg, step }
    }

    /// The state after `events`, one second apart, and what was marked about the last one.
    fn given(events: &[Event<&'static str>]) -> (State, Option<ContactAnomaly>) {
        let mut state = State::new(ContactId("c"));
        let mut mark = None;
        for (event, second) in events.iter().zip(1..) {
            mark = state.apply(event, Micros::from_secs(second));
        }
        (state, mark)
    }

    const ENDED: Event<&str> = Event::ContactEnded { by: Some(Party::Customer), self_served: false };
    const OVER: LegStep<&str> = LegStep::Ended { by: Some(Party::Customer), after_call_expected: false };

    #[test]
    fn a_call_is_answered_out_of_its_queue_and_ends_without_a_mark() {
        let call = [
            STARTED,
            entered("1"),
            step(LegStep::Ringing),
            left("1", QueueExit::Answered),
            step(LegStep::Answered),
            step(OVER),
            ENDED,
        ];
        let (state, mark) = given(&call);
        assert_eq!(mark, None);
        assert!(!state.is_open());
        assert_eq!(state.visits[0].left, Some((Micros::from_secs(4), QueueExit::Answered)));
        assert_eq!(state.legs[0].phase, Phase::Ended);
    }

    #[test]
    fn a_visit_that_was_never_entered_counts_as_entered_when_it_was_left() {
        let (state, mark) = given(&[STARTED, left("1", QueueExit::Abandoned)]);
        assert_eq!(mark, Some(ContactAnomaly::EntryMissing));
        assert_eq!(state.visits[0].entered, Micros::from_secs(2));
    }

    #[test]
    fn a_second_exit_of_a_visit_changes_nothing() {
        let (state, mark) =
            given(&[STARTED, entered("1"), left("1", QueueExit::Answered), left("1", QueueExit::Abandoned)]);
        assert_eq!(mark, Some(ContactAnomaly::LeftAlready));
        assert_eq!(state.visits[0].left, Some((Micros::from_secs(3), QueueExit::Answered)));
    }

    #[test]
    fn an_end_with_somebody_waiting_is_marked() {
        assert_eq!(given(&[STARTED, entered("1"), ENDED]).1, Some(ContactAnomaly::EndedOpen));
        assert_eq!(given(&[STARTED, ENDED, ENDED]).1, Some(ContactAnomaly::EndedAlready));
    }

    #[test]
    fn a_customer_known_at_the_start_stays_known_when_a_later_fact_leaves_it_out() {
        let identified = Event::ContactIdentified { customer: None, topic: Some(TopicId("water")) };
        let (state, mark) = given(&[STARTED, identified]);
        assert_eq!(
            (mark, state.customer, state.topic),
            (None, Some(CustomerId("c_1")), Some(TopicId("water")))
        );
    }

    #[test]
    fn a_contact_that_begins_in_the_middle_is_marked_and_kept() {
        let (state, mark) = given(&[step(LegStep::Answered)]);
        assert_eq!(mark, None, "answering without an offer is allowed");
        assert_eq!(state.legs[0].phase, Phase::Talking);
    }
}
