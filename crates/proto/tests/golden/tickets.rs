//! What happens to tickets, one sample of each type.

use pegcount_domain::{
    calendar::{Date, Weekday},
    deadlines::{AlertStep, Amount, ClockKind, Conditions, Policy, PolicySet, Recipient, TargetRule},
    event::Event,
    ids::{
        AgentId, CategoryId, ContactId, CustomerId, QueueId, ReasonCode, TeamId, TicketId, TicketKind,
        TopicId,
    },
    ticketing::{
        EscalationCause, Evidence, Field, FieldValue, KindRules, LinkKind, Opening, Promiser, Severity,
        Status, TargetKind, TicketEvent, Urgency, Validity, Visibility, VisitStep, Way, WayKind,
    },
    time::Micros,
    working::{CalendarChange, DayChange, DayPlan, Hours},
};

use crate::name;

fn agent() -> AgentId {
    AgentId(name("agent-7"))
}

fn group() -> TeamId {
    TeamId(name("repairers"))
}

fn reason() -> ReasonCode {
    ReasonCode(name("again"))
}

fn contact() -> ContactId {
    ContactId(name("call-9"))
}

/// As the lines say it that were written before ways, rework and the list of fields were there.
pub(crate) fn before_the_full_ticket() -> [TicketEvent; 4] {
    let (agent, reason) = (Some(agent()), Some(ReasonCode(name("meal"))));
    let opening = Opening {
        receiver: agent.clone(),
        contact: Some(contact()),
        queue: Some(QueueId(name("repairs"))),
        set: vec![
            FieldValue::Customer(CustomerId(name("c_abc"))),
            FieldValue::Category(CategoryId(name("pipes"))),
            FieldValue::Topic(TopicId(name("water"))),
        ],
        ..Opening::of(TicketKind(name("repair")))
    };
    [
        TicketEvent::Opened(Box::new(opening)),
        TicketEvent::Resolved { way: None, agent: agent.clone(), reason: reason.clone() },
        TicketEvent::Reopened { reason: reason.clone(), rework: None, agent: agent.clone() },
        TicketEvent::Closed { agent, reason },
    ]
}

pub(crate) fn grown() -> [TicketEvent; 7] {
    let opening = Opening {
        kind: TicketKind(name("repair")),
        receiver: Some(agent()),
        group: Some(group()),
        contact: Some(contact()),
        queue: Some(QueueId(name("repairs"))),
        split_from: Some(TicketId(name("t-1"))),
        set: vec![
            FieldValue::Category(CategoryId(name("pipes"))),
            FieldValue::Topic(TopicId(name("water"))),
            FieldValue::Severity(Severity::Major),
            FieldValue::Urgency(Urgency::Urgent),
            FieldValue::Validity(Validity::Valid),
            FieldValue::Customer(CustomerId(name("c_abc"))),
            FieldValue::Tier(name("gold")),
            FieldValue::Place(name("house 4")),
            FieldValue::Region(name("north")),
            FieldValue::Channel(name("phone")),
            FieldValue::Attribute { name: name("meter"), value: name("m-77") },
        ],
    };
    let (agent, reason) = (Some(agent()), Some(reason()));
    let resolved = |way| TicketEvent::Resolved { way: Some(way), agent: agent.clone(), reason: None };
    [
        TicketEvent::Opened(Box::new(opening)),
        resolved(Way::Alone),
        resolved(Way::WithOthers { groups: vec![group(), TeamId(name("billing"))] }),
        resolved(Way::WithApproval),
        resolved(Way::Declined { reason: ReasonCode(name("not ours")), alternative: name("s_1") }),
        TicketEvent::Reopened { reason: reason.clone(), rework: Some(true), agent: agent.clone() },
        TicketEvent::Reopened { reason, rework: Some(false), agent },
    ]
}

pub(crate) fn definitions() -> [Event; 3] {
    let step = |permille, recipients| AlertStep { permille, recipients, working_hours: Some(name("office")) };
    let rule = |target, amount, clock| TargetRule {
        target,
        amount,
        clock,
        pauses: vec![Status::OnHold, Status::New],
        warnings: vec![step(800, vec![Recipient::Owner, Recipient::Receiver])],
        escalations: vec![step(1_000, vec![Recipient::Group, Recipient::Level(name("team_lead"))])],
    };
    let policy = Policy {
        name: name("urgent"),
        when: Conditions {
            kinds: vec![TicketKind(name("repair"))],
            severities: vec![Severity::Major, Severity::Critical],
            urgencies: vec![Urgency::Urgent],
            tiers: vec![name("gold")],
            channels: vec![name("phone")],
            validities: vec![Validity::Valid],
        },
        targets: vec![
            rule(TargetKind::Resolve, Amount::Time(Micros(7_200_000_000)), ClockKind::Calendar),
            rule(TargetKind::Arrive, Amount::WorkingDays(0), ClockKind::Working(name("office"))),
        ],
    };
    let kind = KindRules {
        kind: TicketKind(name("repair")),
        fields: vec![Field::Category, Field::Place],
        attributes: vec![name("meter")],
        evidence: vec![Evidence { kind: name("photo"), count: 2 }],
        ways: vec![WayKind::Alone, WayKind::Declined],
        approvers: vec![name("head")],
        levels: vec![name("team_lead"), name("kpi_desk")],
        escalates_when_repeated: true,
        requester_accepts: true,
        slip_filed: true,
        valid_from: Micros(1_700_000_000_000_000),
    };
    let change = DayChange {
        date: Date(20_261_130),
        plan: DayPlan::Hours(vec![Hours::new(1_320, 360)]),
        valid_from: Micros(1_700_000_000_000_000),
    };
    [
        Event::TicketKindDefined(Box::new(kind)),
        Event::TicketPoliciesDefined(Box::new(PolicySet {
            policies: vec![policy],
            valid_from: Micros(1_700_000_000_000_000),
        })),
        Event::CalendarChanged(Box::new(CalendarChange { calendar: name("office"), change })),
    ]
}

/// The other plans of a day.
pub(crate) fn further_plans() -> [Event; 3] {
    [DayPlan::AsUsual, DayPlan::Closed, DayPlan::Like(Weekday::Friday)].map(|plan| {
        let change = DayChange { date: Date(20_261_130), plan, valid_from: Micros(0) };
        Event::CalendarChanged(Box::new(CalendarChange { calendar: name("office"), change }))
    })
}

pub(crate) fn new_types() -> [TicketEvent; 30] {
    let ticket = || TicketId(name("t-2"));
    [
        TicketEvent::Accepted { owner: agent() },
        TicketEvent::Classified { set: vec![FieldValue::Category(CategoryId(name("pipes")))] },
        TicketEvent::Edited { set: vec![FieldValue::Severity(Severity::Critical)] },
        TicketEvent::Dispatched { group: Some(group()), to: Some(agent()) },
        TicketEvent::Arrived,
        TicketEvent::WorkStarted,
        TicketEvent::Held { reason: ReasonCode(name("spare part")) },
        TicketEvent::Resumed,
        TicketEvent::Confirmed { proof: Some(name("s_2")) },
        TicketEvent::Cancelled { reason: reason(), explanation: name("s_3") },
        TicketEvent::Merged { into: ticket() },
        TicketEvent::Absorbed { other: ticket() },
        TicketEvent::Escalated {
            level: 3,
            to: name("floor_manager"),
            skipped: vec![name("team_lead"), name("kpi_desk")],
            cause: EscalationCause::Emergency(reason()),
        },
        TicketEvent::SkippedTold { level: name("team_lead") },
        TicketEvent::Reassigned { owner: Some(agent()), group: Some(group()), reason: reason() },
        TicketEvent::Linked { other: ticket(), how: LinkKind::Child },
        TicketEvent::Unlinked { other: ticket() },
        TicketEvent::Noted { visibility: Visibility::Internal, text: name("s_4") },
        TicketEvent::Attached { kind: name("photo"), reference: name("s_5") },
        TicketEvent::ArticleCited { article: name("kb-12"), helped: Some(false) },
        TicketEvent::ContactAdded { contact: contact() },
        TicketEvent::VisitStepped {
            step: VisitStep::AppointmentAgreed,
            appointment: Some(Micros(1_700_000_000_000_004)),
            slip: Some(name("s_6")),
        },
        TicketEvent::ApprovalAsked { approver: name("head") },
        TicketEvent::ApprovalGiven { approver: name("head") },
        TicketEvent::ApprovalRefused { approver: name("head"), reason: reason() },
        TicketEvent::Informed { contact: Some(contact()) },
        TicketEvent::Investigated,
        TicketEvent::Repeated { contact: Some(contact()) },
        TicketEvent::Promised {
            target: TargetKind::Arrive,
            due: Micros(1_700_000_000_000_005),
            by: Promiser::Customer,
        },
        TicketEvent::Alerted { target: TargetKind::Explain, round: 2, permille: 1_500, escalation: true },
    ]
}
