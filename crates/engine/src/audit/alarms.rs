//! What is wrong now: raised once, told with names, cleared when it is mended.
//!
//! Invariant: an open violation has been counted and told exactly once since it appeared.

use std::{collections::BTreeMap, fmt};

use jiff::Timestamp;
use pegcount_audit::{Difference, Kind};
use pegcount_domain::{
    envelope::Position,
    ids::{Name, SiteId},
    time::{Interval, Micros, Span},
};

/// So many are kept; more are counted only.
const OPEN_MAX: usize = 1_000;
/// So many are told one by one after one look.
const TOLD_MAX: usize = 20;

const TOTAL: &str = "pegcount_balance_violations_total";
const OPEN: &str = "pegcount_balance_violations_open";
const LEFT_OUT: &str = "pegcount_audit_left_out";
const FACTS: &str = "pegcount_audit_facts";

/// One number of the figures that is not what the facts say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The site.
    pub site: SiteId,
    /// Who, when, in what way, both numbers.
    pub difference: Difference<Name>,
    /// Where the figures stood.
    pub position: Position,
    /// The facts of that queue or agent in that interval; of many, the first and the last ones.
    pub behind: Vec<Position>,
}

/// What the auditor has found.
#[derive(Clone, Debug, Default)]
pub struct AuditStatus {
    /// What is wrong now, in order; at most 1,000.
    pub open: Vec<Violation>,
    /// The position at which it looked last.
    pub position: Position,
    /// As of when; none: it has not looked yet.
    pub looked_at: Option<Micros>,
    /// Agents and sites whose numbers could not be counted at the last look.
    pub left_out: usize,
}

/// What tells a violation from others.
type Place = (SiteId, Interval, Kind, Option<Name>, &'static str);

/// What is open.
#[derive(Debug, Default)]
pub(super) struct Alarms {
    open: BTreeMap<Place, Violation>,
    position: Position,
    looked_at: Option<Micros>,
    left_out: usize,
}

/// Says what the metrics mean, and that nothing has been found yet.
pub(super) fn describe() {
    metrics::describe_counter!(
        TOTAL,
        "numbers of the figures that were not what the log's facts say, by kind"
    );
    metrics::describe_gauge!(OPEN, "those of them that are still so");
    metrics::describe_gauge!(LEFT_OUT, "agents and sites that could not be checked at the last look");
    metrics::describe_gauge!(FACTS, "facts that the auditor keeps");
    for kind in Kind::ALL {
        metrics::counter!(TOTAL, "kind" => kind.word()).increment(0);
    }
}

impl Alarms {
    /// Takes what was found in a range of a site: what is not among it any more is mended.
    pub(super) fn take(&mut self, site: &SiteId, range: Span, found: Vec<Violation>) {
        let found: BTreeMap<Place, Violation> = found.into_iter().map(|one| (one.place(), one)).collect();
        self.open.retain(|place, violation| {
            let (own, interval, ..) = place;
            let looked = own == site && range.start <= interval.start() && interval.end() <= range.end;
            let stays = !looked || found.contains_key(place);
            if !stays {
                tracing::info!("mended: {}", violation.words());
            }
            stays
        });
        let mut told = 0;
        for (place, violation) in found {
            if let Some(known) = self.open.get_mut(&place) {
                *known = violation;
                continue;
            }
            metrics::counter!(TOTAL, "kind" => violation.difference.kind.word()).increment(1);
            told += 1;
            if told <= TOLD_MAX {
                violation.tell();
            }
            if self.open.len() < OPEN_MAX {
                self.open.insert(place, violation);
            }
        }
        if told > TOLD_MAX {
            let more = told - TOLD_MAX;
            tracing::error!(%site, more, "more figures of the site differ from the facts; `pegcount reconcile` lists them");
        }
        let open = u32::try_from(self.open.len()).unwrap_or(u32::MAX);
        metrics::gauge!(OPEN).set(f64::from(open));
    }

    pub(super) fn looked(&mut self, position: Position, at: Micros, facts: usize, left_out: usize) {
        (self.position, self.looked_at, self.left_out) = (position, Some(at), left_out);
        let gauge = |number: usize| f64::from(u32::try_from(number).unwrap_or(u32::MAX));
        metrics::gauge!(FACTS).set(gauge(facts));
        metrics::gauge!(LEFT_OUT).set(gauge(left_out));
    }

    pub(super) fn status(&self) -> AuditStatus {
        AuditStatus {
            open: self.open.values().cloned().collect(),
            position: self.position,
            looked_at: self.looked_at,
            left_out: self.left_out,
        }
    }
}

impl Violation {
    fn place(&self) -> Place {
        let Difference { interval, kind, who, column, .. } = &self.difference;
        (self.site.clone(), *interval, *kind, who.clone(), column)
    }

    fn tell(&self) {
        let behind: Vec<u64> = self.behind.iter().map(|position| position.0).collect();
        tracing::error!(
            kind = self.difference.kind.word(),
            position = self.position.0,
            facts = ?behind,
            "{}. The log is right: restart the server to count again from it, then `pegcount reconcile --site {} --from {} --to {}` \
             to see that it is mended; if it is not, report it with the facts at these positions",
            self.words(),
            self.site,
            instant(self.difference.interval.start()),
            instant(self.difference.interval.end()),
        );
    }

    /// It in words: who, when, both numbers.
    pub fn words(&self) -> String {
        let Difference { interval, kind, who, column, stated, counted } = &self.difference;
        let who = match (kind.is_of_agent(), who) {
            (true, Some(agent)) => format!("agent {agent}"),
            (true, None) => "no agent".to_owned(),
            (false, Some(queue)) => format!("queue {queue}"),
            (false, None) => "no known queue".to_owned(),
        };
        let (from, to) = (instant(interval.start()), instant(interval.end()));
        let place = format!("site {}, {who}, {from} to {to}", self.site);
        let unit = if kind.is_of_agent() && *column != "sign_ins" { " us" } else { "" };
        match kind {
            Kind::Queue | Kind::Agent => {
                format!("{place}: {column} is {stated}{unit}, the facts say {counted}{unit}")
            }
            Kind::Balance => {
                format!(
                    "{place}: waiting_at_start + offered is {stated}, ended + waiting_at_end is {counted}"
                )
            }
            Kind::AgentClock => {
                format!(
                    "{place}: signed_in_clock is {stated} us, the states of the clock sum to {counted} us"
                )
            }
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words())
    }
}

fn instant(at: Micros) -> String {
    Timestamp::from_microsecond(at.0).map_or_else(|_| at.to_string(), |at| at.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn violation(interval: i32, stated: i64) -> Violation {
        Violation {
            site: SiteId::new("north").unwrap_or_else(|_| SiteId(Name::fixed("north"))),
            difference: Difference {
                interval: Interval(interval),
                kind: Kind::Queue,
                who: Some(Name::fixed("sales")),
                column: "offered",
                stated,
                counted: 11,
            },
            position: Position(40),
            behind: vec![Position(7)],
        }
    }

    #[test]
    fn a_violation_is_open_until_a_look_at_its_interval_finds_it_mended() {
        let (mut alarms, site) = (Alarms::default(), SiteId(Name::fixed("north")));
        let range = |from: i32, to: i32| Span::new(Interval(from).start(), Interval(to).start());
        alarms.take(&site, range(0, 4), vec![violation(2, 12)]);
        assert_eq!(alarms.status().open.len(), 1);
        alarms.take(&site, range(3, 9), Vec::new());
        assert_eq!(alarms.status().open.len(), 1, "its interval was not looked at");
        alarms.take(&site, range(0, 4), vec![violation(2, 13)]);
        assert_eq!(alarms.status().open[0].difference.stated, 13, "the same one, with another number");
        alarms.take(&site, range(2, 3), Vec::new());
        assert!(alarms.status().open.is_empty());
    }

    #[test]
    fn a_violation_names_the_site_the_queue_the_interval_and_both_numbers() {
        let words = violation(0, 12).words();
        assert_eq!(
            words,
            "site north, queue sales, 1970-01-01T00:00:00Z to 1970-01-01T00:15:00Z: offered is 12, the facts say 11"
        );
    }
}
