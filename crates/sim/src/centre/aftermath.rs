//! What follows from a contact: its wrap-up code, a ticket, a survey, the customer's next call.
//!
//! Invariant: a survey comes after the contact's wrap-up, a repeat after the contact.

use pegcount_domain::ids::{Name, SurveyId, TopicId, WrapUpCode};

use super::{Centre, agenda::What, arrivals::plan, tickets::Matter};
use crate::draw::Dice;

const RESOLVED: f64 = 0.78;
const OPENS_TICKET: f64 = 0.15;
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
            let kind = kind(&mut self.dice, queue, resolved);
            self.open_ticket(Some(id.to_string()), agent, &Matter { kind, topic, queue, customer });
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
}

/// What a matter is, as those who take it in call it.
pub(super) fn kind(dice: &mut Dice, queue: usize, resolved: bool) -> &'static str {
    match plan(queue).id.as_str() {
        "repairs" if dice.chance(0.2) => "fault",
        "repairs" => "repair",
        "sales" if dice.chance(0.5) => "business",
        _ if !resolved => "complaint",
        _ => dice.one_of(&["inquiry", "inquiry", "inquiry", "inquiry", "business", "suggestion", "praise"]),
    }
}
