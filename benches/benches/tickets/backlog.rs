//! Many open tickets with four targets each: what one takes in memory, what a look for what is due costs, how long a list takes.

use std::{sync::Arc, time::Instant};

use pegcount_benches::{
    Outcome,
    measure::{float, median, memory_mb, number, spread},
    table::Line,
};
use pegcount_domain::{
    deadlines::{AlertStep, Amount, ClockKind, Conditions, Policy, PolicySet, Recipient, TargetRule},
    event::Event,
    ids::{AgentId, CategoryId, Name, SiteId, SourceId, TeamId, TicketId, TicketKind},
    ticketing::{
        FieldValue, Opening, Severity, Status, TargetKind, TicketEvent, TicketFact, TicketRecord, Urgency,
    },
    time::Micros,
};
use pegcount_engine::{Engine, EngineOptions, TicketFilter, TicketOrder};

const TICKETS_DEFAULT: u64 = 1_000_000;
/// Records in a message.
const PART: u64 = 1_000;
const LOOKS: usize = 200;
const LISTS: usize = 30;
const PAGE: usize = 100;
/// Goals.
const TICK_MS_MAX: f64 = 1.0;
const TICKET_KIB_MAX: f64 = 1.5;
const LIST_MS_MAX: f64 = 10.0;

pub(crate) async fn measured() -> Outcome<Vec<Line>> {
    let tickets = number("PEGCOUNT_BENCH_TICKETS", TICKETS_DEFAULT);
    let dir = tempfile::tempdir()?;
    let engine = Engine::open(EngineOptions::folder(dir.path())).await?;
    let site = SiteId::new("bench")?;
    engine.define(&site, &Name::fixed("admin"), vec![policies()]).await?;
    let before = memory_mb("RssAnon:")?;
    fill(&engine, &site, tickets).await?;
    let after = memory_mb("RssAnon:")?;
    check(&engine, &site, tickets)?;
    let mut lines = vec![
        Line::plain("open tickets with 4 targets", tickets.to_string()),
        Line::with_limit(
            "memory of the whole engine per open ticket, figures and the log's own included, KiB",
            (after - before) * 1e6 / 1_024.0 / float(tickets),
            2,
            TICKET_KIB_MAX,
        ),
    ];
    let mut looks = Vec::with_capacity(LOOKS);
    for _ in 0..LOOKS {
        let begun = Instant::now();
        if engine.alert_due_tickets().await? > 0 {
            return Err(
                "something is due, and nothing should be: the fill took longer than the targets".into()
            );
        }
        looks.push(begun.elapsed().as_secs_f64() * 1e3);
    }
    let figure = format!("a look for what is due, ms (of {LOOKS} {})", spread(&looks, 4));
    lines.push(Line::with_limit(figure, median(&looks), 4, TICK_MS_MAX));
    for (what, filter, order) in lists() {
        let mut took = Vec::with_capacity(LISTS);
        let mut listed = 0;
        for _ in 0..LISTS {
            let begun = Instant::now();
            listed = engine.list_tickets(&site, &filter, order, None, PAGE).tickets.len();
            took.push(begun.elapsed().as_secs_f64() * 1e3);
        }
        let figure = format!("first page of {what}: {listed} tickets, ms (of {LISTS} {})", spread(&took, 3));
        lines.push(Line::with_limit(figure, median(&took), 3, LIST_MS_MAX));
    }
    engine.close().await?;
    Ok(lines)
}

/// Four targets that nobody misses while this runs, each with a warning and two steps.
fn policies() -> Event {
    let step = |permille, to| AlertStep { permille, recipients: vec![to], working_hours: None };
    let rule = |target, hours: i64| TargetRule {
        target,
        amount: Amount::Time(Micros(hours * Micros::HOUR.0)),
        clock: ClockKind::Calendar,
        pauses: vec![Status::OnHold],
        warnings: vec![step(800, Recipient::Owner)],
        escalations: vec![
            step(1_000, Recipient::Level(Name::fixed("team_lead"))),
            step(1_500, Recipient::Group),
        ],
    };
    let targets = vec![
        rule(TargetKind::FirstResponse, 48),
        rule(TargetKind::NextUpdate, 72),
        rule(TargetKind::Investigate, 96),
        rule(TargetKind::Resolve, 240),
    ];
    let policy = Policy { name: Name::fixed("bench"), when: Conditions::default(), targets };
    Event::TicketPoliciesDefined(Box::new(PolicySet { policies: vec![policy], valid_from: Micros::ZERO }))
}

async fn fill(engine: &Arc<Engine>, site: &SiteId, tickets: u64) -> Outcome<()> {
    let (source, actor) = (SourceId(Name::fixed("desk")), Name::fixed("importer"));
    let now = engine.clock().now();
    for begin in (0..tickets).step_by(usize::try_from(PART)?) {
        let records = (begin..tickets.min(begin + PART)).map(|number| record(number, now));
        let done = engine.import_tickets(site, &source, &actor, records.collect::<Outcome<_>>()?).await?;
        if let Some((ticket, reason)) = done.refusals.first() {
            return Err(format!("{ticket} was refused: {reason}").into());
        }
    }
    Ok(engine.caught_up(engine.end()).await?)
}

fn record(number: u64, now: Micros) -> Outcome<TicketRecord> {
    let at = now.minus(Micros(Micros::HOUR.0)).plus(Micros(i64::try_from(number)?));
    let agent = AgentId::new(&format!("agent-{}", number % 500))?;
    let set = vec![
        FieldValue::Category(CategoryId::new(&format!("category-{}", number % 40))?),
        FieldValue::Severity(if number.is_multiple_of(10) { Severity::Major } else { Severity::Normal }),
        FieldValue::Urgency(Urgency::NotUrgent),
        FieldValue::Region(Name::new(&format!("region-{}", number % 12))?),
        FieldValue::Channel(Name::fixed("phone")),
    ];
    let opening = Opening {
        receiver: Some(agent.clone()),
        group: Some(TeamId::new(&format!("team-{}", number % 30))?),
        set,
        ..Opening::of(TicketKind(Name::fixed("repair")))
    };
    let fact = |minute: i64, event| TicketFact {
        at: at.plus(Micros(minute * Micros::MINUTE.0)),
        agent: None,
        event,
        text: None,
    };
    let facts = vec![
        fact(0, TicketEvent::Opened(Box::new(opening))),
        fact(1, TicketEvent::Accepted { owner: agent }),
    ];
    Ok(TicketRecord { ticket: TicketId::new(&format!("T-{number}"))?, caller: None, facts })
}

fn check(engine: &Engine, site: &SiteId, tickets: u64) -> Outcome<()> {
    let last = engine.ticket(site, &TicketId::new(&format!("T-{}", tickets - 1))?)?;
    let targets = last.deadlines.clocks().iter().filter(|clock| clock.is_active()).count();
    if targets != 4 {
        return Err(format!("a ticket has {targets} targets, and should have 4").into());
    }
    Ok(())
}

fn lists() -> Vec<(&'static str, TicketFilter, TicketOrder)> {
    let any = TicketFilter::default;
    let owner = vec![AgentId(Name::fixed("agent-7"))];
    vec![
        ("all, oldest first", any(), TicketOrder::Oldest),
        ("all, the next due first", any(), TicketOrder::Due),
        (
            "one owner's, the next due first",
            TicketFilter { owners: owner.clone(), ..any() },
            TicketOrder::Due,
        ),
        (
            "one group's major ones in three regions, newest first",
            TicketFilter {
                groups: vec![TeamId(Name::fixed("team-20"))],
                severities: vec![Severity::Major],
                regions: ["region-0", "region-4", "region-8"].map(Name::fixed).into(),
                ..any()
            },
            TicketOrder::Newest,
        ),
        (
            "those visible to an agent and due within 3 days, the next due first",
            TicketFilter {
                visible_to: owner.into_iter().next(),
                due_within: Some(Micros(72 * Micros::HOUR.0)),
                ..any()
            },
            TicketOrder::Due,
        ),
        (
            "what was missed (none was), oldest first",
            TicketFilter { breached: Some(true), ..any() },
            TicketOrder::Oldest,
        ),
    ]
}
