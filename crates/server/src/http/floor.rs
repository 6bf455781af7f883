//! What the live page shows of one site, as JSON: queues, agents, totals, first-contact resolution.
//!
//! Ratios go as `[numerator, denominator]`, since a ratio is taken at the very end; durations as microseconds; instants
//! as microseconds UTC. The page counts running times itself, by the clock's speed.

use std::{collections::HashMap, sync::Arc};

use jiff::{Timestamp, ToSpan, Zoned, tz::TimeZone};
use pegcount_domain::{
    agent::{ClockState, Phase},
    ids::{Name, SiteId, TeamId},
    time::{Interval, Micros},
};
use pegcount_engine::{AgentView, Engine, EngineError};
use pegcount_kpi::{Dimension, Row, Table, Value};
use serde_json::{Value as Json, json};

use crate::services::day_query;

/// The most agents in one answer; a plain page shows no more.
const AGENTS_MAX: usize = 500;
/// First-contact resolution is told for so many local days, today included.
const FCR_DAYS: i64 = 7;

/// A site, and the zone of its day.
#[derive(Clone)]
pub(super) struct Outlook {
    site: SiteId,
    zone: TimeZone,
}

impl Outlook {
    pub(super) fn new(site: SiteId, zone: TimeZone) -> Self {
        Self { site, zone }
    }

    /// From the start of the local day `back` days ago to the end of today (KPIS.md §1: found from the zone).
    fn days(&self, now: Micros, back: i64) -> (Micros, Micros) {
        let today =
            Timestamp::from_microsecond(now.0).unwrap_or(Timestamp::UNIX_EPOCH).to_zoned(self.zone.clone());
        let start = |day: Result<Zoned, jiff::Error>| {
            day.and_then(|day| day.start_of_day()).map(|start| Micros(start.timestamp().as_microsecond()))
        };
        let from = start(today.checked_sub(back.days())).unwrap_or(now);
        let to = start(today.checked_add(1.day())).unwrap_or(now);
        (on_grid(from), on_grid(to.plus(Micros(Interval::LENGTH.0 - 1))))
    }
}

/// Offsets of long ago were not multiples of 15 minutes; the grid is.
fn on_grid(at: Micros) -> Micros {
    Interval::containing(at).start()
}

/// The floor, as one line of JSON.
pub(super) fn floor(engine: &Arc<Engine>, outlook: &Outlook) -> Result<String, EngineError> {
    let now = engine.clock().now();
    let today = outlook.days(now, 0);
    let ask = |days, by| day_query(&outlook.site, days, by, now);
    let [total, queues, by_agent, week] = engine.query_together(
        &outlook.site,
        [
            ask(today, Vec::new()),
            ask(today, vec![Dimension::Queue]),
            ask(today, vec![Dimension::Agent]),
            ask(outlook.days(now, FCR_DAYS - 1), Vec::new()),
        ],
    )?;
    let agents = engine.agents(&outlook.site, true);
    let rows: HashMap<&str, &Row> =
        by_agent.rows.iter().filter_map(|row| key(row).map(|agent| (agent, row))).collect();
    let queue_rows = queues.rows.iter().filter(|row| key(row).is_some()).map(|row| queue_row(&queues, row));
    let agent_rows = agents.iter().take(AGENTS_MAX).map(|view| agent_row(view, &by_agent, &rows));
    let floor = json!({
        "site": outlook.site.as_str(),
        "now_us": total.as_of.0,
        "speed": engine.clock().speed(),
        "position": total.position.0,
        "from_us": today.0.0,
        "to_us": today.1.0,
        "total": total.rows.first().map(|row| queue_figures(&total, row)),
        "fcr": week.rows.first().map(|row| fcr_figures(&week, row)),
        "queues": queue_rows.collect::<Json>(),
        "agents": agent_rows.collect::<Json>(),
        "agents_present": agents.len(),
    });
    Ok(floor.to_string())
}

fn key(row: &Row) -> Option<&str> {
    row.keys.first()?.as_ref().map(Name::as_str)
}

/// A row's value under a column's name.
fn value(table: &Table, row: &Row, column: &str) -> Json {
    let index = table.columns.iter().position(|known| known.name == column);
    match index.and_then(|index| row.values.get(index)) {
        None | Some(Value::Absent) => Json::Null,
        Some(Value::Amount(amount)) => json!(amount),
        Some(Value::Ratio { numerator, denominator }) => json!([numerator, denominator]),
    }
}

fn figures(table: &Table, row: &Row, columns: &[&str]) -> serde_json::Map<String, Json> {
    columns.iter().map(|column| ((*column).to_owned(), value(table, row, column))).collect()
}

fn queue_figures(table: &Table, row: &Row) -> Json {
    let columns = [
        "waiting",
        "longest_waiting",
        "offered",
        "answered",
        "abandoned",
        "abandon_rate",
        "service_level",
        "asa",
        "aht",
    ];
    Json::Object(figures(table, row, &columns))
}

fn queue_row(table: &Table, row: &Row) -> Json {
    let mut figures = queue_figures(table, row);
    if let Json::Object(map) = &mut figures {
        map.insert("queue".to_owned(), json!(key(row)));
    }
    figures
}

fn fcr_figures(table: &Table, row: &Row) -> Json {
    let columns = [
        "fcr_eligible",
        "fcr_rate",
        "fcr_final_share",
        "repeat_eligible",
        "fcr_repeat_form",
        "repeat_final_share",
    ];
    let mut figures = figures(table, row, &columns);
    figures.insert("days".to_owned(), json!(FCR_DAYS));
    Json::Object(figures)
}

fn agent_row(view: &AgentView, by_agent: &Table, rows: &HashMap<&str, &Row>) -> Json {
    let agent = view.state.agent().as_str();
    let columns = ["handled", "aht", "contacts_per_hour", "occupancy"];
    let mut figures = rows.get(agent).map(|row| figures(by_agent, row, &columns)).unwrap_or_default();
    let (word, detail, since) = standing(view);
    figures.insert("agent".to_owned(), json!(agent));
    figures.insert("team".to_owned(), json!(view.team.as_ref().map(TeamId::as_str)));
    figures.insert("state".to_owned(), json!(word));
    figures.insert("detail".to_owned(), json!(detail));
    figures.insert("since_us".to_owned(), json!(since.0));
    Json::Object(figures)
}

/// What the agent's clock counts, in which detail, since when. In contact the newest conversation tells most.
fn standing(view: &AgentView) -> (&'static str, Option<String>, Micros) {
    let state = &view.state;
    let since = state.clock_since();
    match state.clock_state() {
        None => ("signed out", None, state.session_since()),
        Some(ClockState::Lost) => ("connection lost", None, since),
        Some(ClockState::Ringing) => ("ringing", None, since),
        Some(ClockState::Dialing) => ("dialing", None, since),
        Some(ClockState::Away(reason)) => ("away", Some(reason.to_string()), since),
        Some(ClockState::Ready) => ("ready", None, since),
        Some(clock @ (ClockState::Occupied | ClockState::Unsigned)) => {
            let busy =
                state.slots().iter().filter(|slot| slot.phase.occupies()).max_by_key(|slot| slot.since);
            let word = match busy.map(|slot| slot.phase) {
                Some(Phase::Talking) => "talking",
                Some(Phase::Held) => "on hold",
                Some(Phase::Consulting) => "consulting",
                Some(Phase::Conferenced) => "in conference",
                Some(Phase::Interrupted) => "interrupted",
                Some(Phase::AfterCall) => "after-call work",
                _ => "occupied",
            };
            let unsigned = (*clock == ClockState::Unsigned).then(|| "not signed in".to_owned());
            let queue = busy.and_then(|slot| slot.queue.as_ref()).map(ToString::to_string);
            (word, unsigned.or(queue), busy.map_or(since, |slot| slot.since))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn days(zone: &str, now: &str, back: i64) -> (String, String) {
        let outlook = Outlook::new(SiteId(Name::fixed("s")), TimeZone::get(zone).unwrap());
        let now: Timestamp = now.parse().unwrap();
        let (from, to) = outlook.days(Micros(now.as_microsecond()), back);
        let text = |at: Micros| Timestamp::from_microsecond(at.0).unwrap().to_string();
        (text(from), text(to))
    }

    #[test]
    fn a_local_day_is_found_from_its_zone_and_has_25_hours_when_clocks_go_back() {
        let (from, to) = days("America/Montreal", "2020-11-01T12:00:00Z", 0);
        assert_eq!((from.as_str(), to.as_str()), ("2020-11-01T04:00:00Z", "2020-11-02T05:00:00Z"));
    }

    #[test]
    fn a_week_ends_with_today() {
        let (from, to) = days("UTC", "2020-11-08T12:00:00Z", 6);
        assert_eq!((from.as_str(), to.as_str()), ("2020-11-02T00:00:00Z", "2020-11-09T00:00:00Z"));
    }
}
