//! The end of a run: whatever is open ends, by the system, so that nothing waits for ever in the server's figures.
//!
//! Invariant: after closing down no contact, no leg and no session is open.

use pegcount_domain::{
    event::{LegStep, Party, QueueExit},
    time::Micros,
};

use super::{
    Centre, Emission,
    world::{Scene, Stage, Standing},
};

impl Centre {
    /// Ends everything at `at`, or when it was over: visits leave by `system`, legs end, agents sign out. Returns what comes of it, with
    /// what happened before.
    pub fn close_down(&mut self, at: Micros) -> Vec<Emission> {
        let mut before = self.advance(at);
        if self.closed {
            return before;
        }
        if !self.is_over() {
            self.now = self.now.max(at);
        }
        self.closed = true;
        let open: Vec<u64> = self.contacts.keys().copied().collect();
        for contact in open {
            self.break_off(contact);
        }
        for agent in 0..self.agents.len() {
            if self.agents.get(agent).is_some_and(|agent| agent.standing != Standing::SignedOut) {
                self.sign_out(agent);
            }
        }
        before.append(&mut self.out);
        before
    }

    fn break_off(&mut self, contact: u64) {
        let Some(known) = self.contacts.get(&contact) else { return };
        let (queue, visiting, legs) = (known.queue, known.visit.is_some(), known.legs.len());
        for leg in 0..legs {
            self.break_off_leg(contact, leg);
        }
        if visiting {
            self.leave_queue(contact, QueueExit::System, false);
            self.counts(queue).flow_out += 1;
        }
        self.contact_over(contact, Party::System);
    }

    fn break_off_leg(&mut self, contact: u64, leg: usize) {
        let now = self.now;
        let Some(known) = self.leg_mut(contact, leg) else { return };
        match known.stage {
            Stage::Over | Stage::Assigned => {}
            Stage::Offered | Stage::Ringing | Stage::Dialing => self.both_say(contact, leg, &LegStep::Failed),
            Stage::Talking(scene) => {
                let length = now.minus(known.since);
                match scene {
                    Scene::Hold => known.hold = known.hold.plus(length),
                    Scene::Talk | Scene::Consult => known.talk = known.talk.plus(length),
                }
                let step = LegStep::Ended { by: Some(Party::System), after_call_expected: false };
                self.both_say(contact, leg, &step);
                self.count_handle(contact, leg);
            }
            Stage::AfterCall => {
                self.phone_says_of_leg(contact, leg, &LegStep::AfterCallEnded);
                self.count_handle(contact, leg);
            }
        }
        self.leg_over(contact, leg);
    }
}
