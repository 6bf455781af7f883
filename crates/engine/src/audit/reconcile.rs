//! A whole range against the log: read from its beginning, counted by the auditor, compared number by number.
//!
//! Not for mending: it only tells. Invariant: whatever of the range is not compared is named.

use std::sync::Arc;

use pegcount_audit::{Counts, Difference, Keep, Limits, Subject, compared, differences};
use pegcount_domain::{
    envelope::Position,
    ids::{Key, Name, SiteId},
    time::{Interval, Micros, Span},
};
use pegcount_kpi::Dimension;
use rustc_hash::FxHashSet;

use super::{
    reader::{Doubts, Reader},
    stated,
};
use crate::{
    engine::Engine,
    error::EngineError,
    options::{RECONCILE_DIFFERENCES_MAX, RECONCILE_FACTS_MAX},
};

/// So many lines of agents are compared at once.
const LINES_MAX: usize = 50_000;
/// Figures and log do not stand on the same definitions.
const PENDING: &str =
    "definitions that reach far back are being taken in in the background: ask again once that is done";

/// How far it has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReconcileProgress {
    /// Events of the log that have been gone through.
    pub read: u64,
    /// Of so many.
    pub of: u64,
}

/// What came of it.
#[derive(Clone, Debug, Default)]
pub struct Reconciled {
    /// Where log and figures stood at the end.
    pub position: Position,
    /// The instant to which open work counted.
    pub as_of: Micros,
    /// From when on there was anything to compare with: history before this is closed, and its facts are gone or do not
    /// count. None: the whole range was compared.
    pub compared_from: Option<Micros>,
    /// Queues in intervals, with something to compare.
    pub queue_lines: u64,
    /// Agents in intervals.
    pub agent_lines: u64,
    /// Numbers in all of them.
    pub numbers: u64,
    /// What differs, in order; at most 10,000.
    pub differences: Vec<Difference<Name>>,
    /// How many differ.
    pub differing: u64,
    /// What could not be compared though its facts are there, in words: they came too late for so long a log.
    pub left_out: Vec<String>,
}

impl Engine {
    /// Whether a range can be recounted. Errors: as for any question about figures.
    pub fn check_reconcile(&self, site: &SiteId, from: Micros, to: Micros) -> Result<(), EngineError> {
        let range = Span { start: from, end: to };
        Ok(stated::query(site, range, Dimension::Queue, self.clock.now()).check()?)
    }

    /// Recounts a range of a site from the log's facts and compares the figures of every queue and agent, interval by
    /// interval. Tells how far it has come. One range at a time: facts are kept for it, and others wait.
    ///
    /// Errors: a range that cannot be asked for; the log's.
    pub async fn reconcile(
        self: &Arc<Self>,
        site: &SiteId,
        range: Span,
        tell: &mut (dyn FnMut(ReconcileProgress) + Send),
    ) -> Result<Reconciled, EngineError> {
        let as_of = self.clock.now();
        self.check_reconcile(site, range.start, range.end)?;
        let _alone = self.audit.reconciling.lock().await;
        let (key, limits) = (
            Key::of(site.as_str(), self.seed),
            Limits { facts_max: RECONCILE_FACTS_MAX, keep: Keep::Range(range) },
        );
        let mut held = FxHashSet::default();
        let mut reader = None;
        // Once more if facts had been let go of that were needed later: then they are held.
        for _ in 0..2 {
            let mut read = Reader::begin(&self.log, self.seed, limits, held.clone()).await?;
            let (first, end) = (read.auditor.position(), self.figures.position());
            let of = end.0.saturating_sub(first.0);
            read.read_up_to_telling(end, &mut |at| {
                tell(ReconcileProgress { read: at.0.saturating_sub(first.0).min(of), of });
            })
            .await?;
            held = read.auditor.doubtful();
            reader = Some(read);
            if held.is_empty() {
                break;
            }
        }
        match reader {
            Some(reader) => self.compare_range(reader, (key, site), range, as_of).await,
            None => Ok(Reconciled::default()),
        }
    }

    async fn compare_range(
        self: &Arc<Self>,
        mut reader: Reader,
        (key, site): (Key, &SiteId),
        range: Span,
        as_of: Micros,
    ) -> Result<Reconciled, EngineError> {
        let first = reader.auditor.first(key).max(range.start);
        let mut done = Reconciled { as_of, ..Reconciled::default() };
        done.compared_from = (first > range.start).then_some(first.min(range.end));
        let agents = reader.auditor.agents(key).max(1);
        let at_once = i32::try_from((LINES_MAX / agents).clamp(1, 35_040)).unwrap_or(1);
        let (mut counts, mut doubts) = (Counts::<Name>::default(), Doubts::default());
        // Where the site stood when all of the range was counted; nowhere, once it was counted by parts.
        let mut counted_at: Option<Position> = None;
        let mut from = Interval::containing(first);
        while from.start() < range.end {
            let to = Interval(from.0.saturating_add(at_once)).start().min(range.end);
            let part = Span::new(from.start(), to);
            let stated = stated::stated(self, site, part, as_of).await?;
            let (mut stated, position) =
                stated.ok_or_else(|| EngineError::Precondition(PENDING.to_owned()))?;
            reader.read_up_to(position).await?;
            let own = reader.auditor.site_position(key);
            // As long as nothing of the site comes in, what was counted for all of the range holds.
            let counted = match counted_at {
                None => Some(Span::new(first, range.end)),
                Some(at) if at != own => Some(Span::new(part.start.max(first), part.end)),
                Some(_) => None,
            };
            if let Some(span) = counted {
                let count = self.work(move || {
                    let (counts, doubts) = reader.count(key, span, as_of);
                    Ok((reader, counts, doubts))
                });
                (reader, counts, doubts) = count.await?;
                counted_at = Some(counted_at.map_or(own, |_| Position(u64::MAX)));
            }
            stated.leave_out(&doubts);
            done.add(&stated, &counts.of(|interval| from <= interval && interval.end() <= to), position);
            from = Interval::containing(to);
        }
        done.left_out = doubts.iter().filter(|(_, from)| *from < range.end).map(in_words).collect();
        done.position = done.position.max(reader.auditor.position());
        Ok(done)
    }
}

impl Reconciled {
    fn add(&mut self, stated: &Counts<Name>, counted: &Counts<Name>, position: Position) {
        let (queues, agents) = compared(stated, counted);
        let number = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        self.queue_lines += number(queues);
        self.agent_lines += number(agents);
        self.numbers += number((queues + agents) * 6);
        let all = differences(stated, counted);
        self.differing += number(all.len());
        let room = RECONCILE_DIFFERENCES_MAX.saturating_sub(self.differences.len());
        self.differences.extend(all.into_iter().take(room));
        self.position = position;
    }
}

fn in_words((subject, from): &(Subject<Name>, Micros)) -> String {
    let who = match subject {
        Subject::Visits => "all queues".to_owned(),
        Subject::Agents => "all agents".to_owned(),
        Subject::Agent(agent) => format!("agent {agent}"),
    };
    let since = jiff::Timestamp::from_microsecond(from.0);
    match since {
        Ok(since) if from.0 > 0 => format!("{who} from {since} on"),
        _ => who,
    }
}
