//! Customer lines and tickets into the books.
//!
//! Invariant: a line is taken out of the books before its contacts or tickets change, and put back afterwards.

use pegcount_domain::time::Micros;
use smallvec::SmallVec;

use crate::{
    fact::Slot,
    line::{Around, fold},
    site::Site,
    ticket::{TicketFact, TicketUnit},
};

/// Where a ticket stands.
struct Place {
    /// The contact that it was opened in.
    contact: Option<Slot>,
    /// Its own line.
    line: Option<Slot>,
    /// That one, and the lines of the contact's journey: there it is no issue without a ticket.
    lines: SmallVec<[Slot; 2]>,
}

impl Site {
    /// Adds or takes away what a line gives.
    pub(super) fn enter_line(&mut self, line: Slot, sign: i64) {
        let Some(unit) = self.lines.get_mut(line) else { return };
        if unit.items.is_empty() && unit.tickets.is_empty() {
            return;
        }
        let mut out = std::mem::take(&mut self.scratch.line);
        out.clear();
        if let Some(unit) = self.lines.get(line) {
            fold(&unit.items, &unit.tickets, self.around(), Micros::MAX, &mut out);
        }
        self.books.enter(&out, sign, self.position);
        self.scratch.line = out;
    }

    /// What lines look up.
    pub(super) fn around(&self) -> Around<'_> {
        Around { contacts: &self.contacts, tickets: &self.tickets, reference: &self.reference }
    }

    /// Changes a ticket's facts.
    pub(super) fn change_ticket(&mut self, ticket: Slot, change: impl FnOnce(&mut Vec<TicketFact>)) {
        self.enter_ticket(ticket, -1);
        let mut facts = self.take_ticket(ticket);
        change(&mut facts);
        self.give_ticket(ticket, facts);
        self.enter_ticket(ticket, 1);
    }

    /// Leaves a ticket with no facts, in no line and in no contact.
    fn take_ticket(&mut self, ticket: Slot) -> Vec<TicketFact> {
        let Some(unit) = self.tickets.get(ticket) else { return Vec::new() };
        let place = self.place_of(&unit);
        drop(unit);
        self.enter_lines(&place, -1);
        if let Some(line) = place.line.and_then(|line| self.lines.get_mut(line)) {
            line.tickets.retain(|other| *other != ticket);
        }
        if let Some(contact) = place.contact.and_then(|contact| self.contacts.get_mut(contact)) {
            contact.tickets.retain(|other| *other != ticket);
        }
        let unit = self.tickets.get_mut(ticket).map(std::mem::take).unwrap_or_default();
        self.enter_lines(&place, 1);
        unit.facts
    }

    /// Puts a ticket with these facts where it belongs.
    fn give_ticket(&mut self, ticket: Slot, facts: Vec<TicketFact>) {
        let mut unit = TicketUnit { facts, ..TicketUnit::default() };
        let place = self.place_of(&unit);
        unit.line = place.line;
        self.enter_lines(&place, -1);
        if let Some(line) = place.line.and_then(|line| self.lines.get_mut(line)) {
            line.tickets.push(ticket);
        }
        if let Some(contact) = place.contact.and_then(|contact| self.contacts.get_mut(contact)) {
            contact.tickets.push(ticket);
        }
        if let Some(known) = self.tickets.get_mut(ticket) {
            *known = unit;
        }
        self.enter_lines(&place, 1);
    }

    /// A ticket is its customer's; of a ticket that names none, its contact's.
    fn place_of(&self, unit: &TicketUnit) -> Place {
        let opened = unit.opened(Micros::MAX);
        let contact = opened.and_then(|opened| opened.contact);
        let contact_line = contact.and_then(|contact| self.contacts.get(contact)?.settled?.line);
        let line = opened.and_then(|opened| opened.customer).or(contact_line);
        let mut lines: SmallVec<[Slot; 2]> = line.into_iter().chain(contact_line).collect();
        if let Some(contact) = contact.and_then(|contact| self.contacts.get(contact)) {
            lines.extend_from_slice(&contact.followed_in);
        }
        lines.sort_unstable();
        lines.dedup();
        Place { contact, line, lines }
    }

    /// The lines that a ticket concerns.
    pub(super) fn lines_of(&self, unit: &TicketUnit) -> SmallVec<[Slot; 2]> {
        self.place_of(unit).lines
    }

    fn enter_lines(&mut self, place: &Place, sign: i64) {
        for line in &place.lines {
            self.enter_line(*line, sign);
        }
    }

    /// A contact's customer is the customer of its tickets that name none.
    pub(super) fn lead_tickets(&mut self, contact: Slot, line: Option<Slot>) {
        let Some(unit) = self.contacts.get(contact).filter(|unit| !unit.tickets.is_empty()) else { return };
        let tickets = unit.tickets.clone();
        drop(unit);
        for ticket in tickets {
            let opened = self.tickets.get(ticket).and_then(|unit| unit.opened(Micros::MAX));
            if opened.is_some_and(|opened| opened.customer.is_none() && opened.contact == Some(contact)) {
                self.move_ticket(ticket, line);
            }
        }
    }

    fn move_ticket(&mut self, ticket: Slot, to: Option<Slot>) {
        let Some(from) = self.tickets.get(ticket).map(|unit| unit.line) else { return };
        if from == to {
            return;
        }
        for (line, joins) in [(from, false), (to, true)] {
            let Some(line) = line else { continue };
            self.enter_line(line, -1);
            if let Some(unit) = self.lines.get_mut(line) {
                unit.tickets.retain(|other| *other != ticket);
                if joins {
                    unit.tickets.push(ticket);
                }
            }
            self.enter_line(line, 1);
        }
        if let Some(unit) = self.tickets.get_mut(ticket) {
            unit.line = to;
        }
    }
}
