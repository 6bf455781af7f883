//! The demo's live figures: today so far, in the field's words.
//!
//! Invariant: every figure is read from one answer of the engine.

use std::{sync::Arc, time::Instant};

use jiff::tz::TimeZone;
use pegcount_domain::{ids::SiteId, time::Micros};
use pegcount_engine::{Engine, EngineError};
use pegcount_kpi::{Query, Table, Value};

use crate::{figures::human, when};

/// What stands between two figures.
pub(super) const BETWEEN: &str = " · ";

/// What is asked for.
const COLUMNS: [&str; 8] = [
    "handled",
    "aht",
    "contacts_per_hour",
    "waiting",
    "abandon_rate",
    "service_level",
    "fcr_rate",
    "fcr_final_share",
];

/// Reads the figures from an engine.
pub(super) struct Figures {
    engine: Arc<Engine>,
    site: SiteId,
    zone: TimeZone,
    /// The log's end when they were read last, for the events per second.
    before: (Instant, u64),
}

impl Figures {
    pub(super) fn new(engine: Arc<Engine>, site: SiteId, zone: TimeZone) -> Self {
        let before = (Instant::now(), engine.end().0);
        Self { engine, site, zone, before }
    }

    /// The figures as of now, in parts that each fit on a narrow terminal.
    pub(super) fn parts(&mut self) -> Result<[String; 3], EngineError> {
        let now = self.engine.clock().now();
        let (from, to) = when::day_of(now, &self.zone).unwrap_or((now, now));
        let table = self.engine.query(&Query {
            time_zone: self.zone.clone(),
            columns: COLUMNS.map(str::to_owned).to_vec(),
            ..Query::new(self.site.clone(), from, to, now)
        })?;
        let end = self.engine.end().0;
        let rate = self.rate(end);
        let shown = |name| shown(&table, name);
        let lines = [
            [
                when::clock_time(now, &self.zone),
                format!("handled {}", shown("handled")),
                format!("AHT {}", shown("aht")),
                format!("contacts/h {}", shown("contacts_per_hour")),
                format!("waiting {}", shown("waiting")),
            ]
            .join(BETWEEN),
            [
                format!("abandon rate {}", shown("abandon_rate")),
                format!("service level {}", shown("service_level")),
                // A rate of which little is final may still change.
                format!("FCR {}, {} final", shown("fcr_rate"), shown("fcr_final_share")),
            ]
            .join(BETWEEN),
            format!("{rate} events/s{BETWEEN}log position {}", human::number(end)),
        ];
        Ok(lines)
    }

    /// Events per second since they were read last.
    fn rate(&mut self, end: u64) -> String {
        let (at, position) = std::mem::replace(&mut self.before, (Instant::now(), end));
        let micros = i64::try_from(at.elapsed().as_micros()).unwrap_or(i64::MAX).max(1);
        let events = i64::try_from(end.saturating_sub(position)).unwrap_or(i64::MAX);
        human::grouped(events.saturating_mul(Micros::SECOND.0) / micros)
    }
}

/// One figure of a table's only row, for the eye.
fn shown(table: &Table, name: &str) -> String {
    let index = table.columns.iter().position(|column| column.name == name);
    let value = index.and_then(|index| table.rows.first()?.values.get(index).copied());
    let column = index.and_then(|index| table.columns.get(index));
    match column {
        Some(column) => human::cell(&column.into(), value.unwrap_or(Value::Absent).into()),
        None => human::ABSENT.to_owned(),
    }
}
