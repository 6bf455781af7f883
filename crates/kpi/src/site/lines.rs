//! Customer lines and tickets into the books.
//!
//! Invariant: a line is taken out of the books before its contacts or tickets change, and put back afterwards.

use pegcount_domain::time::Micros;

use crate::{fact::Slot, line::fold, site::Site, ticket::TicketUnit};

impl Site {
    /// Adds or takes away what a line gives.
    pub(super) fn enter_line(&mut self, line: Slot, sign: i64) {
        let Some(unit) = self.lines.get(line) else { return };
        let mut out = std::mem::take(&mut self.scratch.line);
        out.clear();
        fold(&unit.items, &unit.tickets, &self.tickets.list, Micros::MAX, &mut out);
        self.books.enter(&out, sign, self.position);
        self.scratch.line = out;
    }

    /// Changes a ticket's facts.
    pub(super) fn change_ticket(&mut self, ticket: Slot, change: impl FnOnce(&mut TicketUnit)) {
        self.enter_ticket(ticket, -1);
        self.move_ticket(ticket, None);
        if let Some(unit) = self.tickets.get_mut(ticket) {
            change(unit);
        }
        let opened = self.tickets.get(ticket).and_then(|unit| unit.opened(Micros::MAX));
        let contact = opened.and_then(|opened| opened.contact);
        if let Some(unit) = contact.and_then(|contact| self.contacts.get_mut(contact))
            && !unit.tickets.contains(&ticket)
        {
            unit.tickets.push(ticket);
        }
        let settled = contact.and_then(|contact| self.contacts.get(contact)?.settled);
        let customer = opened.and_then(|opened| opened.customer);
        self.move_ticket(ticket, customer.or(settled.and_then(|settled| settled.line)));
        self.enter_ticket(ticket, 1);
    }

    /// A contact's customer is the customer of its tickets that name none.
    pub(super) fn lead_tickets(&mut self, contact: Slot, line: Option<Slot>) {
        let Some(unit) = self.contacts.get(contact).filter(|unit| !unit.tickets.is_empty()) else { return };
        for ticket in unit.tickets.clone() {
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

    /// Adds or takes away what a ticket itself gives.
    pub(super) fn enter_ticket(&mut self, ticket: Slot, sign: i64) {
        let Some(unit) = self.tickets.get(ticket) else { return };
        let mut out = std::mem::take(&mut self.scratch.line);
        let mut anomalies = Vec::new();
        out.clear();
        unit.fold(&self.reference, Micros::MAX, &mut out, &mut anomalies);
        self.books.last_effect = self.books.last_effect.max(unit.last_effect());
        self.books.enter(&out, sign, self.position);
        self.books.mark(&anomalies, sign);
        self.scratch.line = out;
    }
}
