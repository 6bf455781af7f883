//! What happens to a ticket, and what is asked for.
//!
//! Personal text never stands here: notes, explanations and slips are references to sealed values (DESIGN.md §3).

use serde::{Deserialize, Serialize};

use crate::{
    ids::{
        AgentId, CategoryId, ContactId, CustomerId, Name, QueueId, ReasonCode, TeamId, TicketId, TicketKind,
        TopicId,
    },
    ticketing::words::{
        Action, Field, LinkKind, Promiser, Severity, TargetKind, Urgency, Validity, Visibility, VisitStep,
        WayKind,
    },
    time::Micros,
};

/// A field with its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldValue<N = Name> {
    /// What it is about.
    Category(CategoryId<N>),
    /// More exactly.
    Topic(TopicId<N>),
    /// How bad.
    Severity(Severity),
    /// How soon.
    Urgency(Urgency),
    /// Whether there is anything to be done.
    Validity(Validity),
    /// Whose: a surrogate.
    Customer(CustomerId<N>),
    /// The customer's tier.
    Tier(N),
    /// Where, or which asset.
    Place(N),
    /// In which region.
    Region(N),
    /// How it came in: phone, letter, patrol…
    Channel(N),
    /// What a site has defined beside.
    Attribute {
        /// Which.
        name: N,
        /// Its value.
        value: N,
    },
}

impl<N> FieldValue<N> {
    /// Which field it is.
    pub const fn field(&self) -> Field {
        match self {
            Self::Category(_) => Field::Category,
            Self::Topic(_) => Field::Topic,
            Self::Severity(_) => Field::Severity,
            Self::Urgency(_) => Field::Urgency,
            Self::Validity(_) => Field::Validity,
            Self::Customer(_) => Field::Customer,
            Self::Tier(_) => Field::Tier,
            Self::Place(_) => Field::Place,
            Self::Region(_) => Field::Region,
            Self::Channel(_) => Field::Channel,
            Self::Attribute { .. } => Field::Attribute,
        }
    }
}

/// How a matter was settled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Way<N = Name> {
    /// By its owner alone.
    Alone,
    /// With other departments.
    WithOthers {
        /// Which; at least one.
        groups: Vec<TeamId<N>>,
    },
    /// With the approval that was given.
    WithApproval,
    /// Not: it had to be declined.
    Declined {
        /// Why.
        reason: ReasonCode<N>,
        /// What was offered instead (a sealed value).
        alternative: N,
    },
}

impl<N> Way<N> {
    /// Which of the four.
    pub const fn kind(&self) -> WayKind {
        match self {
            Self::Alone => WayKind::Alone,
            Self::WithOthers { .. } => WayKind::WithOthers,
            Self::WithApproval => WayKind::WithApproval,
            Self::Declined { .. } => WayKind::Declined,
        }
    }
}

/// Why a ticket came before a higher level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EscalationCause<N = Name> {
    /// Somebody asked for it.
    Asked(ReasonCode<N>),
    /// An emergency: levels may be skipped.
    Emergency(ReasonCode<N>),
    /// The same matter was reported again; nobody had to ask.
    Repeated,
}

/// How a ticket begins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opening<N = Name> {
    /// Its kind.
    pub kind: TicketKind<N>,
    /// Who received it first, and answers for it whoever owns it later.
    pub receiver: Option<AgentId<N>>,
    /// The group that it belongs to.
    pub group: Option<TeamId<N>>,
    /// The contact that it was opened in.
    pub contact: Option<ContactId<N>>,
    /// The queue of that contact, whose the ticket is in the figures.
    pub queue: Option<QueueId<N>>,
    /// The ticket that it was split off.
    pub split_from: Option<TicketId<N>>,
    /// What is known.
    pub set: Vec<FieldValue<N>>,
}

impl<N> Opening<N> {
    /// One of `kind`, of which nothing else is known.
    pub const fn of(kind: TicketKind<N>) -> Self {
        let (receiver, group, contact, queue, split_from) = (None, None, None, None, None);
        Self { kind, receiver, group, contact, queue, split_from, set: Vec::new() }
    }

    /// The customer's surrogate: of several the last, as the ticket takes it.
    pub fn customer(&self) -> Option<&CustomerId<N>> {
        self.set.iter().rev().find_map(|value| match value {
            FieldValue::Customer(customer) => Some(customer),
            _ => None,
        })
    }

    /// The topic, likewise.
    pub fn topic(&self) -> Option<&TopicId<N>> {
        self.set.iter().rev().find_map(|value| match value {
            FieldValue::Topic(topic) => Some(topic),
            _ => None,
        })
    }
}

/// What happened to a ticket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TicketEvent<N = Name> {
    /// It was opened.
    Opened(Box<Opening<N>>),
    /// Somebody took it.
    Accepted {
        /// Who.
        owner: AgentId<N>,
    },
    /// It was said what it is about.
    Classified {
        /// What changed.
        set: Vec<FieldValue<N>>,
    },
    /// Something else became known of it.
    Edited {
        /// What changed.
        set: Vec<FieldValue<N>>,
    },
    /// Somebody was sent.
    Dispatched {
        /// This group.
        group: Option<TeamId<N>>,
        /// This agent.
        to: Option<AgentId<N>>,
    },
    /// Whoever was sent is there.
    Arrived,
    /// Work began.
    WorkStarted,
    /// It waits.
    Held {
        /// For what.
        reason: ReasonCode<N>,
    },
    /// It goes on.
    Resumed,
    /// It was settled.
    Resolved {
        /// How; none: nobody said (what was stored before the ways, and what an import does not know).
        way: Option<Way<N>>,
        /// By whom.
        agent: Option<AgentId<N>>,
        /// A code for it.
        reason: Option<ReasonCode<N>>,
    },
    /// The requester accepted what was done.
    Confirmed {
        /// The proof (a sealed value).
        proof: Option<N>,
    },
    /// It was not settled after all.
    Reopened {
        /// Why; none: nobody said (likewise).
        reason: Option<ReasonCode<N>>,
        /// Whether the work has to be done again; none: nobody said.
        rework: Option<bool>,
        /// By whom.
        agent: Option<AgentId<N>>,
    },
    /// It was put away.
    Closed {
        /// By whom.
        agent: Option<AgentId<N>>,
        /// A code for it.
        reason: Option<ReasonCode<N>>,
    },
    /// It was no valid matter.
    Cancelled {
        /// Why.
        reason: ReasonCode<N>,
        /// How that was explained (a sealed value).
        explanation: N,
    },
    /// It goes on in another ticket.
    Merged {
        /// Which.
        into: TicketId<N>,
    },
    /// Another ticket goes on in it.
    Absorbed {
        /// Which.
        other: TicketId<N>,
    },
    /// It came before a higher level.
    Escalated {
        /// Which, counted from 1 in its kind's levels.
        level: u8,
        /// Its name.
        to: N,
        /// Those in between, who are told afterwards.
        skipped: Vec<N>,
        /// Why.
        cause: EscalationCause<N>,
    },
    /// A level that was skipped was told.
    SkippedTold {
        /// Which.
        level: N,
    },
    /// It was given to somebody else. What is none stays as it was.
    Reassigned {
        /// To this agent.
        owner: Option<AgentId<N>>,
        /// To this group.
        group: Option<TeamId<N>>,
        /// Why.
        reason: ReasonCode<N>,
    },
    /// It was tied to another ticket.
    Linked {
        /// Which.
        other: TicketId<N>,
        /// What the other is to it.
        how: LinkKind,
    },
    /// It was untied from another ticket.
    Unlinked {
        /// Which.
        other: TicketId<N>,
    },
    /// A note was written.
    Noted {
        /// Who may read it.
        visibility: Visibility,
        /// What it says (a sealed value).
        text: N,
    },
    /// Evidence was attached.
    Attached {
        /// What it is: photo, recording, form…
        kind: N,
        /// Where it lies.
        reference: N,
    },
    /// A knowledge article was used.
    ArticleCited {
        /// Which.
        article: N,
        /// Whether it helped.
        helped: Option<bool>,
    },
    /// A contact belongs to it.
    ContactAdded {
        /// Which.
        contact: ContactId<N>,
    },
    /// A step of a site visit; the arrival makes the ticket [`crate::ticketing::Status::OnSite`].
    VisitStepped {
        /// Which step.
        step: VisitStep,
        /// The agreed time, with [`VisitStep::AppointmentAgreed`].
        appointment: Option<Micros>,
        /// The slip (a reference), with [`VisitStep::SlipSigned`] and [`VisitStep::SlipFiled`].
        slip: Option<N>,
    },
    /// An approval was asked for.
    ApprovalAsked {
        /// Whose.
        approver: N,
    },
    /// It was given.
    ApprovalGiven {
        /// By whom.
        approver: N,
    },
    /// It was refused.
    ApprovalRefused {
        /// By whom.
        approver: N,
        /// Why.
        reason: ReasonCode<N>,
    },
    /// The customer was told how things stand.
    Informed {
        /// In this contact.
        contact: Option<ContactId<N>>,
    },
    /// It was found out what is behind it.
    Investigated,
    /// The same matter was reported again.
    Repeated {
        /// In this contact.
        contact: Option<ContactId<N>>,
    },
    /// A time was asked for or promised; it outranks the policy, and one said later the one before it.
    Promised {
        /// For what.
        target: TargetKind,
        /// By when.
        due: Micros,
        /// Whose word it is.
        by: Promiser,
    },
    /// Whoever has to know was told, because a target came this far (appended for what [`crate::deadlines`] says is due).
    Alerted {
        /// Which target.
        target: TargetKind,
        /// Which round of it.
        round: u32,
        /// How far, in thousandths of its time.
        permille: u32,
        /// A step of its escalation, rather than a warning.
        escalation: bool,
    },
}

impl<N> TicketEvent<N> {
    /// The row of the table that it belongs to.
    pub const fn action(&self) -> Action {
        match self {
            Self::Opened(_) => Action::Open,
            Self::Accepted { .. } => Action::Accept,
            Self::Classified { .. } => Action::Classify,
            Self::Edited { .. } => Action::Edit,
            Self::Dispatched { .. } => Action::Dispatch,
            Self::Arrived | Self::VisitStepped { step: VisitStep::Arrived, .. } => Action::Arrive,
            Self::WorkStarted => Action::StartWork,
            Self::Held { .. } => Action::Hold,
            Self::Resumed => Action::Resume,
            Self::Resolved { .. } => Action::Resolve,
            Self::Confirmed { .. } => Action::Confirm,
            Self::Reopened { .. } => Action::Reopen,
            Self::Closed { .. } => Action::Close,
            Self::Cancelled { .. } => Action::Cancel,
            Self::Merged { .. } => Action::Merge,
            Self::Absorbed { .. } => Action::Absorb,
            // What escalates by itself may find the ticket settled.
            Self::Escalated { cause: EscalationCause::Repeated, .. } | Self::Repeated { .. } => {
                Action::Repeat
            }
            Self::Escalated { .. } => Action::Escalate,
            Self::SkippedTold { .. } | Self::Alerted { .. } => Action::Alert,
            Self::Promised { .. } => Action::Promise,
            Self::Reassigned { .. } => Action::Reassign,
            Self::Linked { how: LinkKind::SplitInto, .. } => Action::Split,
            Self::Linked { .. } | Self::Unlinked { .. } => Action::Link,
            Self::Noted { .. } => Action::Note,
            Self::Attached { .. } | Self::ArticleCited { .. } | Self::ContactAdded { .. } => Action::Attach,
            Self::VisitStepped { step: VisitStep::SlipSigned | VisitStep::SlipFiled, .. } => {
                Action::HandleSlip
            }
            Self::VisitStepped { .. } => Action::PlanVisit,
            Self::ApprovalAsked { .. } => Action::AskApproval,
            Self::ApprovalGiven { .. } | Self::ApprovalRefused { .. } => Action::Approve,
            Self::Informed { .. } => Action::Inform,
            Self::Investigated => Action::Investigate,
        }
    }

    /// The values that it sets.
    pub fn sets(&self) -> &[FieldValue<N>] {
        match self {
            Self::Opened(opening) => &opening.set,
            Self::Classified { set } | Self::Edited { set } => set,
            _ => &[],
        }
    }
}
