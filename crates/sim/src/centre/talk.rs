//! Conversation, after-call work, transfers.
//!
//! Invariant: a leg's talk and hold are the sums of its scenes; with its after-call work they are counted once, when
//! the handle completes (KPIS.md §2).

use std::collections::VecDeque;

use pegcount_domain::{
    event::{AfterCallEnd, Channel, LegStep, Party, QueueExit, TransferKind},
    ids::{Name, PhoneKey},
    time::Micros,
};

use super::{
    Centre,
    agenda::What,
    arrivals::plan,
    world::{Finale, Scene, Stage},
};
use crate::plan::TRANSFER_REASON;

const HOLDS: f64 = 0.2;
const CONSULTS: f64 = 0.05;
const TRANSFERS: f64 = 0.08;
const WARM: f64 = 0.4;
const AGENT_ENDS: f64 = 0.18;
const PRESSES_MUTE: f64 = 0.02;
const TALK_SIGMA: f64 = 0.6;
const WORK_SIGMA: f64 = 0.7;
const TRANSFERS_MAX: u32 = 2;
/// A contact that was announced is served first.
const ANNOUNCED: u32 = 10;

impl Centre {
    /// The agent takes the contact out of its queue.
    pub(super) fn answered(&mut self, contact: u64, leg: usize) {
        if let Some(visit) = self.contacts.get(&contact).and_then(|contact| contact.visit.clone()) {
            self.leave_queue(contact, QueueExit::Answered, false);
            let waited = self.now.minus(visit.entered);
            let counts = self.counts(visit.queue);
            counts.answered += 1;
            counts.wait_answered = counts.wait_answered.plus(waited);
        }
        self.both_say(contact, leg, &LegStep::Answered);
        self.conversation_begins(contact, leg);
    }

    pub(super) fn conversation_begins(&mut self, contact: u64, leg: usize) {
        let now = self.now;
        let (mut script, finale) = self.script(contact, leg);
        let first = script.pop_front().map_or(Micros::SECOND, |(_, length)| length);
        let Some(known) = self.leg_mut(contact, leg) else { return };
        (known.script, known.finale) = (script, finale);
        (known.stage, known.since) = (Stage::Talking(Scene::Talk), now);
        let agent = known.agent;
        if self.dice.chance(PRESSES_MUTE) {
            self.phone_says(agent, |facts| facts.key(&PhoneKey(Name::fixed("mute"))));
        }
        self.agenda.note(now.plus(first), What::Scene { contact, leg });
    }

    /// How the conversation will go: it always begins with talk.
    fn script(&mut self, contact: u64, leg: usize) -> (VecDeque<(Scene, Micros)>, Finale) {
        let Some(known) = self.contacts.get(&contact) else {
            return (VecDeque::new(), Finale::Ends(Party::System));
        };
        let (queue, channel, transfers) = (plan(known.queue), known.channel, known.transfers);
        let agent = self.leg(contact, leg).and_then(|leg| self.agents.get(leg.agent));
        let pace = agent.map_or(1.0, |agent| agent.pace);
        let voice = channel == Channel::Voice;
        let mut script = VecDeque::new();
        let talk = self.dice.lognormal(queue.talk_median_s * pace, TALK_SIGMA);
        if voice && self.dice.chance(HOLDS) {
            let hold = self.dice.lognormal(40.0, 0.6);
            script.extend([
                (Scene::Talk, Micros(talk.0 / 2)),
                (Scene::Hold, hold),
                (Scene::Talk, Micros(talk.0 / 2)),
            ]);
        } else {
            script.push_back((Scene::Talk, talk));
        }
        if self.dice.chance(CONSULTS) {
            let (asks, tells) = (self.dice.between(15.0, 90.0), self.dice.between(10.0, 60.0));
            script.extend([(Scene::Consult, asks), (Scene::Talk, tells)]);
        }
        let may_go_on = voice && transfers < TRANSFERS_MAX && self.is_inbound(contact);
        if may_go_on && self.dice.chance(TRANSFERS) {
            if self.dice.chance(WARM) {
                script.push_back((Scene::Consult, self.dice.between(15.0, 60.0)));
                return (script, Finale::Transfer(TransferKind::Warm));
            }
            return (script, Finale::Transfer(TransferKind::Cold));
        }
        let by = if self.dice.chance(AGENT_ENDS) { Party::Agent } else { Party::Customer };
        (script, Finale::Ends(by))
    }

    pub(super) fn scene_over(&mut self, contact: u64, leg: usize) {
        let now = self.now;
        let Some(known) = self.leg_mut(contact, leg) else { return };
        let Stage::Talking(scene) = known.stage else { return };
        let length = now.minus(known.since);
        match scene {
            Scene::Hold => known.hold = known.hold.plus(length),
            Scene::Talk | Scene::Consult => known.talk = known.talk.plus(length),
        }
        known.since = now;
        let Some((next, length)) = known.script.pop_front() else { return self.finale(contact, leg) };
        known.stage = Stage::Talking(next);
        let step = match next {
            Scene::Talk => LegStep::Retrieved,
            Scene::Hold => LegStep::Held,
            Scene::Consult => LegStep::Consulting,
        };
        self.report.holds += u64::from(next == Scene::Hold);
        self.report.consults += u64::from(next == Scene::Consult);
        self.both_say(contact, leg, &step);
        self.agenda.note(now.plus(length), What::Scene { contact, leg });
    }

    fn finale(&mut self, contact: u64, leg: usize) {
        let Some((finale, queue)) = self.leg(contact, leg).map(|leg| (leg.finale, leg.queue)) else { return };
        match finale {
            Finale::Ends(by) => {
                self.conversation_over(contact, leg, by);
                self.contact_over(contact, by);
            }
            Finale::Transfer(kind) => self.pass_on(contact, leg, kind),
            Finale::PassedOn(kind) => {
                self.conversation_over(contact, leg, Party::Agent);
                let priority = if kind == TransferKind::Warm { ANNOUNCED } else { 0 };
                self.enter_queue(contact, plan(queue).transfers_to, priority);
            }
        }
    }

    /// The agent transfers, and is out of the conversation a moment later.
    fn pass_on(&mut self, contact: u64, leg: usize, kind: TransferKind) {
        let Some(known) = self.leg_mut(contact, leg) else { return };
        known.finale = Finale::PassedOn(kind);
        let to = plan(known.queue).transfers_to;
        if let Some(known) = self.contacts.get_mut(&contact) {
            known.transfers += 1;
        }
        let warm = kind == TransferKind::Warm;
        self.report.transfers_warm += u64::from(warm);
        self.report.transfers_cold += u64::from(!warm);
        let step = LegStep::Transferred {
            kind,
            reason: Some(TRANSFER_REASON),
            to_queue: Some(plan(to).id.clone()),
            to_agent: None,
        };
        self.both_say(contact, leg, &step);
        let moment = self.dice.between(0.3, 1.5);
        self.agenda.note(self.now.plus(moment), What::Scene { contact, leg });
    }

    fn conversation_over(&mut self, contact: u64, leg: usize, by: Party) {
        let now = self.now;
        let Some((queue, agent)) = self.leg(contact, leg).map(|leg| (plan(leg.queue), leg.agent)) else {
            return;
        };
        let works = queue.after_call != AfterCallEnd::None;
        self.report.ended_by_agent += u64::from(by == Party::Agent);
        self.both_say(contact, leg, &LegStep::Ended { by: Some(by), after_call_expected: works });
        if !works {
            return self.handled(contact, leg, agent);
        }
        self.phone_says_of_leg(contact, leg, &LegStep::AfterCallStarted);
        if let Some(known) = self.leg_mut(contact, leg) {
            (known.stage, known.since) = (Stage::AfterCall, now);
        }
        let mut length = self.dice.lognormal(queue.work_median_s, WORK_SIGMA);
        if queue.after_call == AfterCallEnd::ByTimer {
            length = length.min(Micros::from_secs(queue.work_max_s));
        }
        self.agenda.note(now.plus(length), What::AfterCallOver { contact, leg });
    }

    pub(super) fn after_call_over(&mut self, contact: u64, leg: usize) {
        let Some(agent) =
            self.leg(contact, leg).filter(|leg| leg.stage == Stage::AfterCall).map(|leg| leg.agent)
        else {
            return;
        };
        self.phone_says_of_leg(contact, leg, &LegStep::AfterCallEnded);
        self.handled(contact, leg, agent);
    }

    /// The handle is complete: counted, classified, and the agent is free.
    fn handled(&mut self, contact: u64, leg: usize, agent: usize) {
        self.count_handle(contact, leg);
        let passed_on = self.leg(contact, leg).is_some_and(|leg| matches!(leg.finale, Finale::PassedOn(_)));
        if !passed_on {
            self.wrap_up(contact, agent);
        }
        self.leg_over(contact, leg);
        self.forget(contact);
        self.release(agent);
    }

    pub(super) fn count_handle(&mut self, contact: u64, leg: usize) {
        let now = self.now;
        let inbound = self.is_inbound(contact);
        let Some(known) = self.leg(contact, leg) else { return };
        let (queue, agent, talk, hold) = (known.queue, known.agent, known.talk, known.hold);
        let work = if known.stage == Stage::AfterCall { now.minus(known.since) } else { Micros::ZERO };
        if let Some(agent) = self.agents.get(agent) {
            *self.report.handled_by_agent.entry(agent.id.clone()).or_default() += 1;
        }
        if !inbound {
            self.report.outbound_handled += 1;
            return;
        }
        let counts = self.counts(queue);
        counts.handled += 1;
        counts.handle_talk = counts.handle_talk.plus(talk);
        counts.handle_hold = counts.handle_hold.plus(hold);
        counts.handle_acw = counts.handle_acw.plus(work);
    }
}
