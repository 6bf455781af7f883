//! Whatever happens to a ticket: the time on its targets' clocks is right, and what comes due is told exactly once.
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

use std::collections::BTreeSet;

use deadline_support::*;
use pegcount_domain::{
    deadlines::*,
    ids::*,
    ticketing::*,
    time::{Micros, Span},
};
use proptest::prelude::*;
use ticket_support::{agent, category, declined, name, reason};
use working_support::{hours, minutes};

fn event(now: Micros) -> impl Strategy<Value = TicketEvent> {
    let value = prop_oneof![
        prop::sample::select(Severity::ALL).prop_map(FieldValue::Severity),
        prop::sample::select(Urgency::ALL).prop_map(FieldValue::Urgency),
        prop::sample::select(Validity::ALL).prop_map(FieldValue::Validity),
    ];
    let promise = (prop::sample::select(TargetKind::ALL), -300..3_000_i64);
    prop_oneof![
        2 => Just(TicketEvent::Accepted { owner: agent("bob") }),
        2 => Just(TicketEvent::Classified { set: vec![category("lift")] }),
        5 => value.prop_map(|value| TicketEvent::Edited { set: vec![value] }),
        2 => Just(TicketEvent::Dispatched { group: None, to: Some(agent("carl")) }),
        1 => Just(TicketEvent::Arrived),
        4 => Just(TicketEvent::Held { reason: reason("parts") }),
        4 => Just(TicketEvent::Resumed),
        2 => Just(TicketEvent::Resolved { way: Some(declined()), agent: None, reason: None }),
        3 => Just(TicketEvent::Reopened { reason: None, rework: Some(false), agent: None }),
        1 => Just(TicketEvent::Closed { agent: None, reason: None }),
        2 => Just(TicketEvent::Informed { contact: None }),
        1 => Just(TicketEvent::Investigated),
        2 => Just(TicketEvent::ApprovalAsked { approver: name("manager") }),
        1 => Just(TicketEvent::ApprovalGiven { approver: name("manager") }),
        3 => promise.prop_map(move |(target, due)| TicketEvent::Promised {
            target,
            due: now.plus(minutes(due)),
            by: Promiser::Customer,
        }),
        1 => Just(TicketEvent::Reassigned { owner: Some(agent("eve")), group: None, reason: reason("shift") }),
        1 => Just(TicketEvent::Escalated {
            level: 2,
            to: name("two"),
            skipped: vec![name("one")],
            cause: EscalationCause::Emergency(reason("flood")),
        }),
        1 => prop_oneof![8 => Just(TicketEvent::WorkStarted), 1 => Just(TicketEvent::Merged { into: TicketId(name("t-2")) })],
    ]
}

/// What happens after how many minutes.
fn story() -> impl Strategy<Value = Vec<(i64, TicketEvent)>> {
    let one = (0..900_i64).prop_flat_map(|gap| (Just(gap), event(t("27 10:00").plus(minutes(gap * 10)))));
    prop::collection::vec(one, 0..40)
}

fn alert() -> impl Strategy<Value = AlertStep> {
    (prop::sample::select(vec![0, 500, 800, 1_000, 1_500]), any::<bool>())
        .prop_map(|(permille, hours)| told(permille, hours))
}

fn one_rule(target: TargetKind) -> impl Strategy<Value = TargetRule> {
    let amount = prop_oneof![
        (0..40_i64).prop_map(|amount| Amount::Time(hours(amount))),
        (0..4_u32).prop_map(Amount::WorkingDays),
    ];
    let alerts = || prop::collection::vec(alert(), 0..3);
    (amount, any::<bool>(), alerts(), alerts()).prop_map(move |(amount, by_work, warnings, escalations)| {
        let clock =
            if by_work || matches!(amount, Amount::WorkingDays(_)) { working() } else { ClockKind::Calendar };
        TargetRule { warnings, escalations, ..rule(target, amount, clock) }
    })
}

fn policies() -> impl Strategy<Value = PolicySet> {
    let targets = || TargetKind::ALL.iter().map(|kind| prop::option::of(one_rule(*kind))).collect::<Vec<_>>();
    (targets(), targets(), targets()).prop_map(|(urgent, major, any)| {
        let policy = |when, targets: Vec<Option<TargetRule>>| Policy {
            name: name("p"),
            when,
            targets: targets.into_iter().flatten().collect(),
        };
        let policies = vec![
            policy(Conditions { urgencies: vec![Urgency::Urgent], ..Conditions::default() }, urgent),
            policy(Conditions { severities: vec![Severity::Major], ..Conditions::default() }, major),
            policy(Conditions::default(), any),
        ];
        PolicySet { policies, valid_from: Micros::ZERO }
    })
}

/// When the ticket stood on hold, up to `now`: found from its history alone.
fn pauses(watch: &Watch, now: Micros) -> Vec<Span> {
    let mut history = watch.history.iter();
    let first = history.next().unwrap();
    let mut ticket = Ticket::opened(&first.event, first.at, &first.by).unwrap();
    let (mut pauses, mut since) = (Vec::new(), None);
    for happened in history {
        ticket.apply(&happened.event, happened.at, &happened.by);
        match (since, ticket.status == Status::OnHold) {
            (None, true) => since = Some(happened.at),
            (Some(start), false) => {
                pauses.push(Span { start, end: happened.at });
                since = None;
            }
            _ => {}
        }
    }
    pauses.extend(since.map(|start| Span { start, end: now }));
    pauses
}

/// Working time, or calendar time, from the activation to now or the end, less the pauses.
fn counted(watch: &Watch, clock: &TargetClock, now: Micros) -> i64 {
    let end = match clock.outcome {
        Outcome::Active => now,
        Outcome::Fulfilled(at) | Outcome::Withdrawn(at) => at,
    };
    let calendar = ClockKind::Calendar;
    let kind = clock.rule.and_then(|rule| watch.world.rule(rule)).map_or(&calendar, |rule| &rule.clock);
    let between = |from, to| watch.world.between(kind, from, to).unwrap().0;
    // What no rule speaks of is not paused.
    let pauses = if clock.rule.is_some() { pauses(watch, now) } else { Vec::new() };
    let inside = |pause: Span| Span::new(pause.start.max(clock.activated_at), pause.end.min(end));
    let stood: i64 = pauses.into_iter().map(inside).map(|pause| between(pause.start, pause.end)).sum();
    between(clock.activated_at, end) - stood
}

fn check(watch: &Watch, now: Micros) {
    let said = || format!("at {now}\n{:#?}\n{:#?}", watch.deadlines, watch.history);
    for clock in watch.deadlines.clocks() {
        assert!(!clock.is_active() || watch.ticket.status.is_open(), "{}", said());
        let elapsed = |at| watch.deadlines.elapsed(clock.kind, &watch.world, at).unwrap().unwrap();
        assert_eq!(elapsed(now).0, counted(watch, clock, now), "{:?} {}", clock.kind, said());
        match (clock.promise, clock.rule, clock.due) {
            (Some(promise), _, due) => assert_eq!(due, Some(promise.due), "{}", said()),
            (None, Some(_), Some(due)) if clock.is_active() => {
                let at_due = elapsed(due);
                assert!(
                    at_due == clock.amount || due <= now && at_due >= clock.amount,
                    "{:?} {}",
                    clock.kind,
                    said()
                );
            }
            (None, Some(_), None) if clock.is_active() => {
                assert_eq!(watch.ticket.status, Status::OnHold, "{:?} {}", clock.kind, said());
            }
            (None, None, due) => assert_eq!(due, None, "{}", said()),
            _ => {}
        }
    }
    let due = watch.due(now);
    assert_eq!(watch.next_due().is_some_and(|next| next <= now), !due.is_empty(), "{}", said());
    assert!(due.windows(2).all(|pair| pair[0].at <= pair[1].at));
}

/// The same ticket after a restart.
fn restarted(watch: &Watch) -> Watch {
    let mut history = watch.history.iter();
    let first = history.next().unwrap();
    let ticket = Ticket::opened(&first.event, first.at, &first.by).unwrap();
    let world = watch.world.clone();
    let mut again = Watch { ticket, deadlines: Deadlines::default(), world, history: vec![first.clone()] };
    again.deadlines.apply(&again.ticket, &first.event, first.at, &again.world, &mut |_, _| {});
    for happened in history {
        again.take(happened.at, happened.event.clone());
    }
    again
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn the_time_on_every_clock_is_working_time_minus_pauses_and_what_comes_due_is_told_once(
        policies in policies(),
        story in story(),
        looks in prop::collection::vec(any::<bool>(), 40),
    ) {
        let start = t("27 10:00");
        let mut watch = Watch::opened(world(policies), start, "repair", &[]);
        let mut now = start;
        let mut told = BTreeSet::new();
        let mut tell = |due: &Due| {
            if let Duty::Alert { target, round, permille, escalation, .. } = due.duty {
                assert!(told.insert((target, round, permille, escalation)), "{due:?} was told before");
            }
        };
        for ((gap, event), looks) in story.into_iter().zip(looks) {
            now = now.plus(minutes(gap));
            check(&watch, now);
            if looks {
                // Two engines look at once: the second one's append expects a version that is gone, so it reads again.
                let second = watch.clone();
                let seen = watch.ticket.version;
                let done = watch.act(now);
                done.iter().for_each(&mut tell);
                prop_assert_eq!(second.due(now), done.clone());
                prop_assert!(done.is_empty() || watch.ticket.version != seen);
                let again = restarted(&watch);
                prop_assert_eq!(&again.deadlines, &watch.deadlines);
                prop_assert_eq!(again.due(now), Vec::new());
                prop_assert!(watch.next_due().is_none_or(|next| next > now));
            }
            watch.take(now, event);
            check(&watch, now);
        }
        now = now.plus(hours(24 * 30));
        check(&watch, now);
        watch.act(now).iter().for_each(&mut tell);
        // A clock that jumps back has nothing to say again.
        prop_assert_eq!(watch.due(start), Vec::new());
    }

    #[test]
    fn the_history_of_every_target_is_complete_and_says_what_its_figures_say(
        policies in policies(),
        story in story(),
    ) {
        let start = t("27 10:00");
        let mut watch = Watch::opened(world(policies), start, "repair", &[]);
        let mut now = start;
        for (gap, event) in story {
            now = now.plus(minutes(gap));
            watch.take(now, event);
        }
        for now in [now, now.plus(hours(1_000))] {
            for target in targets(&watch.history, &watch.world, now) {
                let TargetHistory { clock, moments } = &target;
                prop_assert!(moments.windows(2).all(|pair| pair[0].at <= pair[1].at), "{:#?}", target);
                let known = watch.deadlines.clock(clock.kind).unwrap();
                prop_assert_eq!((known.due, known.outcome, known.round), (clock.due, clock.outcome, clock.round));
                let latest: Vec<_> = moments.iter().filter(|moment| moment.at >= clock.activated_at).collect();
                let has = |step: &Step| latest.iter().any(|moment| moment.step == *step);
                match clock.is_met(now) {
                    Some(true) => prop_assert!(has(&Step::Fulfilled) && !clock.missed, "{:#?}", target),
                    Some(false) => prop_assert!(moments.iter().any(|moment| moment.step == Step::Breached), "{:#?}", target),
                    None => prop_assert!(!clock.is_breached(now) || !clock.is_active(), "{:#?}", target),
                }
                if let (Outcome::Active, Some(due)) = (clock.outcome, clock.due) {
                    prop_assert!(due >= now || clock.missed, "{:#?}", target);
                }
            }
        }
        prop_assert!(targets(&[], &watch.world, now).is_empty());
    }
}
