//! A ticket as it goes on, fact by fact, and what each fact counts.
//!
//! How it stands is the domain's ([`Ticket::apply`]); here it is counted what comes of it. What a fact counts stays counted; what hangs on
//! how the ticket stands in the end is said apart, by [`Course::pending`], and taken back when it goes on. Invariant: the steps
//! of all facts and what is pending after the last are the fold of the whole ticket.

use pegcount_domain::{
    ids::TeamId,
    ticketing::{Status, Ticket, TicketEvent, Validity, VisitStep},
    time::{Interval, Micros},
};
use smallvec::SmallVec;

use crate::{
    cells::{Contributions, Dims},
    measure::Measure as M,
    names::Id,
    reference::Reference,
    ticket::{
        TicketFact,
        class::{Classes, Place},
        giving::{Counted, Whose, count, count_by_length, dims},
        owed::Owed,
        spent::{Amounts, Spent},
    },
};

/// What folds of tickets look up.
#[derive(Clone, Copy)]
pub(crate) struct Ground<'a> {
    pub(crate) reference: &'a Reference,
    pub(crate) classes: &'a Classes,
}

/// A site visit at whose place somebody arrived.
#[derive(Clone, Copy, Debug)]
struct Arrival {
    counted: Counted,
    is_filed: bool,
}

/// A ticket, as far as it has come.
#[derive(Clone, Debug)]
pub(crate) struct Course {
    ticket: Ticket<Id>,
    class: Place,
    queue: Id,
    /// Its latest resolution.
    resolved: Option<Counted>,
    /// Its latest closing.
    closed: Option<Counted>,
    has_responded: bool,
    spent: Spent,
    /// Of the latest visit.
    arrival: Option<Arrival>,
    owed: Owed,
    /// As what it stands in the backlog.
    stands: Option<(Whose, Dims)>,
    /// The latest instant that anything was owed at.
    owed_until: Micros,
    /// Where else than at its facts it is listed as counting.
    listed: SmallVec<[Interval; 4]>,
}

impl Course {
    /// A ticket begins with this fact; none if it is no opening.
    pub(crate) fn open(
        fact: &TicketFact,
        class: Place,
        ground: Ground<'_>,
        out: &mut Contributions,
    ) -> Option<Self> {
        let at = fact.stamp.at;
        let TicketEvent::Opened(opening) = &fact.event else { return None };
        let ticket = Ticket::opened(&fact.event, at, &Id::NONE)?;
        let queue = opening.queue.map_or(Id::NONE, |queue| queue.0);
        let mut course = Self {
            ticket,
            class,
            queue,
            resolved: None,
            closed: None,
            has_responded: false,
            spent: Spent::from(at),
            arrival: None,
            owed: Owed::default(),
            stands: None,
            owed_until: at,
            listed: SmallVec::new(),
        };
        let opened = course.counted(course.received(), at, ground.reference);
        count(out, opened, (at, at), [(M::TicketsOpened, 1)]);
        course.take_owed(&fact.event, at, ground.reference, out);
        course.stand(at, ground.reference, out);
        Some(course)
    }

    /// The last instant at which a definition can make it count otherwise.
    pub(crate) fn reach(&self, last: Micros) -> Micros {
        if self.ticket.status.is_open() { Micros::MAX } else { last.max(self.owed_until) }
    }

    /// Notes that it is listed in an interval; false if it was.
    pub(crate) fn list(&mut self, interval: Interval) -> bool {
        let is_new = !self.listed.contains(&interval);
        if is_new {
            self.listed.push(interval);
        }
        is_new
    }

    /// Takes the next fact in; false if the rules do not allow it.
    pub(crate) fn step(&mut self, fact: &TicketFact, ground: Ground<'_>, out: &mut Contributions) -> bool {
        let before = self.ticket.status;
        if before.is_over() || matches!(fact.event, TicketEvent::Opened(_)) {
            return false;
        }
        let (at, reference) = (fact.stamp.at, ground.reference);
        let mut owed = std::mem::take(&mut self.owed);
        owed.pass(at, out, |due| self.counted(self.answers(), due, reference));
        self.owed = owed;
        let is_expected = self.ticket.apply(&fact.event, at, &Id::NONE).is_none();
        self.spent.stand(self.ticket.status, at, reference);
        self.count_status(before, fact, reference, out);
        self.count_event(fact, reference, out);
        self.take_owed(&fact.event, at, reference, out);
        self.stand(at, reference, out);
        is_expected
    }

    fn take_owed(
        &mut self,
        event: &TicketEvent<Id>,
        at: Micros,
        reference: &Reference,
        out: &mut Contributions,
    ) {
        let now = self.counted(self.answers(), at, reference);
        self.owed.take(&self.ticket, event, at, reference, out, now);
        self.owed_until = self.owed_until.max(self.owed.last_due().unwrap_or(at));
    }

    /// What a change of status counts.
    fn count_status(
        &mut self,
        before: Status,
        fact: &TicketFact,
        reference: &Reference,
        out: &mut Contributions,
    ) {
        let (at, after) = (fact.stamp.at, self.ticket.status);
        let told = (at, at);
        let by = match &fact.event {
            TicketEvent::Resolved { agent, .. } | TicketEvent::Closed { agent, .. } => {
                agent.map(|agent| agent.0)
            }
            _ => None,
        };
        let answers = self.answers();
        let settler = Whose { agent: by.unwrap_or(answers.agent), ..answers };
        let settled = self.counted(settler, at, reference);
        let answering = self.counted(answers, at, reference);
        if before.is_open() && after.is_settled() {
            count(out, settled, told, [(M::TicketsResolved, 1)]);
            let amounts = self.spent.by(at, reference);
            count(out, settled, (self.ticket.opened_at, at), named(&RESOLUTION, amounts));
            count_by_length(
                out,
                settled,
                (self.ticket.opened_at, at),
                [M::ResolutionTook, M::ResolutionTookWorking],
                amounts,
            );
            self.resolved = Some(settled);
        }
        if before != Status::Closed && after == Status::Closed {
            count(out, settled, told, [(M::TicketsClosed, 1)]);
            self.closed = Some(settled);
        }
        if before.is_settled()
            && after.is_open()
            && let Some(undone) = self.resolved
        {
            let again = matches!(fact.event, TicketEvent::Reopened { rework: Some(true), .. });
            let amounts = [(M::TicketsReopened, 1), (M::TicketsReworked, i64::from(again))];
            count(out, undone, (undone.at, at), amounts);
        }
        match after {
            Status::Cancelled => count(out, answering, told, [(M::TicketsCancelled, 1)]),
            Status::Merged => count(out, answering, told, [(M::TicketsMerged, 1)]),
            _ => {}
        }
    }

    /// What a fact counts by itself.
    fn count_event(&mut self, fact: &TicketFact, reference: &Reference, out: &mut Contributions) {
        let at = fact.stamp.at;
        let told = (at, at);
        let answering = self.counted(self.answers(), at, reference);
        match &fact.event {
            TicketEvent::Escalated { .. } => count(out, answering, told, [(M::TicketsEscalated, 1)]),
            TicketEvent::Repeated { .. } => {
                let received = self.counted(self.received(), at, reference);
                count(out, received, told, [(M::SecondReports, 1)]);
            }
            TicketEvent::Informed { .. } | TicketEvent::Resolved { .. } | TicketEvent::Cancelled { .. }
                if !self.has_responded =>
            {
                self.has_responded = true;
                count(out, answering, told, [(M::FirstResponses, 1)]);
                let amounts = self.spent.by(at, reference);
                count(out, answering, (self.ticket.opened_at, at), named(&FIRST_RESPONSE, amounts));
                count_by_length(
                    out,
                    answering,
                    (self.ticket.opened_at, at),
                    [M::FirstResponseTook, M::FirstResponseTookWorking],
                    amounts,
                );
            }
            TicketEvent::VisitStepped { step, .. } => self.count_visit(*step, answering, out),
            _ => {}
        }
    }

    fn count_visit(&mut self, step: VisitStep, now: Counted, out: &mut Contributions) {
        match (step, &mut self.arrival) {
            (VisitStep::Requested, arrival) => *arrival = None,
            (VisitStep::Arrived, arrival @ None) => {
                *arrival = Some(Arrival { counted: now, is_filed: false });
                count(out, now, (now.at, now.at), [(M::SlipDue, 1)]);
            }
            (VisitStep::SlipFiled, Some(arrival)) if !arrival.is_filed => {
                arrival.is_filed = true;
                count(out, arrival.counted, (arrival.counted.at, now.at), [(M::SlipFiled, 1)]);
            }
            _ => {}
        }
    }

    /// Its place in the backlog.
    fn stand(&mut self, at: Micros, reference: &Reference, out: &mut Contributions) {
        let whose = self.answers();
        let is_open = self.ticket.status.is_open();
        if is_open && self.stands.is_some_and(|(known, _)| known == whose) {
            return;
        }
        let mut change = |dims, amount| {
            count(out, Counted { at, dims }, (at, at), [(M::BacklogChange, amount)]);
        };
        if let Some((_, dims)) = self.stands.take() {
            change(dims, -1);
        }
        if is_open {
            let now = self.counted(whose, at, reference);
            change(now.dims, 1);
            self.stands = Some((whose, now.dims));
        }
    }

    /// What hangs on how it stands after its last fact.
    pub(crate) fn pending(&self, ground: Ground<'_>, out: &mut Contributions) {
        let (reference, opened_at) = (ground.reference, self.ticket.opened_at);
        self.owed.give(None, out, |due| self.counted(self.answers(), due, reference));
        let status = self.ticket.status;
        let is_valid = !status.is_over() && self.ticket.facts.validity != Some(Validity::Invalid);
        if is_valid {
            let opened = self.counted(self.answers(), opened_at, reference);
            count(out, opened, (opened_at, opened_at), [(M::OpenedValid, 1)]);
            if status.is_settled() {
                let until = self.resolved.map_or(opened_at, |resolved| resolved.at);
                count(out, opened, (opened_at, until), [(M::OpenedValidResolved, 1)]);
            }
        }
        if let Some(closed) = self.closed.filter(|_| status == Status::Closed && self.is_complaint(reference))
        {
            let repeated = i64::from(self.ticket.repeated > 0);
            let amounts = [(M::ComplaintsClosed, 1), (M::ComplaintsRepeated, repeated)];
            count(out, closed, (closed.at, closed.at), amounts);
        }
    }

    fn is_complaint(&self, reference: &Reference) -> bool {
        reference.is_complaint(self.ticket.kind.0)
    }

    fn group(&self) -> Id {
        self.ticket.group.map_or(Id::NONE, |TeamId(group)| group)
    }

    /// Who received it first.
    fn received(&self) -> Whose {
        Whose { agent: self.ticket.receiver.map_or(Id::NONE, |agent| agent.0), group: self.group() }
    }

    /// Who answers for it.
    fn answers(&self) -> Whose {
        let owner = self.ticket.owner.or(self.ticket.receiver);
        Whose { agent: owner.map_or(Id::NONE, |agent| agent.0), group: self.group() }
    }

    /// A count at an instant, with the team of then.
    fn counted(&self, whose: Whose, at: Micros, reference: &Reference) -> Counted {
        let team = reference.team(whose.agent, at);
        Counted { at, dims: dims(whose, team, self.queue, self.class) }
    }
}

const FIRST_RESPONSE: [M; 4] =
    [M::FirstResponse, M::FirstResponseUnpaused, M::FirstResponseWorking, M::FirstResponseWorkingUnpaused];
const RESOLUTION: [M; 4] =
    [M::Resolution, M::ResolutionUnpaused, M::ResolutionWorking, M::ResolutionWorkingUnpaused];

fn named(measures: &[M; 4], amounts: Amounts) -> impl Iterator<Item = (M, i64)> {
    measures.iter().copied().zip(amounts)
}
