//! Contacts: what is said of each, its visits, and when its handling was over.
//!
//! Invariant: customer, topic and where it came from hold for the whole contact whenever they were told; a wrap-up
//! counts from its own instant on.

use std::collections::BTreeMap;

use pegcount_domain::{
    envelope::{Recorded, StreamKind},
    event::{Direction, Event, QueueExit},
    ids::Key,
    time::Micros,
};

use super::{
    About, Oracle, Said,
    legs::LegStory,
    visits::{Visit, visits},
};

/// One contact, as of the instant.
#[allow(clippy::struct_excessive_bools, reason = "independent facts")]
#[derive(Clone, Debug, Default)]
pub struct ContactStory {
    pub id: Key,
    pub customer: Said,
    pub started: Micros,
    pub ended: Option<Micros>,
    pub answered: Option<Micros>,
    pub completed: Option<Micros>,
    pub about: About,
    pub credited: About,
    /// Of all answered legs; none if nobody answered.
    pub handle: Option<i64>,
    pub has_visit: bool,
    /// Begun by the customer.
    pub from_customer: bool,
    /// The first contact of its journey.
    pub root: Key,
    pub callback: bool,
    pub topic: Said,
    /// Wrap-ups that say whether it is resolved, by their place in the history.
    pub resolved: Vec<(usize, bool)>,
    pub transferred: bool,
}

/// A fact and its place in the history.
type Placed = (usize, Recorded);

impl Oracle {
    pub fn contacts(&mut self, legs: &[LegStory]) -> Vec<ContactStory> {
        let mut contacts: BTreeMap<Key, Vec<Placed>> = BTreeMap::new();
        for (place, fact) in self.history.iter().enumerate() {
            let is_leg = matches!(fact.event, Event::Leg { .. });
            if fact.stream.kind == StreamKind::Contact && !is_leg {
                contacts.entry(fact.stream.id).or_default().push((place, fact.clone()));
            }
        }
        for leg in legs {
            contacts.entry(leg.contact).or_default();
        }
        contacts.into_iter().filter_map(|(id, facts)| self.contact(id, &facts, legs)).collect()
    }

    fn contact(&mut self, id: Key, placed: &[Placed], legs: &[LegStory]) -> Option<ContactStory> {
        let as_of = self.as_of;
        let legs: Vec<_> = legs.iter().filter(|leg| leg.contact == id).cloned().collect();
        let facts: Vec<_> = placed.iter().map(|(_, fact)| fact.clone()).collect();
        let first = facts.first().map(|fact| fact.occurred_at);
        let first = first.into_iter().chain(legs.iter().filter_map(|leg| leg.answered_at)).min()?;
        if first > as_of {
            return None;
        }
        let mut story =
            ContactStory { id, root: id, from_customer: true, started: first, ..ContactStory::default() };
        story.begin(&facts);
        story.about.version = self.formula(story.started).number;
        let mut end = None;
        for (place, fact) in placed {
            match &fact.event {
                Event::ContactIdentified { customer, topic } => {
                    story.customer = customer.map(|customer| customer.0).or(story.customer);
                    story.topic = topic.map(|topic| topic.0).or(story.topic);
                }
                Event::WrappedUp { topic, resolved, .. } => {
                    story.topic = topic.map(|topic| topic.0).or(story.topic);
                    let resolved = resolved.filter(|_| fact.occurred_at <= as_of);
                    story.resolved.extend(resolved.map(|resolved| (*place, resolved)));
                }
                Event::ContactEnded { by, self_served } if end.is_none() => {
                    end = Some((fact.occurred_at, *by, *self_served));
                }
                _ => {}
            }
        }
        let visits = visits(&facts, &legs, end.map(|(at, by, _)| (at, by)));
        story.ended = end.map(|(at, ..)| at).filter(|at| *at <= as_of);
        story.has_visit = !visits.is_empty();
        for visit in visits.iter().filter(|visit| visit.entered <= as_of) {
            self.visit(visit, &visits, &legs, story.about);
        }
        if let (Some(ended), Some((_, _, true)), true) = (story.ended, end, visits.is_empty()) {
            self.three(story.started, ended, "self_served", story.about);
        }
        story.handling(as_of, &visits, &legs);
        if let (Some(completed), Some(handle)) = (story.completed, story.handle) {
            self.at(completed, None, "contacts_handled", story.credited, 1);
            self.at(completed, None, "contacts_handle_time", story.credited, handle);
        }
        for leg in legs.iter().filter(|_| story.callback) {
            if let Some(completed) = leg.completed_at.filter(|_| leg.answered_at.is_some()) {
                let about = About {
                    channel: story.about.channel,
                    direction: 0,
                    version: story.about.version,
                    ..leg.about
                };
                self.at(completed, None, "callbacks_made", about, 1);
                self.at(completed, None, "callback_time", about, leg.handle);
            }
        }
        Some(story)
    }
}

impl ContactStory {
    /// What the first word on its beginning says.
    fn begin(&mut self, facts: &[Recorded]) {
        let start = facts.iter().find(|fact| matches!(fact.event, Event::ContactStarted { .. }));
        let Some(Recorded { occurred_at, event, .. }) = start else { return };
        if let Event::ContactStarted { channel, direction, entry, customer, journey, callback, .. } = event {
            self.started = *occurred_at;
            self.about.entry = entry.map(|entry| entry.0);
            self.about.channel = channel.code();
            self.about.direction = direction.code();
            self.customer = customer.map(|customer| customer.0);
            self.root = journey.map_or(self.id, |journey| journey.0);
            self.callback = *callback;
            self.from_customer = !callback && *direction == Direction::Inbound;
        }
    }

    fn handling(&mut self, as_of: Micros, visits: &[Visit], legs: &[LegStory]) {
        let in_queue = visits.iter().filter_map(|visit| visit.left);
        let in_queue = in_queue.filter(|(at, exit, _)| *exit == QueueExit::Answered && *at <= as_of);
        let handled: Vec<_> =
            legs.iter().filter(|leg| leg.answered_at.is_some_and(|at| at <= as_of)).collect();
        let on_legs = handled.iter().filter_map(|leg| leg.answered_at);
        self.answered = in_queue.map(|(at, ..)| at).chain(on_legs).min();
        let complete = handled.iter().all(|leg| leg.completed_at.is_some());
        let last = handled.iter().filter_map(|leg| leg.completed_at).max();
        self.completed =
            self.ended.filter(|_| complete).map(|ended| last.map_or(ended, |last| last.max(ended)));
        self.handle = (!handled.is_empty()).then(|| handled.iter().map(|leg| leg.handle).sum());
        let first_queue = visits.first().and_then(|visit| visit.queue);
        let credited = handled.iter().min_by_key(|leg| leg.rank());
        self.credited = About {
            agent: credited.and_then(|leg| leg.about.agent),
            team: credited.and_then(|leg| leg.about.team),
            queue: credited.and_then(|leg| leg.about.queue).or(first_queue),
            channel: self.about.channel,
            version: self.about.version,
            ..About::default()
        };
        self.about.queue = first_queue;
        self.transferred = legs.iter().any(|leg| leg.transferred_to_queue);
    }
}
