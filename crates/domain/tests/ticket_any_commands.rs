//! Whatever is asked of a ticket, and whatever its history holds, its invariants stand.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "tests"
)]

mod ticket_support;

use pegcount_domain::{ids::*, ticketing::*, time::Micros};
use proptest::prelude::*;
use ticket_support::*;

/// What leads where, written down once more and by hand: from, action, to. All else leaves the status alone or is refused.
const WAYS: &[(&str, &str, &str)] = &[
    ("new", "accept", "accepted"),
    ("accepted", "classify", "classified"),
    ("classified dispatched on_site working", "dispatch", "dispatched"),
    ("dispatched working", "arrive", "on_site"),
    ("classified dispatched on_site", "start work", "working"),
    ("accepted classified dispatched on_site working", "hold", "on_hold"),
    ("classified dispatched on_site working", "resolve", "resolved"),
    ("resolved", "close", "closed"),
    ("resolved closed", "reopen", "classified"),
    ("new accepted classified dispatched on_site working on_hold", "cancel", "cancelled"),
    ("new accepted classified dispatched on_site working on_hold resolved", "merge", "merged"),
];

fn word(status: Status) -> String {
    status.word().replace(' ', "_")
}

/// The model: where a ticket stands after an action that was not refused.
fn model(from: Status, before_hold: Status, action: Action) -> String {
    if action == Action::Resume {
        return word(before_hold);
    }
    let leads = |way: &&(&str, &str, &str)| {
        way.1 == action.word() && way.0.split(' ').any(|known| known == word(from))
    };
    WAYS.iter().find(leads).map_or_else(|| word(from), |way| way.2.to_owned())
}

fn value() -> impl Strategy<Value = FieldValue> {
    prop_oneof![
        prop::sample::select(vec!["lift", "noise"]).prop_map(category),
        prop::sample::select(Severity::ALL).prop_map(FieldValue::Severity),
        prop::sample::select(Urgency::ALL).prop_map(FieldValue::Urgency),
        Just(FieldValue::Place(name("tower-2"))),
        Just(FieldValue::Attribute { name: name("meter"), value: name("17") }),
    ]
}

fn way() -> impl Strategy<Value = Way> {
    prop_oneof![
        Just(Way::Alone),
        Just(Way::WithOthers { groups: vec![TeamId(name("gas"))] }),
        Just(Way::WithOthers { groups: Vec::new() }),
        Just(Way::WithApproval),
        Just(declined()),
    ]
}

fn command() -> impl Strategy<Value = TicketCommand> {
    let who = || prop::sample::select(vec!["manager", "cook"]).prop_map(name);
    let level = prop::option::of(prop::sample::select(vec!["one", "two", "three", "mayor"]).prop_map(name));
    prop_oneof![
        4 => Just(accept()),
        4 => prop::collection::vec(value(), 0..3).prop_map(|set| TicketCommand::Classify { set }),
        2 => prop::collection::vec(value(), 0..3).prop_map(|set| TicketCommand::Edit { set }),
        3 => prop::option::of(Just(agent("carl"))).prop_map(|to| TicketCommand::Dispatch { group: None, to }),
        2 => Just(TicketCommand::Arrive),
        2 => Just(TicketCommand::StartWork),
        2 => Just(hold()),
        3 => Just(TicketCommand::Resume),
        5 => way().prop_map(settle),
        2 => Just(TicketCommand::Confirm { proof: None }),
        3 => any::<bool>().prop_map(|rework| TicketCommand::Reopen { reason: reason("again"), rework, agent: None }),
        3 => Just(TicketCommand::Close { agent: None, reason: None }),
        1 => prop_oneof![9 => Just(TicketCommand::Investigate), 1 => Just(cancel())],
        2 => (level, any::<bool>()).prop_map(|(to, emergency)| {
            TicketCommand::Escalate { to, reason: reason("stuck"), emergency }
        }),
        2 => prop::sample::select(vec!["one", "two"]).prop_map(|level| TicketCommand::TellSkipped { level: name(level) }),
        1 => prop::option::of(prop::sample::select(vec!["bob", "eve"]).prop_map(agent)).prop_map(|owner| {
            TicketCommand::Reassign { owner, group: None, reason: reason("shift") }
        }),
        1 => Just(TicketCommand::Note { visibility: Visibility::Public, text: name("sealed-3") }),
        2 => Just(attach("photo")),
        4 => prop::sample::select(VisitStep::ALL).prop_map(visit),
        2 => who().prop_map(|approver| TicketCommand::AskApproval { approver }),
        2 => who().prop_map(|approver| TicketCommand::Approve { approver }),
        1 => who().prop_map(|approver| TicketCommand::RefuseApproval { approver, reason: reason("cost") }),
        1 => Just(TicketCommand::Inform { contact: None }),
        1 => Just(repeat()),
    ]
}

fn rules() -> impl Strategy<Value = KindRules> {
    (any::<[bool; 6]>(), 0..3_u32).prop_map(|(on, photos)| KindRules {
        fields: if on[0] { vec![Field::Category, Field::Place] } else { Vec::new() },
        attributes: if on[1] { vec![name("meter")] } else { Vec::new() },
        evidence: vec![Evidence { kind: name("photo"), count: photos }],
        approvers: if on[2] { vec![name("manager")] } else { Vec::new() },
        levels: vec![name("one"), name("two"), name("three")],
        escalates_when_repeated: on[3],
        requester_accepts: on[4],
        slip_filed: on[5],
        ..KindRules::free(TicketKind(name("repair")))
    })
}

/// What holds of every ticket, however it came to be.
fn check(ticket: &Ticket) {
    assert_eq!(ticket.hold_reason.is_some(), ticket.status == Status::OnHold, "{ticket:?}");
    assert_eq!(ticket.closed_at.is_some(), ticket.status == Status::Closed, "{ticket:?}");
    assert_eq!(ticket.merged_into.is_some(), ticket.status == Status::Merged, "{ticket:?}");
    assert!(ticket.before_hold.is_open() && ticket.before_hold != Status::OnHold, "{ticket:?}");
    assert!(ticket.reworked <= ticket.reopened, "{ticket:?}");
    assert!(
        ticket.resolved_at.is_some() || !ticket.status.is_settled() || ticket.way.is_none(),
        "{ticket:?}"
    );
    let last = ticket.changes.last().unwrap();
    assert_eq!(last.version, ticket.version, "{ticket:?}");
    let in_order = ticket.changes.windows(2).all(|pair| pair[0].version.0 + 1 == pair[1].version.0);
    assert!(in_order && ticket.changes.len() <= state::CHANGES_KEPT, "{ticket:?}");
}

proptest! {
    #[test]
    fn any_sequence_of_commands_keeps_the_invariants(
        rules in rules(),
        commands in prop::collection::vec(command(), 1..120),
    ) {
        let mut case = Case::with(rules);
        let (mut reopened, mut visited) = (0, None);
        for command in commands {
            let before = case.ticket.clone();
            let action = command.action();
            let decided = case.when(command.clone());
            let after = case.ticket.clone();
            check(&after);
            prop_assert_eq!(&case.told_again(), &after, "history is complete");
            prop_assert_eq!(&after.receiver, &before.receiver, "owner changes keep responsibility");
            let Ok(events) = decided else {
                prop_assert_eq!(&after, &before, "a refused command changes nothing");
                continue;
            };
            prop_assert!(!before.status.is_over(), "{:?} on a ticket that is over", command);
            prop_assert_eq!(after.version.0, before.version.0 + events.len() as u64);
            if !events.is_empty() {
                let stale = decide(&after, &case.rules, command.clone(), Some(before.version)).unwrap_err();
                let TicketRefusal::Stale { changes, .. } = stale else { panic!("{stale}") };
                let told: Vec<_> = changes.iter().map(|change| change.what).collect();
                let happened: Vec<_> = events.iter().map(TicketEvent::action).collect();
                prop_assert_eq!(told, happened, "a stale command is told what came since");
                prop_assert_eq!(word(after.status), model(before.status, before.before_hold, action));
            }
            reopened += u32::from(before.status.is_settled() && after.status.is_open());
            prop_assert_eq!(after.reopened, reopened);
            if after.status == Status::Resolved && before.status != Status::Resolved {
                let facts = &after.facts;
                prop_assert!(case.rules.fields.iter().all(|field| facts.knows(*field)));
                prop_assert!(case.rules.attributes.iter().all(|name| facts.attribute(name).is_some()));
                let way = after.way.as_ref().unwrap().kind();
                let evidence = case.rules.evidence.iter().all(|needed| after.evidence_of(&needed.kind) >= needed.count);
                prop_assert!(evidence || way == WayKind::Declined);
                let approved = after.approval.as_ref().is_some_and(|approval| approval.given == Some(true));
                prop_assert!(approved || way != WayKind::WithApproval);
            }
            if after.status == Status::Closed && before.status != Status::Closed {
                prop_assert!(after.untold.is_empty());
                let declined = after.way.as_ref().unwrap().kind() == WayKind::Declined;
                prop_assert!(after.confirmed || declined || !case.rules.requester_accepts);
            }
            if after.visit != visited {
                let (now, then) = (after.visit.unwrap(), visited);
                let next = then.is_some_and(|then: Visit| now.number == then.number && now.step as u8 == then.step as u8 + 1);
                let anew = now.step == VisitStep::Requested || now.step == VisitStep::AppointmentAgreed;
                prop_assert!(next || anew, "{:?} after {:?}", now, then);
                visited = after.visit;
            }
        }
    }

    #[test]
    fn any_history_is_taken_in_and_what_is_over_stays_over(
        kinds in prop::collection::vec((command(), 0..40_u8), 1..80),
    ) {
        let mut case = Case::with(KindRules::free(TicketKind(name("repair"))));
        let mut over = None;
        for (index, (command, dice)) in kinds.into_iter().enumerate() {
            // What the command would lead to, whether it is allowed or not.
            let fresh = Case::new().given([accept(), classify("lift"), dispatch("carl")]);
            let mut events = decide(&fresh.ticket, &case.rules, command, None).unwrap_or_default();
            events.extend(match dice {
                0 => Some(TicketEvent::Merged { into: ticket_id("t-2") }),
                1..=6 => Some(TicketEvent::Closed { agent: None, reason: None }),
                7..=12 => Some(TicketEvent::Reopened { reason: None, rework: Some(true), agent: None }),
                13..=16 => Some(TicketEvent::Resumed),
                17 => Some(TicketEvent::Opened(Box::new(opening("complaint")))),
                18..=20 => Some(TicketEvent::ApprovalGiven { approver: name("manager") }),
                21..=24 => Some(TicketEvent::VisitStepped { step: VisitStep::SlipFiled, appointment: None, slip: None }),
                _ => None,
            });
            for event in events {
                case.ticket.apply(&event, Micros(-i64::try_from(index).unwrap()), &name("import"));
                check(&case.ticket);
                if let Some((status, version)) = over {
                    prop_assert_eq!(case.ticket.status, status);
                    prop_assert!(case.ticket.version > version);
                }
                over = case.ticket.status.is_over().then_some((case.ticket.status, case.ticket.version));
            }
        }
    }
}
