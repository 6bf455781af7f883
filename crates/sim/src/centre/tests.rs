//! What holds of every run of the core.

use std::collections::{BTreeMap, BTreeSet};

use jiff::tz::TimeZone;
use pegcount_domain::{
    agent::{AfterCallPolicy, AgentState, ClockState, Policies, ReservedReasons},
    contact::ContactState,
    envelope::StreamKind,
    event::{AfterCallEnd, AfterCallOnContact, Channel, Event, LegStep, QueueExit},
    ids::{AgentId, ContactId, Name, QueueId},
};
use pegcount_proto::check_fact;
use proptest::prelude::*;

use super::*;
use crate::plan::CHAT_SLOTS;

/// Monday 2023-11-13, 08:00 UTC.
const MORNING: Micros = Micros(1_699_862_400_000_000);

fn scenario(seed: u64) -> Scenario {
    Scenario {
        seed,
        agents: 30,
        calls_per_hour: 220,
        start: MORNING,
        duration: Some(Micros(4 * Micros::HOUR.0)),
        time_zone: TimeZone::UTC,
    }
}

/// Everything that happens until the last contact is over, then closed down.
fn run(scenario: Scenario) -> (Vec<Emission>, Centre) {
    let mut centre = Centre::new(scenario);
    let mut emissions = Vec::new();
    while let Some(at) = centre.next_at().filter(|_| !centre.is_over()) {
        emissions.extend(centre.advance(at));
    }
    let at = centre.now;
    emissions.extend(centre.close_down(at));
    (emissions, centre)
}

struct Plan(ReservedReasons);

impl Policies<Name> for Plan {
    fn after_call(&self, queue: Option<&QueueId>, _: Micros) -> AfterCallPolicy {
        let plan = QUEUES.iter().find(|plan| Some(&plan.id) == queue).unwrap();
        AfterCallPolicy {
            end: plan.after_call,
            timer: Micros::from_secs(plan.work_max_s),
            on_contact: AfterCallOnContact::Ends,
        }
    }

    fn slots(&self, _: &AgentId, channel: Channel, _: Micros) -> u32 {
        if channel == Channel::Voice { 1 } else { CHAT_SLOTS }
    }

    fn reserved(&self) -> &ReservedReasons {
        &self.0
    }
}

/// What the domain's machines make of a run.
struct Seen {
    marks: Vec<String>,
    agents: BTreeMap<Name, AgentState>,
    contacts: BTreeMap<Name, ContactState>,
    events: Vec<(Micros, StreamKind, Name, Event)>,
}

fn seen(emissions: &[Emission]) -> Seen {
    let plan = Plan(ReservedReasons::default());
    let mut seen =
        Seen { marks: Vec::new(), agents: BTreeMap::new(), contacts: BTreeMap::new(), events: Vec::new() };
    for emission in emissions {
        let fact = match &emission.what {
            Emitted::Softphone { fact, .. } | Emitted::Exchange(fact) => fact,
            Emitted::Ticket(_) => continue,
        };
        let checked = check_fact(Some(fact)).unwrap_or_else(|error| panic!("malformed: {error}: {fact:?}"));
        let at = emission.at;
        let mark = if checked.kind == StreamKind::Agent {
            let new = || AgentState::new(AgentId(checked.id.clone()));
            let agent = seen.agents.entry(checked.id.clone()).or_insert_with(new);
            agent.apply(&checked.event, at, &plan).anomaly.map(|mark| mark.to_string())
        } else {
            let new = || ContactState::new(ContactId(checked.id.clone()));
            let contact = seen.contacts.entry(checked.id.clone()).or_insert_with(new);
            contact.apply(&checked.event, at).map(|mark| mark.to_string())
        };
        if let Some(mark) = mark {
            seen.marks.push(format!("{at} {}: {mark}: {:?}", checked.id, checked.event));
        }
        seen.events.push((at, checked.kind, checked.id, checked.event));
    }
    seen
}

#[test]
fn the_same_seed_gives_the_same_facts_and_another_seed_others() {
    let (first, _) = run(scenario(7));
    let (second, _) = run(scenario(7));
    let (other, _) = run(scenario(8));
    assert!(first == second, "a run can be repeated");
    assert!(first != other);
}

#[test]
fn facts_come_in_the_order_of_their_instants_however_they_are_fetched() {
    let (all, _) = run(scenario(3));
    assert!(all.windows(2).all(|pair| pair[0].at <= pair[1].at));
    let mut centre = Centre::new(scenario(3));
    let mut in_steps = Vec::new();
    let mut at = MORNING;
    while at < MORNING.plus(Micros::HOUR) {
        at = at.plus(Micros::from_secs(17));
        in_steps.extend(centre.advance(at));
    }
    assert_eq!(in_steps[..], all[..in_steps.len()]);
}

#[test]
fn a_morning_holds_everything_that_a_morning_holds() {
    let (emissions, centre) = run(scenario(1));
    let (report, total) = (centre.report(), centre.report().total());
    println!("{report:#?}");
    assert!(total.answered > 300 && total.abandoned > 0 && total.callback_taken > 0);
    assert!(report.self_served > 0 && report.missed > 0 && report.rejected > 0 && report.customer_gone > 0);
    assert!(
        report.holds > 0 && report.consults > 0 && report.transfers_cold > 0 && report.transfers_warm > 0
    );
    assert!(report.outbound_connected > 0 && report.outbound_dials > report.outbound_connected);
    assert!(report.tickets_opened > 0 && report.tickets_resolved > 0 && report.tickets_closed > 0);
    assert!(report.surveys > 0 && report.ended_by_agent > 0);
    let callers: Vec<_> = seen(&emissions)
        .events
        .into_iter()
        .filter(|(.., event)| matches!(event, Event::ContactStarted { .. }))
        .collect();
    assert_eq!(callers.len() as u64, report.contacts);
}

#[test]
fn customers_come_again_under_the_same_number() {
    let (emissions, _) = run(scenario(1));
    let callers: Vec<_> = emissions
        .iter()
        .filter_map(|emission| match &emission.what {
            Emitted::Exchange(fact) => check_fact(Some(fact)).unwrap().caller,
            _ => None,
        })
        .collect();
    let different: BTreeSet<_> = callers.iter().collect();
    assert!(different.len() < callers.len());
}

#[test]
fn fewer_agents_make_longer_waits() {
    let waits = |agents| {
        let (_, centre) = run(Scenario { agents, ..scenario(5) });
        let total = centre.report().total();
        total.wait_answered.0 / i64::try_from(total.answered).unwrap()
    };
    let (few, many) = (waits(18), waits(60));
    assert!(few > 2 * many, "{few} {many}");
}

#[test]
fn nobody_signed_in_means_that_contacts_flow_out() {
    let (_, centre) = run(Scenario { agents: 0, ..scenario(5) });
    let total = centre.report().total();
    assert!(total.offered > 0);
    assert_eq!(total.flow_out, total.offered);
}

#[test]
fn a_whole_week_runs_through_nights_and_shift_changes() {
    let week = Scenario {
        agents: 20,
        calls_per_hour: 120,
        duration: Some(Micros(7 * 24 * Micros::HOUR.0)),
        time_zone: TimeZone::get("America/Montreal").unwrap(),
        ..scenario(11)
    };
    let (emissions, centre) = run(week);
    assert_eq!(seen(&emissions).marks, Vec::<String>::new());
    assert!(centre.report().sign_ins >= 7 * 20);
    assert!(centre.report().tickets_reopened > 0);
    let total = centre.report().total();
    assert_eq!(total.offered, total.ended());
}

#[test]
fn closing_down_in_the_middle_leaves_nothing_open() {
    let mut centre = Centre::new(scenario(2));
    let mut emissions = centre.advance(MORNING.plus(Micros(2 * Micros::HOUR.0)));
    assert!(!centre.contacts.is_empty());
    emissions.extend(centre.close_down(MORNING.plus(Micros(2 * Micros::HOUR.0))));
    let seen = seen(&emissions);
    assert_eq!(seen.marks, Vec::<String>::new());
    assert!(seen.agents.values().all(|agent| agent.clock_state().is_none() && agent.slots().is_empty()));
    assert!(seen.contacts.values().all(|contact| !contact.is_open()));
    let total = centre.report().total();
    assert_eq!(total.offered, total.ended());
    assert_eq!(centre.next_at(), None);
}

/// What the domain's contacts say, by queue: offered, answered, abandoned.
fn visits(seen: &Seen) -> BTreeMap<QueueId, (u64, u64, u64)> {
    let mut counts: BTreeMap<QueueId, (u64, u64, u64)> = BTreeMap::new();
    for visit in seen.contacts.values().flat_map(|contact| &contact.visits) {
        let count = counts.entry(visit.queue.clone().unwrap()).or_default();
        count.0 += 1;
        count.1 += u64::from(matches!(visit.left, Some((_, QueueExit::Answered))));
        count.2 += u64::from(matches!(visit.left, Some((_, QueueExit::Abandoned))));
    }
    counts
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn every_run_is_legal_and_balanced(
        seed: u64,
        agents in 1usize..60,
        calls_per_hour in 20u32..500,
        start_h in 0i64..24,
        length_min in 10i64..400,
    ) {
        let scenario = Scenario {
            seed,
            agents,
            calls_per_hour,
            start: MORNING.plus(Micros(start_h * Micros::HOUR.0)),
            duration: Some(Micros(length_min * Micros::MINUTE.0)),
            time_zone: TimeZone::UTC,
        };
        let mut centre = Centre::new(scenario);
        let mut emissions = Vec::new();
        while let Some(at) = centre.next_at().filter(|_| !centre.is_over()) {
            emissions.extend(centre.advance(at));
            let total = centre.report().total();
            prop_assert_eq!(total.offered, total.ended() + centre.visits_open());
            for agent in &centre.agents {
                let voice = agent.legs.iter().filter(|(contact, _)| centre.contacts[contact].channel == Channel::Voice);
                prop_assert!(voice.count() <= 1, "an agent holds two voice calls");
                prop_assert!(agent.legs.len() <= usize::try_from(CHAT_SLOTS).unwrap());
            }
        }
        let now = centre.now;
        emissions.extend(centre.close_down(now));
        let seen = seen(&emissions);
        prop_assert_eq!(&seen.marks, &Vec::<String>::new());

        for (queue, (offered, answered, abandoned)) in visits(&seen) {
            let counts = &centre.report().queues[&queue];
            prop_assert_eq!((counts.offered, counts.answered, counts.abandoned), (offered, answered, abandoned));
        }
        let missed = seen.events.iter().filter(|(_, kind, _, event)| {
            *kind == StreamKind::Agent && matches!(event, Event::Leg { step: LegStep::Missed, .. })
        });
        prop_assert_eq!(missed.count() as u64, centre.report().missed);
        for agent in seen.agents.values() {
            prop_assert_eq!(agent.clock_state(), None::<&ClockState>);
        }
    }
}

#[test]
fn after_call_work_never_outlasts_its_timer() {
    let (emissions, _) = run(scenario(4));
    let mut since = BTreeMap::new();
    for (at, _, id, event) in seen(&emissions).events {
        let Event::Leg { leg, step } = event else { continue };
        let plan = QUEUES.iter().find(|plan| Some(&plan.id) == leg.queue.as_ref()).unwrap();
        match step {
            LegStep::AfterCallStarted => drop(since.insert((id, leg.contact, leg.leg), at)),
            LegStep::AfterCallEnded if plan.after_call == AfterCallEnd::ByTimer => {
                let worked = at.minus(since[&(id, leg.contact, leg.leg)]);
                assert!(worked <= Micros::from_secs(plan.work_max_s));
            }
            _ => {}
        }
    }
}
