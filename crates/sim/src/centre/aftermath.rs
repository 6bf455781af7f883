//! What follows from a contact: its wrap-up code, a ticket, a survey, the customer's next call.
//!
//! Invariant: a ticket is resolved only while open, reopened and closed only while resolved.

use pegcount_domain::ids::{Name, SurveyId, TopicId, WrapUpCode};

use super::{Centre, agenda::What, arrivals::plan, emit::TicketAction, world::TicketDue};

const RESOLVED: f64 = 0.78;
const OPENS_TICKET: f64 = 0.15;
const SETTLED_AT_ONCE: f64 = 0.35;
const REOPENED: f64 = 0.08;
const ANSWERS_SURVEY: f64 = 0.15;
const COMES_AGAIN_UNRESOLVED: f64 = 0.35;
const COMES_AGAIN_RESOLVED: f64 = 0.03;
const HOUR_S: f64 = 3600.0;

impl Centre {
    pub(super) fn wrap_up(&mut self, contact: u64, agent: usize) {
        let Some(known) = self.contacts.get(&contact) else { return };
        let (topic, queue, customer, id) = (known.topic, known.queue, known.customer, known.id.clone());
        let resolved = self.dice.chance(RESOLVED);
        let code = WrapUpCode(Name::fixed(if resolved { "solved" } else { "not_solved" }));
        let topic_id = TopicId(Name::fixed(topic));
        self.exchange_says(contact, |facts| facts.wrapped_up(&code, Some(&topic_id), Some(resolved)));
        if self.dice.chance(OPENS_TICKET) {
            let kind = match plan(queue).id.as_str() {
                "repairs" => "repair",
                _ if !resolved => "complaint",
                _ => "inquiry",
            };
            self.tickets_made += 1;
            let queue = plan(queue).id.clone();
            let ticket = self.tickets_made;
            self.report.tickets_opened += 1;
            self.ticket_desk_says(ticket, agent, TicketAction::Open { contact: id, kind, topic, queue });
            let later = if self.dice.chance(SETTLED_AT_ONCE) {
                self.dice.between(0.5, 2.0)
            } else {
                self.dice.exponential(4.0 * HOUR_S)
            };
            self.agenda.note(self.now.plus(later), What::Ticket { ticket, due: TicketDue::Resolve, agent });
        }
        if self.dice.chance(ANSWERS_SURVEY) {
            let later = self.dice.between(30.0, 600.0);
            self.agenda.note(self.now.plus(later), What::Survey { contact, resolved });
        }
        let (again, mean_s) = if resolved {
            (COMES_AGAIN_RESOLVED, 20.0 * HOUR_S)
        } else {
            (COMES_AGAIN_UNRESOLVED, 3.0 * HOUR_S)
        };
        if let Some(customer) = customer
            && self.dice.chance(again)
        {
            let later = self.dice.exponential(mean_s);
            self.agenda.note(self.now.plus(later), What::Repeat { customer, queue, topic });
        }
    }

    pub(super) fn survey(&mut self, contact: u64, resolved: bool) {
        let score = if resolved { [5, 5, 5, 4, 4, 3] } else { [1, 2, 2, 3, 3, 4] };
        let score = self.dice.one_of(&score);
        self.report.surveys += 1;
        let survey = SurveyId(Name::fixed("after_contact"));
        self.exchange_says(contact, |facts| facts.survey_answered(&survey, score));
    }

    pub(super) fn ticket_due(&mut self, ticket: u64, due: TicketDue, agent: usize) {
        let (action, next, after) = match due {
            TicketDue::Resolve if self.dice.chance(REOPENED) => {
                (TicketAction::Resolve, Some(TicketDue::Reopen), self.dice.exponential(3.0 * HOUR_S))
            }
            TicketDue::Resolve => {
                let after = self.dice.between(HOUR_S / 2.0, 2.0 * HOUR_S);
                (TicketAction::Resolve, Some(TicketDue::Close), after)
            }
            TicketDue::Reopen => {
                (TicketAction::Reopen, Some(TicketDue::Resolve), self.dice.exponential(2.0 * HOUR_S))
            }
            TicketDue::Close => (TicketAction::Close, None, pegcount_domain::time::Micros::ZERO),
        };
        self.report.tickets_resolved += u64::from(due == TicketDue::Resolve);
        self.report.tickets_reopened += u64::from(due == TicketDue::Reopen);
        self.report.tickets_closed += u64::from(due == TicketDue::Close);
        self.ticket_desk_says(ticket, agent, action);
        if let Some(due) = next {
            self.agenda.note(self.now.plus(after), What::Ticket { ticket, due, agent });
        }
    }
}
