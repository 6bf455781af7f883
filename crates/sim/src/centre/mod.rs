//! The core: agents, queues and contacts in virtual time, one event after the other.
//!
//! No clock, no network, no async: whoever drives it says up to when. Invariant: facts come out in the order of their
//! instants, and each is one that the state machines of the domain expect (tests feed them through those).
//!
//! - [`agenda`]: what happens when; [`emit`]: what comes out
//! - [`agents`]: shifts, breaks, ready and away; [`arrivals`]: contacts begin, menus, queues
//! - [`routing`]: who gets whom, rings and what becomes of them; [`talk`]: conversation and after-call work
//! - [`callbacks`]: calls that we make; [`aftermath`]: wrap-up codes, surveys, repeats; [`tickets`]: their courses;
//!   [`closing`]: the end of a run

mod aftermath;
mod agenda;
mod agents;
mod arrivals;
mod callbacks;
mod closing;
mod emit;
mod routing;
mod talk;
#[cfg(test)]
mod tests;
mod tickets;
mod world;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use jiff::tz::TimeZone;
use pegcount_domain::time::Micros;

use crate::{
    draw::Dice,
    plan::{QUEUES, agent_id, team_of},
    report::{QueueCounts, SimReport},
};
use agenda::{Agenda, What};
pub use emit::{Emission, Emitted, TicketAction, TicketStep};
use tickets::Ticket;
use world::{Agent, Callback, Contact, Waiting};

/// What is simulated.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// Everything random follows from it.
    pub seed: u64,
    /// How many agents; about seven in ten of them work at midday.
    pub agents: usize,
    /// Arrivals per hour in the busiest half hour; other times of day bring less. Repeats come on top.
    pub calls_per_hour: u32,
    /// When it begins.
    pub start: Micros,
    /// After so long nobody new comes, and when the last contact is over everybody signs out; none: it goes on.
    pub duration: Option<Micros>,
    /// What is meant by the time of day.
    pub time_zone: TimeZone,
}

/// The simulated centre.
#[derive(Debug)]
pub struct Centre {
    scenario: Scenario,
    now: Micros,
    agenda: Agenda,
    dice: Dice,
    agents: Vec<Agent>,
    /// Who waits in each queue and is not being offered to anybody.
    waiting: Vec<BTreeSet<Waiting>>,
    contacts: BTreeMap<u64, Contact>,
    contacts_made: u64,
    tickets_made: u64,
    /// Those that are not put away.
    tickets: BTreeMap<u64, Ticket>,
    callbacks: VecDeque<Callback>,
    out: Vec<Emission>,
    report: SimReport,
    closed: bool,
}

impl Centre {
    /// An empty centre at the start of its scenario.
    pub fn new(scenario: Scenario) -> Self {
        let mut dice = Dice::new(scenario.seed);
        let agents: Vec<_> = (0..scenario.agents)
            .map(|agent| Agent::new(agent_id(agent), team_of(agent), scenario.start, &mut dice))
            .collect();
        let queues = QUEUES.iter().map(|queue| (queue.id.clone(), QueueCounts::default())).collect();
        let mut centre = Self {
            now: scenario.start,
            agenda: Agenda::default(),
            dice,
            agents,
            waiting: vec![BTreeSet::new(); QUEUES.len()],
            contacts: BTreeMap::new(),
            contacts_made: 0,
            tickets_made: 0,
            tickets: BTreeMap::new(),
            callbacks: VecDeque::new(),
            out: Vec::new(),
            report: SimReport { queues, ..SimReport::default() },
            closed: false,
            scenario,
        };
        for agent in 0..centre.agents.len() {
            centre.plan_first_shift(agent);
        }
        centre.plan_arrival();
        centre
    }

    /// When something happens next; none once it is closed down.
    pub fn next_at(&self) -> Option<Micros> {
        if self.closed { None } else { self.agenda.next_at() }
    }

    /// Lets everything happen up to `until`, that instant included, but nothing once it is over. Returns what comes
    /// of it, in order.
    pub fn advance(&mut self, until: Micros) -> Vec<Emission> {
        while !self.is_over()
            && let Some((at, what)) = self.agenda.take_until(until)
        {
            self.now = at;
            self.happen(what);
        }
        std::mem::take(&mut self.out)
    }

    /// What it has done so far.
    pub fn report(&self) -> &SimReport {
        &self.report
    }

    /// Visits that have not ended: waiting, offered or ringing.
    pub fn visits_open(&self) -> u64 {
        let open = self.contacts.values().filter(|contact| contact.visit.is_some()).count();
        u64::try_from(open).unwrap_or(u64::MAX)
    }

    /// Whether its time is over and nobody is in contact any more.
    pub fn is_over(&self) -> bool {
        self.closed || (self.no_more_arrivals() && self.contacts.is_empty())
    }

    /// Whether nobody new comes.
    pub(super) fn no_more_arrivals(&self) -> bool {
        self.scenario.duration.is_some_and(|duration| self.now >= self.scenario.start.plus(duration))
    }

    fn happen(&mut self, what: What) {
        match what {
            What::Arrival => self.arrival(),
            What::Repeat { customer, queue, topic } => self.contact_begins(Some(customer), queue, topic),
            What::MenuOver { contact, queue } => self.enter_queue(contact, queue, 0),
            What::SelfServed { contact } => self.self_served(contact),
            What::Patience { contact, visit } => self.patience_ends(contact, visit),
            What::CallbackOffered { contact, visit } => self.callback_taken(contact, visit),
            What::LongWait { contact, visit } => self.overflow(contact, visit),
            What::Ring { contact, leg } => self.ring(contact, leg),
            What::RingOver { contact, leg, outcome } => self.ring_over(contact, leg, outcome),
            What::Scene { contact, leg } => self.scene_over(contact, leg),
            What::AfterCallOver { contact, leg } => self.after_call_over(contact, leg),
            What::ShiftStart { agent } => self.shift_starts(agent),
            What::ShiftEnd { agent } => self.shift_ends(agent),
            What::Back { agent, token } => self.back(agent, token),
            What::Break { agent, away } => self.break_due(agent, away),
            What::CallbackDue { callback } => self.callback_due(callback),
            What::Dial { contact, leg } => self.dial(contact, leg),
            What::DialOver { contact, leg } => self.dial_over(contact, leg),
            What::Survey { contact, resolved } => self.survey(contact, resolved),
            What::Ticket { ticket } => self.ticket_due(ticket),
        }
    }
}
