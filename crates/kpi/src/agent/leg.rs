//! One leg within a fold: its phase, its sums, and what it adds to the figures when it is over.
//!
//! Which step leads where is the domain's table to say ([`pegcount_domain::agent::transition`]); here its time is
//! measured. Invariant: every phase's span is emitted once, when it closes or where a reading clips it.

use pegcount_domain::{
    agent::Phase,
    event::{Channel, Direction, Party, TransferKind},
    time::Micros,
};

use crate::{
    agent::{
        authority::{Beliefs, Reports},
        emit::{Output, Told, Whose},
    },
    cells::{Attribution, Detail, Dims, Part},
    contact::LegOutcome,
    day::What,
    fact::{LegFact, Mark, Slot, Track},
    measure::Measure,
    names::Id,
};

/// One leg.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Leg {
    pub(crate) mark: Mark,
    contact: Slot,
    visit: Mark,
    queue: Id,
    channel: Option<Channel>,
    direction: Option<Direction>,
    pub(crate) reports: Reports,

    /// None until the first believed step.
    pub(crate) phase: Option<Phase>,
    pub(crate) since: Micros,
    /// How long after-call work may last altogether, if a timer ends it.
    pub(crate) work_limit: Option<Micros>,
    /// After-call work of the present span, before it was suspended.
    pub(crate) worked: Micros,

    assigned_at: Option<Micros>,
    rang: Micros,
    answered_at: Option<Micros>,
    /// The end of the conversation.
    talked_until: Option<Micros>,
    /// The end of the last after-call work.
    worked_until: Option<Micros>,
    /// The leg's end said that after-call work follows.
    pub(crate) announced: bool,
    talk: Micros,
    hold: Micros,
    work: Micros,
    holds: i64,
    consults: i64,
    conferences: i64,
    /// The first transfer, and why.
    transfer: Option<(TransferKind, Id)>,
    transfer_to_queue: bool,
    pub(crate) ended_by: Option<Party>,
    /// An end was told by who is not believed for it.
    pub(crate) end_disbelieved: bool,
}

impl Leg {
    pub(crate) fn new(fact: &LegFact, beliefs: Beliefs) -> Self {
        Self {
            mark: fact.leg,
            contact: fact.contact,
            visit: Mark::NONE,
            queue: Id::NONE,
            channel: None,
            direction: None,
            reports: Reports::under(beliefs),
            phase: None,
            since: Micros::ZERO,
            work_limit: None,
            worked: Micros::ZERO,
            assigned_at: None,
            rang: Micros::ZERO,
            answered_at: None,
            talked_until: None,
            worked_until: None,
            announced: false,
            talk: Micros::ZERO,
            hold: Micros::ZERO,
            work: Micros::ZERO,
            holds: 0,
            consults: 0,
            conferences: 0,
            transfer: None,
            transfer_to_queue: false,
            ended_by: None,
            end_disbelieved: false,
        }
    }

    /// Learns what the leg is about from one of its facts; of two that differ, the earlier in time holds.
    #[inline]
    pub(crate) fn learn(&mut self, fact: &LegFact, track: Track) {
        self.reports.learn(fact.step, track);
        if self.visit == Mark::NONE {
            self.visit = fact.visit;
        }
        if self.queue == Id::NONE {
            self.queue = fact.queue;
        }
        self.channel = self.channel.or(fact.channel);
        self.direction = self.direction.or(fact.direction);
    }

    pub(crate) fn queue(&self) -> Id {
        self.queue
    }

    pub(crate) fn channel(&self) -> Option<Channel> {
        self.channel
    }

    /// Whether nothing of it is going on.
    pub(crate) fn is_quiet(&self) -> bool {
        self.phase.is_none_or(Phase::is_over)
    }

    /// Of what begins at `at`. Leg times are the same by all formula versions; they say the one that the handle says so
    /// that both share their cells.
    fn dims(&self, whose: &Whose<'_>, at: Micros) -> Dims {
        Dims {
            version: whose.reference.law(self.answered_at.unwrap_or(at)).number,
            agent: whose.agent,
            queue: self.queue,
            channel: self.channel.map_or(0, Channel::code),
            direction: self.direction.map_or(0, Direction::code),
            ..Dims::default()
        }
    }

    /// An outbound task was assigned.
    pub(crate) fn assign(&mut self, at: Micros) {
        self.assigned_at.get_or_insert(at);
    }

    /// Goes over to `to` at `at`: closes the present phase's span and counts what the change says.
    pub(crate) fn enter(&mut self, to: Phase, at: Micros, whose: &Whose<'_>, out: &mut Output) {
        let from = self.phase;
        self.emit_span(at, whose, out);
        self.add_up(at);
        self.phase = Some(to);
        self.since = at;
        self.count_offer(from, to, at, whose, out);
        match to {
            Phase::Held if from != Some(Phase::Held) => self.holds += 1,
            Phase::Consulting => self.consults += 1,
            Phase::Conferenced => self.conferences += 1,
            _ => {}
        }
        if from.is_some_and(Phase::is_over) && to.is_offer() && self.answered_at.is_none() {
            self.rang = Micros::ZERO;
        }
        let work = |phase| matches!(phase, Phase::AfterCall | Phase::Suspended);
        if from.is_some_and(work) && !work(to) {
            self.worked_until = Some(at);
        } else if to == Phase::AfterCall && from != Some(Phase::Suspended) {
            self.worked_until = None;
        }
        if to.is_conversation() {
            self.answered_at.get_or_insert(at);
            self.talked_until = None;
            self.announced = false;
        } else if from.is_some_and(Phase::is_conversation) {
            self.talked_until = Some(at);
            self.announced = to == Phase::AfterCall;
        }
    }

    /// Passed on; the first report counts. Back into its own queue is not to another one.
    pub(crate) fn transfer(&mut self, kind: TransferKind, to_queue: Id, reason: Id) {
        self.transfer.get_or_insert((kind, reason));
        self.transfer_to_queue |= to_queue != Id::NONE && to_queue != self.queue;
    }

    fn count_offer(
        &mut self,
        from: Option<Phase>,
        to: Phase,
        at: Micros,
        whose: &Whose<'_>,
        out: &mut Output,
    ) {
        let dims = self.dims(whose, at);
        out.contributions.source(Part::Leg(self.mark), at, at);
        let offered = match from {
            Some(Phase::Offered | Phase::Ringing) => true,
            None => {
                self.direction != Some(Direction::Outbound) && !matches!(to, Phase::AfterCall | Phase::Ended)
            }
            _ => false,
        };
        if to == Phase::Dialing && from != Some(Phase::Dialing) {
            out.amount(whose, dims, Measure::OutboundDials, at, 1);
            if let Some(assigned) = self.assigned_at.take() {
                out.amount(whose, dims, Measure::DialDelay, at, at.minus(assigned).0.max(0));
            }
            return;
        }
        if to.is_offer() {
            return;
        }
        if from == Some(Phase::Dialing) && to.is_conversation() {
            out.amount(whose, dims, Measure::OutboundConnected, at, 1);
        }
        if offered {
            out.amount(whose, dims, Measure::Offers, at, 1);
            let cause = match to {
                Phase::Missed => Measure::OffersMissed,
                Phase::Rejected => Measure::OffersRejected,
                Phase::CustomerGone => Measure::OffersCustomerGone,
                _ => return,
            };
            out.amount(whose, dims, cause, at, 1);
        }
    }

    /// What the present phase's span counts as.
    fn span_measure(&self) -> Option<Measure> {
        Some(match self.phase? {
            Phase::Ringing => Measure::RingTime,
            Phase::Dialing => Measure::DialTime,
            Phase::Talking => Measure::TalkTime,
            Phase::Held => Measure::HoldTime,
            Phase::Consulting => Measure::ConsultTime,
            Phase::Conferenced => Measure::ConferenceTime,
            Phase::Interrupted => Measure::InterruptedTime,
            Phase::AfterCall => Measure::AcwTime,
            _ => return None,
        })
    }

    /// Says that the present phase's span goes on at `at`.
    pub(crate) fn go_on(&self, at: Micros, whose: &Whose<'_>, out: &mut Output) {
        if let Some(measure) = self.span_measure() {
            out.goes_on(whose, self.dims(whose, self.since), measure, at);
        }
    }

    /// Emits the present phase's span up to `at`.
    pub(crate) fn emit_span(&self, at: Micros, whose: &Whose<'_>, out: &mut Output) {
        let Some(measure) = self.span_measure() else { return };
        out.contributions.source(Part::Leg(self.mark), self.since, at);
        out.span(whose, self.dims(whose, self.since), &[measure], self.since, at);
    }

    fn add_up(&mut self, at: Micros) {
        let part = at.minus(self.since);
        match self.phase {
            Some(Phase::Ringing) if self.answered_at.is_none() => self.rang = self.rang.plus(part),
            Some(Phase::Talking | Phase::Consulting | Phase::Conferenced) => self.talk = self.talk.plus(part),
            Some(Phase::Held) => self.hold = self.hold.plus(part),
            Some(Phase::AfterCall) => self.work = self.work.plus(part),
            _ => {}
        }
    }

    /// When the handle completed (KPIS.md §2), if it has.
    fn completed_at(&self) -> Option<Micros> {
        self.answered_at?;
        if self.announced { self.worked_until } else { self.talked_until }
    }

    /// Emits the handle, if it has completed, and what became of the leg.
    pub(crate) fn finish(&self, whose: &Whose<'_>, out: &mut Output) {
        let completed = self.completed_at();
        if let (Some(answered), Some(completed)) = (self.answered_at, completed) {
            out.contributions.source(Part::Leg(self.mark), answered, completed);
            let short = whose.reference.law(answered).rules.short_handle;
            self.emit_handle(Attribution::Event, completed, short, whose, out);
            self.emit_handle(Attribution::Start, answered, short, whose, out);
            if self.direction == Some(Direction::Inbound) {
                out.piece(whose, completed, What::Inbound);
            }
        }
        let outcome = LegOutcome {
            visit: self.visit,
            queue: self.queue,
            agent: whose.agent,
            team: completed.map_or(Id::NONE, |at| whose.team(at)),
            channel: self.channel.map_or(0, Channel::code),
            rang: self.rang,
            answered_at: self.answered_at,
            completed_at: completed,
            handle: self.talk.plus(self.hold).plus(self.work),
            handled_until: completed.max(self.worked_until),
            transferred_to_queue: self.transfer_to_queue,
        };
        out.outcomes.push(Told { contact: self.contact, leg: self.mark, outcome });
    }

    /// The whole handle, after-call work that the leg's end had not announced included, where it completed.
    fn emit_handle(
        &self,
        attribution: Attribution,
        at: Micros,
        short: Micros,
        whose: &Whose<'_>,
        out: &mut Output,
    ) {
        let dims = Dims { team: whose.team(at), ..self.dims(whose, at) };
        let amounts = [
            (Measure::Handled, 1),
            (Measure::HandledInbound, i64::from(self.direction == Some(Direction::Inbound))),
            (Measure::HandleTalk, self.talk.0),
            (Measure::HandleHold, self.hold.0),
            (Measure::HandleAcw, self.work.0),
            (Measure::Holds, self.holds),
            (Measure::Consults, self.consults),
            (Measure::Conferences, self.conferences),
            (Measure::EndedByAgent, i64::from(self.ended_by == Some(Party::Agent))),
            (Measure::ShortHandles, i64::from(self.talk <= short)),
        ];
        out.contributions.all_at(at, attribution, &dims, amounts);
        if let Some((kind, reason)) = self.transfer {
            let measure = match kind {
                TransferKind::Cold => Measure::TransfersOutCold,
                TransferKind::Warm => Measure::TransfersOutWarm,
            };
            let dims = Dims { detail: Detail(reason.0), ..dims };
            out.contributions.at(at, attribution, dims, measure, 1);
        }
    }
}
