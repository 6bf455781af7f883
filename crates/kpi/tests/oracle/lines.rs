//! Customer lines by brute force: attempts and the repeat-contact form, every contact against every other.
//!
//! Invariant: only contacts that the customer began are looked at, whatever journey they name.

use std::collections::BTreeMap;

use pegcount_domain::{ids::Key, time::Micros};

use super::{Oracle, contacts::ContactStory, half};

impl Oracle {
    pub fn lines(&mut self, contacts: &[ContactStory]) {
        let begun: Vec<&ContactStory> = contacts.iter().filter(|contact| contact.from_customer).collect();
        for contact in &begun {
            self.attempt(contact, &begun);
            if let (None, Some(_), Some(completed)) = (contact.customer, contact.answered, contact.completed)
            {
                self.at(completed, None, "fcr_unidentified", contact.credited, 1);
            }
        }
        let mut journeys: BTreeMap<(Key, Key), Vec<&ContactStory>> = BTreeMap::new();
        for contact in &begun {
            if let (Some(customer), Some(_)) = (contact.customer, contact.answered) {
                journeys.entry((customer, contact.root)).or_default().push(contact);
            }
        }
        for ((customer, root), parts) in journeys {
            let first = parts.iter().min_by_key(|part| (part.answered, part.started, half(part.id)));
            let others = begun.iter().filter(|other| other.customer == Some(customer) && other.root != root);
            let answers: Vec<Micros> = others.filter_map(|other| other.answered).collect();
            self.repeat(first.unwrap(), &answers);
        }
    }

    fn attempt(&mut self, contact: &ContactStory, begun: &[&ContactStory]) {
        let (Some(ended), true) = (contact.ended, contact.has_visit) else { return };
        if contact.customer.is_none() {
            self.three(contact.started, ended, "attempts_unknown", contact.about);
            return;
        }
        let window = self.formula(contact.started).rules.attempt_window.0;
        let again = begun.iter().any(|other| {
            let before = contact.started.0 - other.started.0;
            other.id != contact.id
                && other.customer == contact.customer
                && other.about.entry == contact.about.entry
                && before > 0
                && before <= window
        });
        if !again {
            self.three(contact.started, ended, "first_attempts", contact.about);
            if contact.answered.is_some() {
                self.three(contact.started, ended, "first_attempts_answered", contact.about);
            }
        }
    }

    /// The journey's first answer, against the answers of the customer's other journeys.
    fn repeat(&mut self, contact: &ContactStory, answers: &[Micros]) {
        let (Some(answered), Some(completed)) = (contact.answered, contact.completed) else { return };
        let week = self.formula(contact.started).rules.repeat_window.0;
        let repeated = answers.iter().any(|at| *at > answered && at.0 <= completed.0 + week);
        let is_final = repeated || self.as_of.0 > completed.0 + week;
        self.at(completed, None, "repeat_eligible", contact.credited, 1);
        self.at(completed, None, "repeat_none", contact.credited, i64::from(!repeated));
        self.at(completed, None, "repeat_final", contact.credited, i64::from(is_final));
    }
}
