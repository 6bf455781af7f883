//! A help desk's log: rows read by a map and brought together, then imported until durable, and until folded.

use std::{fmt::Write as _, time::Instant};

use pegcount_benches::{
    Outcome,
    measure::{float, median, number, spread},
    table::{Line, per_second},
};
use pegcount_domain::{
    ids::{Name, SiteId, SourceId},
    ticketing::TicketRecord,
};
use pegcount_engine::{Engine, EngineOptions};
use pegcount_import::tickets::{TicketMap, TicketReader};

/// The map that ships as a sample.
const MAP: &str = include_str!("../../../docs/tickets-map.toml");
const TICKETS_DEFAULT: u64 = 60_000;
/// Records in a message, as the command line sends them.
const PART: usize = 500;
const ROUNDS: usize = 3;
/// The goal, events a second.
const GOAL: f64 = 200_000.0;

pub(crate) async fn imported() -> Outcome<Vec<Line>> {
    let tickets = number("PEGCOUNT_BENCH_IMPORTED", TICKETS_DEFAULT);
    let (map, text) = (TicketMap::parse(MAP)?, log(tickets)?);
    let (mut reading, mut durable, mut folded, mut whole, mut again) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut events = 0;
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        let mut reader = TicketReader::read(text.as_bytes(), &map)?;
        let mut records = (&mut reader).collect::<Result<Vec<_>, _>>()?;
        records.sort_by_key(|record| record.facts.first().map(|fact| fact.at));
        let read = begun.elapsed().as_secs_f64();
        events = reader.into_report().events;
        let dir = tempfile::tempdir()?;
        let engine = Engine::open(EngineOptions::folder(dir.path())).await?;
        let stored = Instant::now();
        import(&engine, records.clone()).await?;
        let to_disk = stored.elapsed().as_secs_f64();
        engine.caught_up(engine.end()).await?;
        let to_folds = stored.elapsed().as_secs_f64();
        let repeated = Instant::now();
        if import(&engine, records).await? != 0 {
            return Err("the second import added something".into());
        }
        let count = float(events);
        again.push(count / repeated.elapsed().as_secs_f64());
        reading.push(count / read);
        durable.push(count / to_disk);
        folded.push(count / to_folds);
        whole.push(count / (read + to_folds));
        engine.close().await?;
    }
    let plain = |what: &str, rates: &[f64]| {
        Line::plain(what, format!("{} ({})", per_second(median(rates)), spread(rates, 0)))
    };
    Ok(vec![
        Line::plain("tickets, and what happened to them in events", format!("{tickets}, {events}")),
        plain("read by the map and brought together", &reading),
        plain("imported until durable", &durable),
        Line::with_goal(
            format!("imported until durable and folded, events a second ({})", spread(&folded, 0)),
            median(&folded),
            0,
            GOAL,
        ),
        plain("the whole way, from the file's rows until folded", &whole),
        plain("imported again, which adds nothing", &again),
    ])
}

/// How many events were appended.
async fn import(engine: &Engine, records: Vec<TicketRecord>) -> Outcome<u64> {
    let (site, source, actor) =
        (SiteId::new("bench")?, SourceId(Name::fixed("desk")), Name::fixed("importer"));
    let mut records = records.into_iter().peekable();
    let mut events = 0;
    while records.peek().is_some() {
        let part = records.by_ref().take(PART).collect();
        let done = engine.import_tickets(&site, &source, &actor, part).await?;
        if let Some((ticket, reason)) = done.refusals.first() {
            return Err(format!("{ticket} was refused: {reason}").into());
        }
        events += done.events;
    }
    Ok(events)
}

/// Of each ticket six things that happened, all tickets' rows in turn, as such a log is by time.
fn log(tickets: u64) -> Outcome<String> {
    let mut text = String::from(
        "Case ID,Activity,Resource,Complete Timestamp,Workgroup,Product,Seriousness,Phone,Customer name,Remark,Service level,In time,Reopened\n",
    );
    let steps =
        ["Insert ticket", "Take in charge ticket", "Assign seriousness", "Wait", "Resolve ticket", "Closed"];
    for (day, step) in (1..).zip(steps) {
        for ticket in 0..tickets {
            let minute = ticket % 1_440;
            let (hour, minute, month) = (minute / 60, minute % 60, 1 + ticket / 1_440 % 12);
            let (agent, group, product) = (ticket % 200, ticket % 12, ticket % 40);
            let severity = 1 + ticket % 4;
            writeln!(
                text,
                "Case {ticket},{step},agent-{agent},2012/{month:02}/{day:02} {hour:02}:{minute:02}:00,group-{group},product-{product},\
                 Value {severity},,,,gold,yes,no"
            )?;
        }
    }
    Ok(text)
}
