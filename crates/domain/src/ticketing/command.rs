//! What is asked for, on one ticket. Merging, splitting and linking concern two: [`crate::ticketing::pair`].

use crate::{
    ids::{AgentId, ContactId, Name, ReasonCode, TeamId, TicketId},
    ticketing::{
        event::{FieldValue, Way},
        words::{Action, Promiser, TargetKind, Visibility, VisitStep},
    },
    time::Micros,
};

/// What somebody asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TicketCommand<N = Name> {
    /// Take it.
    Accept {
        /// Who answers for it from now on.
        owner: AgentId<N>,
    },
    /// Say what it is about; the category must be known afterwards.
    Classify {
        /// What to set; what is so already changes nothing.
        set: Vec<FieldValue<N>>,
    },
    /// Set something else.
    Edit {
        /// What to set; what is so already changes nothing.
        set: Vec<FieldValue<N>>,
    },
    /// Send somebody: a group, an agent, or both.
    Dispatch {
        /// This group.
        group: Option<TeamId<N>>,
        /// This agent.
        to: Option<AgentId<N>>,
    },
    /// Whoever was sent is there; with a visit planned, its arrival.
    Arrive,
    /// Begin to work.
    StartWork,
    /// Put it on hold.
    Hold {
        /// For what.
        reason: ReasonCode<N>,
    },
    /// Go on as before.
    Resume,
    /// Settle it.
    Resolve {
        /// How.
        way: Way<N>,
        /// Who did it.
        agent: Option<AgentId<N>>,
        /// A code for it.
        reason: Option<ReasonCode<N>>,
    },
    /// The requester accepts what was done.
    Confirm {
        /// The proof (a sealed value).
        proof: Option<N>,
    },
    /// It was not settled after all.
    Reopen {
        /// Why.
        reason: ReasonCode<N>,
        /// Whether the work has to be done again.
        rework: bool,
        /// Who asks for it.
        agent: Option<AgentId<N>>,
    },
    /// Put it away.
    Close {
        /// Who does it.
        agent: Option<AgentId<N>>,
        /// A code for it.
        reason: Option<ReasonCode<N>>,
    },
    /// It is no valid matter.
    Cancel {
        /// Why.
        reason: ReasonCode<N>,
        /// How that was explained (a sealed value).
        explanation: N,
    },
    /// Bring it before a higher level.
    Escalate {
        /// Which; none: the next.
        to: Option<N>,
        /// Why.
        reason: ReasonCode<N>,
        /// Then levels may be skipped.
        emergency: bool,
    },
    /// A level that was skipped has been told.
    TellSkipped {
        /// Which.
        level: N,
    },
    /// Give it to somebody else. What is none stays as it is.
    Reassign {
        /// To this agent.
        owner: Option<AgentId<N>>,
        /// To this group.
        group: Option<TeamId<N>>,
        /// Why.
        reason: ReasonCode<N>,
    },
    /// Untie it from another ticket (from this side; the other side has a command of its own).
    Unlink {
        /// Which.
        other: TicketId<N>,
    },
    /// Write a note.
    Note {
        /// Who may read it.
        visibility: Visibility,
        /// What it says (a sealed value).
        text: N,
    },
    /// Attach evidence.
    Attach {
        /// What it is.
        kind: N,
        /// Where it lies.
        reference: N,
    },
    /// Cite a knowledge article.
    Cite {
        /// Which.
        article: N,
        /// Whether it helped.
        helped: Option<bool>,
    },
    /// A contact belongs to it.
    AddContact {
        /// Which.
        contact: ContactId<N>,
    },
    /// A step of a site visit.
    Visit {
        /// Which.
        step: VisitStep,
        /// The agreed time; needed, and allowed, for [`VisitStep::AppointmentAgreed`] alone.
        appointment: Option<Micros>,
        /// The slip (a reference); needed for [`VisitStep::SlipSigned`], allowed for [`VisitStep::SlipFiled`].
        slip: Option<N>,
    },
    /// Ask for an approval.
    AskApproval {
        /// Whose.
        approver: N,
    },
    /// Give it.
    Approve {
        /// Whose: the one who was asked.
        approver: N,
    },
    /// Refuse it.
    RefuseApproval {
        /// Whose: the one who was asked.
        approver: N,
        /// Why.
        reason: ReasonCode<N>,
    },
    /// The customer was told how things stand.
    Inform {
        /// In this contact.
        contact: Option<ContactId<N>>,
    },
    /// It was found out what is behind it.
    Investigate,
    /// The same matter was reported again.
    Repeat {
        /// In this contact.
        contact: Option<ContactId<N>>,
    },
    /// A time was asked for or promised, or is postponed.
    Promise {
        /// For what.
        target: TargetKind,
        /// By when.
        due: Micros,
        /// Whose word it is.
        by: Promiser,
    },
}

impl<N> TicketCommand<N> {
    /// Where it holds the reference to a sealed text; none if it holds none.
    pub fn reference_mut(&mut self) -> Option<&mut N> {
        match self {
            Self::Note { text, .. } => Some(text),
            Self::Cancel { explanation, .. } => Some(explanation),
            Self::Confirm { proof } => proof.as_mut(),
            Self::Resolve { way: Way::Declined { alternative, .. }, .. } => Some(alternative),
            _ => None,
        }
    }

    /// The row of the table that it belongs to.
    pub const fn action(&self) -> Action {
        match self {
            Self::Accept { .. } => Action::Accept,
            Self::Classify { .. } => Action::Classify,
            Self::Edit { .. } => Action::Edit,
            Self::Dispatch { .. } => Action::Dispatch,
            Self::Arrive | Self::Visit { step: VisitStep::Arrived, .. } => Action::Arrive,
            Self::StartWork => Action::StartWork,
            Self::Hold { .. } => Action::Hold,
            Self::Resume => Action::Resume,
            Self::Resolve { .. } => Action::Resolve,
            Self::Confirm { .. } => Action::Confirm,
            Self::Reopen { .. } => Action::Reopen,
            Self::Close { .. } => Action::Close,
            Self::Cancel { .. } => Action::Cancel,
            Self::Escalate { .. } => Action::Escalate,
            Self::TellSkipped { .. } => Action::Alert,
            Self::Reassign { .. } => Action::Reassign,
            Self::Unlink { .. } => Action::Link,
            Self::Note { .. } => Action::Note,
            Self::Attach { .. } | Self::Cite { .. } | Self::AddContact { .. } => Action::Attach,
            Self::Visit { step: VisitStep::SlipSigned | VisitStep::SlipFiled, .. } => Action::HandleSlip,
            Self::Visit { .. } => Action::PlanVisit,
            Self::AskApproval { .. } => Action::AskApproval,
            Self::Approve { .. } | Self::RefuseApproval { .. } => Action::Approve,
            Self::Inform { .. } => Action::Inform,
            Self::Investigate => Action::Investigate,
            Self::Repeat { .. } => Action::Repeat,
            Self::Promise { .. } => Action::Promise,
        }
    }
}
