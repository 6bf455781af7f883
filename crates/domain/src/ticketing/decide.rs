//! What comes of a command on a ticket as it stands.
//!
//! Not for who may ask: the server checks roles, and that whoever speaks for an approver or a level may. Invariant: what is
//! decided here is never marked when it is applied, and an empty answer says that it is so already.

use std::fmt;

use crate::{
    envelope::Version,
    ticketing::{
        command::TicketCommand,
        event::{EscalationCause, FieldValue, Opening, TicketEvent, Way},
        kinds::KindRules,
        refusal::{Missing, TicketRefusal},
        state::{ATTRIBUTES_MAX, Change, LINKS_MAX, Ticket},
        transition::{Move, transition},
        visit::may_follow,
        words::{Action, Field, VisitStep, WayKind},
    },
    time::Micros,
};

/// What a decision gives: the events to append, in order.
pub type Decided<N> = Result<Vec<TicketEvent<N>>, TicketRefusal>;

/// Opens a ticket. Attributes are as many as a ticket may have.
pub fn decide_open<N: Clone + Eq>(opening: Opening<N>) -> Decided<N> {
    let attributes = opening.set.iter().filter(|value| value.field() == Field::Attribute).count();
    limit("attributes", attributes, ATTRIBUTES_MAX)?;
    Ok(vec![TicketEvent::Opened(Box::new(opening))])
}

/// Decides `command` on `ticket`, whose kind has `rules`. With an `expected` version it is refused if anything has happened
/// since.
pub fn decide<N: Clone + Eq + fmt::Display>(
    ticket: &Ticket<N>,
    rules: &KindRules<N>,
    command: TicketCommand<N>,
    expected: Option<Version>,
) -> Decided<N> {
    check_version(ticket, expected)?;
    check_table(ticket, command.action())?;
    Case { ticket, rules }.decide(command)
}

/// Whether the ticket is what the command was decided on.
pub(super) fn check_version<N: Clone + Eq + fmt::Display>(
    ticket: &Ticket<N>,
    expected: Option<Version>,
) -> Result<(), TicketRefusal> {
    let actual = ticket.version;
    match expected {
        Some(expected) if expected > actual => Err(TicketRefusal::Ahead { expected, actual }),
        Some(expected) if expected < actual => {
            let since = ticket.changes.iter().filter(|change| change.version > expected);
            let told = |change: &Change<N>| Change {
                by: change.by.to_string(),
                version: change.version,
                at: change.at,
                what: change.what,
                fields: change.fields,
            };
            Err(TicketRefusal::Stale { expected, actual, changes: since.map(told).collect() })
        }
        _ => Ok(()),
    }
}

/// Whether the table allows it.
pub(super) fn check_table<N>(ticket: &Ticket<N>, action: Action) -> Result<(), TicketRefusal> {
    match transition(ticket.status, action) {
        Move::No(why) => Err(TicketRefusal::NotAllowed { action, status: ticket.status, why }),
        _ => Ok(()),
    }
}

pub(super) fn limit(what: &'static str, count: usize, limit: usize) -> Result<(), TicketRefusal> {
    if count > limit {
        return Err(TicketRefusal::TooMany { what, count, limit });
    }
    Ok(())
}

pub(super) fn field(field: &'static str, reason: &str) -> TicketRefusal {
    TicketRefusal::Field { field, reason: reason.to_owned() }
}

struct Case<'a, N> {
    ticket: &'a Ticket<N>,
    rules: &'a KindRules<N>,
}

impl<N: Clone + Eq + fmt::Display> Case<'_, N> {
    fn decide(&self, command: TicketCommand<N>) -> Decided<N> {
        let ticket = self.ticket;
        Ok(vec![match command {
            TicketCommand::Accept { owner } => TicketEvent::Accepted { owner },
            TicketCommand::Classify { set } => return self.classify(set),
            TicketCommand::Edit { set } => {
                let set = self.changed(set)?;
                return Ok(if set.is_empty() { Vec::new() } else { vec![TicketEvent::Edited { set }] });
            }
            TicketCommand::Dispatch { group: None, to: None } => {
                return Err(field("to", "is missing, and so is the group; say who is sent"));
            }
            TicketCommand::Dispatch { group, to } => TicketEvent::Dispatched { group, to },
            TicketCommand::Arrive => return self.arrive(),
            TicketCommand::StartWork => TicketEvent::WorkStarted,
            TicketCommand::Hold { reason } => TicketEvent::Held { reason },
            TicketCommand::Resume => TicketEvent::Resumed,
            TicketCommand::Resolve { way, agent, reason } => {
                self.can_resolve(&way)?;
                TicketEvent::Resolved { way: Some(way), agent, reason }
            }
            TicketCommand::Confirm { proof } => {
                return Ok(if ticket.confirmed {
                    Vec::new()
                } else {
                    vec![TicketEvent::Confirmed { proof }]
                });
            }
            TicketCommand::Reopen { reason, rework, agent } => {
                TicketEvent::Reopened { reason: Some(reason), rework: Some(rework), agent }
            }
            TicketCommand::Close { agent, reason } => {
                self.can_close()?;
                TicketEvent::Closed { agent, reason }
            }
            TicketCommand::Cancel { reason, explanation } => TicketEvent::Cancelled { reason, explanation },
            TicketCommand::Escalate { to, reason, emergency } => {
                let cause = if emergency {
                    EscalationCause::Emergency(reason)
                } else {
                    EscalationCause::Asked(reason)
                };
                self.escalate(to, cause, emergency)?
            }
            TicketCommand::TellSkipped { level } if ticket.untold.contains(&level) => {
                TicketEvent::SkippedTold { level }
            }
            TicketCommand::TellSkipped { .. } => return Ok(Vec::new()),
            TicketCommand::Reassign { owner: None, group: None, .. } => {
                return Err(field("owner", "is missing, and so is the group; say to whom it is given"));
            }
            TicketCommand::Reassign { owner, group, reason } => {
                let same =
                    (owner.is_none() || owner == ticket.owner) && (group.is_none() || group == ticket.group);
                if same {
                    return Ok(Vec::new());
                }
                TicketEvent::Reassigned { owner, group, reason }
            }
            TicketCommand::Unlink { other } => {
                return Ok(ticket
                    .link_to(&other)
                    .map(|_| TicketEvent::Unlinked { other })
                    .into_iter()
                    .collect());
            }
            TicketCommand::Note { visibility, text } => TicketEvent::Noted { visibility, text },
            TicketCommand::Attach { kind, reference } => {
                let new = ticket.evidence_of(&kind) == 0;
                limit("kinds of evidence", ticket.evidence.len() + usize::from(new), ATTRIBUTES_MAX)?;
                TicketEvent::Attached { kind, reference }
            }
            TicketCommand::Cite { article, helped } => TicketEvent::ArticleCited { article, helped },
            TicketCommand::AddContact { contact } if ticket.contacts.contains(&contact) => {
                return Ok(Vec::new());
            }
            TicketCommand::AddContact { contact } => {
                limit("contacts", ticket.contacts.len() + 1, LINKS_MAX)?;
                TicketEvent::ContactAdded { contact }
            }
            TicketCommand::Visit { step, appointment, slip } => self.visit(step, appointment, slip)?,
            TicketCommand::AskApproval { approver } => self.ask(approver)?,
            TicketCommand::Approve { approver } => {
                self.was_asked(&approver)?;
                TicketEvent::ApprovalGiven { approver }
            }
            TicketCommand::RefuseApproval { approver, reason } => {
                self.was_asked(&approver)?;
                TicketEvent::ApprovalRefused { approver, reason }
            }
            TicketCommand::Inform { contact } => TicketEvent::Informed { contact },
            TicketCommand::Investigate => TicketEvent::Investigated,
            TicketCommand::Repeat { contact } => return Ok(self.repeat(contact)),
            TicketCommand::Promise { target, due, by } => TicketEvent::Promised { target, due, by },
        }])
    }

    /// The values that are not so already.
    fn changed(&self, set: Vec<FieldValue<N>>) -> Result<Vec<FieldValue<N>>, TicketRefusal> {
        let mut facts = self.ticket.facts.clone();
        let set: Vec<_> = set.into_iter().filter(|value| facts.set(value)).collect();
        limit("attributes", facts.attributes.len(), ATTRIBUTES_MAX)?;
        Ok(set)
    }

    fn classify(&self, set: Vec<FieldValue<N>>) -> Decided<N> {
        let set = self.changed(set)?;
        let known =
            set.iter().any(|value| value.field() == Field::Category) || self.ticket.facts.category.is_some();
        if !known {
            return Err(field("set", "has no category, and the ticket has none; say what it is about"));
        }
        let moves = transition(self.ticket.status, Action::Classify) != Move::Stay;
        Ok(if moves || !set.is_empty() { vec![TicketEvent::Classified { set }] } else { Vec::new() })
    }

    /// With a visit under way its arrival, which has an order; else the plain one.
    fn arrive(&self) -> Decided<N> {
        let planned = self.ticket.visit.is_some_and(|visit| visit.step < VisitStep::Arrived);
        Ok(vec![if planned { self.visit(VisitStep::Arrived, None, None)? } else { TicketEvent::Arrived }])
    }

    /// Fields and attributes are needed in every way, evidence of work that was done unless it was declined.
    fn can_resolve(&self, way: &Way<N>) -> Result<(), TicketRefusal> {
        let (ticket, rules) = (self.ticket, self.rules);
        let kind = || ticket.kind.to_string();
        if !rules.ways.is_empty() && !rules.ways.contains(&way.kind()) {
            return Err(TicketRefusal::WayNotAllowed {
                kind: kind(),
                way: way.kind(),
                may: rules.ways.clone(),
            });
        }
        if matches!(way, Way::WithOthers { groups } if groups.is_empty()) {
            return Err(field("way.groups", "is empty; say which departments helped"));
        }
        let fields = rules
            .fields
            .iter()
            .filter(|field| !ticket.facts.knows(**field))
            .map(|field| Missing::Field(*field));
        let attributes = rules.attributes.iter().filter(|name| ticket.facts.attribute(name).is_none());
        let mut missing: Vec<_> =
            fields.chain(attributes.map(|name| Missing::Attribute(name.to_string()))).collect();
        if way.kind() != WayKind::Declined {
            let found = |needed: &crate::ticketing::Evidence<N>| ticket.evidence_of(&needed.kind);
            let short = rules.evidence.iter().filter(|needed| found(needed) < needed.count);
            missing.extend(short.map(|needed| Missing::evidence(needed, found(needed))));
        }
        if !missing.is_empty() {
            return Err(TicketRefusal::Incomplete { kind: kind(), missing });
        }
        let given = ticket.approval.as_ref().is_some_and(|approval| approval.given == Some(true));
        if way.kind() == WayKind::WithApproval && !given {
            let asked = ticket.approval.as_ref();
            let asked = asked.map(|approval| (approval.approver.to_string(), approval.given.is_some()));
            return Err(TicketRefusal::NotApproved { asked });
        }
        Ok(())
    }

    fn can_close(&self) -> Result<(), TicketRefusal> {
        let (ticket, rules) = (self.ticket, self.rules);
        let declined = ticket.way.as_ref().is_some_and(|way| way.kind() == WayKind::Declined);
        if rules.requester_accepts && !ticket.confirmed && !declined {
            return Err(TicketRefusal::NotConfirmed { kind: ticket.kind.to_string() });
        }
        if let Some(visit) = ticket.visit.filter(|_| rules.slip_filed)
            && (VisitStep::Arrived..VisitStep::SlipFiled).contains(&visit.step)
        {
            return Err(TicketRefusal::SlipOwed { visit: visit.number, at: visit.step });
        }
        if !ticket.untold.is_empty() {
            return Err(TicketRefusal::SkippedUntold { levels: texts(&ticket.untold) });
        }
        Ok(())
    }

    fn escalate(
        &self,
        to: Option<N>,
        cause: EscalationCause<N>,
        emergency: bool,
    ) -> Result<TicketEvent<N>, TicketRefusal> {
        let levels = &self.rules.levels;
        let at = usize::from(self.ticket.level);
        let to = to.or_else(|| levels.get(at).cloned()).or_else(|| levels.last().cloned());
        let place = to.as_ref().and_then(|to| levels.iter().position(|level| level == to));
        let (Some(to), Some(place)) = (&to, place) else {
            let level = to.map_or_else(|| "the next".to_owned(), |to| to.to_string());
            let kind = self.ticket.kind.to_string();
            return Err(TicketRefusal::NoLevel { level, kind, levels: texts(levels) });
        };
        if place < at {
            let (at, to) = (self.ticket.level, to.to_string());
            return Err(TicketRefusal::NotHigher { at, to, levels: texts(levels) });
        }
        let skipped: Vec<_> = levels.iter().take(place).skip(at).cloned().collect();
        if !skipped.is_empty() && !emergency {
            return Err(TicketRefusal::SkipsLevels { to: to.to_string(), skipped: texts(&skipped) });
        }
        let level = u8::try_from(place + 1);
        let level =
            level.map_err(|_| TicketRefusal::TooMany { what: "levels", count: levels.len(), limit: 255 })?;
        Ok(TicketEvent::Escalated { level, to: to.clone(), skipped, cause })
    }

    /// A complaint that comes again escalates by itself, as long as there is anybody above.
    fn repeat(&self, contact: Option<crate::ids::ContactId<N>>) -> Vec<TicketEvent<N>> {
        let mut events = vec![TicketEvent::Repeated { contact }];
        if self.rules.escalates_when_repeated {
            events.extend(self.escalate(None, EscalationCause::Repeated, false));
        }
        events
    }

    fn visit(
        &self,
        step: VisitStep,
        appointment: Option<Micros>,
        slip: Option<N>,
    ) -> Result<TicketEvent<N>, TicketRefusal> {
        let at = self.ticket.visit.map(|visit| visit.step);
        if !may_follow(at, step) {
            return Err(TicketRefusal::VisitOrder { step, at });
        }
        match (step, appointment.is_some(), slip.is_some()) {
            (VisitStep::AppointmentAgreed, false, _) => {
                Err(field("appointment", "is missing; say what time was agreed with the customer"))
            }
            (VisitStep::SlipSigned, _, false) => {
                Err(field("slip", "is missing; say where the signed slip lies"))
            }
            (VisitStep::SlipSigned | VisitStep::SlipFiled, false, _)
            | (VisitStep::AppointmentAgreed, true, false)
            | (_, false, false) => Ok(TicketEvent::VisitStepped { step, appointment, slip }),
            (_, true, _) => {
                Err(field("appointment", "belongs to the step `appointment agreed` alone; leave it out"))
            }
            (_, _, true) => {
                Err(field("slip", "belongs to the steps `slip signed` and `slip filed`; leave it out"))
            }
        }
    }

    fn ask(&self, approver: N) -> Result<TicketEvent<N>, TicketRefusal> {
        if let Some(pending) = self.ticket.approval.as_ref().filter(|approval| approval.given.is_none()) {
            return Err(TicketRefusal::ApprovalPending { approver: pending.approver.to_string() });
        }
        let may = &self.rules.approvers;
        if !may.is_empty() && !may.contains(&approver) {
            let kind = self.ticket.kind.to_string();
            return Err(TicketRefusal::NoApprover { approver: approver.to_string(), kind, may: texts(may) });
        }
        Ok(TicketEvent::ApprovalAsked { approver })
    }

    fn was_asked(&self, approver: &N) -> Result<(), TicketRefusal> {
        let pending = self.ticket.approval.as_ref().filter(|approval| approval.given.is_none());
        let pending = pending.map(|approval| &approval.approver);
        if pending == Some(approver) {
            return Ok(());
        }
        let pending = pending.map(ToString::to_string);
        Err(TicketRefusal::NotAsked { approver: approver.to_string(), pending })
    }
}

fn texts<N: fmt::Display>(names: &[N]) -> Vec<String> {
    names.iter().map(ToString::to_string).collect()
}
