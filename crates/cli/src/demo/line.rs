//! The demo's one line of figures: today so far, in the words of KPIS.md.
//!
//! Invariant: every figure is read from one answer of the engine.

use std::{sync::Arc, time::Instant};

use jiff::tz::TimeZone;
use pegcount_domain::{ids::SiteId, time::Micros};
use pegcount_engine::{Engine, EngineError};
use pegcount_kpi::{Attribution, Query, Table, Value};

use crate::{figures::human, when};

/// Reads the line from an engine.
pub(super) struct Figures {
    engine: Arc<Engine>,
    site: SiteId,
    zone: TimeZone,
    /// The log's end when the line was read last, for the events per second.
    before: (Instant, u64),
}

impl Figures {
    pub(super) fn new(engine: Arc<Engine>, site: SiteId, zone: TimeZone) -> Self {
        let before = (Instant::now(), engine.end().0);
        Self { engine, site, zone, before }
    }

    /// The line as of now.
    pub(super) fn line(&mut self) -> Result<String, EngineError> {
        let now = self.engine.clock().now();
        let (from, to) = when::day_of(now, &self.zone).unwrap_or((now, now));
        let table = self.engine.query(&Query {
            site: self.site.clone(),
            from,
            to,
            by: Vec::new(),
            attribution: Attribution::Event,
            time_zone: self.zone.clone(),
            as_of: now,
            queues: Vec::new(),
            agents: Vec::new(),
        })?;
        let end = self.engine.end().0;
        let rate = self.rate(end);
        let shown = |name| shown(&table, name);
        Ok(format!(
            "{} · handled {} · AHT {} · abandon rate {} · service level {} · FCR {} · contacts/h {} · waiting {} · {rate} events/s · position {}",
            when::clock_time(now, &self.zone),
            shown("handled"),
            shown("aht"),
            shown("abandon_rate"),
            shown("service_level"),
            shown("fcr_rate"),
            shown("contacts_per_hour"),
            shown("waiting"),
            human::grouped(i64::try_from(end).unwrap_or(i64::MAX)),
        ))
    }

    /// Events per second since the line was read last.
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
