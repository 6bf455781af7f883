//! The door: all sites, all units, all cells.

use pegcount_domain::{
    envelope::{Position, Recorded},
    ids::{Key, Name, SiteId},
    time::{Interval, Micros, Span},
};
use rustc_hash::FxHashMap;

use crate::{
    anomaly::Anomaly,
    correction::Correction,
    query::{ExplainQuery, Explanation, Query, QueryError, Table, explain::explain, table},
    site::{Site, read::Scope},
};

/// For readers who want no amounts.
const NOWHERE: Span = Span { start: Micros::ZERO, end: Micros::ZERO };

/// Figures of all sites, as far as the log has been applied.
#[derive(Debug, Default)]
pub struct Kpi {
    pub(crate) slots: FxHashMap<Key, usize>,
    pub(crate) sites: Vec<Site>,
    /// The site of the last event.
    last: Option<(Key, usize)>,
    /// New sites whose names nobody has told.
    missing: Vec<Key>,
    pub(crate) position: Position,
}

impl Kpi {
    /// Nothing happened yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next event of the log in. Never fails: what the rules do not allow is kept and marked. An event
    /// whose position is not after the last one changes nothing, so that a reader may start a little early.
    pub fn apply(&mut self, recorded: &Recorded) {
        if recorded.position <= self.position {
            return;
        }
        self.position = recorded.position;
        let key = recorded.stream.site;
        let sites = &mut self.sites;
        let missing = &mut self.missing;
        let slot = match self.last {
            Some((last, slot)) if last == key => slot,
            _ => *self.slots.entry(key).or_insert_with(|| {
                sites.push(Site::new(key));
                missing.push(key);
                sites.len() - 1
            }),
        };
        self.last = Some((key, slot));
        if let Some(site) = self.sites.get_mut(slot) {
            site.apply(recorded);
        }
    }

    /// The names that rows will need and nobody has told: ask after every frame, and tell them by [`Self::name`].
    /// Each is given once.
    pub fn missing_names(&mut self) -> Vec<Key> {
        let mut missing = std::mem::take(&mut self.missing);
        missing.extend(self.sites.iter_mut().flat_map(|site| site.names.take_missing()));
        missing.sort_unstable();
        missing.dedup();
        missing
    }

    /// Tells the text behind a key. Keys that name no site, agent, team, queue or entry are ignored.
    pub fn name(&mut self, key: Key, text: &str) {
        for site in &mut self.sites {
            if site.key == key && site.name.is_none() {
                site.name = Name::new(text).ok();
            }
            site.names.tell(key, text);
        }
    }

    /// Answers a query.
    pub fn query(&self, query: &Query) -> Result<Table, QueryError> {
        self.check_open(query)?;
        let answer = table::answer(query, self.site(&query.site))?;
        Ok(Table { position: self.position, ..answer })
    }

    /// Says why a figure is what it is.
    pub fn explain(&self, asked: &ExplainQuery) -> Result<Explanation, QueryError> {
        self.check_open(&asked.query)?;
        let closed_before = self.closed_before(&asked.query.site);
        if asked.query.from < closed_before {
            return Err(QueryError::EventsGone { from: asked.query.from, closed_before });
        }
        let explanation = explain(asked, self.site(&asked.query.site))?;
        Ok(Explanation { position: self.position, ..explanation })
    }

    /// The last event that has been applied.
    pub fn position(&self) -> Position {
        self.position
    }

    /// The facts of a site that the rules do not allow, by position.
    pub fn anomalies(&self, site: &SiteId) -> Vec<Anomaly> {
        let Some(site) = self.site(site) else { return Vec::new() };
        let open = site.overlay(Micros(i64::MAX - 1), NOWHERE, &Scope::Everything).anomalies;
        let mut all: Vec<Anomaly> = site.books.marks().iter().chain(open).collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// The figures of a site that changed after their interval had closed, in the order of their causes.
    pub fn corrections(&self, site: &SiteId) -> Vec<Correction> {
        self.site(site).map(|site| site.corrections.iter().collect()).unwrap_or_default()
    }

    /// Whether an event after `since` changed anything of a site in `[from, to)`. Clocks that merely run on do not
    /// count: whoever watches counts seconds by itself. A watch of gauges looks at the present interval too.
    pub fn changed_since(&self, site: &SiteId, from: Micros, to: Micros, since: Position) -> bool {
        let Some(site) = self.site(site) else { return false };
        let end = Interval::containing(to.minus(Micros(1)));
        let intervals = (Interval::containing(from).0..=end.0).map(Interval);
        site.position() > since
            && intervals.into_iter().any(|interval| site.books.changed_at(interval) > since)
    }

    /// The next instant after `now` at which a query's figures change in more than running clocks with no event: a
    /// visit reaches its threshold, a waiting time of first-contact resolution is over, an interval begins.
    pub fn next_change(&self, query: &Query, now: Micros) -> Option<Micros> {
        let site = self.site(&query.site)?;
        let border = Interval::containing(now).end();
        let border = (query.from <= now && now < query.to).then_some(border);
        let next = site.overlay(now, NOWHERE, &Scope::Everything).next_change;
        [border, next].into_iter().flatten().filter(|at| *at > now).min()
    }

    /// Up to when a site's history is closed: facts from before it change no figure any more.
    pub fn closed_before(&self, site: &SiteId) -> Micros {
        self.site(site).map_or(Micros(i64::MIN), |site| site.closed_before)
    }

    fn check_open(&self, query: &Query) -> Result<(), QueryError> {
        let (as_of, closed_before) = (query.as_of, self.closed_before(&query.site));
        if as_of < closed_before {
            return Err(QueryError::Closed { as_of, closed_before });
        }
        let from = query.from;
        if query.variant.efficiency_target.is_some() && from < closed_before {
            return Err(QueryError::DaysGone { from, closed_before });
        }
        Ok(())
    }

    fn site(&self, id: &SiteId) -> Option<&Site> {
        self.sites.iter().find(|site| site.name.as_ref().is_some_and(|name| *name == id.0))
    }
}
