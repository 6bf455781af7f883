//! Every event that the log can hold.
//!
//! Events say what happened; whether it was expected is for the folds to say. They are generic over what stands for
//! a name (see [`crate::ids`]): texts at the edge, small numbers in the log, keys in the folds.
//!
//! Invariant: [`EventType`] numbers are stored; a number is never given to another meaning.

use serde::{Deserialize, Serialize};

use crate::{
    allowance::{AllowanceDefinition, SiteDefinition},
    authority::AuthorityDefinition,
    calendar::CalendarDefinition,
    formula::FormulaDefinition,
    ids::{
        AgentId, CategoryId, ContactId, CustomerId, EntryId, LegId, Name, PhoneKey, QueueId, ReasonCode,
        SurveyId, TeamId, TicketKind, TopicId, VisitId, WrapUpCode,
    },
    target::TargetDefinition,
    time::Micros,
};

macro_rules! coded {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $code:literal $text:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum $name { $($(#[$vdoc])* $variant = $code,)+ }

        impl $name {
            /// All of them, in the order of their codes.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The stored code, never 0.
            #[inline]
            pub const fn code(self) -> u8 {
                match self { $(Self::$variant => $code,)+ }
            }

            /// The one with this code.
            #[inline]
            pub const fn from_code(code: u32) -> Option<Self> {
                match code { $($code => Some(Self::$variant),)+ _ => None }
            }

            /// The field's word, in lower case.
            pub const fn word(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }

            /// The one with this word; else in words what is wrong with it, and which there are.
            pub fn from_word(word: &str) -> Result<Self, String> {
                match word {
                    $($text => Ok(Self::$variant),)+
                    _ => Err(format!("is `{word}`; it is one of {}", [$($text),+].join(", "))),
                }
            }
        }

        /// The word where people read it, the code in checkpoints.
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                if serializer.is_human_readable() {
                    serializer.serialize_str(self.word())
                } else {
                    serializer.serialize_u8(self.code())
                }
            }
        }

        /// From the code alone.
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let code = <u8 as serde::Deserialize>::deserialize(deserializer)?;
                Self::from_code(code.into())
                    .ok_or_else(|| serde::de::Error::custom(concat!("no such ", stringify!($name))))
            }
        }
    };
}

pub(crate) use coded;

coded! {
    /// The medium of a contact.
    Channel {
        /// A telephone call.
        Voice = 1 "voice",
        /// A web or in-app chat.
        Chat = 2 "chat",
        /// An e-mail conversation.
        Email = 3 "email",
        /// A messaging application.
        Messaging = 4 "messaging",
    }
}

coded! {
    /// Who began the contact.
    Direction {
        /// The customer.
        Inbound = 1 "inbound",
        /// We did.
        Outbound = 2 "outbound",
        /// Between our own people.
        Internal = 3 "internal",
    }
}

coded! {
    /// Who ended a leg or a contact.
    Party {
        /// The agent.
        Agent = 1 "agent",
        /// The customer.
        Customer = 2 "customer",
        /// The exchange or the network.
        System = 3 "system",
    }
}

coded! {
    /// How a leg was passed on.
    TransferKind {
        /// Unannounced.
        Cold = 1 "cold",
        /// After speaking to the receiver.
        Warm = 2 "warm",
    }
}

coded! {
    /// What a supervisor does on somebody's contact.
    Supervision {
        /// Hears, unheard.
        Listen = 1 "listen",
        /// Speaks to the agent only.
        Whisper = 2 "whisper",
        /// Joins.
        Barge = 3 "barge",
        /// Takes over.
        Takeover = 4 "takeover",
    }
}

coded! {
    /// Why a queue visit ended. From [`QueueExit::Overflow`] on it is a flow-out.
    QueueExit {
        /// An agent took it.
        Answered = 1 "answered",
        /// The customer gave up.
        Abandoned = 2 "abandoned",
        /// The customer will be called back.
        CallbackTaken = 3 "callback_taken",
        /// Queue too long.
        Overflow = 4 "overflow",
        /// Waited too long.
        Timeout = 5 "timeout",
        /// Queue closed.
        Closed = 6 "closed",
        /// No place left.
        Full = 7 "full",
        /// Nobody signed in on arrival.
        JoinEmpty = 8 "join_empty",
        /// Last agent left.
        LeaveEmpty = 9 "leave_empty",
        /// Moved to another queue.
        Transferred = 10 "transferred",
        /// Answered in another queue.
        AnsweredElsewhere = 11 "answered_elsewhere",
        /// Counted as abandoned in another queue.
        AbandonedElsewhere = 12 "abandoned_elsewhere",
        /// Fault.
        System = 13 "system",
    }
}

coded! {
    /// How after-call work ends (queue policy).
    AfterCallEnd {
        /// When the agent says so.
        ByAgent = 1 "by_agent",
        /// After a time.
        ByTimer = 2 "by_timer",
        /// There is none.
        None = 3 "none",
    }
}

coded! {
    /// What a new contact does to after-call work (queue policy).
    AfterCallOnContact {
        /// Ends it.
        Ends = 1 "ends",
        /// Suspends it.
        Suspends = 2 "suspends",
    }
}

/// One agent's part in one contact, as said by one fact. `agent` is none when nobody knows who it was. Queue,
/// channel and direction are said at least once in a leg's life, and may be left out afterwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LegRef<N = Name> {
    /// The contact.
    pub contact: ContactId<N>,
    /// The leg.
    pub leg: LegId<N>,
    /// The agent.
    pub agent: Option<AgentId<N>>,
    /// The visit served.
    pub visit: Option<VisitId<N>>,
    /// The queue.
    pub queue: Option<QueueId<N>>,
    /// The medium.
    pub channel: Option<Channel>,
    /// The direction.
    pub direction: Option<Direction>,
}

/// A step of a leg. Who reports it is told by the stream's kind: softphones write agent streams, exchanges write
/// contact streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LegStep<N = Name> {
    /// Assigned; may not ring yet.
    Offered,
    /// Rings.
    Ringing,
    /// Dials out.
    Dialing,
    /// Talks.
    Answered,
    /// Customer on hold.
    Held,
    /// Back from hold, consultation, conference or interruption.
    Retrieved,
    /// Consults.
    Consulting,
    /// In conference.
    Conferenced,
    /// Interrupted by another contact.
    Interrupted,
    /// Passed on; the leg ends by [`LegStep::Ended`].
    Transferred {
        /// Cold or warm.
        kind: TransferKind,
        /// Why.
        reason: Option<ReasonCode<N>>,
        /// To this queue.
        to_queue: Option<QueueId<N>>,
        /// To this agent.
        to_agent: Option<AgentId<N>>,
    },
    /// Ring no answer (RONA).
    Missed,
    /// Rejected.
    Rejected,
    /// The customer went while it rang.
    CustomerGone,
    /// Not connected.
    Failed,
    /// The conversation is over.
    Ended {
        /// Who ended it.
        by: Option<Party>,
        /// After-call work follows.
        after_call_expected: bool,
    },
    /// After-call work began.
    AfterCallStarted,
    /// After-call work is over.
    AfterCallEnded,
}

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

/// Reference data of a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueDefinition<N = Name> {
    /// The queue.
    pub queue: QueueId<N>,
    /// For people.
    pub label: Option<N>,
    /// Its own service level threshold t (duration); none: the formula's.
    pub threshold: Option<Micros>,
    /// Its own longest short abandoned wait (duration); none: the formula's.
    pub short: Option<Micros>,
    /// Its own three rings (duration); none: the formula's.
    pub rings: Option<Micros>,
    /// How after-call work ends.
    pub after_call_end: AfterCallEnd,
    /// For [`AfterCallEnd::ByTimer`] (duration).
    pub after_call_timer: Micros,
    /// What a new contact does to it.
    pub after_call_on_contact: AfterCallOnContact,
    /// In force from.
    pub valid_from: Micros,
}

impl<N> QueueDefinition<N> {
    /// What holds for a queue that nobody has defined: no thresholds of its own, after-call work ended by the agent, and
    /// by a new contact.
    pub fn default_for(queue: QueueId<N>) -> Self {
        Self {
            queue,
            label: None,
            threshold: None,
            short: None,
            rings: None,
            after_call_end: AfterCallEnd::ByAgent,
            after_call_timer: Micros::ZERO,
            after_call_on_contact: AfterCallOnContact::Ends,
            valid_from: Micros::ZERO,
        }
    }

    /// Whether it has a timer where it needs one, and only there; else in words what is wrong, after the timer's name.
    pub fn check_timer(&self) -> Result<(), &'static str> {
        if (self.after_call_end == AfterCallEnd::ByTimer) == (self.after_call_timer > Micros::ZERO) {
            return Ok(());
        }
        Err("belongs to after-call work that ends by_timer, and to nothing else: say both or neither")
    }
}

/// Reference data of a reason for being away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReasonDefinition<N = Name> {
    /// The code.
    pub reason: ReasonCode<N>,
    /// For people.
    pub label: Option<N>,
    /// Productive time.
    pub productive: bool,
    /// Paid time.
    pub paid: bool,
    /// Longest absence (duration); none: no limit.
    pub longest: Option<Micros>,
    /// In force from.
    pub valid_from: Micros,
}

/// Reference data of an agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentDefinition<N = Name> {
    /// The agent.
    pub agent: AgentId<N>,
    /// The team.
    pub team: Option<TeamId<N>>,
    /// Chats at once; 0 stands for 1.
    pub chat_slots: u32,
    /// In force from.
    pub valid_from: Micros,
}

/// The most chats at once that an agent can be defined with.
pub const CHAT_SLOTS_MAX: u32 = 100;

/// Whether an agent can be defined with so many chats at once; else in words what is wrong, after their name.
pub fn check_chat_slots(slots: u32) -> Result<(), String> {
    if (1..=CHAT_SLOTS_MAX).contains(&slots) {
        return Ok(());
    }
    Err(format!("is {slots}; it is 1 to {CHAT_SLOTS_MAX}"))
}

impl<N> AgentDefinition<N> {
    /// How many chats the agent may hold at once; at least 1.
    pub fn slots(&self) -> u32 {
        self.chat_slots.max(1)
    }
}

/// Reference data of a team.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TeamDefinition<N = Name> {
    /// The team.
    pub team: TeamId<N>,
    /// For people.
    pub label: Option<N>,
    /// In force from.
    pub valid_from: Micros,
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
    /// A ticket was opened.
    TicketOpened {
        /// In this contact.
        contact: Option<ContactId<N>>,
        /// For this customer.
        customer: Option<CustomerId<N>>,
        /// Its kind.
        kind: TicketKind<N>,
        /// Its category.
        category: Option<CategoryId<N>>,
        /// Its topic.
        topic: Option<TopicId<N>>,
        /// Who took it.
        agent: Option<AgentId<N>>,
        /// The queue of the contact.
        queue: Option<QueueId<N>>,
    },
    /// A ticket was resolved.
    TicketResolved {
        /// Who did it.
        agent: Option<AgentId<N>>,
        /// How.
        reason: Option<ReasonCode<N>>,
    },
    /// A ticket was opened again.
    TicketReopened {
        /// Who did it.
        agent: Option<AgentId<N>>,
        /// Why.
        reason: Option<ReasonCode<N>>,
    },
    /// A ticket was closed.
    TicketClosed {
        /// Who did it.
        agent: Option<AgentId<N>>,
        /// How.
        reason: Option<ReasonCode<N>>,
    },
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

/// The stored number of a kind of event. Numbers are grouped: 1xx agent, 2xx leg, 3xx contact, 4xx ticket,
/// 5xx definition, 6xx quarantine, 7xx correction, 8xx history.
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
    QUEUE_DEFINED = 501 "definition.queue",
    REASON_DEFINED = 502 "definition.reason",
    AGENT_DEFINED = 503 "definition.agent",
    FORMULA_DEFINED = 504 "definition.formula",
    TARGET_DEFINED = 505 "definition.target",
    CALENDAR_DEFINED = 506 "definition.calendar",
    TEAM_DEFINED = 507 "definition.team",
    SITE_DEFINED = 520 "definition.site",
    ALLOWANCE_DEFINED = 521 "definition.allowance",
    AUTHORITY_DEFINED = 522 "definition.authority",
    REFUSED = 601 "quarantine.refused",
    SKIPPED = 602 "quarantine.skipped",
    ANNULLED = 701 "correction.annulled",
    AMENDED = 702 "correction.amended",
    HISTORY_CLOSED = 801 "history.closed",
    HISTORY_DROPPED = 802 "history.dropped",
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
            _ => None,
        }
    }

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
            Self::TicketOpened { .. } => EventType::TICKET_OPENED,
            Self::TicketResolved { .. } => EventType::TICKET_RESOLVED,
            Self::TicketReopened { .. } => EventType::TICKET_REOPENED,
            Self::TicketClosed { .. } => EventType::TICKET_CLOSED,
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
            Self::Refused { .. } => EventType::REFUSED,
            Self::Skipped { .. } => EventType::SKIPPED,
            Self::Annulled { .. } => EventType::ANNULLED,
            Self::Amended { .. } => EventType::AMENDED,
            Self::HistoryClosed { .. } => EventType::HISTORY_CLOSED,
            Self::HistoryDropped { .. } => EventType::HISTORY_DROPPED,
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
