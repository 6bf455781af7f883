//! Who gets whom: offers, rings and what becomes of them.
//!
//! Invariant: a contact is offered to one agent at a time, and a ring that comes to nothing puts it back into the
//! same visit at its old place.

use pegcount_domain::{
    event::{Direction, LegRef, LegStep, Party},
    ids::{LegId, Name},
    time::Micros,
};

use super::{
    Centre,
    agenda::What,
    arrivals::plan,
    world::{Away, Finale, Leg, Outcome, Stage},
};
use crate::plan::{BUSY, RONA};

const REJECTS: f64 = 0.004;
/// How long a device rings before the offer counts as missed.
const RING_MAX: Micros = Micros(20 * Micros::SECOND.0);

impl Centre {
    /// Offers the first of the queue as long as somebody is free.
    pub(super) fn serve_queue(&mut self, queue: usize) {
        while let Some(waiting) = self.waiting.get(queue).and_then(|queue| queue.first().copied())
            && let Some(agent) = self.free_agent(queue)
        {
            self.offer(agent, waiting.contact);
        }
    }

    /// Gives the agent whoever waits, else a call that we owe.
    pub(super) fn serve_agent(&mut self, agent: usize) {
        while let Some(known) = self.agents.get(agent) {
            let free = |queue: &usize| known.is_free_for(plan(*queue).channel);
            let first = |queue: &usize| self.waiting.get(*queue)?.first().copied();
            let Some(waiting) = known.queues().iter().filter(|queue| free(queue)).find_map(first) else {
                break;
            };
            self.offer(agent, waiting.contact);
        }
        self.serve_callbacks(agent);
    }

    /// A new leg of the contact with this agent.
    pub(super) fn new_leg(&mut self, contact: u64, agent: usize, stage: Stage) -> Option<usize> {
        let now = self.now;
        let agent_id = self.agents.get(agent)?.id.clone();
        let known = self.contacts.get_mut(&contact)?;
        let number = known.legs.len();
        let reference = LegRef {
            contact: known.id.clone(),
            // Digits are a name.
            leg: LegId(Name::new(&format!("l{}", number + 1)).unwrap_or(Name::fixed("l"))),
            agent: Some(agent_id),
            visit: known.visit.as_ref().map(|visit| visit.id.clone()),
            queue: Some(plan(known.queue).id.clone()),
            channel: Some(known.channel),
            direction: Some(known.direction),
        };
        known.legs.push(Leg {
            agent,
            reference,
            queue: known.queue,
            stage,
            since: now,
            script: std::collections::VecDeque::new(),
            finale: Finale::Ends(Party::Customer),
            talk: Micros::ZERO,
            hold: Micros::ZERO,
        });
        if let Some(agent) = self.agents.get_mut(agent) {
            agent.legs.push((contact, number));
        }
        Some(number)
    }

    fn offer(&mut self, agent: usize, contact: u64) {
        let Some(leg) = self.new_leg(contact, agent, Stage::Offered) else { return };
        let Some(visit) = self.contacts.get_mut(&contact).and_then(|contact| contact.visit.as_mut()) else {
            return;
        };
        visit.offered = Some(leg);
        let (queue, waiting) = (visit.queue, visit.waiting(contact));
        if let Some(queue) = self.waiting.get_mut(queue) {
            queue.remove(&waiting);
        }
        self.report.offers += 1;
        self.both_say(contact, leg, &LegStep::Offered);
        let rings = self.dice.between(0.2, 0.9);
        self.agenda.note(self.now.plus(rings), What::Ring { contact, leg });
    }

    pub(super) fn rings(&self, contact: u64, leg: usize) -> bool {
        self.leg(contact, leg).is_some_and(|leg| leg.stage == Stage::Ringing)
    }

    pub(super) fn ring(&mut self, contact: u64, leg: usize) {
        let Some(known) = self.leg_mut(contact, leg).filter(|leg| leg.stage == Stage::Offered) else {
            return;
        };
        known.stage = Stage::Ringing;
        let agent = known.agent;
        self.both_say(contact, leg, &LegStep::Ringing);
        let misses = self.agents.get(agent).map_or(0.0, |agent| agent.miss_rate);
        let (outcome, after) = if self.dice.chance(misses) {
            (Outcome::Missed, RING_MAX)
        } else if self.dice.chance(REJECTS) {
            (Outcome::Rejected, self.dice.between(1.0, 6.0))
        } else {
            (Outcome::Answered, self.dice.lognormal(4.0, 0.5).min(RING_MAX.minus(Micros::SECOND)))
        };
        self.agenda.note(self.now.plus(after), What::RingOver { contact, leg, outcome });
    }

    pub(super) fn ring_over(&mut self, contact: u64, leg: usize, outcome: Outcome) {
        if !self.rings(contact, leg) {
            return;
        }
        let Some(agent) = self.leg(contact, leg).map(|leg| leg.agent) else { return };
        match outcome {
            Outcome::Answered => self.answered(contact, leg),
            Outcome::Missed => {
                self.report.missed += 1;
                self.both_say(contact, leg, &LegStep::Missed);
                self.leg_over(contact, leg);
                let length = self.dice.between(60.0, 300.0);
                self.away_after_ring(agent, Away { reason: &RONA, length });
                self.offer_again(contact);
            }
            Outcome::Rejected => {
                self.report.rejected += 1;
                self.both_say(contact, leg, &LegStep::Rejected);
                self.leg_over(contact, leg);
                let length = self.dice.between(30.0, 120.0);
                self.away_after_ring(agent, Away { reason: &BUSY, length });
                self.offer_again(contact);
            }
        }
    }

    fn offer_again(&mut self, contact: u64) {
        let Some(visit) = self.contacts.get_mut(&contact).and_then(|contact| contact.visit.as_mut()) else {
            return;
        };
        visit.offered = None;
        let (queue, waiting) = (visit.queue, visit.waiting(contact));
        if let Some(queue) = self.waiting.get_mut(queue) {
            queue.insert(waiting);
        }
        self.serve_queue(queue);
    }

    /// The customer went during the offer. Says whom it was offered to.
    pub(super) fn customer_gone(&mut self, contact: u64, leg: usize) -> Option<usize> {
        self.report.customer_gone += 1;
        self.both_say(contact, leg, &LegStep::CustomerGone);
        let agent = self.leg(contact, leg)?.agent;
        self.leg_over(contact, leg);
        Some(agent)
    }

    /// Closes a leg on both sides, without a word.
    pub(super) fn leg_over(&mut self, contact: u64, leg: usize) {
        let Some(known) = self.leg_mut(contact, leg) else { return };
        known.stage = Stage::Over;
        let agent = known.agent;
        if let Some(agent) = self.agents.get_mut(agent) {
            agent.legs.retain(|open| *open != (contact, leg));
        }
    }

    /// Whether the contact is one that a customer began.
    pub(super) fn is_inbound(&self, contact: u64) -> bool {
        self.contacts.get(&contact).is_some_and(|contact| contact.direction == Direction::Inbound)
    }
}
