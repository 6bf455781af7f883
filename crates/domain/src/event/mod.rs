//! Every event that the log can hold.
//!
//! Events say what happened; whether it was expected is for the folds to say. They are generic over what stands for
//! a name (see [`crate::ids`]): texts at the edge, small numbers in the log, keys in the folds.
//!
//! - `words`: the words by which they say it; `leg`: a leg and its steps; `types`: their stored numbers

mod leg;
mod types;
mod words;

use serde::{Deserialize, Serialize};

pub use self::{
    leg::{LegRef, LegStep},
    types::EventType,
    words::{Channel, Direction, Party, QueueExit, Supervision, TransferKind},
};
pub use crate::reference::{
    AfterCallEnd, AfterCallOnContact, AgentDefinition, CHAT_SLOTS_MAX, QueueDefinition, ReasonDefinition,
    TeamDefinition, check_chat_slots,
};
use crate::{
    allowance::{AllowanceDefinition, SiteDefinition},
    authority::AuthorityDefinition,
    calendar::CalendarDefinition,
    customer::CustomerEvent,
    deadlines::PolicySet,
    formula::FormulaDefinition,
    ids::{
        AgentId, ContactId, CustomerId, EntryId, LegId, Name, PhoneKey, QueueId, ReasonCode, SurveyId,
        TopicId, VisitId, WrapUpCode,
    },
    target::TargetDefinition,
    ticketing::{KindRules, TicketEvent},
    time::Micros,
    working::CalendarChange,
};

/// Ready, away or gone: what a supervisor or an agent asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Intent<N = Name> {
    /// Ready.
    Ready,
    /// Away with a reason.
    NotReady(ReasonCode<N>),
    /// Signed out.
    SignedOut,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event<N = Name> {
    /// The agent of the stream signed in.
    SignedIn,
    /// The agent of the stream signed out.
    SignedOut,
    /// Ready.
    Ready,
    /// Away.
    NotReady {
        /// Why.
        reason: ReasonCode<N>,
    },
    /// A key that steers or jams the phone.
    KeyPressed {
        /// Which.
        key: PhoneKey<N>,
    },
    /// An outbound task was assigned.
    OutboundAssigned {
        /// The contact to be dialled.
        contact: ContactId<N>,
        /// Its leg.
        leg: LegId<N>,
    },
    /// A supervisor stepped in.
    Supervised {
        /// The contact.
        contact: ContactId<N>,
        /// The leg.
        leg: LegId<N>,
        /// The supervisor.
        supervisor: AgentId<N>,
        /// How.
        how: Supervision,
    },
    /// The softphone has not been heard for the length of its lease; appended by the engine, and in force from
    /// `last_heard` on.
    ConnectionLost {
        /// The last sign of life.
        last_heard: Micros,
    },
    /// The softphone is back.
    ConnectionRestored,
    /// By command: in force at once.
    StateSet {
        /// What.
        intent: Intent<N>,
        /// Why, in the words of whoever asked.
        comment: Option<N>,
    },
    /// By command: pending until the present contact is over.
    NextSet {
        /// What.
        intent: Intent<N>,
        /// Why, in the words of whoever asked.
        comment: Option<N>,
    },
    /// A step of a leg.
    Leg {
        /// Which leg.
        leg: LegRef<N>,
        /// What step.
        step: LegStep<N>,
    },
    /// A contact began.
    ContactStarted {
        /// The medium.
        channel: Channel,
        /// Who began it.
        direction: Direction,
        /// Where it came in.
        entry: Option<EntryId<N>>,
        /// The customer's surrogate.
        customer: Option<CustomerId<N>>,
        /// The first contact of the journey that it goes on with.
        journey: Option<ContactId<N>>,
        /// Our own call-back.
        callback: bool,
        /// 0 is ordinary.
        priority: u32,
    },
    /// The customer or the topic became known.
    ContactIdentified {
        /// The customer's surrogate.
        customer: Option<CustomerId<N>>,
        /// The topic.
        topic: Option<TopicId<N>>,
    },
    /// A queue visit began.
    QueueEntered {
        /// The visit.
        visit: VisitId<N>,
        /// The queue.
        queue: QueueId<N>,
        /// 0 is ordinary.
        priority: u32,
    },
    /// A queue visit ended.
    QueueLeft {
        /// The visit.
        visit: VisitId<N>,
        /// Why.
        exit: QueueExit,
        /// The device was ringing.
        ringing: bool,
    },
    /// The contact was classified.
    WrappedUp {
        /// How.
        code: WrapUpCode<N>,
        /// About what.
        topic: Option<TopicId<N>>,
        /// Whether it says that the matter is resolved.
        resolved: Option<bool>,
    },
    /// The contact is over for everybody.
    ContactEnded {
        /// Who ended it.
        by: Option<Party>,
        /// A menu or a machine served it.
        self_served: bool,
    },
    /// A survey was answered.
    SurveyAnswered {
        /// Which.
        survey: SurveyId<N>,
        /// 1 to 5.
        score: u8,
    },
    /// Something happened to the ticket of the stream.
    Ticket(TicketEvent<N>),
    /// Something happened to a customer's file.
    Customer(CustomerEvent<N>),
    /// A queue was defined.
    QueueDefined(QueueDefinition<N>),
    /// A reason was defined.
    ReasonDefined(ReasonDefinition<N>),
    /// An agent was defined.
    AgentDefined(AgentDefinition<N>),
    /// A formula version comes into force.
    FormulaDefined(Box<FormulaDefinition<N>>),
    /// A target was set.
    TargetDefined(Box<TargetDefinition<N>>),
    /// A working calendar was defined.
    CalendarDefined(Box<CalendarDefinition<N>>),
    /// A team was defined.
    TeamDefined(TeamDefinition<N>),
    /// The site's time zone was defined.
    SiteDefined(SiteDefinition),
    /// What agents are allowed on a day was defined.
    AllowanceDefined(AllowanceDefinition<N>),
    /// Who is believed for which field of a leg was defined.
    AuthorityDefined(AuthorityDefinition),
    /// What a kind of ticket needs was defined.
    TicketKindDefined(Box<KindRules<N>>),
    /// The site's deadline policies were defined, all of them.
    TicketPoliciesDefined(Box<PolicySet<N>>),
    /// A working calendar is another one on one date.
    CalendarChanged(Box<CalendarChange<N>>),
    /// A malformed fact was refused.
    Refused {
        /// The field's path.
        field: N,
        /// What was wrong.
        reason: N,
        /// Keyed BLAKE3 of its bytes, first half.
        digest: [u8; 16],
    },
    /// A source lost some of its facts.
    Skipped {
        /// First.
        from_seq: u64,
        /// Last.
        to_seq: u64,
        /// Why.
        reason: N,
    },
    /// History before an instant is closed: a fact from before it changes no figure any more, and what is over by
    /// then may be forgotten but for its figures. Appended by the engine before history is dropped.
    HistoryClosed {
        /// The instant; when facts happened decides, not when they were recorded.
        before: Micros,
    },
    /// The log's first events are gone; what was made of them is in its archive. Appended by the engine.
    HistoryDropped {
        /// The position of the last event that is gone.
        up_to: u64,
        /// How many went this time.
        events: u64,
        /// How many bytes that gave free.
        bytes: u64,
    },
    /// A fact of this stream never happened.
    Annulled {
        /// Its position.
        target: u64,
        /// Why.
        reason: N,
    },
    /// A fact of this stream happened otherwise.
    Amended {
        /// Its position.
        target: u64,
        /// Why.
        reason: N,
        /// When it really happened.
        occurred_at: Micros,
        /// What really happened.
        event: Box<Event<N>>,
    },
}

impl<N> Event<N> {
    /// Whether it defines something, rather than saying that something happened.
    pub fn is_definition(&self) -> bool {
        self.valid_from().is_some()
    }

    /// From when on what it defines is in force; none if it defines nothing.
    pub fn valid_from(&self) -> Option<Micros> {
        match self {
            Self::QueueDefined(queue) => Some(queue.valid_from),
            Self::ReasonDefined(reason) => Some(reason.valid_from),
            Self::AgentDefined(agent) => Some(agent.valid_from),
            Self::FormulaDefined(formula) => Some(formula.valid_from),
            Self::TargetDefined(target) => Some(target.valid_from),
            Self::CalendarDefined(calendar) => Some(calendar.valid_from),
            Self::TeamDefined(team) => Some(team.valid_from),
            Self::SiteDefined(site) => Some(site.valid_from),
            Self::AllowanceDefined(allowance) => Some(allowance.valid_from),
            Self::AuthorityDefined(authority) => Some(authority.valid_from),
            Self::TicketKindDefined(kind) => Some(kind.valid_from),
            Self::TicketPoliciesDefined(policies) => Some(policies.valid_from),
            Self::CalendarChanged(change) => Some(change.change.valid_from),
            _ => None,
        }
    }
}
