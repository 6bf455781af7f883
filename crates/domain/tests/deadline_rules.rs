//! The rules of deadlines, one test each.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "tests"
)]

mod deadline_support;
mod ticket_support;
mod working_support;

use deadline_support::*;
use pegcount_domain::{
    deadlines::{
        Amount, ChangeCause, ClockKind, Conditions, DeadlineError, Duty, Moment, Outcome, Policy, PolicySet,
        Step, TargetRule, standard::standard,
    },
    ids::*,
    ticketing::*,
    time::Micros,
    working::{DayChange, DayPlan, WorkingCalendar, WorkingHistory},
};
use ticket_support::{agent, name, reason};
use working_support::{at, date, hours, office};

use TargetKind::{Accept, Approve, Arrive, Explain, FirstResponse, Investigate, NextUpdate, Resolve};

fn urgent() -> FieldValue {
    FieldValue::Urgency(Urgency::Urgent)
}

fn by_channel(channel: &str) -> FieldValue {
    FieldValue::Channel(name(channel))
}

fn accepted() -> TicketEvent {
    TicketEvent::Accepted { owner: agent("bob") }
}

fn informed() -> TicketEvent {
    TicketEvent::Informed { contact: None }
}

fn held() -> TicketEvent {
    TicketEvent::Held { reason: reason("parts") }
}

fn resolved() -> TicketEvent {
    TicketEvent::Resolved { way: Some(Way::Alone), agent: None, reason: None }
}

fn promised(target: TargetKind, due: &str) -> TicketEvent {
    TicketEvent::Promised { target, due: t(due), by: Promiser::Agent }
}

fn edited(field: FieldValue) -> TicketEvent {
    TicketEvent::Edited { set: vec![field] }
}

/// 8 working hours to resolve.
fn eight_hours() -> Watch {
    let set = set(vec![rule(Resolve, Amount::Time(hours(8)), working())]);
    Watch::opened(world(set), t("27 15:00"), "repair", &[])
}

#[test]
fn the_figures_of_row_10_are_what_ships() {
    let due = |kind: &str, fields: &[FieldValue], target| {
        Watch::opened(standard_world(), t("26 15:00"), kind, fields).due_at(target)
    };
    assert_eq!(due("repair", &[urgent()], FirstResponse), Some(t("26 17:00")), "urgent: in 2 h");
    assert_eq!(due("repair", &[], FirstResponse), Some(t("30 18:00")), "else in 2 working days");
    assert_eq!(due("complaint", &[by_channel("counter")], FirstResponse), Some(t("27 18:00")), "spoken: 1");
    assert_eq!(due("complaint", &[by_channel("letter")], FirstResponse), Some(t("31 18:00")), "written: 3");
    assert_eq!(due("complaint", &[urgent(), by_channel("letter")], FirstResponse), Some(t("26 17:00")));
    assert_eq!(due("repair", &[], Investigate), Some(t("26 18:00")), "the same day");
    assert_eq!(due("repair", &[FieldValue::Validity(Validity::Invalid)], Explain), Some(t("27 18:00")));
    assert_eq!(due("repair", &[], Explain), None);
    let asked = Watch::opened(standard_world(), t("26 15:00"), "repair", &[]).given([
        ("26 16:00", accepted()),
        ("27 10:00", TicketEvent::ApprovalAsked { approver: name("manager") }),
    ]);
    assert_eq!(asked.due_at(Approve), Some(t("32 18:00")), "in 3 working days");
}

#[test]
fn urgent_is_two_hours_at_night_too_and_working_days_leave_holidays_out() {
    let night = Watch::opened(standard_world(), t("26 23:00"), "repair", &[urgent()]);
    assert_eq!(night.due_at(FirstResponse), Some(t("27 01:00")));
    let eve = Watch::opened(standard_world(), at("2026-09-30T10:00+08:00"), "repair", &[]);
    assert_eq!(eve.due_at(FirstResponse), Some(at("2026-10-09T18:00+08:00")), "National Day is left out");
}

#[test]
fn a_target_ends_within_its_time_or_is_missed_and_stays_so() {
    let watch = eight_hours();
    assert_eq!(watch.due_at(Resolve), Some(t("30 15:00")));
    assert_eq!(watch.met(Resolve, t("30 15:00")), None, "still within");
    assert_eq!(watch.met(Resolve, t("30 15:00").plus(Micros(1))), Some(false));
    let exact = eight_hours().given([("30 15:00", resolved())]);
    assert_eq!(exact.met(Resolve, t("31 00:00")), Some(true), "within is inclusive");
    let late = eight_hours().given([("30 15:01", resolved())]);
    assert_eq!(late.met(Resolve, t("31 00:00")), Some(false));
    let due = Some(t("30 15:00"));
    let told = [
        (t("27 15:00"), Step::Activated { due }),
        (t("30 15:00"), Step::Breached),
        (t("30 15:01"), Step::Fulfilled),
    ];
    assert_eq!(late.steps(Resolve, t("31 00:00")), told);
}

#[test]
fn while_it_is_on_hold_the_clock_stands_and_the_due_instant_moves() {
    let watch = eight_hours().given([("27 16:00", held())]);
    assert_eq!(watch.due_at(Resolve), None);
    let watch = watch.given([("30 10:00", TicketEvent::Resumed)]);
    assert_eq!(watch.due_at(Resolve), Some(t("30 18:00")), "7 h left, from 10 on");
    let elapsed = |now| watch.deadlines.elapsed(Resolve, &watch.world, now).unwrap().unwrap();
    assert_eq!(elapsed(t("30 14:00")), hours(1 + 3));
    let steps = watch.steps(Resolve, t("30 12:00"));
    assert_eq!(
        steps[1..],
        [(t("27 16:00"), Step::Paused), (t("30 10:00"), Step::Resumed { due: Some(t("30 18:00")) })]
    );
}

#[test]
fn what_was_missed_before_a_hold_stays_missed() {
    let watch = eight_hours().given([
        ("30 16:00", held()),
        ("31 10:00", TicketEvent::Resumed),
        ("31 11:00", resolved()),
    ]);
    assert_eq!(watch.due_at(Resolve), Some(t("30 15:00")));
    assert_eq!(watch.met(Resolve, t("31 12:00")), Some(false));
}

#[test]
fn a_promised_time_outranks_the_policy_and_no_hold_moves_it() {
    let watch = eight_hours().given([("27 15:30", promised(Resolve, "27 17:00")), ("27 16:00", held())]);
    assert_eq!(watch.due_at(Resolve), Some(t("27 17:00")));
    let cause = ChangeCause::Promised(Promiser::Agent);
    let changed = Step::Changed { cause, from: Some(t("30 15:00")), to: Some(t("27 17:00")) };
    assert_eq!(watch.steps(Resolve, t("27 16:30"))[1], (t("27 15:30"), changed));
    assert_eq!(watch.met(Resolve, t("27 17:01")), Some(false));
}

#[test]
fn postponing_told_in_time_keeps_the_promise_and_told_too_late_breaks_it() {
    let postponed = |when| {
        eight_hours().given([
            ("27 15:30", promised(Resolve, "27 17:00")),
            (when, promised(Resolve, "30 17:00")),
            ("30 16:00", resolved()),
        ])
    };
    assert_eq!(postponed("27 17:00").met(Resolve, t("31 00:00")), Some(true));
    let late = postponed("27 17:01");
    assert_eq!(late.met(Resolve, t("31 00:00")), Some(false), "it was kept in the end, and broken before");
    let told: Vec<_> = late.steps(Resolve, t("31 00:00")).into_iter().map(|(_, step)| step).collect();
    let cause = ChangeCause::Postponed { by: Promiser::Agent, in_time: false };
    assert_eq!(
        told[2..4],
        [Step::Breached, Step::Changed { cause, from: Some(t("27 17:00")), to: Some(t("30 17:00")) }]
    );
}

#[test]
fn a_promise_needs_no_policy_and_its_owner_is_warned_all_the_same() {
    let watch = eight_hours().given([("27 15:00", promised(NextUpdate, "27 16:00"))]);
    let due: Vec<_> = watch.due(t("27 16:00")).iter().map(|due| due.at).collect();
    assert_eq!(due, [t("27 15:48"), t("27 16:00")]);
    let watch = watch.given([("27 15:45", informed())]);
    assert_eq!(
        watch.history(NextUpdate, t("27 17:00")).unwrap().clock.outcome,
        Outcome::Active,
        "and asks for no further one"
    );
    assert_eq!((watch.due_at(NextUpdate), watch.due(t("30 00:00"))), (None, Vec::new()));
}

#[test]
fn a_higher_priority_is_reckoned_from_the_beginning_and_keeps_the_history() {
    let watch =
        Watch::opened(standard_world(), t("26 15:00"), "repair", &[]).given([("26 16:00", edited(urgent()))]);
    assert_eq!(watch.due_at(FirstResponse), Some(t("26 17:00")));
    let changed =
        Step::Changed { cause: ChangeCause::Priority, from: Some(t("30 18:00")), to: Some(t("26 17:00")) };
    assert_eq!(watch.steps(FirstResponse, t("26 16:30"))[1], (t("26 16:00"), changed));
    let lowered = watch
        .given([("26 17:30", edited(FieldValue::Urgency(Urgency::NotUrgent))), ("26 17:45", informed())]);
    assert_eq!(
        lowered.met(FirstResponse, t("27 00:00")),
        Some(false),
        "what was missed is not undone by a lower priority"
    );
}

#[test]
fn what_turns_out_invalid_is_to_be_explained_and_what_turns_out_valid_is_not() {
    let validity = |validity| edited(FieldValue::Validity(validity));
    let watch = Watch::opened(standard_world(), t("26 15:00"), "repair", &[])
        .given([("27 10:00", validity(Validity::Invalid))]);
    assert_eq!(watch.due_at(Explain), Some(t("30 18:00")));
    let cancelled = TicketEvent::Cancelled { reason: reason("prank"), explanation: name("sealed-1") };
    let explained = watch.clone().given([("30 10:00", cancelled)]);
    assert_eq!(explained.outcome(Explain), Outcome::Fulfilled(t("30 10:00")));
    let valid = watch.given([("27 11:00", validity(Validity::Valid))]);
    assert_eq!(valid.outcome(Explain), Outcome::Withdrawn(t("27 11:00")));
}

#[test]
fn a_ticket_that_is_merged_owes_nothing_any_more() {
    let watch = eight_hours().given([("30 12:00", TicketEvent::Merged { into: TicketId(name("t-2")) })]);
    assert_eq!(watch.outcome(Resolve), Outcome::Withdrawn(t("30 12:00")));
    assert_eq!((watch.met(Resolve, t("40 12:00")), watch.next_due()), (None, None));
}

#[test]
fn a_reopened_ticket_has_its_time_to_resolve_anew_and_the_first_one_stays_in_the_history() {
    let again = TicketEvent::Reopened { reason: Some(reason("again")), rework: Some(true), agent: None };
    let watch = eight_hours().given([("30 12:00", resolved()), ("31 09:00", again)]);
    assert_eq!(watch.due_at(Resolve), Some(t("31 18:00")));
    let target = watch.history(Resolve, t("31 10:00")).unwrap();
    assert_eq!(target.clock.round, 2);
    assert_eq!(target.moments.iter().filter(|moment| moment.step == Step::Fulfilled).count(), 1);
}

#[test]
fn updates_follow_one_another() {
    let set = set(vec![rule(NextUpdate, Amount::Time(hours(4)), ClockKind::Calendar)]);
    let watch = Watch::opened(world(set), t("27 10:00"), "repair", &[]);
    assert_eq!(watch.due_at(NextUpdate), None);
    let watch = watch.given([("27 11:00", informed()), ("27 13:00", informed())]);
    assert_eq!(watch.due_at(NextUpdate), Some(t("27 17:00")));
}

#[test]
fn an_owner_who_changes_leaves_the_due_instant_as_it_was() {
    let other = TicketEvent::Reassigned { owner: Some(agent("eve")), group: None, reason: reason("shift") };
    let watch = eight_hours().given([("27 16:00", other)]);
    let due = Some(t("30 15:00"));
    let changed = Step::Changed { cause: ChangeCause::Owner, from: due, to: due };
    assert_eq!(watch.steps(Resolve, t("27 17:00"))[1], (t("27 16:00"), changed));
}

#[test]
fn warnings_and_escalations_come_due_once_each_and_are_not_said_again_after_they_were_recorded() {
    let mut rule = rule(Accept, Amount::Time(hours(4)), ClockKind::Calendar);
    rule.warnings = vec![told(500, false)];
    rule.escalations = vec![told(1_000, false), told(1_500, false)];
    let mut watch = Watch::opened(world(set(vec![rule])), t("27 10:00"), "repair", &[]);
    assert_eq!((watch.next_due(), watch.due(t("27 11:59")).len()), (Some(t("27 12:00")), 0));
    assert_eq!(watch.act(t("27 12:05")).len(), 1);
    assert_eq!(watch.act(t("27 12:05")), []);
    assert_eq!(watch.next_due(), Some(t("27 14:00")));
    let late = watch.act(t("27 18:00"));
    assert_eq!(
        late.iter().map(|due| due.at).collect::<Vec<_>>(),
        [t("27 14:00"), t("27 16:00")],
        "after a long sleep: both"
    );
    assert_eq!(watch.next_due(), None);
    let steps: Vec<_> = watch.steps(Accept, t("27 19:00")).into_iter().map(|(_, step)| step).collect();
    let expected = [
        Step::Warned { permille: 500 },
        Step::Breached,
        Step::Escalated { permille: 1_000 },
        Step::Escalated { permille: 1_500 },
    ];
    assert_eq!(steps[1..], expected);
}

#[test]
fn whoever_is_told_only_in_working_hours_is_told_when_they_begin() {
    let mut rule = rule(Accept, Amount::Time(hours(4)), ClockKind::Calendar);
    rule.escalations = vec![told(1_000, true)];
    let watch = Watch::opened(world(set(vec![rule])), t("27 16:00"), "repair", &[]);
    assert_eq!(watch.due_at(Accept), Some(t("27 20:00")));
    assert_eq!(watch.next_due(), Some(t("30 09:00")));
}

#[test]
fn a_promise_that_is_postponed_is_warned_of_anew() {
    let mut rule = rule(Resolve, Amount::Time(hours(8)), working());
    rule.warnings = vec![told(800, false)];
    let mut watch = Watch::opened(world(set(vec![rule])), t("27 15:00"), "repair", &[])
        .given([("27 15:00", promised(Resolve, "27 16:00"))]);
    assert_eq!(watch.act(t("27 15:50")).len(), 1);
    let mut watch = watch.given([("27 15:55", promised(Resolve, "27 16:55"))]);
    assert_eq!(watch.next_due(), Some(t("27 16:43")));
    assert_eq!(watch.act(t("27 16:45")).len(), 1);
}

#[test]
fn a_skipped_level_is_told_at_once_and_once() {
    let skipped = vec![name("team_lead")];
    let cause = EscalationCause::Emergency(reason("flood"));
    let escalated = TicketEvent::Escalated { level: 2, to: name("kpi_desk"), skipped, cause };
    let mut watch = eight_hours().given([("27 15:10", escalated)]);
    assert_eq!(watch.next_due(), Some(t("27 15:10")));
    let acted = watch.act(t("27 15:10"));
    assert_eq!(acted[0].duty, Duty::TellSkipped { level: name("team_lead") });
    assert_eq!((watch.act(t("27 15:11")), watch.next_due()), (Vec::new(), None));
}

#[test]
fn another_set_of_policies_holds_for_what_is_activated_later_and_can_be_tried_on_the_past() {
    let mut strict = set(vec![rule(Resolve, Amount::Time(hours(1)), working())]);
    strict.valid_from = t("27 16:00");
    let mut watch = eight_hours();
    watch.world.define_policies(strict.clone());
    let watch = watch.given([("27 17:00", edited(FieldValue::Severity(Severity::Major)))]);
    assert_eq!(
        watch.due_at(Resolve),
        Some(t("30 15:00")),
        "it keeps to those in force when it was activated"
    );
    strict.valid_from = Micros::ZERO;
    let what_if = Watch { world: world(strict), ..watch };
    assert_eq!(what_if.history(Resolve, t("27 17:30")).unwrap().clock.due, Some(t("27 16:00")));
}

#[test]
fn a_visit_s_arrival_fulfils_as_an_arrival_does() {
    let set = set(vec![rule(Arrive, Amount::Time(hours(1)), ClockKind::Calendar)]);
    let dispatched = TicketEvent::Dispatched { group: None, to: Some(agent("carl")) };
    let stepped = TicketEvent::VisitStepped { step: VisitStep::Arrived, appointment: None, slip: None };
    let watch = Watch::opened(world(set), t("27 10:00"), "repair", &[])
        .given([("27 11:00", dispatched), ("27 11:30", stepped)]);
    assert_eq!(watch.outcome(Arrive), Outcome::Fulfilled(t("27 11:30")));
}

#[test]
fn a_target_that_cannot_be_reckoned_says_so_and_is_never_due() {
    let missing = rule(Accept, Amount::Time(hours(1)), ClockKind::Working(name("nobody's")));
    let on_the_wall = rule(Resolve, Amount::WorkingDays(1), ClockKind::Calendar);
    let watch = Watch::opened(world(set(vec![missing, on_the_wall])), t("27 10:00"), "repair", &[]);
    assert_eq!(watch.steps(Accept, t("27 12:00"))[0].1, Step::Unreckonable(DeadlineError::NoCalendar));
    assert_eq!(watch.steps(Resolve, t("27 12:00"))[0].1, Step::Unreckonable(DeadlineError::NoWorkingDays));
    assert_eq!((watch.due_at(Accept), watch.due_at(Resolve), watch.next_due()), (None, None, None));
}

#[test]
fn the_first_policy_that_matches_and_speaks_of_a_target_holds_for_it() {
    let only = |severity, amount| Policy {
        name: name("p"),
        when: Conditions { severities: vec![severity], ..Conditions::default() },
        targets: vec![rule(Accept, Amount::Time(amount), ClockKind::Calendar)],
    };
    let mut policies = vec![only(Severity::Critical, hours(1)), only(Severity::Major, hours(2))];
    policies.extend(set(vec![rule(Accept, Amount::Time(hours(9)), ClockKind::Calendar)]).policies);
    policies.extend(standard(&OFFICE).policies);
    let world = world(PolicySet { policies, valid_from: Micros::ZERO });
    let due =
        |fields: &[FieldValue]| Watch::opened(world.clone(), t("27 10:00"), "repair", fields).due_at(Accept);
    assert_eq!(due(&[FieldValue::Severity(Severity::Major)]), Some(t("27 12:00")));
    assert_eq!(due(&[]), Some(t("27 19:00")), "what is not known matches no list");
    let other = Watch::opened(world, t("27 10:00"), "repair", &[]).due_at(Investigate);
    assert_eq!(other, Some(t("27 18:00")), "another policy speaks of it");
}

#[test]
fn a_policy_that_cannot_be_meant_is_refused_with_its_path() {
    let refused = |change: &dyn Fn(&mut TargetRule)| {
        let mut changed = rule(Accept, Amount::Time(hours(1)), ClockKind::Calendar);
        change(&mut changed);
        let (path, said) = set(vec![changed]).check().unwrap_err();
        format!("{path} {said}")
    };
    assert_eq!(
        refused(&|rule| rule.amount = Amount::WorkingDays(1)),
        "policies[0].targets[0].amount counts working days by calendar time; name a working calendar, or give a duration"
    );
    assert_eq!(
        refused(&|rule| rule.escalations = vec![told(800, false), told(800, true)]),
        "policies[0].targets[0].escalations[1].permille is 800, which was said before; say it once, with all its recipients"
    );
    assert_eq!(
        refused(&|rule| rule.warnings = vec![told(10_001, false)]),
        "policies[0].targets[0].warnings[0].permille is 10001; the limit is 10000"
    );
    let twice = set(vec![
        rule(Accept, Amount::WorkingDays(1), working()),
        rule(Accept, Amount::WorkingDays(2), working()),
    ]);
    assert_eq!(twice.check().unwrap_err().1, "is accept, which was said before; say it once in a policy");
    assert_eq!(standard(&OFFICE).check(), Ok(()));
}

#[test]
fn a_calendar_defined_anew_moves_what_is_open_and_nothing_that_was_missed() {
    let mut watch = eight_hours();
    let closed = DayChange { date: date("2026-11-30"), plan: DayPlan::Closed, valid_from: t("27 17:00") };
    let history = WorkingHistory { rules: vec![office()], changes: vec![closed] };
    watch.world.define_calendar(OFFICE, WorkingCalendar::new(&history).unwrap());
    let mut told = Vec::new();
    let (ticket, world) = (&watch.ticket, &watch.world);
    watch.deadlines.refresh(ticket, t("27 17:00"), world, &mut |kind, moment| told.push((kind, moment)));
    assert_eq!(watch.due_at(Resolve), Some(t("31 15:00")));
    let step =
        Step::Changed { cause: ChangeCause::Definition, from: Some(t("30 15:00")), to: Some(t("31 15:00")) };
    assert_eq!(told, [(Resolve, Moment { at: t("27 17:00"), step })]);

    let mut late = eight_hours();
    late.world.define_calendar(OFFICE, WorkingCalendar::new(&history).unwrap());
    let (ticket, world) = (&late.ticket, &late.world);
    late.deadlines.refresh(ticket, t("30 16:00"), world, &mut |_, _| {});
    assert!(late.deadlines.clock(Resolve).unwrap().missed);
}

#[test]
fn nobody_is_told_a_microsecond_too_early() {
    let mut rule = rule(Accept, Amount::Time(Micros(3)), ClockKind::Calendar);
    rule.warnings = vec![told(500, false)];
    let watch = Watch::opened(world(set(vec![rule])), t("27 10:00"), "repair", &[]);
    assert_eq!(watch.next_due(), Some(t("27 10:00").plus(Micros(2))));
}
