//! The stored numbers and the names of the kinds of events.
//!
//! Invariant: a number is stored; it is never given to another meaning.

use super::{Event, LegStep};
use crate::customer::CustomerEvent;
use crate::ticketing::TicketEvent;

/// The stored number of a kind of event. Numbers are grouped: 1xx agent, 2xx leg, 3xx contact, 4xx ticket,
/// 5xx definition, 6xx quarantine, 7xx correction, 8xx history, 9xx customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventType(pub u16);

macro_rules! types {
    ($($konst:ident = $number:literal $name:literal,)+) => {
        #[allow(missing_docs, reason = "the name says it; Event documents each")]
        impl EventType {
            $(pub const $konst: Self = Self($number);)+

            /// Every type, in the order of the numbers.
            pub const ALL: &[Self] = &[$(Self::$konst,)+];

            /// The name (`agent.signed_in`), or `unknown` for a number of a newer program.
            pub const fn name(self) -> &'static str {
                match self.0 { $($number => $name,)+ _ => "unknown" }
            }

            /// Whether it says what happened to a ticket.
            pub const fn is_of_ticket(self) -> bool {
                matches!(self.0, 400..500)
            }

            /// The one of this name; none for `unknown`.
            pub fn from_name(name: &str) -> Option<Self> {
                match name { $($name => Some(Self($number)),)+ _ => None }
            }
        }
    };
}

types! {
    SIGNED_IN = 101 "agent.signed_in",
    SIGNED_OUT = 102 "agent.signed_out",
    READY = 103 "agent.ready",
    NOT_READY = 104 "agent.not_ready",
    KEY_PRESSED = 105 "agent.key_pressed",
    OUTBOUND_ASSIGNED = 106 "agent.outbound_assigned",
    SUPERVISED = 107 "agent.supervised",
    CONNECTION_LOST = 108 "agent.connection_lost",
    CONNECTION_RESTORED = 109 "agent.connection_restored",
    STATE_SET = 110 "agent.state_set",
    NEXT_SET = 111 "agent.next_set",
    LEG_OFFERED = 201 "leg.offered",
    LEG_RINGING = 202 "leg.ringing",
    LEG_DIALING = 203 "leg.dialing",
    LEG_ANSWERED = 204 "leg.answered",
    LEG_HELD = 205 "leg.held",
    LEG_RETRIEVED = 206 "leg.retrieved",
    LEG_CONSULTING = 207 "leg.consulting",
    LEG_CONFERENCED = 208 "leg.conferenced",
    LEG_INTERRUPTED = 209 "leg.interrupted",
    LEG_TRANSFERRED = 210 "leg.transferred",
    LEG_MISSED = 211 "leg.missed",
    LEG_REJECTED = 212 "leg.rejected",
    LEG_CUSTOMER_GONE = 213 "leg.customer_gone",
    LEG_FAILED = 214 "leg.failed",
    LEG_ENDED = 215 "leg.ended",
    LEG_AFTER_CALL_STARTED = 216 "leg.after_call_started",
    LEG_AFTER_CALL_ENDED = 217 "leg.after_call_ended",
    CONTACT_STARTED = 301 "contact.started",
    CONTACT_IDENTIFIED = 302 "contact.identified",
    QUEUE_ENTERED = 303 "contact.queue_entered",
    QUEUE_LEFT = 304 "contact.queue_left",
    WRAPPED_UP = 305 "contact.wrapped_up",
    CONTACT_ENDED = 306 "contact.ended",
    SURVEY_ANSWERED = 307 "contact.survey_answered",
    TICKET_OPENED = 401 "ticket.opened",
    TICKET_RESOLVED = 402 "ticket.resolved",
    TICKET_REOPENED = 403 "ticket.reopened",
    TICKET_CLOSED = 404 "ticket.closed",
    TICKET_ACCEPTED = 405 "ticket.accepted",
    TICKET_CLASSIFIED = 406 "ticket.classified",
    TICKET_EDITED = 407 "ticket.edited",
    TICKET_DISPATCHED = 408 "ticket.dispatched",
    TICKET_ARRIVED = 409 "ticket.arrived",
    TICKET_WORK_STARTED = 410 "ticket.work_started",
    TICKET_HELD = 411 "ticket.held",
    TICKET_RESUMED = 412 "ticket.resumed",
    TICKET_CONFIRMED = 413 "ticket.confirmed",
    TICKET_CANCELLED = 414 "ticket.cancelled",
    TICKET_MERGED = 415 "ticket.merged",
    TICKET_ABSORBED = 416 "ticket.absorbed",
    TICKET_ESCALATED = 417 "ticket.escalated",
    TICKET_SKIPPED_TOLD = 418 "ticket.skipped_told",
    TICKET_REASSIGNED = 419 "ticket.reassigned",
    TICKET_LINKED = 420 "ticket.linked",
    TICKET_UNLINKED = 421 "ticket.unlinked",
    TICKET_NOTED = 422 "ticket.noted",
    TICKET_ATTACHED = 423 "ticket.attached",
    TICKET_ARTICLE_CITED = 424 "ticket.article_cited",
    TICKET_CONTACT_ADDED = 425 "ticket.contact_added",
    TICKET_VISIT_STEPPED = 426 "ticket.visit_stepped",
    TICKET_APPROVAL_ASKED = 427 "ticket.approval_asked",
    TICKET_APPROVAL_GIVEN = 428 "ticket.approval_given",
    TICKET_APPROVAL_REFUSED = 429 "ticket.approval_refused",
    TICKET_INFORMED = 430 "ticket.informed",
    TICKET_INVESTIGATED = 431 "ticket.investigated",
    TICKET_REPEATED = 432 "ticket.repeated",
    TICKET_PROMISED = 433 "ticket.promised",
    TICKET_ALERTED = 434 "ticket.alerted",
    QUEUE_DEFINED = 501 "definition.queue",
    REASON_DEFINED = 502 "definition.reason",
    AGENT_DEFINED = 503 "definition.agent",
    FORMULA_DEFINED = 504 "definition.formula",
    TARGET_DEFINED = 505 "definition.target",
    CALENDAR_DEFINED = 506 "definition.calendar",
    TEAM_DEFINED = 507 "definition.team",
    TICKET_KIND_DEFINED = 508 "definition.ticket_kind",
    TICKET_POLICIES_DEFINED = 509 "definition.ticket_policies",
    CALENDAR_CHANGED = 510 "definition.calendar_change",
    SITE_DEFINED = 520 "definition.site",
    ALLOWANCE_DEFINED = 521 "definition.allowance",
    AUTHORITY_DEFINED = 522 "definition.authority",
    REFUSED = 601 "quarantine.refused",
    SKIPPED = 602 "quarantine.skipped",
    ANNULLED = 701 "correction.annulled",
    AMENDED = 702 "correction.amended",
    HISTORY_CLOSED = 801 "history.closed",
    HISTORY_DROPPED = 802 "history.dropped",
    CUSTOMER_KEPT = 901 "customer.kept",
    CUSTOMER_READ = 902 "customer.read",
    CUSTOMER_TIERED = 903 "customer.tiered",
    CUSTOMER_ACCESS_GRANTED = 904 "customer.access_granted",
    CUSTOMER_ACCESS_REVOKED = 905 "customer.access_revoked",
    CUSTOMER_ERASED = 906 "customer.erased",
}

impl<N> Event<N> {
    /// Its type's number.
    pub fn event_type(&self) -> EventType {
        match self {
            Self::SignedIn => EventType::SIGNED_IN,
            Self::SignedOut => EventType::SIGNED_OUT,
            Self::Ready => EventType::READY,
            Self::NotReady { .. } => EventType::NOT_READY,
            Self::KeyPressed { .. } => EventType::KEY_PRESSED,
            Self::OutboundAssigned { .. } => EventType::OUTBOUND_ASSIGNED,
            Self::Supervised { .. } => EventType::SUPERVISED,
            Self::ConnectionLost { .. } => EventType::CONNECTION_LOST,
            Self::ConnectionRestored => EventType::CONNECTION_RESTORED,
            Self::StateSet { .. } => EventType::STATE_SET,
            Self::NextSet { .. } => EventType::NEXT_SET,
            Self::Leg { step, .. } => step.event_type(),
            Self::ContactStarted { .. } => EventType::CONTACT_STARTED,
            Self::ContactIdentified { .. } => EventType::CONTACT_IDENTIFIED,
            Self::QueueEntered { .. } => EventType::QUEUE_ENTERED,
            Self::QueueLeft { .. } => EventType::QUEUE_LEFT,
            Self::WrappedUp { .. } => EventType::WRAPPED_UP,
            Self::ContactEnded { .. } => EventType::CONTACT_ENDED,
            Self::SurveyAnswered { .. } => EventType::SURVEY_ANSWERED,
            Self::Ticket(event) => event.event_type(),
            Self::Customer(event) => event.event_type(),
            Self::QueueDefined(_) => EventType::QUEUE_DEFINED,
            Self::ReasonDefined(_) => EventType::REASON_DEFINED,
            Self::AgentDefined(_) => EventType::AGENT_DEFINED,
            Self::FormulaDefined(_) => EventType::FORMULA_DEFINED,
            Self::TargetDefined(_) => EventType::TARGET_DEFINED,
            Self::CalendarDefined(_) => EventType::CALENDAR_DEFINED,
            Self::TeamDefined(_) => EventType::TEAM_DEFINED,
            Self::SiteDefined(_) => EventType::SITE_DEFINED,
            Self::AllowanceDefined(_) => EventType::ALLOWANCE_DEFINED,
            Self::AuthorityDefined(_) => EventType::AUTHORITY_DEFINED,
            Self::TicketKindDefined(_) => EventType::TICKET_KIND_DEFINED,
            Self::TicketPoliciesDefined(_) => EventType::TICKET_POLICIES_DEFINED,
            Self::CalendarChanged(_) => EventType::CALENDAR_CHANGED,
            Self::Refused { .. } => EventType::REFUSED,
            Self::Skipped { .. } => EventType::SKIPPED,
            Self::Annulled { .. } => EventType::ANNULLED,
            Self::Amended { .. } => EventType::AMENDED,
            Self::HistoryClosed { .. } => EventType::HISTORY_CLOSED,
            Self::HistoryDropped { .. } => EventType::HISTORY_DROPPED,
        }
    }
}

impl<N> CustomerEvent<N> {
    /// Its type's number.
    pub fn event_type(&self) -> EventType {
        match self {
            Self::Kept { .. } => EventType::CUSTOMER_KEPT,
            Self::Read { .. } => EventType::CUSTOMER_READ,
            Self::Tiered { .. } => EventType::CUSTOMER_TIERED,
            Self::AccessGranted { .. } => EventType::CUSTOMER_ACCESS_GRANTED,
            Self::AccessRevoked { .. } => EventType::CUSTOMER_ACCESS_REVOKED,
            Self::Erased { .. } => EventType::CUSTOMER_ERASED,
        }
    }
}

impl<N> LegStep<N> {
    /// Its type's number.
    pub fn event_type(&self) -> EventType {
        match self {
            Self::Offered => EventType::LEG_OFFERED,
            Self::Ringing => EventType::LEG_RINGING,
            Self::Dialing => EventType::LEG_DIALING,
            Self::Answered => EventType::LEG_ANSWERED,
            Self::Held => EventType::LEG_HELD,
            Self::Retrieved => EventType::LEG_RETRIEVED,
            Self::Consulting => EventType::LEG_CONSULTING,
            Self::Conferenced => EventType::LEG_CONFERENCED,
            Self::Interrupted => EventType::LEG_INTERRUPTED,
            Self::Transferred { .. } => EventType::LEG_TRANSFERRED,
            Self::Missed => EventType::LEG_MISSED,
            Self::Rejected => EventType::LEG_REJECTED,
            Self::CustomerGone => EventType::LEG_CUSTOMER_GONE,
            Self::Failed => EventType::LEG_FAILED,
            Self::Ended { .. } => EventType::LEG_ENDED,
            Self::AfterCallStarted => EventType::LEG_AFTER_CALL_STARTED,
            Self::AfterCallEnded => EventType::LEG_AFTER_CALL_ENDED,
        }
    }
}

impl<N> TicketEvent<N> {
    /// Its type's number.
    pub fn event_type(&self) -> EventType {
        match self {
            Self::Opened(_) => EventType::TICKET_OPENED,
            Self::Resolved { .. } => EventType::TICKET_RESOLVED,
            Self::Reopened { .. } => EventType::TICKET_REOPENED,
            Self::Closed { .. } => EventType::TICKET_CLOSED,
            Self::Accepted { .. } => EventType::TICKET_ACCEPTED,
            Self::Classified { .. } => EventType::TICKET_CLASSIFIED,
            Self::Edited { .. } => EventType::TICKET_EDITED,
            Self::Dispatched { .. } => EventType::TICKET_DISPATCHED,
            Self::Arrived => EventType::TICKET_ARRIVED,
            Self::WorkStarted => EventType::TICKET_WORK_STARTED,
            Self::Held { .. } => EventType::TICKET_HELD,
            Self::Resumed => EventType::TICKET_RESUMED,
            Self::Confirmed { .. } => EventType::TICKET_CONFIRMED,
            Self::Cancelled { .. } => EventType::TICKET_CANCELLED,
            Self::Merged { .. } => EventType::TICKET_MERGED,
            Self::Absorbed { .. } => EventType::TICKET_ABSORBED,
            Self::Escalated { .. } => EventType::TICKET_ESCALATED,
            Self::SkippedTold { .. } => EventType::TICKET_SKIPPED_TOLD,
            Self::Reassigned { .. } => EventType::TICKET_REASSIGNED,
            Self::Linked { .. } => EventType::TICKET_LINKED,
            Self::Unlinked { .. } => EventType::TICKET_UNLINKED,
            Self::Noted { .. } => EventType::TICKET_NOTED,
            Self::Attached { .. } => EventType::TICKET_ATTACHED,
            Self::ArticleCited { .. } => EventType::TICKET_ARTICLE_CITED,
            Self::ContactAdded { .. } => EventType::TICKET_CONTACT_ADDED,
            Self::VisitStepped { .. } => EventType::TICKET_VISIT_STEPPED,
            Self::ApprovalAsked { .. } => EventType::TICKET_APPROVAL_ASKED,
            Self::ApprovalGiven { .. } => EventType::TICKET_APPROVAL_GIVEN,
            Self::ApprovalRefused { .. } => EventType::TICKET_APPROVAL_REFUSED,
            Self::Informed { .. } => EventType::TICKET_INFORMED,
            Self::Investigated => EventType::TICKET_INVESTIGATED,
            Self::Repeated { .. } => EventType::TICKET_REPEATED,
            Self::Promised { .. } => EventType::TICKET_PROMISED,
            Self::Alerted { .. } => EventType::TICKET_ALERTED,
        }
    }
}
