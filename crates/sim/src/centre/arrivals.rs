//! Contacts begin, go through the menu, enter and leave queues.
//!
//! Invariant: a contact has at most one open visit; its end is counted in the visit's own queue.

use pegcount_client::Start;
use pegcount_domain::{
    event::{Channel, Direction, Party, QueueExit},
    ids::{Name, VisitId},
    time::Micros,
};

use super::{
    Centre,
    aftermath::kind,
    agenda::What,
    tickets::Matter,
    world::{Callback, Contact, Visit},
};
use crate::{
    plan::{CHAT, QUEUES, QueuePlan, TEAMS},
    profile::busyness,
    report::QueueCounts,
};

const SELF_SERVED: f64 = 0.1;
const UNKNOWN_CALLER: f64 = 0.05;
/// Beside so many calls somebody writes, or comes to the counter, about something.
const WRITTEN: f64 = 0.06;
const TAKES_CALLBACK: f64 = 0.25;
const REDIALS: f64 = 0.4;
/// How many customers there are for each call of the busiest hour.
const CUSTOMERS_PER_CALL: usize = 15;

impl Centre {
    pub(super) fn plan_arrival(&mut self) {
        let mean_s = 3600.0 / f64::from(self.scenario.calls_per_hour.max(1));
        let gap = self.dice.exponential(mean_s);
        self.agenda.note(self.now.plus(gap), What::Arrival);
    }

    pub(super) fn arrival(&mut self) {
        if self.no_more_arrivals() || self.scenario.calls_per_hour == 0 {
            return;
        }
        self.plan_arrival();
        let share = busyness(self.now, &self.scenario.time_zone);
        if !self.dice.chance(share) {
            return;
        }
        // A centre with nobody for chats offers none.
        let chats =
            self.agents.iter().any(|agent| TEAMS.get(agent.team).is_some_and(|t| t.queues.contains(&CHAT)));
        let queues = QUEUES.iter().take(if chats { QUEUES.len() } else { CHAT });
        let queue = self.dice.weighted(queues.map(|queue| queue.share));
        let topic = self.dice.one_of(plan(queue).topics);
        let population = usize::try_from(self.scenario.calls_per_hour).unwrap_or(1) * CUSTOMERS_PER_CALL;
        let customer = self.dice.below(population);
        let known = !self.dice.chance(UNKNOWN_CALLER);
        if self.dice.chance(WRITTEN) {
            let kind = kind(&mut self.dice, queue, true);
            self.written_request(&Matter { kind, topic, queue, customer: Some(customer) });
        }
        self.contact_begins(known.then_some(customer), queue, topic);
    }

    /// A customer calls or writes.
    pub(super) fn contact_begins(&mut self, customer: Option<usize>, queue: usize, topic: &'static str) {
        if self.no_more_arrivals() {
            return;
        }
        let contact = self.new_contact(customer, queue, topic, None);
        let voice = plan(queue).channel == Channel::Voice;
        if voice && self.dice.chance(SELF_SERVED) {
            let served = self.dice.between(20.0, 90.0);
            self.agenda.note(self.now.plus(served), What::SelfServed { contact });
        } else {
            let menu = if voice { self.dice.between(3.0, 15.0) } else { self.dice.between(0.2, 2.0) };
            self.agenda.note(self.now.plus(menu), What::MenuOver { contact, queue });
        }
    }

    pub(super) fn new_contact(
        &mut self,
        customer: Option<usize>,
        queue: usize,
        topic: &'static str,
        callback: Option<Callback>,
    ) -> u64 {
        self.contacts_made += 1;
        let contact = self.contacts_made;
        let plan = plan(queue);
        let direction = if callback.is_some() { Direction::Outbound } else { Direction::Inbound };
        let start = Start {
            channel: plan.channel,
            direction,
            entry: callback.is_none().then(|| plan.entry.clone()),
            caller: customer.map(number_of),
            journey: callback.as_ref().map(|callback| callback.journey.clone()),
            callback: callback.is_some(),
            priority: 0,
        };
        let made = Contact {
            id: self.contact_id(contact),
            channel: plan.channel,
            direction,
            customer,
            topic,
            queue,
            visit: None,
            visits: 0,
            legs: Vec::new(),
            transfers: 0,
            callback,
            ended: false,
        };
        self.contacts.insert(contact, made);
        self.report.contacts += 1;
        self.exchange_says(contact, |facts| facts.started(&start));
        contact
    }

    pub(super) fn self_served(&mut self, contact: u64) {
        self.report.self_served += 1;
        self.exchange_says(contact, |facts| facts.ended(Party::Customer, true));
        self.contacts.remove(&contact);
    }

    pub(super) fn enter_queue(&mut self, contact: u64, queue: usize, priority: u32) {
        let entered = self.now;
        let Some(known) = self.contacts.get_mut(&contact) else { return };
        known.visits += 1;
        known.queue = queue;
        let number = known.visits;
        // Digits are a name.
        let id = VisitId(Name::new(&format!("v{number}")).unwrap_or(Name::fixed("v")));
        let visit = Visit { number, id: id.clone(), queue, entered, priority, offered: None };
        let waiting = visit.waiting(contact);
        known.visit = Some(visit);
        let plan = plan(queue);
        self.exchange_says(contact, |facts| facts.queue_entered(&id, &plan.id, priority));
        self.counts(queue).offered += 1;
        if !self.is_staffed(queue) {
            self.turn_away(contact, QueueExit::JoinEmpty);
            return;
        }
        if let Some(queue) = self.waiting.get_mut(queue) {
            queue.insert(waiting);
        }
        self.plan_wait(contact, number, plan);
        self.serve_queue(queue);
    }

    /// What may end the wait, other than an agent.
    fn plan_wait(&mut self, contact: u64, visit: u32, plan: &QueuePlan) {
        let patience = self.dice.exponential(plan.patience_mean_s);
        self.agenda.note(self.now.plus(patience), What::Patience { contact, visit });
        let known = self.contacts.get(&contact).is_some_and(|contact| contact.customer.is_some());
        if plan.channel == Channel::Voice && known && self.dice.chance(TAKES_CALLBACK) {
            let offered = self.dice.between(60.0, 75.0);
            self.agenda.note(self.now.plus(offered), What::CallbackOffered { contact, visit });
        }
        if plan.overflows_to.is_some() {
            let long = Micros::from_secs(180);
            self.agenda.note(self.now.plus(long), What::LongWait { contact, visit });
        }
    }

    /// The visit of this number, if it is still open.
    fn open_visit(&self, contact: u64, number: u32) -> Option<&Visit> {
        self.contacts.get(&contact)?.visit.as_ref().filter(|visit| visit.number == number)
    }

    pub(super) fn patience_ends(&mut self, contact: u64, visit: u32) {
        let Some(visit) = self.open_visit(contact, visit) else { return };
        let (queue, waited, offered) = (visit.queue, self.now.minus(visit.entered), visit.offered);
        let ringing = offered.is_some_and(|leg| self.rings(contact, leg));
        self.leave_queue(contact, QueueExit::Abandoned, ringing);
        let counts = self.counts(queue);
        counts.abandoned += 1;
        counts.abandoned_ringing += u64::from(ringing);
        counts.wait_abandoned = counts.wait_abandoned.plus(waited);
        let agent = offered.and_then(|leg| self.customer_gone(contact, leg));
        let Some(known) = self.contacts.get(&contact) else { return };
        let again = known.customer.map(|customer| (customer, known.topic));
        self.contact_over(contact, Party::Customer);
        if let Some((customer, topic)) = again
            && self.dice.chance(REDIALS)
        {
            let later = self.dice.between(60.0, 900.0);
            self.agenda.note(self.now.plus(later), What::Repeat { customer, queue, topic });
        }
        if let Some(agent) = agent {
            self.release(agent);
        }
    }

    pub(super) fn callback_taken(&mut self, contact: u64, visit: u32) {
        let Some(queue) = self.open_visit(contact, visit).filter(|v| v.offered.is_none()).map(|v| v.queue)
        else {
            return;
        };
        self.leave_queue(contact, QueueExit::CallbackTaken, false);
        self.counts(queue).callback_taken += 1;
        if let Some(known) = self.contacts.get(&contact)
            && let Some(customer) = known.customer
        {
            let (journey, topic) = (known.id.clone(), known.topic);
            let callback = Callback { journey, customer, queue, topic, attempt: 1 };
            let later = self.dice.between(600.0, 2400.0);
            self.agenda.note(self.now.plus(later), What::CallbackDue { callback });
        }
        self.contact_over(contact, Party::Customer);
    }

    pub(super) fn overflow(&mut self, contact: u64, visit: u32) {
        let Some(queue) = self.open_visit(contact, visit).filter(|v| v.offered.is_none()).map(|v| v.queue)
        else {
            return;
        };
        if let Some(to) = plan(queue).overflows_to {
            self.leave_queue(contact, QueueExit::Overflow, false);
            self.counts(queue).flow_out += 1;
            self.enter_queue(contact, to, 1);
        }
    }

    /// The last agent has gone: who waits is sent away.
    pub(super) fn leave_empty(&mut self, queue: usize) {
        while let Some(waiting) = self.waiting.get(queue).and_then(|queue| queue.first().copied()) {
            self.turn_away(waiting.contact, QueueExit::LeaveEmpty);
        }
    }

    pub(super) fn turn_away(&mut self, contact: u64, exit: QueueExit) {
        let Some(queue) = self.contacts.get(&contact).map(|contact| contact.queue) else { return };
        self.leave_queue(contact, exit, false);
        self.counts(queue).flow_out += 1;
        self.contact_over(contact, Party::System);
    }

    /// Ends the open visit; who counts it is the caller.
    pub(super) fn leave_queue(&mut self, contact: u64, exit: QueueExit, ringing: bool) {
        let Some(visit) = self.contacts.get_mut(&contact).and_then(|contact| contact.visit.take()) else {
            return;
        };
        if let Some(queue) = self.waiting.get_mut(visit.queue) {
            queue.remove(&visit.waiting(contact));
        }
        self.exchange_says(contact, |facts| facts.queue_left(&visit.id, exit, ringing));
    }

    /// The contact is over for everybody, except for after-call work.
    pub(super) fn contact_over(&mut self, contact: u64, by: Party) {
        let Some(known) = self.contacts.get_mut(&contact) else { return };
        if !known.ended {
            known.ended = true;
            self.exchange_says(contact, |facts| facts.ended(by, false));
        }
        self.forget(contact);
    }

    /// Forgets a contact that nobody has anything to do with any more.
    pub(super) fn forget(&mut self, contact: u64) {
        use super::world::Stage;

        let over = |known: &Contact| known.ended && known.legs.iter().all(|leg| leg.stage == Stage::Over);
        if self.contacts.get(&contact).is_some_and(over) {
            self.contacts.remove(&contact);
        }
    }

    pub(super) fn counts(&mut self, queue: usize) -> &mut QueueCounts {
        self.report.queues.entry(plan(queue).id.clone()).or_default()
    }
}

/// The plan of a queue; a place that is not there counts as the first.
pub(super) fn plan(queue: usize) -> &'static QueuePlan {
    let [first, ..] = &QUEUES;
    QUEUES.get(queue).unwrap_or(first)
}

/// The number that a customer calls from.
pub(super) fn number_of(customer: usize) -> String {
    format!("+4930{:07}", 1_000_000 + customer)
}
