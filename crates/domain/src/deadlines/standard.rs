//! The set of policies that ships, with the figures of PRODUCT.md row 10.

use crate::{
    deadlines::policy::{AlertStep, Amount, ClockKind, Conditions, Policy, PolicySet, Recipient, TargetRule},
    ids::{Name, TicketKind},
    ticketing::{Status, TargetKind, Urgency, Validity, kinds::COMPLAINT},
    time::Micros,
};

/// Channels on which people speak.
pub const SPOKEN: [&str; 3] = ["phone", "counter", "patrol"];

/// The set, in force from the beginning, its working days those of the calendar of this name.
///
/// In the order in which they are asked: what is invalid is explained in 1 working day; urgent matters are answered in 2 h, day
/// and night; complaints in 1 working day if they were spoken, else in 3; all else in 2. Whatever it is, it is investigated the same day and approved in 3 working days. Who is told: the owner at 80 %,
/// the team lead when it falls due, the KPI desk at 150 %, the floor manager at 200 %, urgent matters at any hour.
pub fn standard(calendar: &Name) -> PolicySet {
    let days = |target, days| {
        rule(target, Amount::WorkingDays(days), ClockKind::Working(calendar.clone()), Some(calendar))
    };
    let urgent = Amount::Time(Micros(2 * Micros::HOUR.0));
    let complaint = |channels: &[&'static str]| Conditions {
        kinds: vec![TicketKind(COMPLAINT)],
        channels: channels.iter().map(|channel| Name::fixed(channel)).collect(),
        ..Conditions::default()
    };
    let policies = vec![
        policy(
            "invalid",
            Conditions { validities: vec![Validity::Invalid], ..Conditions::default() },
            vec![days(TargetKind::Explain, 1)],
        ),
        policy(
            "urgent",
            Conditions { urgencies: vec![Urgency::Urgent], ..Conditions::default() },
            vec![rule(TargetKind::FirstResponse, urgent, ClockKind::Calendar, None)],
        ),
        policy("spoken complaint", complaint(&SPOKEN), vec![days(TargetKind::FirstResponse, 1)]),
        policy("written complaint", complaint(&[]), vec![days(TargetKind::FirstResponse, 3)]),
        policy(
            "any",
            Conditions::default(),
            vec![
                days(TargetKind::FirstResponse, 2),
                days(TargetKind::Investigate, 0),
                days(TargetKind::Approve, 3),
            ],
        ),
    ];
    PolicySet { policies, valid_from: Micros::ZERO }
}

fn policy(name: &'static str, when: Conditions, targets: Vec<TargetRule>) -> Policy {
    Policy { name: Name::fixed(name), when, targets }
}

fn rule(target: TargetKind, amount: Amount, clock: ClockKind<Name>, hours: Option<&Name>) -> TargetRule {
    let step = |permille, recipient| AlertStep {
        permille,
        recipients: vec![recipient],
        working_hours: hours.cloned(),
    };
    let level = |name| Recipient::Level(Name::fixed(name));
    TargetRule {
        target,
        amount,
        clock,
        pauses: vec![Status::OnHold],
        warnings: vec![step(800, Recipient::Owner)],
        escalations: vec![
            step(1_000, level("team_lead")),
            step(1_500, level("kpi_desk")),
            step(2_000, level("floor_manager")),
        ],
    }
}
