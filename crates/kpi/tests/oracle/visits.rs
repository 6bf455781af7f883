//! Queue visits by brute force: every visit, every measure, straight from KPIS.md §3.
//!
//! Invariant: what was said of a visit stands first, then what its legs say, then the rules for several visits at once,
//! then the contact's end.

use pegcount_domain::{
    envelope::Recorded,
    event::{Event, Party, QueueExit},
    ids::Key,
    time::Micros,
};
use pegcount_kpi::Attribution;

use super::{About, Oracle, Said, Waited, Waits, half, legs::LegStory};

#[derive(Clone, Debug)]
pub struct Visit {
    pub queue: Said,
    pub priority: u8,
    pub entered: Micros,
    pub left: Option<(Micros, QueueExit, bool)>,
    pub id: Key,
}

const ELSEWHERE: [QueueExit; 2] = [QueueExit::AnsweredElsewhere, QueueExit::AbandonedElsewhere];

impl Oracle {
    pub fn visit(&mut self, visit: &Visit, all: &[Visit], legs: &[LegStory], about: About) {
        let as_of = self.as_of;
        let [threshold, short_limit, rings] = self.limits(visit.queue, visit.entered);
        let version = self.formula(visit.entered).number;
        let about = About { queue: visit.queue, priority: visit.priority, version, ..about };
        let left = visit.left.filter(|(at, ..)| *at <= as_of);
        let reach = visit.entered.plus(Micros(threshold));
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
        let (within, short) = (wait <= threshold, wait <= short_limit);
        let mut columns: Vec<(&'static str, i64)> = vec![("ended", 1)];
        match exit {
            QueueExit::Answered => {
                let prompt = rang(visit, all, legs).is_some_and(|rang| rang <= rings);
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
        if matches!(exit, QueueExit::Answered | QueueExit::Abandoned) {
            let answered = exit == QueueExit::Answered;
            for (attribution, at) in
                [(Attribution::Event, at), (Attribution::Start, visit.entered), (Attribution::End, at)]
            {
                self.waited.push(Waited { attribution, at, about, answered, wait });
            }
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
}

/// Visits joined by id, then the rules for what nobody said.
pub fn visits(facts: &[Recorded], legs: &[LegStory], end: Option<(Micros, Option<Party>)>) -> Vec<Visit> {
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
    let mut visits: Vec<Visit> = order.into_iter().map(|id| joined(id, facts, legs)).collect();
    visits.sort_by_key(|visit| (visit.entered, half(visit.id)));
    elsewhere(&mut visits, end);
    visits
}

/// One visit, from the first word on its beginning and its end, and from its legs where there is none.
fn joined(id: Key, facts: &[Recorded], legs: &[LegStory]) -> Visit {
    let entered = facts.iter().find_map(|fact| match &fact.event {
        Event::QueueEntered { visit, queue, priority } if visit.0 == id => {
            Some((fact.occurred_at, queue.0, *priority))
        }
        _ => None,
    });
    let left = facts.iter().find_map(|fact| match &fact.event {
        Event::QueueLeft { visit, exit, ringing } if visit.0 == id => {
            Some((fact.occurred_at, *exit, *ringing))
        }
        _ => None,
    });
    let own = || legs.iter().filter(|leg| leg.visit == Some(id));
    let answer = own().filter_map(|leg| leg.ever_answered_at).min();
    let left = left.or_else(|| answer.map(|at| (at, QueueExit::Answered, false)));
    let queue = entered.map_or_else(|| own().find_map(|leg| leg.about.queue), |(_, queue, _)| Some(queue));
    let priority = entered.map_or(0, |(.., priority)| u8::try_from(priority).unwrap_or(u8::MAX));
    let entered = entered.map_or_else(|| left.unwrap().0, |(at, ..)| at);
    let left = left.map(|(at, exit, ringing)| (at.max(entered), exit, ringing));
    Visit { queue, priority, entered, left, id }
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
    let own = answered.clone().filter(|leg| leg.visit == Some(visit.id)).min_by_key(|leg| leg.rank());
    if let Some(own) = own {
        return Some(own.rang);
    }
    let answers = all.iter().filter(|visit| matches!(visit.left, Some((_, QueueExit::Answered, _)))).count();
    let unnamed = answered.filter(|leg| leg.visit.is_none()).min_by_key(|leg| leg.rank());
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
