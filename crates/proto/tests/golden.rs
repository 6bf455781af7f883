//! What was ever written must decode forever: one line per event of every schema version, kept in `golden/`.
//!
//! `PEGCOUNT_BLESS=1` writes lines for types that have none yet; it never changes a line that is there.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::too_many_lines,
    missing_docs,
    reason = "tests"
)]

#[path = "golden/tickets.rs"]
mod tickets;

use std::{collections::BTreeMap, fmt::Write as _, fs, path::PathBuf};

use pegcount_domain::{
    allowance::{AllowanceDefinition, LocalHours, MealAllowance, ReasonAllowance, SiteDefinition, ZoneName},
    authority::{AuthorityDefinition, LegField, Reporter},
    calendar::{CalendarDefinition, Date, Holiday, MakeUpDay, Weekday, Window},
    customer::{CustomerEvent, ValueKind},
    event::{
        AfterCallEnd, AfterCallOnContact, AgentDefinition, Channel, Direction, Event, EventType, Intent,
        LegRef, LegStep, Party, QueueDefinition, QueueExit, ReasonDefinition, Supervision, TeamDefinition,
        TransferKind,
    },
    formula::{
        AbandonForm, Forms, FormulaDefinition, HandleTimeForm, Identity, OccupancyForm, Repeats,
        ResolutionForm, Rules, ServiceLevelForm, TransferRule,
    },
    ids::{
        AgentId, ContactId, CustomerId, EntryId, LegId, Name, PhoneKey, QueueId, ReasonCode, SurveyId,
        TeamId, TopicId, VisitId, WrapUpCode,
    },
    target::{ColumnName, Comparison, TargetDefinition, TargetScope},
    time::Micros,
};
use pegcount_proto::{SCHEMA_VERSION, decode, encode};

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

fn leg(step: LegStep) -> Event {
    let leg = LegRef {
        contact: ContactId(name("call-9")),
        leg: LegId(name("1")),
        agent: Some(AgentId(name("agent-7"))),
        visit: Some(VisitId(name("v1"))),
        queue: Some(QueueId(name("sales"))),
        channel: Some(Channel::Chat),
        direction: Some(Direction::Outbound),
    };
    Event::Leg { leg, step }
}

/// A formula version in which nothing is the default.
fn formula() -> Event {
    let day = 24 * 3_600_000_000;
    Event::FormulaDefined(Box::new(FormulaDefinition {
        number: 3,
        name: Some(name("patient")),
        notes: Some(name("short abandons up to 8 s")),
        rules: Rules {
            threshold: Micros(30_000_000),
            short: Micros(8_000_000),
            rings: Micros(18_000_000),
            short_handle: Micros(12_000_000),
            attempt_window: Micros(3_600_000_000),
            fcr_window: Micros(5 * day),
            fcr_identity: Identity::Customer,
            fcr_repeats: Repeats::Any,
            fcr_transfer: TransferRule::Allowed,
            repeat_window: Micros(3 * day),
        },
        forms: Forms {
            aht: HandleTimeForm::Journey,
            abandon_rate: AbandonForm::Raw,
            service_level: ServiceLevelForm::WithFlowOutWithoutAbandoned,
            occupancy: OccupancyForm::Clock,
            fcr: ResolutionForm::Repeat,
        },
        valid_from: Micros(1_700_000_000_000_000),
    }))
}

/// One event of every type, every field set to something that is not its default.
fn samples() -> Vec<Event> {
    let reason = || ReasonCode(name("meal"));
    let contact = || ContactId(name("call-9"));
    let agent = || AgentId(name("agent-7"));
    let mut samples = vec![
        Event::SignedIn,
        Event::SignedOut,
        Event::Ready,
        Event::NotReady { reason: reason() },
        Event::KeyPressed { key: PhoneKey(name("mute")) },
        Event::OutboundAssigned { contact: contact(), leg: LegId(name("1")) },
        Event::Supervised {
            contact: contact(),
            leg: LegId(name("1")),
            supervisor: AgentId(name("lead-1")),
            how: Supervision::Barge,
        },
        Event::ConnectionLost { last_heard: Micros(1_700_000_000_000_001) },
        Event::ConnectionRestored,
        Event::StateSet { intent: Intent::NotReady(reason()), comment: Some(name("forgot")) },
        Event::NextSet { intent: Intent::SignedOut, comment: None },
        Event::ContactStarted {
            channel: Channel::Voice,
            direction: Direction::Inbound,
            entry: Some(EntryId(name("4001"))),
            customer: Some(CustomerId(name("c_abc"))),
            journey: Some(ContactId(name("call-8"))),
            callback: true,
            priority: 7,
        },
        Event::ContactIdentified {
            customer: Some(CustomerId(name("c_abc"))),
            topic: Some(TopicId(name("water"))),
        },
        Event::QueueEntered { visit: VisitId(name("v1")), queue: QueueId(name("sales")), priority: 3 },
        Event::QueueLeft { visit: VisitId(name("v1")), exit: QueueExit::AbandonedElsewhere, ringing: true },
        Event::WrappedUp {
            code: WrapUpCode(name("done")),
            topic: Some(TopicId(name("water"))),
            resolved: Some(false),
        },
        Event::ContactEnded { by: Some(Party::System), self_served: true },
        Event::SurveyAnswered { survey: SurveyId(name("s1")), score: 5 },
        Event::Customer(CustomerEvent::Kept {
            values: vec![(name("s_one"), ValueKind::Name), (name("s_two"), ValueKind::Text)],
        }),
        Event::Customer(CustomerEvent::Read {
            values: vec![name("s_two")],
            purpose: ReasonCode(name("call_back")),
        }),
        Event::Customer(CustomerEvent::Tiered { tier: name("VIP") }),
        Event::Customer(CustomerEvent::AccessGranted {
            to: name("bob"),
            purpose: ReasonCode(name("call_back")),
            until: Micros(1_772_366_400_000_000),
        }),
        Event::Customer(CustomerEvent::AccessRevoked { to: name("bob") }),
        Event::Customer(CustomerEvent::Erased { reason: ReasonCode(name("asked_for")) }),
        Event::QueueDefined(QueueDefinition {
            queue: QueueId(name("sales")),
            label: Some(name("Sales")),
            threshold: Some(Micros(30_000_000)),
            short: Some(Micros(3_000_000)),
            rings: Some(Micros(12_000_000)),
            after_call_end: AfterCallEnd::ByTimer,
            after_call_timer: Micros(45_000_000),
            after_call_on_contact: AfterCallOnContact::Suspends,
            valid_from: Micros(1_700_000_000_000_000),
        }),
        Event::ReasonDefined(ReasonDefinition {
            reason: reason(),
            label: Some(name("Meal")),
            productive: true,
            paid: true,
            longest: Some(Micros(2_700_000_000)),
            valid_from: Micros(1_700_000_000_000_000),
        }),
        Event::AgentDefined(AgentDefinition {
            agent: agent(),
            team: Some(TeamId(name("north"))),
            chat_slots: 3,
            valid_from: Micros(1_700_000_000_000_000),
        }),
        formula(),
        Event::TargetDefined(Box::new(TargetDefinition {
            target: name("efficiency"),
            column: ColumnName::new("contacts_per_hour_inbound"),
            scope: TargetScope::Agent(Some(name("agent-7"))),
            comparison: Comparison::Above,
            value: Some(20_000_000),
            valid_from: Micros(1_700_000_000_000_000),
        })),
        Event::CalendarDefined(Box::new(CalendarDefinition {
            calendar: name("office"),
            time_zone: name("Asia/Shanghai"),
            windows: vec![Window { day: Weekday::Tuesday, from: 510, to: 1_080 }],
            holidays: vec![Holiday { date: Date(20_261_001), name: Some(name("National Day")) }],
            make_up_days: vec![MakeUpDay { date: Date(20_260_927), like: Weekday::Friday }],
            valid_from: Micros(1_700_000_000_000_000),
        })),
        Event::TeamDefined(TeamDefinition {
            team: TeamId(name("north")),
            label: Some(name("North")),
            valid_from: Micros(1_700_000_000_000_000),
        }),
        Event::SiteDefined(SiteDefinition {
            time_zone: ZoneName::new("Australia/Lord_Howe"),
            valid_from: Micros(1_700_000_000_000_000),
        }),
        Event::AllowanceDefined(AllowanceDefinition {
            team: Some(TeamId(name("north"))),
            total: Some(Micros(5_400_000_000)),
            reasons: vec![ReasonAllowance {
                reason: reason(),
                longest: Some(Micros(1_800_000_000)),
                total: Some(Micros(2_700_000_000)),
                count: Some(2),
            }],
            meals: Some(MealAllowance {
                reasons: vec![reason(), ReasonCode(name("supper"))],
                count: Some(1),
                longest: Some(Micros(2_700_000_000)),
                hours: Some(LocalHours { from_minute: 660, to_minute: 840 }),
            }),
            sign_ins: Some(3),
            valid_from: Micros(1_700_000_000_000_000),
        }),
        Event::AuthorityDefined(AuthorityDefinition {
            believed: vec![(LegField::Held, Reporter::Softphone), (LegField::AfterCall, Reporter::Exchange)],
            valid_from: Micros(1_700_000_000_000_000),
        }),
        Event::Refused { field: name("agent.agent"), reason: name("is empty"), digest: [9; 16] },
        Event::Skipped { from_seq: 5, to_seq: 9, reason: name("spool lost") },
        Event::Annulled { target: 12, reason: name("wrong key") },
        Event::Amended {
            target: 12,
            reason: name("wrong reason"),
            occurred_at: Micros(1_700_000_000_000_002),
            event: Box::new(Event::NotReady { reason: ReasonCode(name("training")) }),
        },
        Event::HistoryClosed { before: Micros(1_700_000_000_000_003) },
        Event::HistoryDropped { up_to: 3_300_000, events: 3_300_000, bytes: 130_990_012 },
    ];
    let transferred = LegStep::Transferred {
        kind: TransferKind::Warm,
        reason: Some(reason()),
        to_queue: Some(QueueId(name("repairs"))),
        to_agent: Some(AgentId(name("agent-8"))),
    };
    let ended = LegStep::Ended { by: Some(Party::Customer), after_call_expected: true };
    samples.extend(
        [
            LegStep::Offered,
            LegStep::Ringing,
            LegStep::Dialing,
            LegStep::Answered,
            LegStep::Held,
            LegStep::Retrieved,
            LegStep::Consulting,
            LegStep::Conferenced,
            LegStep::Interrupted,
            transferred,
            LegStep::Missed,
            LegStep::Rejected,
            LegStep::CustomerGone,
            LegStep::Failed,
            ended,
            LegStep::AfterCallStarted,
            LegStep::AfterCallEnded,
        ]
        .map(leg),
    );
    samples.extend(tickets::before_the_full_ticket().map(Event::Ticket));
    samples.extend(tickets::new_types().map(Event::Ticket));
    samples.extend(tickets::definitions());
    samples.sort_by_key(Event::event_type);
    samples
}

/// Types that say more today than when their line was written.
fn grown_samples() -> Vec<Event> {
    tickets::grown().map(Event::Ticket).into_iter().chain(tickets::further_plans()).collect()
}

fn decoded(event_type: EventType, version: u16, payload: &[u8], names: &[Name]) -> Event {
    decode(event_type, version, payload, |index| names.get(usize::try_from(index).unwrap()).cloned())
        .expect("a stored event decodes")
}

fn line(event: &Event) -> String {
    let encoded = encode(event);
    let mut hex = String::new();
    encoded.payload.iter().for_each(|byte| write!(hex, "{byte:02x}").unwrap());
    let names: Vec<&str> = encoded.names.iter().map(Name::as_str).collect();
    format!("{}\t{}\t{hex}\t{}", encoded.event_type.name(), encoded.schema_version, names.join("|"))
}

fn golden_file() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/schema-{SCHEMA_VERSION}.tsv"))
}

fn parse(line: &str) -> (EventType, u16, Vec<u8>, Vec<Name>) {
    let fields: Vec<&str> = line.split('\t').collect();
    let event_type = *EventType::ALL.iter().find(|known| known.name() == fields[0]).expect("a known type");
    let payload = (0..fields[2].len() / 2)
        .map(|index| u8::from_str_radix(&fields[2][index * 2..index * 2 + 2], 16).unwrap())
        .collect();
    let names = fields[3].split('|').filter(|text| !text.is_empty()).map(name).collect();
    (event_type, fields[1].parse().unwrap(), payload, names)
}

#[test]
fn every_type_has_a_sample() {
    let sampled: Vec<_> = samples().iter().map(Event::event_type).collect();
    assert_eq!(sampled, EventType::ALL);
}

#[test]
fn an_event_is_the_same_after_it_was_stored() {
    for event in samples().into_iter().chain(grown_samples()) {
        let encoded = encode(&event);
        assert_eq!(encoded.event_type, event.event_type());
        let names: Vec<_> = encoded.names.to_vec();
        assert_eq!(decoded(encoded.event_type, encoded.schema_version, &encoded.payload, &names), event);
    }
}

#[test]
fn what_was_ever_written_decodes_to_what_was_meant() {
    let path = golden_file();
    let kept = fs::read_to_string(&path).unwrap_or_default();
    let mut lines: BTreeMap<String, String> =
        kept.lines().map(|line| (line.split('\t').next().unwrap().to_owned(), line.to_owned())).collect();
    if std::env::var_os("PEGCOUNT_BLESS").is_some() {
        for event in samples() {
            lines.entry(event.event_type().name().to_owned()).or_insert_with(|| line(&event));
        }
        let all: Vec<_> = lines.values().map(String::as_str).collect();
        fs::write(&path, all.join("\n") + "\n").unwrap();
    }
    for event in samples() {
        let kept = lines.get(event.event_type().name()).expect("PEGCOUNT_BLESS=1 adds the new type's line");
        let (event_type, version, payload, names) = parse(kept);
        assert_eq!(decoded(event_type, version, &payload, &names), event, "{kept}");
    }
}

/// Lines of payloads that have grown since, in the order of their samples; likewise never changed.
#[test]
fn a_payload_that_grew_decodes_in_its_newer_form_too() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/schema-1-grown.tsv");
    let kept = fs::read_to_string(&path).unwrap_or_default();
    let mut lines: Vec<String> = kept.lines().map(str::to_owned).collect();
    if std::env::var_os("PEGCOUNT_BLESS").is_some() {
        lines.extend(grown_samples().iter().skip(lines.len()).map(line));
        fs::write(&path, lines.join("\n") + "\n").unwrap();
    }
    assert_eq!(lines.len(), grown_samples().len(), "PEGCOUNT_BLESS=1 adds the new lines");
    for (event, kept) in grown_samples().iter().zip(&lines) {
        let (event_type, version, payload, names) = parse(kept);
        assert_eq!(decoded(event_type, version, &payload, &names), *event, "{kept}");
        assert_eq!(line(event), *kept, "what is written today is what was written");
    }
}

#[test]
fn a_newer_schema_and_an_unknown_type_are_named() {
    let newer = decode::<Name>(EventType::SIGNED_IN, SCHEMA_VERSION + 1, &[], |_| None).unwrap_err();
    assert!(newer.to_string().contains("agent.signed_in has schema version 2"), "{newer}");
    let unknown = decode::<Name>(EventType(999), SCHEMA_VERSION, &[], |_| None).unwrap_err();
    assert_eq!(unknown.to_string(), "event type 999 is unknown to this program: use a newer one");
}

proptest::proptest! {
    /// Bytes from anywhere never panic, and never nest without end.
    #[test]
    fn any_bytes_decode_or_are_refused(kind in 0usize..58, payload: Vec<u8>) {
        let event_type = EventType::ALL[kind % EventType::ALL.len()];
        let _ = decode(event_type, SCHEMA_VERSION, &payload, Some);
    }
}
