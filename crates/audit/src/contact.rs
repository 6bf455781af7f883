//! One contact: its visits to queues, from what was said of them and of the legs that answered them (KPIS.md §3).
//!
//! Invariant: a visit is joined by its id from the first word on its beginning and the first word on its end, in the order
//! in which they happened, and ends once.

use pegcount_domain::{definitions::Definitions, event::QueueExit, ids::Key, time::Micros};

use crate::{
    leg::{Field, Reporters, Word},
    rank::{self, Rank},
};

/// What is said of a contact.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Said {
    Entered { visit: u64, queue: Key },
    Left { visit: u64, exit: QueueExit },
    Ended { by_customer: bool },
}

/// One report of a leg, as the contact needs it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LegReport {
    pub(crate) rank: Rank,
    pub(crate) leg: u64,
    /// The agent whom it names.
    pub(crate) names: Option<Key>,
    /// The agent whose history it has been put into.
    pub(crate) placed: Option<Key>,
    pub(crate) visit: Option<u64>,
    pub(crate) queue: Option<Key>,
    pub(crate) field: Field,
    pub(crate) word: Word,
}

/// One contact.
#[derive(Debug, Default)]
pub(crate) struct Contact {
    /// In order.
    pub(crate) facts: Vec<(Rank, Said)>,
    /// In order.
    pub(crate) reports: Vec<LegReport>,
}

/// One visit as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Visit {
    mark: u64,
    pub(crate) queue: Option<Key>,
    pub(crate) entered: Micros,
    pub(crate) left: Option<(Micros, QueueExit)>,
}

/// What became of a leg, as one agent or nobody had it.
struct Leg {
    visit: Option<u64>,
    queue: Option<Key>,
    answered: Option<Micros>,
}

impl Contact {
    /// The agent whom the earliest report of a leg names that names one.
    pub(crate) fn home(&self, leg: u64) -> Option<Key> {
        self.reports.iter().filter(|report| report.leg == leg).find_map(|report| report.names)
    }

    pub(crate) fn hear(&mut self, report: LegReport) {
        rank::insert(&mut self.reports, report, |report| report.rank);
    }

    pub(crate) fn tell(&mut self, rank: Rank, said: Said) {
        rank::insert(&mut self.facts, (rank, said), |fact| fact.0);
    }

    pub(crate) fn len(&self) -> usize {
        self.facts.len() + self.reports.len()
    }

    /// The instant of its first fact.
    pub(crate) fn first_at(&self) -> Option<Micros> {
        let fact = self.facts.first().map(|(rank, _)| rank.at);
        fact.into_iter().chain(self.reports.first().map(|report| report.rank.at)).min()
    }

    /// The instant of its last fact.
    pub(crate) fn last_at(&self) -> Option<Micros> {
        let fact = self.facts.last().map(|(rank, _)| rank.at);
        fact.max(self.reports.last().map(|report| report.rank.at))
    }

    pub(crate) fn is_over(&self) -> bool {
        self.facts.iter().any(|(_, said)| matches!(said, Said::Ended { .. }))
    }

    /// Its visits, by entry.
    pub(crate) fn visits(&self, definitions: &Definitions<Key>) -> Vec<Visit> {
        let mut marks: Vec<u64> = Vec::new();
        for (_, said) in &self.facts {
            if let Said::Entered { visit, .. } | Said::Left { visit, .. } = said
                && !marks.contains(visit)
            {
                marks.push(*visit);
            }
        }
        if marks.is_empty() {
            return Vec::new();
        }
        let legs = self.legs(definitions);
        let mut visits: Vec<Visit> = marks.into_iter().filter_map(|mark| self.visit(mark, &legs)).collect();
        visits.sort_by_key(|visit| (visit.entered, visit.mark));
        if visits.len() > 1 {
            end_others_by_answer(&mut visits);
            end_others_by_hang_up(&mut visits);
        }
        self.end_with_contact(&mut visits);
        count_hang_up_once(&mut visits);
        visits
    }

    /// A visit from its own facts, and from its legs where there is none.
    fn visit(&self, mark: u64, legs: &[Leg]) -> Option<Visit> {
        let entry = self.facts.iter().find_map(|(rank, said)| match said {
            Said::Entered { visit, queue } if *visit == mark => Some((rank.at, *queue)),
            _ => None,
        });
        let exit = self.facts.iter().find_map(|(rank, said)| match said {
            Said::Left { visit, exit } if *visit == mark => Some((rank.at, *exit)),
            _ => None,
        });
        let own = || legs.iter().filter(|leg| leg.visit == Some(mark));
        let entered = entry.map(|(at, _)| at).or(exit.map(|(at, _)| at))?;
        let queue = match entry {
            Some((_, queue)) => Some(queue),
            None => own().find_map(|leg| leg.queue),
        };
        let answer = own().filter_map(|leg| leg.answered).min().map(|at| (at, QueueExit::Answered));
        let left = exit.or(answer).map(|(at, exit)| (at.max(entered), exit));
        Some(Visit { mark, queue, entered, left })
    }

    /// What its legs came to, each as each agent had it; what no report gives to an agent is nobody's.
    fn legs(&self, definitions: &Definitions<Key>) -> Vec<Leg> {
        let whose = |report: &LegReport| report.names.or_else(|| self.home(report.leg));
        let mut keys: Vec<(u64, u64, Option<Key>)> = Vec::new();
        for report in &self.reports {
            let agent = whose(report);
            let key = (report.leg, agent.map_or(0, rank::mark), agent);
            if !keys.contains(&key) {
                keys.push(key);
            }
        }
        keys.sort_unstable();
        let leg = |(mark, _, agent): (u64, u64, Option<Key>)| {
            let own =
                || self.reports.iter().filter(move |report| report.leg == mark && whose(report) == agent);
            let earliest = own().map(|report| report.rank.at).min().unwrap_or_default();
            let mut reporters = Reporters::of_leg(definitions, earliest);
            own().for_each(|report| reporters.learn(report.rank.by_exchange, report.field, report.word));
            let talks = |report: &&LegReport| {
                let word = reporters.believed(report.rank.by_exchange, report.field, report.word);
                word == Some(Word::Talk)
            };
            Leg {
                visit: own().find_map(|report| report.visit),
                queue: own().find_map(|report| report.queue),
                answered: own().find(talks).map(|report| report.rank.at),
            }
        };
        keys.into_iter().map(leg).collect()
    }

    /// Nobody waits in a contact that is over.
    fn end_with_contact(&self, visits: &mut [Visit]) {
        let end = self.facts.iter().find_map(|(rank, said)| match said {
            Said::Ended { by_customer } => Some((rank.at, *by_customer)),
            _ => None,
        });
        let Some((at, by_customer)) = end else { return };
        let exit = if by_customer { QueueExit::Abandoned } else { QueueExit::System };
        for visit in visits.iter_mut().filter(|visit| visit.left.is_none()) {
            visit.left = Some((at.max(visit.entered), exit));
        }
    }
}

/// Whoever is answered waits nowhere else any more; the first answer counts.
fn end_others_by_answer(visits: &mut [Visit]) {
    let answered = |visit: &Visit| match visit.left {
        Some((at, QueueExit::Answered)) => Some(at),
        _ => None,
    };
    let mut answers: Vec<(Micros, usize)> =
        visits.iter().enumerate().filter_map(|(index, visit)| Some((answered(visit)?, index))).collect();
    answers.sort_unstable();
    for (at, index) in answers {
        if visits.get(index).and_then(answered).is_none() {
            continue;
        }
        for (other, visit) in visits.iter_mut().enumerate() {
            let waits = match visit.left {
                None => true,
                Some((left, exit)) => left > at || (left == at && exit == QueueExit::Answered),
            };
            if other != index && visit.entered < at && waits {
                visit.left = Some((at, QueueExit::AnsweredElsewhere));
            }
        }
    }
}

/// Whoever hangs up waits nowhere any more.
fn end_others_by_hang_up(visits: &mut [Visit]) {
    let hang_ups = visits.iter().filter_map(|visit| visit.left);
    let first = hang_ups.filter(|(_, exit)| *exit == QueueExit::Abandoned).map(|(at, _)| at).min();
    let Some(at) = first else { return };
    for visit in visits.iter_mut().filter(|visit| visit.left.is_none() && visit.entered < at) {
        visit.left = Some((at, QueueExit::Abandoned));
    }
}

/// A hang-up is counted as abandoned where the customer had waited longest.
fn count_hang_up_once(visits: &mut [Visit]) {
    let mut counted: Option<Micros> = None;
    for visit in visits {
        let Some((at, QueueExit::Abandoned)) = visit.left else { continue };
        if counted.is_some_and(|until| visit.entered < until) {
            visit.left = Some((at, QueueExit::AbandonedElsewhere));
        } else {
            counted = Some(at);
        }
    }
}
