//! Shifts, breaks, ready and away.
//!
//! Invariant: an agent signs out or goes away only with no leg open; what is wanted during one waits in `next`.

use pegcount_client::AgentFacts;
use pegcount_domain::time::Micros;

use super::{
    Centre,
    agenda::What,
    world::{Agent, Away, Next, Standing},
};
use crate::{
    plan::{MEAL, MEETING, QUEUES, REST, ReasonPlan, TRAINING},
    profile::{shift, time_of_day},
};

const DAY: Micros = Micros(24 * Micros::HOUR.0);
const MINUTE_S: f64 = 60.0;

impl Centre {
    /// Who is in the middle of a shift comes within the first minute; the others come when theirs begins.
    pub(super) fn plan_first_shift(&mut self, agent: usize) {
        let (begins, length) = shift(agent);
        let today = time_of_day(self.now, &self.scenario.time_zone);
        let into = Micros(today.minus(begins).0.rem_euclid(DAY.0));
        let comes = if into < length.minus(Micros::HOUR) {
            self.dice.between(0.0, MINUTE_S)
        } else {
            Micros(DAY.minus(into).0).plus(self.dice.between(0.0, 5.0 * MINUTE_S))
        };
        self.agenda.note(self.now.plus(comes), What::ShiftStart { agent });
    }

    pub(super) fn shift_starts(&mut self, agent: usize) {
        let (begins, length) = shift(agent);
        let today = time_of_day(self.now, &self.scenario.time_zone);
        let into = Micros(today.minus(begins).0.rem_euclid(DAY.0));
        let tomorrow = DAY.minus(into).plus(self.dice.between(0.0, 5.0 * MINUTE_S));
        self.agenda.note(self.now.plus(tomorrow), What::ShiftStart { agent });
        if self.no_more_arrivals() || self.agents.get(agent).is_none_or(Agent::is_signed_in) {
            return;
        }
        self.phone_says(agent, AgentFacts::sign_in);
        self.report.sign_ins += 1;
        let settles = self.dice.between(5.0, 40.0);
        self.go_away(agent, settles);
        let left = length.minus(into).max(Micros::MINUTE);
        self.agenda.note(self.now.plus(left), What::ShiftEnd { agent });
        self.plan_breaks(agent, into);
    }

    fn plan_breaks(&mut self, agent: usize, into: Micros) {
        let mut plan: Vec<(f64, &'static ReasonPlan, f64)> =
            vec![(120.0, &REST, 11.0), (245.0, &MEAL, 31.0), (385.0, &REST, 11.0)];
        if self.dice.chance(0.15) {
            plan.push((180.0, &MEETING, 30.0));
        }
        if self.dice.chance(0.1) {
            plan.push((320.0, &TRAINING, 45.0));
        }
        for (after_min, reason, length_min) in plan {
            let due = self.dice.between((after_min - 25.0) * MINUTE_S, (after_min + 25.0) * MINUTE_S);
            let length = self.dice.lognormal(length_min * MINUTE_S, 0.15);
            if due > into {
                let away = Away { reason, length };
                self.agenda.note(self.now.plus(due.minus(into)), What::Break { agent, away });
            }
        }
    }

    pub(super) fn break_due(&mut self, agent: usize, away: Away) {
        let Some(known) = self.agents.get(agent) else { return };
        match (known.standing, known.next, known.legs.is_empty()) {
            (Standing::SignedOut, ..) | (_, Some(Next::SignOut), _) => {}
            // Already away, or on the way: later.
            (Standing::Away, ..) | (_, Some(Next::Away { .. }), _) => {
                let later = self.dice.between(5.0 * MINUTE_S, 15.0 * MINUTE_S);
                self.agenda.note(self.now.plus(later), What::Break { agent, away });
            }
            (Standing::Ready, None, true) => self.leave(agent, away, false),
            (Standing::Ready, None, false) => self.want_away(agent, away),
        }
    }

    /// Wants to be away once free. In contact the softphone says so at once, and it becomes the pending next state;
    /// while it only rings or dials, it would count at once, so the agent waits with it.
    fn want_away(&mut self, agent: usize, away: Away) {
        let told = self.is_in_contact(agent);
        if told {
            self.phone_says(agent, |facts| facts.not_ready(&away.reason.code));
        }
        if let Some(known) = self.agents.get_mut(agent) {
            known.next = Some(Next::Away { away, told });
        }
    }

    /// After a ring that came to nothing: away for a while. The leg is closed already.
    pub(super) fn away_after_ring(&mut self, agent: usize, away: Away) {
        let Some(known) = self.agents.get(agent) else { return };
        if known.next.is_some() {
            return self.release(agent);
        }
        self.phone_says(agent, |facts| facts.not_ready(&away.reason.code));
        let Some(known) = self.agents.get_mut(agent) else { return };
        if known.legs.is_empty() {
            self.leave(agent, away, true);
        } else {
            known.next = Some(Next::Away { away, told: true });
        }
    }

    fn is_in_contact(&self, agent: usize) -> bool {
        let legs = self.agents.get(agent).map(|agent| agent.legs.as_slice()).unwrap_or_default();
        legs.iter().any(|(contact, leg)| self.leg(*contact, *leg).is_some_and(super::world::Leg::occupies))
    }

    /// Goes away now; `told` if the softphone has said so.
    fn leave(&mut self, agent: usize, away: Away, told: bool) {
        if !told {
            self.phone_says(agent, |facts| facts.not_ready(&away.reason.code));
        }
        self.go_away(agent, away.length);
    }

    fn go_away(&mut self, agent: usize, length: Micros) {
        let Some(known) = self.agents.get_mut(agent) else { return };
        known.standing = Standing::Away;
        known.next = None;
        known.token += 1;
        let token = known.token;
        self.agenda.note(self.now.plus(length), What::Back { agent, token });
    }

    pub(super) fn back(&mut self, agent: usize, token: u32) {
        let Some(known) = self.agents.get_mut(agent) else { return };
        if known.standing == Standing::Away && known.token == token {
            known.standing = Standing::Ready;
            known.idle_since = self.now;
            self.phone_says(agent, AgentFacts::ready);
            self.serve_agent(agent);
        }
    }

    /// A leg of the agent is over: what the agent wanted happens, or the next contact comes.
    pub(super) fn release(&mut self, agent: usize) {
        let Some(known) = self.agents.get_mut(agent) else { return };
        if !known.legs.is_empty() {
            return self.serve_agent(agent);
        }
        match known.next.take() {
            Some(Next::Away { away, told }) => self.leave(agent, away, told),
            Some(Next::SignOut) => self.sign_out(agent),
            None => {
                known.idle_since = self.now;
                self.serve_agent(agent);
            }
        }
    }

    pub(super) fn shift_ends(&mut self, agent: usize) {
        let Some(known) = self.agents.get_mut(agent) else { return };
        if !known.is_signed_in() {
            return;
        }
        if known.legs.is_empty() {
            self.sign_out(agent);
        } else {
            known.next = Some(Next::SignOut);
        }
    }

    pub(super) fn sign_out(&mut self, agent: usize) {
        let Some(known) = self.agents.get_mut(agent) else { return };
        known.standing = Standing::SignedOut;
        known.next = None;
        known.token += 1;
        let queues = known.queues();
        self.phone_says(agent, AgentFacts::sign_out);
        for &queue in queues {
            if !self.is_staffed(queue) {
                self.leave_empty(queue);
            }
        }
    }

    /// Whether anybody signed in serves the queue.
    pub(super) fn is_staffed(&self, queue: usize) -> bool {
        self.agents.iter().any(|agent| agent.is_signed_in() && agent.queues().contains(&queue))
    }

    /// The agent who gets the next contact of the queue: the least loaded, then the longest idle.
    pub(super) fn free_agent(&self, queue: usize) -> Option<usize> {
        let channel = QUEUES.get(queue)?.channel;
        let free = self
            .agents
            .iter()
            .enumerate()
            .filter(|(_, agent)| agent.is_free_for(channel) && agent.queues().contains(&queue));
        free.min_by_key(|(index, agent)| (agent.legs.len(), agent.idle_since, *index)).map(|(index, _)| index)
    }
}
