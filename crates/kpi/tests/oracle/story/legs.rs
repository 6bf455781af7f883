//! Legs: who was offered a contact and who talked, told by the softphone, by the exchange, or by both, and by some of
//! the facts only.

use pegcount_domain::{
    envelope::StreamKind,
    event::{Channel, Direction, Event, LegRef, LegStep, Party, TransferKind},
    ids::{AgentId, ContactId, Key, LegId, QueueId, ReasonCode, VisitId},
};

use super::{AGENTS, QUEUES, Teller, key};

/// Who tells of a leg, and how.
struct Reporters<'a> {
    agent: &'a str,
    phone: bool,
    switch: bool,
    /// How often the exchange names the agent, in percent.
    names: i64,
    /// How often a fact says all that is known, in percent.
    says_all: i64,
    /// The step from which on the exchange names, or a softphone is, another one.
    other: Option<(usize, &'a str)>,
}

/// A leg's end, and when everything about it is over.
struct Ending {
    ended: i64,
    steps: Vec<(i64, LegStep<Key>)>,
}

impl Teller {
    fn leg_ref(
        contact: &str,
        index: i64,
        agent: Option<&str>,
        visit: Option<VisitId<Key>>,
        queue: &str,
    ) -> LegRef<Key> {
        LegRef {
            contact: ContactId(key(contact)),
            leg: LegId(key(&format!("leg {index} {}", agent.unwrap_or("nobody")))),
            agent: agent.map(|agent| AgentId(key(agent))),
            visit,
            queue: (!queue.is_empty()).then(|| QueueId(key(queue))),
            channel: Some(Channel::Voice),
            direction: Some(Direction::Inbound),
        }
    }

    pub(super) fn ring_no_answer(&mut self, contact: &str, visit: VisitId<Key>, queue: &str, at: i64) -> i64 {
        let agent = self.legs.pick(&AGENTS);
        let leg = Self::leg_ref(contact, 7, Some(agent), Some(visit), queue);
        let step =
            self.legs.pick(&[LegStep::Missed, LegStep::Rejected, LegStep::CustomerGone, LegStep::Failed]);
        let end = at + 20;
        let reporters = self.reporters(agent, true, false);
        for (nth, (at, step)) in [(at, LegStep::Ringing), (end, step)].into_iter().enumerate() {
            self.report(&reporters, contact, (nth, at, step), leg);
        }
        end
    }

    fn reporters<'a>(&mut self, agent: &'a str, phone: bool, switch: bool) -> Reporters<'a> {
        let dice = &mut self.naming;
        let names = if agent.is_empty() { 0 } else { dice.pick(&[100, 100, 100, 40, 15, 0]) };
        let other = (usize::try_from(dice.below(6)).unwrap(), dice.pick(&AGENTS));
        let other = dice.chance(if agent.is_empty() { 2 } else { 8 }).then_some(other);
        Reporters { agent, phone, switch, names, says_all: dice.pick(&[100, 100, 100, 60]), other }
    }

    fn report(
        &mut self,
        by: &Reporters,
        contact: &str,
        (nth, at, step): (usize, i64, LegStep<Key>),
        leg: LegRef<Key>,
    ) {
        let other = by.other.filter(|(from, _)| nth >= *from).map(|(_, other)| other);
        let agent = other.unwrap_or(by.agent);
        if by.phone && !agent.is_empty() {
            let agent = if self.naming.chance(50) { by.agent } else { agent };
            let named = Some(AgentId(key(agent))).filter(|_| self.naming.chance(80));
            let leg = LegRef { agent: named, ..self.thinned(leg, by.says_all) };
            if !agent.is_empty() {
                self.put(StreamKind::Agent, agent, at, Event::Leg { leg, step });
            }
        }
        if by.switch || agent.is_empty() {
            let at = at + self.legs.below(3) - 1;
            let named = other.or(Some(by.agent).filter(|agent| !agent.is_empty()));
            let named = named.filter(|_| self.naming.chance(by.names)).map(|agent| AgentId(key(agent)));
            let leg = LegRef { agent: named, ..self.thinned(leg, by.says_all) };
            self.put(StreamKind::Contact, contact, at, Event::Leg { leg, step });
        }
    }

    /// What was said once may be left out afterwards.
    fn thinned(&mut self, leg: LegRef<Key>, says_all: i64) -> LegRef<Key> {
        let mut says = || self.naming.chance(says_all);
        LegRef {
            visit: leg.visit.filter(|_| says()),
            queue: leg.queue.filter(|_| says()),
            channel: leg.channel.filter(|_| says()),
            direction: leg.direction.filter(|_| says()),
            ..leg
        }
    }

    /// One leg; gives its end.
    pub(super) fn leg(
        &mut self,
        contact: &str,
        index: i64,
        visit: Option<VisitId<Key>>,
        queue: &str,
        at: i64,
    ) -> i64 {
        let agent = if self.legs.chance(10) { "" } else { self.legs.pick(&AGENTS) };
        let named = (!agent.is_empty()).then_some(agent);
        let mut leg = Self::leg_ref(contact, index, named, visit, queue);
        let outbound = self.legs.chance(15);
        if outbound {
            leg.direction = Some(Direction::Outbound);
        }
        let (phone, switch) = self.legs.pick(&[(true, false), (false, true), (true, true), (true, true)]);
        if outbound && phone && !agent.is_empty() {
            let assigned = Event::OutboundAssigned { contact: leg.contact, leg: leg.leg };
            let before = at - self.legs.below(3000);
            self.put(StreamKind::Agent, agent, before, assigned);
        }
        let Ending { ended, steps } = self.steps(at, outbound, queue);
        let reporters = self.reporters(agent, phone, switch);
        for (nth, (at, step)) in steps.into_iter().enumerate() {
            self.report(&reporters, contact, (nth, at, step), leg);
        }
        ended
    }

    fn steps(&mut self, at: i64, outbound: bool, queue: &str) -> Ending {
        let dice = &mut self.legs;
        let mut steps: Vec<(i64, LegStep<Key>)> = Vec::new();
        let ring = dice.pick(&[3, 5, 12, 16, 40]);
        if outbound {
            steps.push((at - ring, LegStep::Dialing));
        } else if dice.chance(80) {
            steps.push((at - ring - 1, LegStep::Offered));
            steps.push((at - ring, LegStep::Ringing));
        }
        steps.push((at, LegStep::Answered));
        let mut now = at;
        for _ in 0..dice.below(4) {
            now += dice.below(400);
            let step = dice.pick(&[
                LegStep::Held,
                LegStep::Consulting,
                LegStep::Conferenced,
                LegStep::Interrupted,
                LegStep::Retrieved,
                LegStep::Answered,
                LegStep::Ringing,
                LegStep::AfterCallEnded,
            ]);
            steps.push((now, step));
            if dice.chance(70) {
                now += dice.below(100);
                steps.push((now, LegStep::Retrieved));
            }
        }
        now += dice.pick(&[0, 4, 10, 200, 1500]);
        while dice.chance(20) {
            let own = Some(queue).filter(|queue| !queue.is_empty() && dice.chance(30));
            let to = own.unwrap_or_else(|| dice.pick(&QUEUES));
            let to_queue = dice.chance(70).then(|| QueueId(key(to)));
            let kind = dice.pick(&[TransferKind::Cold, TransferKind::Warm]);
            let reason = dice.pick(&[None, Some("meal"), Some("rest")]);
            let reason = reason.map(|reason| ReasonCode(key(reason)));
            steps.push((now, LegStep::Transferred { kind, reason, to_queue, to_agent: None }));
        }
        let by = dice.pick(&[Some(Party::Agent), Some(Party::Customer), None]);
        let work = dice.chance(50);
        steps.push((now, LegStep::Ended { by, after_call_expected: work }));
        let ended = now;
        if work && dice.chance(30) {
            steps.push((now + dice.below(3), LegStep::AfterCallStarted));
        }
        if work || dice.chance(10) {
            now += dice.below(120);
            steps.push((now, LegStep::AfterCallEnded));
        }
        while dice.chance(15) {
            now += dice.below(1000);
            steps.push((now, LegStep::AfterCallStarted));
            now += 30;
            steps.push((now, LegStep::AfterCallEnded));
        }
        Ending { ended, steps }
    }
}
