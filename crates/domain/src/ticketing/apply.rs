//! Takes the next event of a ticket in.
//!
//! What was decided is never marked; what a replay or an import finds in the log all the same is applied as it stands, and marked
//! with what the table says against it. Only cancelled and merged tickets stay what they are: of them the event is remembered and
//! nothing else. Invariant: every event, in whatever order, leaves a ticket that holds its invariants.

use crate::{
    envelope::Version,
    ticketing::{
        event::{Opening, TicketEvent},
        state::{Approval, CHANGES_KEPT, Change, Facts, FieldSet, Ticket, Visit},
        transition::{Move, Why, aim, transition},
        words::{Action, LinkKind, Status, VisitStep},
    },
    time::Micros,
};

impl<N: Clone + Eq> Ticket<N> {
    /// The ticket that `event` opens at `at`; none for any other event. `by` is the principal.
    pub fn opened(event: &TicketEvent<N>, at: Micros, by: &N) -> Option<Self> {
        let TicketEvent::Opened(opening) = event else { return None };
        let mut ticket = Self::new(opening, at);
        ticket.take_fields(event);
        ticket.remember(event, at, by);
        Some(ticket)
    }

    fn new(opening: &Opening<N>, at: Micros) -> Self {
        let from = opening.split_from.clone();
        Self {
            version: Version(0),
            status: Status::New,
            before_hold: Status::Accepted,
            hold_reason: None,
            kind: opening.kind.clone(),
            facts: Facts::none(),
            receiver: opening.receiver.clone(),
            owner: None,
            group: opening.group.clone(),
            sent: None,
            way: None,
            resolved_by: None,
            opened_at: at,
            resolved_at: None,
            closed_at: None,
            reopened: 0,
            reworked: 0,
            repeated: 0,
            confirmed: false,
            approval: None,
            visit: None,
            level: 0,
            untold: Vec::new(),
            merged_into: None,
            links: from.into_iter().map(|from| (from, LinkKind::SplitFrom)).collect(),
            absorbed: 0,
            evidence: Vec::new(),
            contacts: opening.contact.clone().into_iter().collect(),
            notes: 0,
            articles: 0,
            changes: Vec::new(),
        }
    }

    /// Takes a later event in. Some: the table does not allow it.
    pub fn apply(&mut self, event: &TicketEvent<N>, at: Micros, by: &N) -> Option<Why> {
        let action = event.action();
        let before = self.status;
        let (to, mark) = match transition(before, action) {
            Move::To(to) => (Some(to), None),
            Move::Back => (Some(self.before_hold), None),
            Move::Stay => (None, None),
            // A ticket is opened once.
            Move::No(why) if action == Action::Open => (None, Some(why)),
            Move::No(why) => (aim(action), Some(why)),
        };
        self.remember(event, at, by);
        if before.is_over() || action == Action::Open {
            return mark;
        }
        if let Some(to) = to {
            self.enter(to);
        }
        self.take_fields(event);
        self.take(event, before, at);
        mark
    }

    fn remember(&mut self, event: &TicketEvent<N>, at: Micros, by: &N) {
        self.version = Version(self.version.0.saturating_add(1));
        if self.changes.len() >= CHANGES_KEPT {
            self.changes.remove(0);
        }
        let fields = FieldSet::of(event.sets());
        let (version, what) = (self.version, event.action());
        self.changes.push(Change { version, at, by: by.clone(), what, fields });
    }

    fn enter(&mut self, to: Status) {
        if to == Status::OnHold && self.status != Status::OnHold {
            let stands = self.status.is_open() && self.status != Status::New;
            self.before_hold = if stands { self.status } else { Status::Accepted };
        }
        if to != Status::OnHold {
            self.hold_reason = None;
        }
        if to != Status::Closed {
            self.closed_at = None;
        }
        self.status = to;
    }

    fn take_fields(&mut self, event: &TicketEvent<N>) {
        for value in event.sets() {
            self.facts.set(value);
        }
    }

    fn take(&mut self, event: &TicketEvent<N>, before: Status, at: Micros) {
        match event {
            TicketEvent::Accepted { owner } => self.owner = Some(owner.clone()),
            TicketEvent::Dispatched { group, to } => {
                self.sent.clone_from(to);
                or_keep(&mut self.group, group.as_ref());
            }
            TicketEvent::Held { reason } => self.hold_reason = Some(reason.clone()),
            TicketEvent::Resolved { way, agent, .. } => {
                self.way.clone_from(way);
                self.resolved_by.clone_from(agent);
                self.resolved_at = Some(at);
                self.confirmed = false;
            }
            TicketEvent::Confirmed { .. } => self.confirmed = true,
            TicketEvent::Reopened { rework, .. } => self.reopen(before, rework.unwrap_or(false)),
            TicketEvent::Closed { .. } => self.closed_at = Some(at),
            TicketEvent::Merged { into } => self.merged_into = Some(into.clone()),
            TicketEvent::Absorbed { .. } => self.absorbed = self.absorbed.saturating_add(1),
            TicketEvent::Escalated { level, skipped, .. } => {
                self.level = self.level.max(*level);
                self.untold.extend(skipped.iter().cloned());
            }
            TicketEvent::SkippedTold { level } => self.untold.retain(|untold| untold != level),
            TicketEvent::Reassigned { owner, group, .. } => {
                or_keep(&mut self.owner, owner.as_ref());
                or_keep(&mut self.group, group.as_ref());
            }
            TicketEvent::Linked { other, how } => {
                self.links.retain(|(known, _)| known != other);
                self.links.push((other.clone(), *how));
            }
            TicketEvent::Unlinked { other } => self.links.retain(|(known, _)| known != other),
            TicketEvent::Noted { .. } => self.notes = self.notes.saturating_add(1),
            TicketEvent::Attached { kind, .. } => self.attach(kind),
            TicketEvent::ArticleCited { .. } => self.articles = self.articles.saturating_add(1),
            TicketEvent::ContactAdded { contact } if !self.contacts.contains(contact) => {
                self.contacts.push(contact.clone());
            }
            TicketEvent::Repeated { .. } => self.repeated = self.repeated.saturating_add(1),
            TicketEvent::VisitStepped { step, appointment, .. } => self.step_visit(*step, *appointment),
            TicketEvent::ApprovalAsked { approver } => {
                self.approval = Some(Approval { approver: approver.clone(), asked_at: at, given: None });
            }
            TicketEvent::ApprovalGiven { approver } => self.answer(approver, true, at),
            TicketEvent::ApprovalRefused { approver, .. } => self.answer(approver, false, at),
            _ => {}
        }
    }

    fn reopen(&mut self, before: Status, rework: bool) {
        self.confirmed = false;
        self.approval = None;
        if before.is_settled() {
            self.reopened = self.reopened.saturating_add(1);
            self.reworked = self.reworked.saturating_add(u32::from(rework));
        }
    }

    fn attach(&mut self, kind: &N) {
        match self.evidence.iter_mut().find(|(known, _)| known == kind) {
            Some((_, count)) => *count = count.saturating_add(1),
            None => self.evidence.push((kind.clone(), 1)),
        }
    }

    fn step_visit(&mut self, step: VisitStep, appointment: Option<Micros>) {
        let begins = step == VisitStep::Requested || self.visit.is_none();
        let number = self.visit.map_or(0, |visit| visit.number).saturating_add(begins.into());
        let known = self.visit.filter(|_| !begins).and_then(|visit| visit.appointment);
        self.visit = Some(Visit { number, step, appointment: appointment.or(known) });
    }

    /// An answer that nobody asked for counts as asked for when it was given.
    fn answer(&mut self, approver: &N, given: bool, at: Micros) {
        let asked = self.approval.as_ref().filter(|approval| approval.approver == *approver);
        let asked_at = asked.map_or(at, |approval| approval.asked_at);
        self.approval = Some(Approval { approver: approver.clone(), asked_at, given: Some(given) });
    }
}

fn or_keep<T: Clone>(place: &mut Option<T>, value: Option<&T>) {
    if let Some(value) = value {
        *place = Some(value.clone());
    }
}
