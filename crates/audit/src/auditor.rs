//! The door: all sites, how much is kept, and what can be counted.
//!
//! Invariant: the facts that are kept are about [`Limits::facts_max`] at most, but for those of legs and visits that nobody
//! ever ends.

use pegcount_domain::{
    envelope::{Position, Recorded},
    ids::Key,
    time::{Interval, Micros, Span},
};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::{
    compare::Kind,
    counts::{Counts, Subject},
    site::Site,
};

/// Of what was let go of, whose numbers stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// Those of so many intervals before the facts that are kept.
    Last(i32),
    /// Those of a range.
    Range(Span),
}

/// So many of the facts behind a number are told.
const BEHIND_MAX: usize = 20;
/// How often what is kept is halved at most, to make room.
const ROUNDS_MAX: usize = 16;

/// How much is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// About so many facts (64 to 112 bytes each; a report of a leg counts twice).
    pub facts_max: usize,
    /// Numbers.
    pub keep: Keep,
}

/// Numbers of a range, and what they cannot say.
#[derive(Clone, Debug)]
pub struct Counted {
    /// The numbers.
    pub counts: Counts<Key>,
    /// What was in doubt and from when on; it has been left out of the numbers. In order.
    pub doubts: Vec<(Subject<Key>, Micros)>,
}

/// Counts the raw facts of all sites.
#[derive(Debug)]
pub struct Auditor {
    sites: FxHashMap<Key, Site>,
    limits: Limits,
    held: FxHashSet<Key>,
    position: Position,
    /// With so many facts it is time to let go of some.
    full_at: usize,
    facts: usize,
}

impl Auditor {
    /// Nothing happened yet.
    pub fn new(limits: Limits) -> Self {
        Self::holding(limits, FxHashSet::default())
    }

    /// The same; of these agents and contacts nothing is let go of.
    pub fn holding(limits: Limits, held: FxHashSet<Key>) -> Self {
        Self {
            sites: FxHashMap::default(),
            limits,
            held,
            position: Position::START,
            full_at: limits.facts_max,
            facts: 0,
        }
    }

    /// Takes the next event of the log in. One whose position is not after the last one changes nothing.
    pub fn apply(&mut self, recorded: &Recorded) {
        if recorded.position <= self.position {
            return;
        }
        self.position = recorded.position;
        let site = self.sites.entry(recorded.stream.site).or_default();
        let before = site.facts;
        site.apply(recorded);
        self.facts = self.facts + site.facts - before;
        if self.facts > self.full_at {
            self.let_go();
        }
    }

    /// The last event that was taken in, or that no fact was in.
    pub fn position(&self) -> Position {
        self.position
    }

    /// Goes on after `position`, up to which there was nothing to take in.
    pub fn stand_at(&mut self, position: Position) {
        self.position = self.position.max(position);
    }

    /// The sites that there are, in order.
    pub fn sites(&self) -> Vec<Key> {
        let mut sites: Vec<Key> = self.sites.keys().copied().collect();
        sites.sort_unstable();
        sites
    }

    /// How many facts are kept.
    pub fn facts(&self) -> usize {
        self.facts
    }

    /// The position of the last event that concerned a site.
    pub fn site_position(&self, site: Key) -> Position {
        self.sites.get(&site).map(|site| site.position).unwrap_or_default()
    }

    /// How many agents of a site are known.
    pub fn agents(&self, site: Key) -> usize {
        self.sites.get(&site).map_or(0, |site| site.agents.len())
    }

    /// The instant of the first fact of a site that is kept.
    pub fn oldest(&self, site: Key) -> Micros {
        self.sites.get(&site).map_or(Micros::MAX, Site::oldest)
    }

    /// The first interval from `from` on in which a kept fact of a site lies.
    pub fn next_busy(&self, site: Key, from: Interval) -> Option<Interval> {
        self.sites.get(&site)?.next_at(from.start()).map(Interval::containing)
    }

    /// The kept facts of a queue (or of an agent, as `kind` says) in an interval: of many, the first and the last ten.
    pub fn behind(&self, site: Key, kind: Kind, who: Option<Key>, interval: Interval) -> Vec<Position> {
        let all = self.sites.get(&site).map(|site| site.behind(kind, who, interval)).unwrap_or_default();
        match all.len().checked_sub(BEHIND_MAX) {
            None | Some(0) => all,
            Some(_) => {
                let half = BEHIND_MAX / 2;
                let last = all.iter().rev().take(half).rev();
                all.iter().take(half).chain(last).copied().collect()
            }
        }
    }

    /// The first instant from which on numbers of a site can be had; on the grid of intervals.
    pub fn first(&self, site: Key) -> Micros {
        let Some(site) = self.sites.get(&site) else { return Micros(i64::MIN) };
        let closed = up_to_grid(site.closed_before);
        match self.limits.keep {
            Keep::Last(intervals) if site.horizon > Micros(i64::MIN) => {
                let kept = Interval(Interval::containing(site.horizon).0.saturating_sub(intervals));
                closed.max(kept.start())
            }
            _ => closed,
        }
    }

    /// The numbers of whole intervals of a range as of an instant; of what lies before [`Self::first`] there are none. What has
    /// been let go of was counted to its end, so the instant must not lie before that: ask about the present.
    pub fn count(&self, site: Key, range: Span, as_of: Micros) -> Counted {
        let Some(own) = self.sites.get(&site) else {
            return Counted { counts: Counts::default(), doubts: Vec::new() };
        };
        let range = Span::new(range.start.max(self.first(site)), range.end);
        let mut counted = Counted { counts: own.count(range, as_of), doubts: Vec::new() };
        for (who, from) in &own.doubts {
            let subject = who.map_or(Subject::Visits, Subject::Agent);
            counted.doubts.push((subject, *from));
        }
        counted.doubts.extend(own.all_agents.map(|from| (Subject::Agents, from)));
        counted.doubts.sort_unstable();
        counted.counts.leave_out(&counted.doubts);
        counted
    }

    /// The agents and contacts that doubts are about: to be held when the log is read again.
    pub fn doubtful(&self) -> FxHashSet<Key> {
        let sites = self.sites.values();
        sites.flat_map(|site| site.doubts.keys().flatten().chain(&site.doubtful)).copied().collect()
    }

    /// Lets go of the older half of what lies between the horizon and the latest fact, until there is room.
    fn let_go(&mut self) {
        let keep = self.limits.keep;
        let room = self.limits.facts_max / 4 * 3;
        for _ in 0..ROUNDS_MAX {
            for site in self.sites.values_mut() {
                let oldest = site.oldest().max(site.horizon);
                let middle = oldest.0.midpoint(site.latest.0);
                site.let_go(Micros(middle), &self.held);
                let first = Interval(Interval::containing(site.horizon).0);
                site.settled.retain(|interval| match keep {
                    Keep::Last(intervals) => interval.0 >= first.0.saturating_sub(intervals),
                    Keep::Range(range) => range.start <= interval.start() && interval.end() <= range.end,
                });
            }
            self.facts = self.sites.values().map(|site| site.facts).sum();
            if self.facts <= room {
                break;
            }
        }
        // A leg or a visit that never ends holds on to its facts; looking for others again at once would be in vain.
        self.full_at = self.limits.facts_max.max(self.facts + self.facts / 4);
    }
}

/// The first border of intervals from an instant on.
fn up_to_grid(at: Micros) -> Micros {
    let interval = Interval::containing(at);
    if interval.start() >= at { interval.start().max(at) } else { interval.end() }
}
