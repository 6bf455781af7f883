//! What stands in the tables: figures from the query that everybody asks, the rest unit by unit.

use std::sync::Arc;

use pegcount_domain::{ids::Name, time::Micros};
use pegcount_engine::{Engine, Standing};
use pegcount_kpi::{DayRow, Dimension, Measure, Query, Row as Figures, Table as Answer, Value};

use crate::{
    cell::{Cell, Row},
    day::{LocalDay, date_number},
    error::ExportError,
    tables::{Table, kpi_names},
    write::TableWriter,
};

/// How many units tell their rows at once.
const UNITS: usize = 1_024;

/// The day that is written, at one position.
pub(crate) struct Source<'a> {
    pub(crate) engine: &'a Arc<Engine>,
    pub(crate) standing: Standing,
    pub(crate) day: &'a LocalDay,
}

impl Source<'_> {
    /// The live figures of the day, by these dimensions.
    pub(crate) async fn ask(&self, by: &[Dimension], columns: Vec<String>) -> Result<Answer, ExportError> {
        let Standing { site, range, as_of, position } = &self.standing;
        let query = Query {
            by: by.to_vec(),
            time_zone: self.day.zone.clone(),
            columns,
            ..Query::new(site.clone(), range.start, range.end, *as_of)
        };
        Ok(self.engine.query_at(query, Some(*position)).await?)
    }

    /// Gives all rows of a table to its writer.
    pub(crate) async fn fill(
        &self,
        table: Table,
        out: &mut TableWriter,
        step: &mut (dyn FnMut(u64) -> Result<(), ExportError> + Send),
    ) -> Result<(), ExportError> {
        match table {
            Table::QueueInterval | Table::AgentInterval => self.intervals(table, out, step).await,
            Table::DailySummary => self.summary(out).await,
            Table::Definition => self.definitions(out),
            Table::Correction => Ok(()),
            _ => self.units(table, out, step).await,
        }
    }

    fn begin(&self) -> Row {
        let site = Cell::Text(self.standing.site.to_string());
        vec![site, Cell::Date(date_number(self.day.date))]
    }

    async fn intervals(
        &self,
        table: Table,
        out: &mut TableWriter,
        step: &mut (dyn FnMut(u64) -> Result<(), ExportError> + Send),
    ) -> Result<(), ExportError> {
        let by: Vec<Dimension> = [Dimension::Interval15].iter().chain(table.cut()).copied().collect();
        let answer = self.ask(&by, names(&table.measures())).await?;
        for row in answer.rows {
            if row.values.iter().all(|value| matches!(value, Value::Absent | Value::Amount(0))) {
                continue;
            }
            let mut cells = self.begin();
            cells.push(Cell::Instant(row.from.0));
            cells.push(Cell::Text(self.day.local(row.from)));
            cells.extend(row.keys.iter().map(|key| Cell::name(key.as_ref())));
            cells.extend(row.values.iter().map(amount));
            out.push(cells)?;
        }
        step(out.rows)
    }

    async fn summary(&self, out: &mut TableWriter) -> Result<(), ExportError> {
        let measures = Table::DailySummary.measures();
        let mut columns = names(&measures);
        columns.extend(kpi_names().map(|column| column.name.to_owned()));
        for (level, by) in LEVELS {
            let answer = self.ask(by, columns.clone()).await?;
            for row in answer.rows {
                out.push(self.summary_row(level, &row, &answer.columns, measures.len()))?;
            }
        }
        Ok(())
    }

    fn summary_row(
        &self,
        level: &str,
        row: &Figures,
        columns: &[pegcount_kpi::Column],
        measures: usize,
    ) -> Row {
        let mut cells = self.begin();
        cells.push(Cell::Text(level.to_owned()));
        cells.push(Cell::name(row.keys.first().and_then(Option::as_ref)));
        cells.extend(row.values.iter().take(measures).map(amount));
        let kpis = row.values.iter().zip(columns).skip(measures);
        cells.extend(kpis.map(|(value, column)| real(value, column.unit)));
        cells
    }

    async fn units(
        &self,
        table: Table,
        out: &mut TableWriter,
        step: &mut (dyn FnMut(u64) -> Result<(), ExportError> + Send),
    ) -> Result<(), ExportError> {
        let Some(told) = table.told() else { return Ok(()) };
        let units = self.engine.day_units(&self.standing, told).await?;
        for some in units.chunks(UNITS) {
            for row in self.engine.day_rows(&self.standing, told, some.to_vec()).await? {
                out.push(self.unit_row(table, row))?;
            }
            step(out.rows)?;
        }
        Ok(())
    }

    fn unit_row(&self, table: Table, row: DayRow) -> Row {
        let mut cells = self.begin();
        if table != Table::AgentStateSpan {
            let unit = row.unit.and_then(|position| i64::try_from(position.0).ok());
            cells.push(unit.map_or(Cell::None, Cell::Int));
        }
        cells.extend(row.keys.iter().map(|key| Cell::name(key.as_ref())));
        if table == Table::AgentStateSpan {
            cells.push(state(&row.amounts));
        }
        if matches!(table, Table::AgentStateSpan | Table::Leg) {
            cells.push(Cell::name(row.reason.as_ref()));
        }
        cells.extend([Cell::Instant(row.from.0), Cell::Instant(row.to.0)]);
        cells.extend(row.amounts.into_iter().map(Cell::Int));
        cells
    }

    fn definitions(&self, out: &mut TableWriter) -> Result<(), ExportError> {
        for event in self.engine.defined(&self.standing.site).events() {
            let mut cells = self.begin();
            cells.push(Cell::Text(event.event_type().name().to_owned()));
            let json = serde_json::to_string(&event).map_err(|error| ExportError::Write {
                table: Table::Definition.name().to_owned(),
                what: error.to_string(),
            })?;
            cells.push(Cell::Text(json));
            out.push(cells)?;
        }
        Ok(())
    }
}

/// The levels of a day's summary, in the order of their words.
pub(crate) const LEVELS: [(&str, &[Dimension]); 4] = [
    ("agent", &[Dimension::Agent]),
    ("queue", &[Dimension::Queue]),
    ("site", &[]),
    ("team", &[Dimension::Team]),
];

pub(crate) fn names(measures: &[Measure]) -> Vec<String> {
    measures.iter().map(|measure| measure.name().to_owned()).collect()
}

fn amount(value: &Value) -> Cell {
    match value {
        Value::Amount(amount) => Cell::Int(*amount),
        Value::Absent | Value::Ratio { .. } => Cell::None,
    }
}

#[allow(clippy::cast_precision_loss, reason = "the nearest number is what is promised")]
fn real(value: &Value, unit: pegcount_kpi::Unit) -> Cell {
    let plain = match value {
        Value::Absent => return Cell::None,
        Value::Amount(amount) => *amount as f64,
        Value::Ratio { numerator, denominator } => *numerator as f64 / *denominator as f64,
    };
    let seconds = unit == pegcount_kpi::Unit::Duration;
    Cell::Real(if seconds { plain / Micros::SECOND.0 as f64 } else { plain })
}

/// What an agent was in a span, from the clock that it adds to.
fn state(amounts: &[i64]) -> Cell {
    const STATES: [(Measure, &str); 7] = [
        (Measure::OccupiedClock, "occupied"),
        (Measure::LostClock, "lost"),
        (Measure::RingingClock, "ringing"),
        (Measure::DialingClock, "dialing"),
        (Measure::AwayClock, "away"),
        (Measure::ReadyClock, "ready"),
        (Measure::UnsignedClock, "unsigned"),
    ];
    let measures = pegcount_kpi::DayTable::Spans.measures();
    let has =
        |measure: Measure| measures.iter().zip(amounts).any(|(own, amount)| *own == measure && *amount != 0);
    let found = STATES.into_iter().find(|(measure, _)| has(*measure));
    Cell::name(found.map(|(_, word)| Name::fixed(word)))
}
