//! Queue visits by brute force: every visit, every measure, straight from KPIS.md §3.

use std::collections::BTreeMap;

use pegcount_domain::{
    envelope::{Recorded, StreamKind},
    event::{Event, Party, QueueExit},
    ids::Key,
    time::Micros,
};
use pegcount_kpi::Attribution;

use super::{About, Oracle, Said, Waits, agents::LegStory};

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
    pub has_visit: bool,
    pub from_customer: bool,
    pub journey: Said,
    pub callback: bool,
    pub topic: Said,
    pub resolved: Option<bool>,
    pub transferred: bool,
}

#[derive(Clone, Debug)]
struct Visit {
    queue: Said,
    entered: Micros,
    left: Option<(Micros, QueueExit, bool)>,
    id: Key,
}

const ELSEWHERE: [QueueExit; 2] = [QueueExit::AnsweredElsewhere, QueueExit::AbandonedElsewhere];

impl Oracle {
    pub fn contacts(&mut self, legs: &[LegStory]) -> Vec<ContactStory> {
        let mut contacts: BTreeMap<Key, Vec<Recorded>> = BTreeMap::new();
        for fact in self.history.clone() {
            let is_leg = matches!(fact.event, Event::Leg { .. });
            if fact.stream.kind == StreamKind::Contact && !is_leg {
                contacts.entry(fact.stream.id).or_default().push(fact);
            }
        }
        for leg in legs {
            contacts.entry(leg.contact).or_default();
        }
        let contacts: Vec<_> = contacts.into_iter().collect();
        contacts.into_iter().filter_map(|(id, facts)| self.contact(id, &facts, legs)).collect()
    }

    fn contact(&mut self, id: Key, facts: &[Recorded], legs: &[LegStory]) -> Option<ContactStory> {
        let as_of = self.as_of;
        let legs: Vec<_> = legs.iter().filter(|leg| leg.contact == id).cloned().collect();
        let mut story = ContactStory { id, from_customer: true, ..ContactStory::default() };
        let first = facts.first().map(|fact| fact.occurred_at);
        let first = first.into_iter().chain(legs.iter().filter_map(|leg| leg.answered_at)).min()?;
        if first > as_of {
            return None;
        }
        story.started = first;
        let start = facts.iter().find(|fact| matches!(fact.event, Event::ContactStarted { .. }));
        if let Some(Recorded { occurred_at, event, .. }) = start
            && let Event::ContactStarted { channel, direction, entry, customer, journey, callback, .. } =
                event
        {
            story.started = *occurred_at;
            story.about.entry = entry.map(|entry| entry.0);
            story.about.channel = channel.code();
            story.about.direction = direction.code();
            story.customer = customer.map(|customer| customer.0);
            story.journey = journey.map(|journey| journey.0);
            story.callback = *callback;
            story.from_customer = !callback && journey.is_none() && direction.code() == 1;
        }
        let mut end = None;
        for fact in facts {
            match &fact.event {
                Event::ContactIdentified { customer, topic } => {
                    story.customer = customer.map(|customer| customer.0).or(story.customer);
                    story.topic = topic.map(|topic| topic.0).or(story.topic);
                }
                Event::WrappedUp { topic, resolved, .. } => {
                    story.topic = topic.map(|topic| topic.0).or(story.topic);
                    story.resolved = resolved.or(story.resolved);
                }
                Event::ContactEnded { by, self_served } if end.is_none() => {
                    end = Some((fact.occurred_at, *by, *self_served));
                }
                _ => {}
            }
        }
        let visits = visits(facts, &legs, end.map(|(at, by, _)| (at, by)));
        story.ended = end.map(|(at, ..)| at).filter(|at| *at <= as_of);
        story.has_visit = !visits.is_empty();
        for visit in visits.iter().filter(|visit| visit.entered <= as_of) {
            self.visit(visit, &visits, &legs, story.about);
        }
        if let (Some(ended), Some((_, _, true)), true) = (story.ended, end, visits.is_empty()) {
            self.three(story.started, ended, "self_served", story.about);
        }
        self.handling(&mut story, &visits, &legs);
        Some(story)
    }

    /// Counted under each attribution: at the end, at the start, at the end.
    pub fn three(&mut self, start: Micros, end: Micros, column: &'static str, about: About) {
        let instants = [(Attribution::Event, end), (Attribution::Start, start), (Attribution::End, end)];
        for (attribution, at) in instants {
            self.at(at, Some(attribution), column, about, 1);
        }
    }

    fn visit(&mut self, visit: &Visit, all: &[Visit], legs: &[LegStory], about: About) {
        let as_of = self.as_of;
        let rules = self.queue(visit.queue, visit.entered);
        let about = About { queue: visit.queue, ..about };
        let left = visit.left.filter(|(at, ..)| *at <= as_of);
        let reach = visit.entered.plus(rules.threshold);
        let reached = left.map_or(as_of, |(at, ..)| at) > reach;
        let outside = left.is_some_and(|(_, exit, _)| ELSEWHERE.contains(&exit));
        self.waits.push(Waits {
            about,
            entered: visit.entered,
            left: left.map_or(Micros::MAX, |(at, ..)| at),
        });
        self.at(visit.entered, Some(Attribution::Event), "offered", about, 1);
        self.at(visit.entered, Some(Attribution::Start), "offered", about, 1);
        if reached && !outside {
            self.at(reach, Some(Attribution::Event), "reached_unanswered", about, 1);
        }
        let Some((at, exit, ringing)) = left else { return };
        self.at(at, Some(Attribution::End), "offered", about, 1);
        let wait = at.0 - visit.entered.0;
        let (within, short) = (wait <= rules.threshold.0, wait <= rules.short.0);
        let mut columns: Vec<(&'static str, i64)> = vec![("ended", 1)];
        match exit {
            QueueExit::Answered => {
                let prompt = rang(visit, all, legs).is_some_and(|rang| rang <= rules.rings.0);
                columns.extend([
                    ("answered", 1),
                    ("wait_answered", wait),
                    ("answered_within", i64::from(within)),
                    ("answered_within_rings", i64::from(prompt)),
                ]);
            }
            QueueExit::Abandoned => columns.extend([
                ("abandoned", 1),
                ("wait_abandoned", wait),
                ("abandoned_short", i64::from(short)),
                ("abandoned_ringing", i64::from(ringing)),
                ("abandoned_within", i64::from(within)),
                ("abandoned_short_within", i64::from(within && short)),
            ]),
            QueueExit::CallbackTaken => {
                columns.extend([("callback_taken", 1), ("callback_within", i64::from(within))]);
            }
            _ => columns.extend([(flow_out(exit), 1), ("flow_out_within", i64::from(within && !outside))]),
        }
        for (column, amount) in columns {
            self.at(at, Some(Attribution::Event), column, about, amount);
            self.at(visit.entered, Some(Attribution::Start), column, about, amount);
            self.at(at, Some(Attribution::End), column, about, amount);
        }
        if reached && !outside {
            self.at(visit.entered, Some(Attribution::Start), "reached_unanswered", about, 1);
            self.at(at, Some(Attribution::End), "reached_unanswered", about, 1);
        }
    }

    fn handling(&self, story: &mut ContactStory, visits: &[Visit], legs: &[LegStory]) {
        let as_of = self.as_of;
        let in_queue = visits.iter().filter_map(|visit| visit.left);
        let in_queue = in_queue.filter(|(at, exit, _)| *exit == QueueExit::Answered && *at <= as_of);
        let handled: Vec<_> =
            legs.iter().filter(|leg| leg.answered_at.is_some_and(|at| at <= as_of)).collect();
        let on_legs = handled.iter().filter_map(|leg| leg.answered_at);
        story.answered = in_queue.map(|(at, ..)| at).chain(on_legs).min();
        let complete = handled.iter().all(|leg| leg.completed_at.is_some());
        let last = handled.iter().filter_map(|leg| leg.completed_at).max();
        story.completed =
            story.ended.filter(|_| complete).map(|ended| last.map_or(ended, |last| last.max(ended)));
        let first_queue = visits.first().and_then(|visit| visit.queue);
        let credited = handled.iter().min_by_key(|leg| leg.answered_at);
        story.credited = About {
            agent: credited.and_then(|leg| leg.about.agent),
            team: credited.and_then(|leg| leg.about.team),
            queue: credited.and_then(|leg| leg.about.queue).or(first_queue),
            channel: story.about.channel,
            ..About::default()
        };
        story.about.queue = first_queue;
        story.transferred = legs.iter().any(|leg| leg.transferred_to_queue);
    }
}

/// Visits joined by id, then the rules for what nobody said.
fn visits(facts: &[Recorded], legs: &[LegStory], end: Option<(Micros, Option<Party>)>) -> Vec<Visit> {
    let mut visits: Vec<Visit> = Vec::new();
    let mut order: Vec<Key> = Vec::new();
    for fact in facts {
        match &fact.event {
            Event::QueueEntered { visit, .. } | Event::QueueLeft { visit, .. }
                if !order.contains(&visit.0) =>
            {
                order.push(visit.0);
            }
            _ => {}
        }
    }
    for id in order {
        let entered = facts.iter().find_map(|fact| match &fact.event {
            Event::QueueEntered { visit, queue, .. } if visit.0 == id => Some((fact.occurred_at, queue.0)),
            _ => None,
        });
        let left = facts.iter().find_map(|fact| match &fact.event {
            Event::QueueLeft { visit, exit, ringing } if visit.0 == id => {
                Some((fact.occurred_at, *exit, *ringing))
            }
            _ => None,
        });
        let served = legs.iter().find(|leg| leg.visit == Some(id) && leg.about.queue.is_some());
        let queue = entered.map_or(served.and_then(|leg| leg.about.queue), |(_, queue)| Some(queue));
        let entered = entered.map_or_else(|| left.unwrap().0, |(at, _)| at);
        let left = left.map(|(at, exit, ringing)| (at.max(entered), exit, ringing));
        visits.push(Visit { queue, entered, left, id });
    }
    visits.sort_by_key(|visit| visit.entered);
    elsewhere(&mut visits, end);
    visits
}

fn elsewhere(visits: &mut [Visit], end: Option<(Micros, Option<Party>)>) {
    // An answer ends whatever else waits; of several answers at once the first counts.
    let mut answers: Vec<(Micros, usize)> = Vec::new();
    for (index, visit) in visits.iter().enumerate() {
        if let Some((at, QueueExit::Answered, _)) = visit.left {
            answers.push((at, index));
        }
    }
    answers.sort_unstable();
    for (at, index) in answers {
        if !matches!(visits[index].left, Some((_, QueueExit::Answered, _))) {
            continue;
        }
        for (other, visit) in visits.iter_mut().enumerate() {
            if other == index || visit.entered >= at {
                continue;
            }
            visit.left = match visit.left {
                None => Some((at, QueueExit::AnsweredElsewhere, false)),
                Some((left, ..)) if left > at => Some((at, QueueExit::AnsweredElsewhere, false)),
                Some((left, QueueExit::Answered, _)) if left == at => {
                    Some((at, QueueExit::AnsweredElsewhere, false))
                }
                known => known,
            };
        }
    }
    // A hang-up ends whatever waits, before the contact's own end does, and counts where the wait was longest.
    let gave_up = |visit: &Visit| match visit.left {
        Some((at, QueueExit::Abandoned, _)) => Some(at),
        _ => None,
    };
    if let Some(at) = visits.iter().filter_map(gave_up).min() {
        for visit in visits.iter_mut().filter(|visit| visit.left.is_none() && visit.entered < at) {
            visit.left = Some((at, QueueExit::Abandoned, false));
        }
    }
    if let Some((ended, by)) = end {
        let exit = if by == Some(Party::Customer) { QueueExit::Abandoned } else { QueueExit::System };
        for visit in visits.iter_mut().filter(|visit| visit.left.is_none()) {
            visit.left = Some((ended.max(visit.entered), exit, false));
        }
    }
    let mut counted: Option<Micros> = None;
    for visit in visits.iter_mut() {
        if let Some(at) = gave_up(visit) {
            if counted.is_some_and(|until| visit.entered < until) {
                visit.left = visit.left.map(|(at, _, ringing)| (at, QueueExit::AbandonedElsewhere, ringing));
            } else {
                counted = Some(at);
            }
        }
    }
}

fn rang(visit: &Visit, all: &[Visit], legs: &[LegStory]) -> Option<i64> {
    let answered = legs.iter().filter(|leg| leg.answered_at.is_some());
    let own = answered.clone().filter(|leg| leg.visit == Some(visit.id)).min_by_key(|leg| leg.answered_at);
    if let Some(own) = own {
        return Some(own.rang);
    }
    let answers = all.iter().filter(|visit| matches!(visit.left, Some((_, QueueExit::Answered, _)))).count();
    let unnamed = answered.filter(|leg| leg.visit.is_none()).min_by_key(|leg| leg.answered_at);
    unnamed.filter(|_| answers == 1).map(|leg| leg.rang)
}

fn flow_out(exit: QueueExit) -> &'static str {
    match exit {
        QueueExit::Overflow => "flow_out_overflow",
        QueueExit::Timeout => "flow_out_timeout",
        QueueExit::Closed => "flow_out_closed",
        QueueExit::Full => "flow_out_full",
        QueueExit::JoinEmpty => "flow_out_join_empty",
        QueueExit::LeaveEmpty => "flow_out_leave_empty",
        QueueExit::Transferred => "flow_out_transferred",
        QueueExit::AnsweredElsewhere => "flow_out_answered_elsewhere",
        QueueExit::AbandonedElsewhere => "flow_out_abandoned_elsewhere",
        _ => "flow_out_system",
    }
}
