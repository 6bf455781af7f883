//! The figures against an independent count of the log's facts, all the time (KPIS.md §3, balance and agent clock).
//!
//! - [`reader`]: the log into the auditor, up to exactly where the figures stand
//! - [`stated`]: the figures in the auditor's shape
//! - [`alarms`]: what is wrong now, told once; [`reconcile`]: a whole range, recounted from the log's beginning
//!
//! The auditor follows behind the figures and never holds up the log or a fold. Now and then it looks at the last hours and
//! at one part of what lies further back, and takes at most one fiftieth of a core for it. Invariant: two counts are
//! compared only at the same position and as of the same instant.

mod alarms;
mod reader;
mod reconcile;
mod stated;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use pegcount_audit::{Keep, Limits, differences};
use pegcount_domain::{
    ids::{Key, SiteId},
    time::{Interval, Micros, Span},
};
use rustc_hash::{FxHashMap, FxHashSet};
use tokio::{sync::Mutex, task::JoinHandle};

pub use alarms::{AuditStatus, Violation};
pub use reconcile::{ReconcileProgress, Reconciled};

use self::{alarms::Alarms, reader::Reader};
use crate::{
    engine::Engine,
    error::EngineError,
    options::{AUDIT_EVERY, AUDIT_FACTS_MAX},
};

/// How often it looks, at most.
const LOOKS_EVERY: Duration = Duration::from_micros(AUDIT_EVERY.0.unsigned_abs());
/// How often it looks at the least, even if that takes more than its share: once the log is long, the first look reads it.
const LOOKS_EVERY_AT_LEAST: Duration = Duration::from_mins(5);
/// Looking takes at most one part in so many of the time.
const SHARE: u32 = 50;
/// After a doubt the log is read again, but not more often than this.
const READS_AGAIN_EVERY: Duration = Duration::from_mins(10);
/// So many agents and contacts may be held when the log is read again.
const HELD_MAX: usize = 1_000;
/// Numbers of so many intervals before those facts are kept too.
const INTERVALS_KEPT: i32 = 8;
/// At one look, of each site, at most so many lines of agents: with more agents it is fewer intervals.
const LINES_MAX: usize = 20_000;
/// At least so many of the last intervals are looked at each time, if that are not too many lines.
const RECENT: i32 = 8;

const LIMITS: Limits = Limits { facts_max: AUDIT_FACTS_MAX, keep: Keep::Last(INTERVALS_KEPT) };

/// The auditor of an engine.
#[derive(Default)]
pub(crate) struct Audit {
    /// None before the first look.
    live: Mutex<Option<Live>>,
    alarms: parking_lot::Mutex<Alarms>,
    /// Held while a range is recounted.
    reconciling: Mutex<()>,
}

/// What one look goes on from.
struct Live {
    reader: Reader,
    /// Where the next part of each site's past begins.
    next: FxHashMap<Key, Interval>,
    read_at: Instant,
}

impl Engine {
    /// Checks the figures of all sites now: the last hours, and the next part of what lies further back. Gives all
    /// violations that are open.
    ///
    /// Errors: the log's.
    pub async fn audit_now(self: &Arc<Self>) -> Result<AuditStatus, EngineError> {
        let mut live = self.audit.live.lock().await;
        let own = match live.take() {
            Some(own) => own,
            None => Live::begin(self, FxHashSet::default()).await?,
        };
        *live = Some(own.look(self).await?.read_again(self).await?);
        Ok(self.audit_status())
    }

    /// What the auditor has found.
    pub fn audit_status(&self) -> AuditStatus {
        self.audit.alarms.lock().status()
    }

    /// Makes a cell wrong, for tests that must see it found; see [`pegcount_kpi::Kpi::corrupt`].
    #[cfg(feature = "corrupting")]
    pub fn corrupt(
        &self,
        site: &SiteId,
        measure: pegcount_kpi::Measure,
        who: &pegcount_domain::ids::Name,
        interval: Interval,
        amount: i64,
    ) -> bool {
        self.figures.state().write().kpi.corrupt(site, measure, who, interval, amount)
    }
}

impl Live {
    async fn begin(engine: &Engine, held: FxHashSet<Key>) -> Result<Self, EngineError> {
        // Not when the engine opens: whoever collects metrics comes after it.
        alarms::describe();
        let reader = Reader::begin(&engine.log, engine.seed, LIMITS, held).await?;
        Ok(Self { reader, next: FxHashMap::default(), read_at: Instant::now() })
    }

    /// Something could not be counted because its facts had been let go of: reads the log again, and holds on to them.
    async fn read_again(self, engine: &Engine) -> Result<Self, EngineError> {
        let doubtful = self.reader.auditor.doubtful();
        let fits = !doubtful.is_empty() && doubtful.len() <= HELD_MAX;
        if !fits || self.read_at.elapsed() < READS_AGAIN_EVERY {
            return Ok(self);
        }
        tracing::info!(
            subjects = doubtful.len(),
            "late facts reach back further than the auditor remembers: it reads the log again"
        );
        Self::begin(engine, doubtful).await
    }

    async fn look(mut self, engine: &Arc<Engine>) -> Result<Self, EngineError> {
        self.reader.read_up_to(engine.figures.position()).await?;
        let now = engine.clock.now();
        let mut left_out = 0;
        for site in self.reader.auditor.sites() {
            let Some(name) = self.reader.name(site).map(SiteId) else { continue };
            for range in self.ranges(site, now) {
                let (own, doubts) = self.compare(engine, (site, &name), range, now).await?;
                (self, left_out) = (own, left_out + doubts);
            }
        }
        let mut alarms = engine.audit.alarms.lock();
        alarms.looked(self.reader.auditor.position(), now, self.reader.auditor.facts(), left_out);
        drop(alarms);
        Ok(self)
    }

    /// The last hours, and the next part of what lies further back.
    fn ranges(&mut self, site: Key, now: Micros) -> Vec<Span> {
        let auditor = &self.reader.auditor;
        let end = Interval(Interval::containing(now).0.saturating_add(1));
        let agents = auditor.agents(site).max(1);
        let at_once = i32::try_from((LINES_MAX / agents).clamp(1, 96)).unwrap_or(1);
        let first = Interval::containing(auditor.first(site).max(auditor.oldest(site)));
        let recent = Interval((end.0 - RECENT.min(at_once)).max(first.0));
        let mut ranges = vec![span(recent, end)];
        if first < recent {
            let known = self.next.get(&site).copied().filter(|next| first <= *next && *next < recent);
            // Long times without a fact are passed over.
            let from = known.and_then(|known| auditor.next_busy(site, known)).filter(|busy| *busy < recent);
            let from = from.unwrap_or(first);
            let to = Interval((from.0 + at_once).min(recent.0));
            self.next.insert(site, to);
            ranges.push(span(from, to));
        }
        ranges.retain(|range| range.start < range.end);
        ranges
    }

    /// Gives how many subjects had to be left out.
    async fn compare(
        mut self,
        engine: &Arc<Engine>,
        (site, name): (Key, &SiteId),
        range: Span,
        now: Micros,
    ) -> Result<(Self, usize), EngineError> {
        let Some((mut stated, position)) = stated::stated(engine, name, range, now).await? else {
            return Ok((self, 0));
        };
        self.reader.read_up_to(position).await?;
        let own = name.clone();
        let compared = engine.work(move || {
            let (counted, doubts) = self.reader.count(site, range, now);
            stated.leave_out(&doubts);
            let violation = |difference| {
                let behind = self.reader.behind(site, &difference);
                Violation { site: own.clone(), difference, position, behind }
            };
            let found: Vec<Violation> = differences(&stated, &counted).into_iter().map(violation).collect();
            Ok((self, found, doubts.len()))
        });
        let (own, found, doubts) = compared.await?;
        engine.audit.alarms.lock().take(name, range, found);
        Ok((own, doubts))
    }
}

fn span(from: Interval, to: Interval) -> Span {
    Span::new(from.start(), to.start())
}

/// Looks now and then, until the engine goes.
pub(crate) fn spawn(engine: &Arc<Engine>) -> JoinHandle<()> {
    let engine = Arc::downgrade(engine);
    tokio::spawn(async move {
        // A start has better things to do.
        let mut pause = LOOKS_EVERY;
        loop {
            tokio::time::sleep(pause).await;
            let begun = Instant::now();
            {
                let Some(engine) = engine.upgrade() else { return };
                if let Err(error) = engine.audit_now().await {
                    tracing::error!(%error, "the figures could not be checked against the facts; trying again later");
                }
            }
            let took = begun.elapsed();
            metrics::histogram!("pegcount_audit_seconds").record(took.as_secs_f64());
            pause = (took * SHARE).clamp(LOOKS_EVERY, LOOKS_EVERY_AT_LEAST);
        }
    })
}
