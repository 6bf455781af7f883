//! The rules of a ticket's lifecycle, one test each.
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
use ticket_support::*;

/// A ticket that is classified.
fn classified() -> Case {
    Case::new().given([accept(), classify("lift")])
}

fn repair() -> KindRules {
    KindRules {
        fields: vec![Field::Category, Field::Place],
        attributes: vec![name("meter")],
        evidence: vec![Evidence { kind: name("photo"), count: 2 }],
        requester_accepts: true,
        slip_filed: true,
        ..KindRules::free(TicketKind(name("repair")))
    }
}

fn complaint() -> KindRules {
    KindRules {
        levels: vec![name("team_lead"), name("kpi_desk"), name("floor_manager")],
        escalates_when_repeated: true,
        approvers: vec![name("manager")],
        ..KindRules::free(TicketKind(name("complaint")))
    }
}

#[test]
fn a_matter_goes_from_new_to_closed() {
    let case = classified().given([
        dispatch("carl"),
        TicketCommand::Arrive,
        TicketCommand::StartWork,
        resolve(),
        close(),
    ]);
    assert_eq!(case.ticket.status, Status::Closed);
    assert_eq!(case.ticket.owner, Some(agent("bob")));
    assert_eq!(case.ticket.receiver, Some(agent("ann")));
    assert_eq!(case.ticket.sent, Some(agent("carl")));
    assert_eq!(case.ticket.resolved_at, Some(Micros(6 * Micros::MINUTE.0)));
    assert_eq!(case.ticket.version.0, 8);
}

#[test]
fn nothing_is_done_with_a_ticket_before_somebody_answers_for_it_and_it_is_known_what_it_is_about() {
    let case = Case::new();
    assert_eq!(
        case.refused(resolve()),
        "cannot resolve a ticket that is new: nobody has accepted it: accept it first"
    );
    let case = case.given([accept()]);
    assert_eq!(
        case.refused(dispatch("carl")),
        "cannot dispatch a ticket that is accepted: it is not classified: classify it first"
    );
    assert_eq!(
        case.refused(TicketCommand::Classify { set: Vec::new() }),
        "set has no category, and the ticket has none; say what it is about"
    );
}

#[test]
fn a_ticket_goes_on_after_a_hold_where_it_stood_before() {
    let mut case = classified().given([dispatch("carl"), hold()]);
    assert_eq!((case.ticket.status, &case.ticket.hold_reason), (Status::OnHold, &Some(reason("parts"))));
    assert_eq!(
        case.refused(resolve()),
        "cannot resolve a ticket that is on hold: it is on hold: resume it first"
    );
    case.when(TicketCommand::Resume).unwrap();
    assert_eq!((case.ticket.status, &case.ticket.hold_reason), (Status::Dispatched, &None));
}

#[test]
fn without_required_fields_and_evidence_there_is_no_resolve() {
    let mut case = Case::with(repair()).given([accept(), classify("lift"), attach("photo")]);
    assert_eq!(
        case.refused(resolve()),
        "a ticket of kind repair cannot be resolved without: place, attribute meter, evidence photo (1 of 2); add what is missing"
    );
    let meter = FieldValue::Attribute { name: name("meter"), value: name("17") };
    let edit = TicketCommand::Edit { set: vec![FieldValue::Place(name("tower-2")), meter] };
    case = case.given([edit.clone(), attach("photo"), resolve()]);
    assert_eq!(case.ticket.status, Status::Resolved);
    assert_eq!(
        Case::with(repair()).given([accept(), classify("lift"), edit, settle(declined())]).ticket.evidence,
        []
    );
}

#[test]
fn what_is_so_already_is_nothing_to_append() {
    let mut case = classified();
    for command in [
        classify("lift"),
        TicketCommand::Edit { set: vec![category("lift")] },
        TicketCommand::Reassign { owner: Some(agent("bob")), group: None, reason: reason("shift") },
        TicketCommand::AddContact { contact: ContactId(name("call-1")) },
        TicketCommand::TellSkipped { level: name("kpi_desk") },
        TicketCommand::Unlink { other: ticket_id("t-9") },
    ] {
        assert_eq!(case.when(command), Ok(Vec::new()));
    }
}

#[test]
fn a_stale_edit_is_told_who_changed_what_since() {
    let mut case = Case::new().given([accept()]);
    let seen = case.ticket.version;
    let edit = TicketCommand::Edit {
        set: vec![FieldValue::Severity(Severity::Major), FieldValue::Place(name("tower-2"))],
    };
    case = case.given([classify("lift"), edit.clone()]);
    let refusal = decide(&case.ticket, &case.rules, edit.clone(), Some(seen)).unwrap_err();
    assert_eq!(
        refusal.to_string(),
        "the command expects version 2, and the ticket is at version 4 now: version 3 by bob at 1970-01-01T00:02:00Z: classify \
         (category); version 4 by bob at 1970-01-01T00:03:00Z: edit (severity, place); read it again and decide anew"
    );
    let ahead = decide(&case.ticket, &case.rules, edit, Some(version(5))).unwrap_err();
    assert!(matches!(ahead, TicketRefusal::Ahead { .. }), "{ahead}");
}

#[test]
fn a_very_stale_edit_is_told_the_latest_changes_and_how_many_there_were_before() {
    let note = TicketCommand::Note { visibility: Visibility::Internal, text: name("sealed-3") };
    let case = Case::new().given(vec![note.clone(); 20]);
    let text = decide(&case.ticket, &case.rules, note, Some(version(1))).unwrap_err().to_string();
    assert!(text.contains("version 21 now: 12 earlier ones; version 14 by bob"), "{text}");
}

#[test]
fn a_ticket_that_is_reopened_is_counted_and_must_be_settled_and_accepted_anew() {
    let mut rules = repair();
    (rules.fields, rules.attributes, rules.evidence) = Default::default();
    let confirm = || TicketCommand::Confirm { proof: Some(name("sealed-4")) };
    let case = Case::with(rules).given([accept(), classify("lift"), resolve()]);
    assert_eq!(
        case.refused(close()),
        "the requester of a ticket of kind repair has to accept what was done before it is closed; confirm that first"
    );
    let case = case.given([confirm(), close(), reopen()]);
    assert_eq!((case.ticket.status, case.ticket.reopened, case.ticket.reworked), (Status::Classified, 1, 1));
    assert_eq!(case.ticket.closed_at, None);
    let case = case.given([resolve()]);
    assert!(case.refused(close()).contains("has to accept"));
    assert_eq!(case.given([confirm(), close()]).ticket.status, Status::Closed);
}

#[test]
fn a_request_that_needs_approval_is_settled_so_only_when_it_was_given() {
    let mut case = Case::with(complaint()).given([accept(), classify("noise")]);
    let ask = |who: &str| TicketCommand::AskApproval { approver: name(who) };
    let with_approval = || settle(Way::WithApproval);
    assert_eq!(
        case.refused(with_approval()),
        "no approval was given since the ticket was opened or reopened; ask for one, or settle it otherwise"
    );
    assert_eq!(
        case.refused(ask("cook")),
        "cook does not approve tickets of kind complaint; these do: manager"
    );
    case = case.given([ask("manager")]);
    assert_eq!(
        case.refused(ask("manager")),
        "manager has been asked already and has not answered; wait for the answer"
    );
    assert_eq!(
        case.refused(TicketCommand::Approve { approver: name("cook") }),
        "cook was not asked for an approval, or has answered; manager was"
    );
    let refuse = TicketCommand::RefuseApproval { approver: name("manager"), reason: reason("cost") };
    case = case.given([refuse]);
    assert!(case.refused(with_approval()).contains("(manager refused)"));
    case =
        case.given([ask("manager"), TicketCommand::Approve { approver: name("manager") }, with_approval()]);
    assert_eq!(case.ticket.way, Some(Way::WithApproval));
    let case = case.given([reopen()]);
    assert!(case.refused(with_approval()).contains("no approval was given"), "the old one does not count");
}

#[test]
fn other_departments_must_be_named_and_a_kind_may_rule_out_a_way() {
    let mut rules = complaint();
    rules.ways = vec![WayKind::WithOthers, WayKind::Declined];
    let case = Case::with(rules).given([accept(), classify("noise")]);
    assert_eq!(
        case.refused(settle(Way::WithOthers { groups: Vec::new() })),
        "way.groups is empty; say which departments helped"
    );
    assert_eq!(
        case.refused(resolve()),
        "a ticket of kind complaint is not settled alone; it may be settled with other departments, declined"
    );
    let case = case.given([settle(declined())]);
    assert_eq!(case.ticket.way.unwrap().kind(), WayKind::Declined);
}

#[test]
fn a_site_visit_has_its_order_and_its_slip_is_owed_before_the_ticket_is_closed() {
    let mut rules = repair();
    (rules.fields, rules.attributes, rules.evidence, rules.requester_accepts) = Default::default();
    let mut case = Case::with(rules).given([accept(), classify("lift"), dispatch("carl")]);
    assert_eq!(
        case.refused(visit(VisitStep::Approved)),
        "a visit that nobody requested cannot become approved: appointment agreed comes before that"
    );
    let no_time = TicketCommand::Visit { step: VisitStep::AppointmentAgreed, appointment: None, slip: None };
    case = case.given([visit(VisitStep::Requested)]);
    assert_eq!(case.refused(no_time), "appointment is missing; say what time was agreed with the customer");
    case = case.given([visit(VisitStep::AppointmentAgreed)]);
    assert_eq!(
        case.refused(TicketCommand::Arrive),
        "a visit appointment agreed cannot become arrived: approved comes before that"
    );
    case = case.given([visit(VisitStep::Approved), TicketCommand::Arrive]);
    assert_eq!(case.ticket.status, Status::OnSite);
    assert_eq!(case.ticket.visit.unwrap().step, VisitStep::Arrived);
    case = case.given([resolve()]);
    assert_eq!(
        case.refused(close()),
        "visit 1 is arrived, and its slip has to be filed before the ticket is closed"
    );
    case = case.given([visit(VisitStep::SlipSigned), visit(VisitStep::SlipFiled), close()]);
    assert_eq!(case.ticket.visit.unwrap().appointment, Some(Micros::HOUR));
}

#[test]
fn in_an_emergency_a_level_may_be_skipped_and_is_told_before_the_ticket_is_closed() {
    let case = Case::with(complaint()).given([accept(), classify("noise")]);
    assert_eq!(
        case.refused(escalate(Some("kpi_desk"), false)),
        "escalating to kpi_desk skips team_lead; say that it is an emergency, or escalate to team_lead first"
    );
    assert_eq!(
        case.refused(escalate(Some("mayor"), false)),
        "mayor is no level that a ticket of kind complaint is escalated to; the levels are team_lead, kpi_desk, floor_manager"
    );
    let case = case.given([escalate(Some("kpi_desk"), true), resolve()]);
    assert_eq!((case.ticket.level, &case.ticket.untold), (2, &vec![name("team_lead")]));
    assert_eq!(
        case.refused(close()),
        "team_lead were skipped and have to be told before the ticket is closed"
    );
    case.given([TicketCommand::TellSkipped { level: name("team_lead") }, close()]);
}

#[test]
fn a_repeated_complaint_escalates_by_itself_until_there_is_nobody_above() {
    let mut case = Case::with(complaint()).given([accept(), classify("noise")]);
    for level in 1..=3 {
        assert_eq!(case.when(repeat()).unwrap().len(), 2);
        assert_eq!(case.ticket.level, level);
    }
    assert_eq!(case.when(repeat()).unwrap().len(), 1);
    assert_eq!((case.ticket.level, case.ticket.repeated), (3, 4));
    assert_eq!(
        case.refused(escalate(None, false)),
        "the ticket is before level 3 of 3 already; there is nothing above floor_manager to escalate to"
    );
}

#[test]
fn a_merged_ticket_is_over_and_its_contacts_go_on_with_the_other() {
    let (one, other) = (ticket_id("t-1"), ticket_id("t-2"));
    let add = TicketCommand::AddContact { contact: ContactId(name("mail-7")) };
    let (mut secondary, mut primary) = (Case::new().given([add]), classified());
    let pair = decide_merge(&secondary.side(&one), &primary.side(&other)).unwrap();
    secondary.take(&pair.here, "bob");
    primary.take(&pair.there, "bob");
    assert_eq!(
        (secondary.ticket.status, &secondary.ticket.merged_into),
        (Status::Merged, &Some(other.clone()))
    );
    assert_eq!(primary.ticket.contacts, [ContactId(name("call-1")), ContactId(name("mail-7"))]);
    assert_eq!(primary.ticket.absorbed, 1);
    assert_eq!(
        secondary.refused(accept()),
        "cannot accept a ticket that is merged: that is for good: go on in the ticket that it was merged into, or open a new one"
    );
    let third = Case::new();
    let refusal = decide_merge(&third.side(&ticket_id("t-3")), &secondary.side(&one)).unwrap_err();
    assert!(refusal.to_string().starts_with("the other ticket, t-1: cannot absorb"), "{refusal}");
    let itself = decide_merge(&third.side(&one), &primary.side(&one)).unwrap_err();
    assert_eq!(itself.to_string(), "a ticket cannot be merged into itself (t-1); name another one");
}

#[test]
fn a_merge_is_refused_if_either_ticket_has_changed() {
    let (one, other) = (ticket_id("t-1"), ticket_id("t-2"));
    let (secondary, primary) = (Case::new(), classified());
    let stale = Side { expected: Some(version(1)), ..primary.side(&other) };
    let refusal = decide_merge(&secondary.side(&one), &stale).unwrap_err();
    let TicketRefusal::Other { refusal, .. } = refusal else { panic!("{refusal}") };
    assert!(matches!(*refusal, TicketRefusal::Stale { .. }));
}

#[test]
fn a_part_that_is_split_off_is_a_ticket_of_its_own_tied_to_the_whole() {
    let (whole_id, part_id) = (ticket_id("t-1"), ticket_id("t-2"));
    let mut whole = classified();
    let pair = decide_split(&whole.side(&whole_id), &part_id, opening("complaint")).unwrap();
    whole.take(&pair.here, "bob");
    let part = Ticket::opened(&pair.there[0], Micros::ZERO, &name("bob")).unwrap();
    assert_eq!(whole.ticket.link_to(&part_id), Some(LinkKind::SplitInto));
    assert_eq!(part.link_to(&whole_id), Some(LinkKind::SplitFrom));
    assert_eq!(whole.ticket.status, Status::Classified);
}

#[test]
fn a_ticket_is_a_part_of_one_other_at_most_and_both_sides_know() {
    let ids = ["t-1", "t-2", "t-3"].map(ticket_id);
    let (mut child, mut parent, third) = (Case::new(), Case::new(), Case::new());
    let pair = decide_link(&child.side(&ids[0]), &parent.side(&ids[1]), LinkKind::Parent).unwrap();
    child.take(&pair.here, "bob");
    parent.take(&pair.there, "bob");
    assert_eq!(
        (child.ticket.parent(), parent.ticket.link_to(&ids[0])),
        (Some(&ids[1]), Some(LinkKind::Child))
    );
    let again = decide_link(&child.side(&ids[0]), &parent.side(&ids[1]), LinkKind::Parent).unwrap();
    assert_eq!(again, Pair { here: Vec::new(), there: Vec::new() });
    let second = decide_link(&third.side(&ids[2]), &child.side(&ids[0]), LinkKind::Child).unwrap_err();
    assert_eq!(
        second.to_string(),
        "the other ticket, t-1: ticket t-1 is a part of t-2 already; unlink them first"
    );
    let round = decide_link(&parent.side(&ids[1]), &child.side(&ids[0]), LinkKind::Parent).unwrap_err();
    assert_eq!(round.to_string(), "ticket t-1 is tied to this one as child already; unlink them first");
}

#[test]
fn an_import_may_leave_steps_out_and_is_marked_for_it() {
    let mut case = Case::new();
    let event = TicketEvent::Resolved { way: Some(Way::Alone), agent: None, reason: None };
    assert_eq!(case.ticket.apply(&event, Micros(5), &name("import")), Some(Why::NotAccepted));
    assert_eq!((case.ticket.status, case.ticket.resolved_at), (Status::Resolved, Some(Micros(5))));
}
