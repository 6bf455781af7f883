//! What happens when.
//!
//! Invariant: of two things at one instant the one noted first happens first, so a run can be repeated.

use std::{cmp::Reverse, collections::BinaryHeap};

use pegcount_domain::time::Micros;

use super::world::{Away, Callback, Outcome};

/// One thing to happen. Contacts are named by number, agents and queues by place, legs by place in their contact.
#[derive(Clone, Debug)]
pub(super) enum What {
    /// A candidate arrival; thinned by the time of day.
    Arrival,
    /// Somebody comes again.
    Repeat { customer: usize, queue: usize, topic: &'static str },
    /// The menu is through and the queue begins.
    MenuOver { contact: u64, queue: usize },
    /// The menu could help.
    SelfServed { contact: u64 },
    /// The customer gives up.
    Patience { contact: u64, visit: u32 },
    /// The customer takes the offer to be called back.
    CallbackOffered { contact: u64, visit: u32 },
    /// The wait is longer than the queue allows.
    LongWait { contact: u64, visit: u32 },
    /// The offered device rings.
    Ring { contact: u64, leg: usize },
    /// The ring comes to this.
    RingOver { contact: u64, leg: usize, outcome: Outcome },
    /// A part of the conversation is over.
    Scene { contact: u64, leg: usize },
    /// After-call work is over.
    AfterCallOver { contact: u64, leg: usize },
    /// The agent comes to work.
    ShiftStart { agent: usize },
    /// The agent may go home.
    ShiftEnd { agent: usize },
    /// The agent comes back from being away, unless that away is over already.
    Back { agent: usize, token: u32 },
    /// The agent wants to go away.
    Break { agent: usize, away: Away },
    /// A promised call is due.
    CallbackDue { callback: Callback },
    /// The agent dials.
    Dial { contact: u64, leg: usize },
    /// The called party answers, or does not.
    DialOver { contact: u64, leg: usize },
    /// The customer answers a survey.
    Survey { contact: u64, resolved: bool },
    /// Something is done about a ticket.
    Ticket { ticket: u64 },
}

#[derive(Clone, Debug)]
struct Entry {
    at: Micros,
    noted: u64,
    what: What,
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        (self.at, self.noted) == (other.at, other.noted)
    }
}

impl Eq for Entry {}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Entry {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.noted).cmp(&(other.at, other.noted))
    }
}

#[derive(Clone, Debug, Default)]
pub(super) struct Agenda {
    entries: BinaryHeap<Reverse<Entry>>,
    noted: u64,
}

impl Agenda {
    pub(super) fn note(&mut self, at: Micros, what: What) {
        self.noted += 1;
        self.entries.push(Reverse(Entry { at, noted: self.noted, what }));
    }

    pub(super) fn next_at(&self) -> Option<Micros> {
        self.entries.peek().map(|Reverse(entry)| entry.at)
    }

    pub(super) fn take_until(&mut self, until: Micros) -> Option<(Micros, What)> {
        if self.next_at()? > until {
            return None;
        }
        self.entries.pop().map(|Reverse(entry)| (entry.at, entry.what))
    }
}
