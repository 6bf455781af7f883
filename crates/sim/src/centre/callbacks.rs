//! Calls that we make because we promised to.
//!
//! Invariant: a promise is kept by one contact at a time; waiting customers go first.

use pegcount_domain::event::{Channel, LegStep, Party};

use super::{
    Centre,
    agenda::What,
    world::{Callback, Stage},
};

const ANSWERS: f64 = 0.75;
const ATTEMPTS_MAX: u32 = 2;

impl Centre {
    pub(super) fn callback_due(&mut self, callback: Callback) {
        let queue = callback.queue;
        self.callbacks.push_back(callback);
        if self.waiting.get(queue).is_some_and(std::collections::BTreeSet::is_empty)
            && let Some(agent) = self.free_agent(queue)
        {
            self.serve_callbacks(agent);
        }
    }

    /// Gives a free agent the first call that we owe in one of the agent's queues.
    pub(super) fn serve_callbacks(&mut self, agent: usize) {
        let Some(known) = self.agents.get(agent) else { return };
        if !known.legs.is_empty() || !known.is_free_for(Channel::Voice) || self.no_more_arrivals() {
            return;
        }
        let mine = |callback: &Callback| known.queues().contains(&callback.queue);
        let Some(callback) =
            self.callbacks.iter().position(mine).and_then(|place| self.callbacks.remove(place))
        else {
            return;
        };
        let (customer, queue, topic) = (callback.customer, callback.queue, callback.topic);
        let contact = self.new_contact(Some(customer), queue, topic, Some(callback));
        let Some(leg) = self.new_leg(contact, agent, Stage::Assigned) else { return };
        let Some(reference) = self.leg(contact, leg).map(|leg| leg.reference.clone()) else { return };
        self.phone_says(agent, |facts| facts.outbound_assigned(&reference.contact, &reference.leg));
        let dials = self.dice.between(4.0, 40.0);
        self.agenda.note(self.now.plus(dials), What::Dial { contact, leg });
    }

    pub(super) fn dial(&mut self, contact: u64, leg: usize) {
        let Some(known) = self.leg_mut(contact, leg).filter(|leg| leg.stage == Stage::Assigned) else {
            return;
        };
        known.stage = Stage::Dialing;
        self.report.outbound_dials += 1;
        self.both_say(contact, leg, &LegStep::Dialing);
        let rings = self.dice.between(6.0, 30.0);
        self.agenda.note(self.now.plus(rings), What::DialOver { contact, leg });
    }

    pub(super) fn dial_over(&mut self, contact: u64, leg: usize) {
        let Some(agent) =
            self.leg(contact, leg).filter(|leg| leg.stage == Stage::Dialing).map(|leg| leg.agent)
        else {
            return;
        };
        if self.dice.chance(ANSWERS) {
            self.report.outbound_connected += 1;
            self.both_say(contact, leg, &LegStep::Answered);
            return self.conversation_begins(contact, leg);
        }
        self.both_say(contact, leg, &LegStep::Failed);
        self.leg_over(contact, leg);
        let promise = self.contacts.get(&contact).and_then(|contact| contact.callback.clone());
        self.contact_over(contact, Party::System);
        if let Some(promise) = promise
            && promise.attempt < ATTEMPTS_MAX
        {
            let callback = Callback { attempt: promise.attempt + 1, ..promise };
            let later = self.dice.between(1200.0, 2400.0);
            self.agenda.note(self.now.plus(later), What::CallbackDue { callback });
        }
        self.release(agent);
    }
}
