//! The fold of one contact: visits into contributions under all three attributions, and its outcome.
//!
//! Invariant: what is counted with `as_of` is what takes effect by then; a visit is in the ratios of a cohort once.

use pegcount_domain::{
    event::{Direction, QueueExit},
    time::{Interval, Micros, Span},
};
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use crate::{
    anomaly::Anomaly,
    cells::{Attribution, Contributions, Dims, Part},
    contact::{
        ContactBody, ContactFact, ContactUnit, LegOutcome,
        visit::{Left, Story, Visit},
    },
    fact::{Mark, Slot},
    histogram,
    line::{Item, WrapUp},
    measure::Measure,
    names::Id,
    reference::Reference,
};

/// A visit that waited across the end of an interval.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Crossing {
    /// The interval that ended.
    pub(crate) interval: Interval,
    pub(crate) dims: Dims,
    pub(crate) entered: Micros,
}

/// What a contact's fold gives.
#[derive(Debug, Default)]
pub(crate) struct Output {
    pub(crate) contributions: Contributions,
    pub(crate) crossings: Vec<Crossing>,
    /// Visits that still wait at `as_of`.
    pub(crate) waiting: Vec<(Dims, Micros)>,
    /// For the watch: when a waiting visit reaches its threshold.
    pub(crate) next_change: Option<Micros>,
    pub(crate) anomalies: Vec<Anomaly>,
    /// Crossings count only in here; none: everywhere.
    range: Option<Span>,
    /// Then visits that wait up to this instant are those that waited before it, and do not leave before it.
    waiting_until: Option<Micros>,
}

impl Output {
    /// For a reader who looks only at `range`: an open wait may reach far beyond it.
    pub(crate) fn within(range: Span) -> Self {
        Self { range: Some(range), ..Self::default() }
    }

    /// The same, for one to whom only counts before an instant matter, and who asks who waits up to then.
    pub(crate) fn before(instant: Micros, range: Span) -> Self {
        let contributions = Contributions::before(instant);
        Self { contributions, waiting_until: Some(instant), ..Self::within(range) }
    }

    /// For explaining the figures of `range`.
    pub(crate) fn traced(range: Span) -> Self {
        Self { contributions: Contributions::traced(range), range: Some(range), ..Self::default() }
    }

    /// Forgets everything, keeps the memory.
    pub(crate) fn clear(&mut self) {
        self.contributions.clear();
        self.crossings.clear();
        self.waiting.clear();
        self.next_change = None;
        self.anomalies.clear();
    }
}

/// The contact as its customer's line sees it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outcome {
    pub(crate) line: Option<Slot>,
    pub(crate) item: Item,
    /// The last instant at which a figure changes for it.
    pub(crate) last_effect: Micros,
}

/// Folds a contact as of an instant. None if nothing of it has happened by then.
pub(crate) fn fold(
    unit: &ContactUnit,
    legs: &[LegOutcome],
    reference: &Reference,
    as_of: Micros,
    out: &mut Output,
) -> Option<Outcome> {
    let story = Story::of(&unit.facts, legs, &mut out.anomalies);
    let first_leg = legs.iter().filter_map(|leg| leg.answered_at).min();
    let first = story.first_at.into_iter().chain(first_leg).min()?;
    let started = story.started.map_or(first, |started| started.at);
    let cut = Dims {
        version: reference.law(started).number,
        entry: story.started.map_or(Id::NONE, |started| started.entry),
        channel: story.started.map_or(0, |started| started.channel),
        direction: story.started.map_or(0, |started| started.direction),
        ..Dims::default()
    };
    let answered = story.visits.iter().filter(|visit| is_answered(visit)).count();
    let mut emit = Emit { reference, as_of, out, last: started };
    for visit in story.visits.iter().filter(|visit| visit.entered <= as_of) {
        let rang = rang(visit, legs, answered);
        emit.visit(visit, Dims { queue: visit.queue, priority: visit.priority, ..cut }, rang);
    }
    let last = emit.last;
    let ended = story.ended.filter(|ended| ended.at <= as_of);
    if let Some(ended) = ended.filter(|ended| ended.self_served && story.visits.is_empty()) {
        out.contributions.source(Part::Between, started, ended.at);
        for (attribution, at) in at_end(started, ended.at) {
            out.contributions.at(at, attribution, cut, Measure::SelfServed, 1);
        }
    }
    let item = item(unit, &story, legs, started, as_of, cut);
    count_handled(&item, legs, as_of, &mut out.contributions);
    if item.callback {
        count_callbacks(&item, legs, as_of, &mut out.contributions);
    }
    let handled_until = legs.iter().filter_map(|leg| leg.handled_until).max();
    let wrapped_at = item.wrap_up.map(|wrap_up| wrap_up.at);
    let last = [ended.map(|ended| ended.at), item.completed_at, item.answered_at, wrapped_at, handled_until]
        .into_iter()
        .flatten()
        .fold(last, Micros::max);
    (first <= as_of).then_some(Outcome { line: story.customer, item, last_effect: last })
}

/// All legs of a contact together, once the last of them is complete (KPIS.md §4, journey AHT).
fn count_handled(item: &Item, legs: &[LegOutcome], as_of: Micros, out: &mut Contributions) {
    let Some(completed) = item.completed_at else { return };
    let mut answered = answered_by(legs, as_of).peekable();
    if answered.peek().is_some() {
        let handle = answered.fold(Micros::ZERO, |sum, leg| sum.plus(leg.handle));
        out.source(Part::Between, item.started, completed);
        let amounts = [(Measure::ContactsHandled, 1), (Measure::ContactsHandleTime, handle.0)];
        out.all_at(completed, Attribution::Event, &item.credited, amounts);
    }
}

/// The legs of our own call-back, each where its handle completed (KPIS.md §3, `callbacks_made`).
fn count_callbacks(item: &Item, legs: &[LegOutcome], as_of: Micros, out: &mut Contributions) {
    for leg in answered_by(legs, as_of) {
        let Some(completed) = leg.completed_at.filter(|at| *at <= as_of) else { continue };
        let dims = Dims {
            agent: leg.agent,
            team: leg.team,
            queue: leg.queue,
            channel: item.credited.channel,
            version: item.credited.version,
            ..Dims::default()
        };
        out.source(Part::Between, item.started, completed);
        let amounts = [(Measure::CallbacksMade, 1), (Measure::CallbackTime, leg.handle.0)];
        out.all_at(completed, Attribution::Event, &dims, amounts);
    }
}

/// Where a contact's own counts belong: its end, or its start.
pub(crate) fn at_end(started: Micros, ended: Micros) -> [(Attribution, Micros); 3] {
    [(Attribution::Event, ended), (Attribution::Start, started), (Attribution::End, ended)]
}

fn is_answered(visit: &Visit) -> bool {
    visit.left.is_some_and(|left| left.exit == QueueExit::Answered)
}

/// How long the answering leg of a visit rang; none if no leg is known to have answered it.
fn rang(visit: &Visit, legs: &[LegOutcome], answered: usize) -> Option<Micros> {
    if !is_answered(visit) {
        return None;
    }
    let answering = legs.iter().filter(|leg| leg.answered_at.is_some());
    let own = answering.clone().filter(|leg| leg.visit == visit.mark).min_by_key(|leg| leg.answered_at);
    let unnamed = || {
        let unnamed = answering.filter(|leg| leg.visit == Mark::NONE);
        unnamed.min_by_key(|leg| leg.answered_at).filter(|_| answered == 1)
    };
    own.or_else(unnamed).map(|leg| leg.rang)
}

struct Emit<'a> {
    reference: &'a Reference,
    as_of: Micros,
    out: &'a mut Output,
    last: Micros,
}

impl Emit<'_> {
    fn visit(&mut self, visit: &Visit, dims: Dims, rang: Option<Micros>) {
        let rules = self.reference.thresholds(visit.queue, visit.entered);
        let dims = Dims { version: rules.version, ..dims };
        let reach = visit.entered.plus(rules.threshold);
        let left = visit.left_by(self.as_of);
        let reached = left.map_or(self.as_of, |left| left.at) > reach;
        self.last =
            self.last.max(visit.entered).max(visit.left.map_or(reach.plus(Micros(1)), |left| left.at));
        self.cross(visit, dims);

        let list = &mut self.out.contributions;
        list.source(Part::Visit(visit.mark), visit.entered, left.map_or(self.as_of, |left| left.at));
        list.at(visit.entered, Attribution::Event, dims, Measure::Offered, 1);
        let counts = left.is_none_or(|left| !is_elsewhere(left.exit));
        if reached && counts {
            list.at(reach, Attribution::Event, dims, Measure::ReachedUnanswered, 1);
        }
        if self
            .out
            .waiting_until
            .is_some_and(|until| visit.entered < until && visit.left.is_none_or(|left| left.at >= until))
        {
            self.out.waiting.push((dims, visit.entered));
        }
        let list = &mut self.out.contributions;
        let Some(left) = left else {
            list.at(visit.entered, Attribution::Start, dims, Measure::Offered, 1);
            if self.out.waiting_until.is_none() {
                self.out.waiting.push((dims, visit.entered));
            }
            if !reached {
                let change = reach.plus(Micros(1));
                self.out.next_change = Some(self.out.next_change.map_or(change, |known| known.min(change)));
            }
            return;
        };
        let wait = left.at.minus(visit.entered);
        let within = wait <= rules.threshold;
        let mut counted = counts_of(left, wait, within, rules.short);
        let prompt = rang.is_some_and(|rang| rang <= rules.rings);
        counted.push((Measure::AnsweredWithinRings, i64::from(prompt)));
        let instants =
            [(Attribution::Event, left.at), (Attribution::Start, visit.entered), (Attribution::End, left.at)];
        for (attribution, at) in instants {
            // Under `event` these have counted each at its own.
            let elsewhere = attribution != Attribution::Event;
            let whole = [
                (Measure::Offered, i64::from(elsewhere)),
                (Measure::ReachedUnanswered, i64::from(elsewhere && reached && counts)),
            ];
            list.all_at(at, attribution, &dims, counted.iter().copied().chain(whole));
            // A wait's own event is its end: `end` reads what stands under `event`.
            if let Some(measure) = histogram_of(left.exit).filter(|_| attribution != Attribution::End) {
                let dims = Dims { detail: histogram::bucket(wait), ..dims };
                list.at(at, attribution, dims, measure, 1);
            }
        }
    }

    /// Notes every interval end at which the visit still waits.
    fn cross(&mut self, visit: &Visit, dims: Dims) {
        let until = visit.left.map_or(self.as_of, |left| left.at.min(self.as_of));
        let range = self.out.range.unwrap_or(Span::new(Micros(i64::MIN), Micros::MAX));
        let until = until.min(range.end);
        let mut interval = Interval::containing(visit.entered.max(range.start));
        while interval.end() <= until {
            self.out.crossings.push(Crossing { interval, dims, entered: visit.entered });
            interval = Interval(interval.0 + 1);
        }
    }
}

/// The `_elsewhere` ones stay outside every ratio (KPIS.md §3).
fn is_elsewhere(exit: QueueExit) -> bool {
    matches!(exit, QueueExit::AnsweredElsewhere | QueueExit::AbandonedElsewhere)
}

fn histogram_of(exit: QueueExit) -> Option<Measure> {
    match exit {
        QueueExit::Answered => Some(Measure::WaitsAnswered),
        QueueExit::Abandoned => Some(Measure::WaitsAbandoned),
        _ => None,
    }
}

type Counts = SmallVec<[(Measure, i64); 8]>;

fn counts_of(left: Left, wait: Micros, within: bool, short: Micros) -> Counts {
    let mut counts = Counts::new();
    counts.push((Measure::Ended, 1));
    counts.push((exit_measure(left.exit), 1));
    let within_measure = match left.exit {
        QueueExit::Answered => {
            counts.push((Measure::WaitAnswered, wait.0));
            Measure::AnsweredWithin
        }
        QueueExit::Abandoned => {
            let is_short = wait <= short;
            counts.push((Measure::WaitAbandoned, wait.0));
            counts.push((Measure::AbandonedRinging, i64::from(left.ringing)));
            counts.push((Measure::AbandonedShort, i64::from(is_short)));
            counts.push((Measure::AbandonedShortWithin, i64::from(is_short && within)));
            Measure::AbandonedWithin
        }
        QueueExit::CallbackTaken => Measure::CallbackWithin,
        exit if is_elsewhere(exit) => return counts,
        _ => Measure::FlowOutWithin,
    };
    counts.push((within_measure, i64::from(within)));
    counts
}

fn exit_measure(exit: QueueExit) -> Measure {
    match exit {
        QueueExit::Answered => Measure::Answered,
        QueueExit::Abandoned => Measure::Abandoned,
        QueueExit::CallbackTaken => Measure::CallbackTaken,
        QueueExit::Overflow => Measure::FlowOutOverflow,
        QueueExit::Timeout => Measure::FlowOutTimeout,
        QueueExit::Closed => Measure::FlowOutClosed,
        QueueExit::Full => Measure::FlowOutFull,
        QueueExit::JoinEmpty => Measure::FlowOutJoinEmpty,
        QueueExit::LeaveEmpty => Measure::FlowOutLeaveEmpty,
        QueueExit::Transferred => Measure::FlowOutTransferred,
        QueueExit::AnsweredElsewhere => Measure::FlowOutAnsweredElsewhere,
        QueueExit::AbandonedElsewhere => Measure::FlowOutAbandonedElsewhere,
        QueueExit::System => Measure::FlowOutSystem,
    }
}

/// Whoever says nothing of a direction speaks of calls that come in.
fn is_inbound(direction: u8) -> bool {
    direction == 0 || direction == Direction::Inbound.code()
}

/// The last wrap-up code that says whether the matter is settled.
fn wrap_up(facts: &[ContactFact], as_of: Micros) -> Option<WrapUp> {
    let mut by_now = facts.iter().rev().filter(|fact| fact.stamp.at <= as_of);
    by_now.find_map(|fact| match fact.body {
        ContactBody::WrappedUp { resolved: Some(resolved), .. } => {
            Some(WrapUp { at: fact.stamp.at, resolved })
        }
        _ => None,
    })
}

fn answered_by(legs: &[LegOutcome], as_of: Micros) -> impl Iterator<Item = &LegOutcome> + Clone {
    legs.iter().filter(move |leg| leg.answered_at.is_some_and(|at| at <= as_of))
}

fn item(
    unit: &ContactUnit,
    story: &Story,
    legs: &[LegOutcome],
    started: Micros,
    as_of: Micros,
    cut: Dims,
) -> Item {
    let by_now = |at: &Micros| *at <= as_of;
    let answered_legs = answered_by(legs, as_of);
    let visits = story.visits.iter().filter(|visit| is_answered(visit));
    let in_queue = visits.filter_map(|visit| visit.left).map(|left| left.at).filter(by_now).min();
    let on_leg = answered_legs.clone().filter_map(|leg| leg.answered_at).min();
    let ended_at = story.ended.map(|ended| ended.at).filter(by_now);
    let mut completed_at = ended_at;
    for leg in answered_legs.clone() {
        let completed = leg.completed_at.filter(by_now);
        completed_at = completed_at.zip(completed).map(|(all, this)| all.max(this));
    }
    let credited = answered_legs.min_by_key(|leg| leg.answered_at);
    let first_queue = story.visits.first().map_or(Id::NONE, |visit| visit.queue);
    Item {
        mark: unit.mark,
        started,
        ended_at,
        answered_at: in_queue.into_iter().chain(on_leg).min(),
        completed_at,
        at_entry: Dims { queue: first_queue, ..cut },
        credited: Dims {
            agent: credited.map_or(Id::NONE, |leg| leg.agent),
            team: credited.map_or(Id::NONE, |leg| leg.team),
            queue: credited.map(|leg| leg.queue).filter(|queue| *queue != Id::NONE).unwrap_or(first_queue),
            channel: cut.channel,
            version: cut.version,
            ..Dims::default()
        },
        asked_for_queue: !story.visits.is_empty(),
        from_customer: story.started.is_none_or(|started| !started.callback && is_inbound(started.direction)),
        journey: story.started.and_then(|started| started.journey),
        callback: story.started.is_some_and(|started| started.callback),
        topic: story.topic,
        wrap_up: wrap_up(&unit.facts, as_of),
        transferred: legs.iter().any(|leg| leg.transferred_to_queue),
    }
}
