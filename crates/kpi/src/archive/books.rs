//! Cells and what stands beside them; corrections.

use pegcount_domain::{
    envelope::Position,
    time::{Interval, Micros},
};
use pegcount_proto::stored;
use rustc_hash::FxHashMap;

use super::{
    ArchiveError, Counts,
    facts::{dims, dims_of, part},
};
use crate::{
    anomaly::{Anomaly, AnomalyKind},
    books::Books,
    cells::{Attribution, Contribution, Dims, TableRange},
    contact::fold::Crossing,
    correction::Correction,
    measure::Measure,
};

type Read<T> = Result<T, ArchiveError>;

pub(super) fn archive(books: &Books, figures: &mut stored::SiteFigures) {
    figures.cells = books.cells.tables().map(archived_table).collect();
    figures.crossings = books.all_crossings().map(archived_crossing).collect();
    figures.maturing = books.all_maturing().map(|(due, one)| archived_maturing(due, &one)).collect();
    figures.matured_to = books.matured_to.0;
    figures.last_effect = books.last_effect.0;
    let odd = |(mark, times): (Anomaly, i64)| stored::OddFact {
        position: mark.position.0,
        kind: mark.kind.code(),
        times,
    };
    figures.odd = books.marks().counted().map(odd).collect();
}

pub(super) fn restore(books: &mut Books, figures: &stored::SiteFigures, counts: Counts) -> Read<()> {
    for table in &figures.cells {
        restore_table(books, table, counts)?;
    }
    for crossing in &figures.crossings {
        let dims = dims_of(part(crossing.dims.as_ref())?, counts)?;
        let (interval, entered) = (Interval(crossing.interval), Micros(crossing.entered));
        books.enter_crossings(&[Crossing { interval, dims, entered }], 1);
    }
    for maturing in &figures.maturing {
        let contribution = Contribution {
            measure: measure(&maturing.measure)?,
            attribution: attribution(maturing.attribution)?,
            interval: Interval(maturing.interval),
            dims: dims_of(part(maturing.dims.as_ref())?, counts)?,
            amount: maturing.amount,
        };
        books.put_back_maturing(Micros(maturing.due), &contribution);
    }
    for odd in &figures.odd {
        let kind = AnomalyKind::from_code(odd.kind).ok_or(ArchiveError::Wrong("a code is unknown"))?;
        books.mark(&[Anomaly { position: Position(odd.position), kind }], odd.times);
    }
    books.sum_up_backlog();
    books.stand_at(Micros(figures.matured_to), Micros(figures.last_effect));
    Ok(())
}

/// A table of cells.
pub(crate) struct TableRows<'a> {
    columns: Vec<(Measure, Attribution)>,
    rows: TableRange<'a>,
}

impl<'a> TableRows<'a> {
    /// What each amount of a row is of, and the rows.
    pub(crate) fn new(columns: Vec<(Measure, Attribution)>, rows: TableRange<'a>) -> Self {
        Self { columns, rows }
    }
}

fn archived_table(mut table: TableRows<'_>) -> stored::CellTable {
    let mut out = stored::CellTable {
        measures: table.columns.iter().map(|(measure, _)| measure.name().to_owned()).collect(),
        attributions: table.columns.iter().map(|(_, attribution)| attribution_code(*attribution)).collect(),
        ..stored::CellTable::default()
    };
    let mut places: FxHashMap<Dims, u32> = FxHashMap::default();
    while let Some(interval) = table.rows.next_interval() {
        table.rows.each_once(interval, |row_dims, amounts| {
            if amounts.iter().all(|amount| *amount == 0) {
                return;
            }
            let place = *places.entry(*row_dims).or_insert_with(|| {
                out.dimensions.push(dims(row_dims));
                u32::try_from(out.dimensions.len() - 1).unwrap_or(u32::MAX)
            });
            out.intervals.push(interval.0);
            out.dims.push(place);
            out.amounts.extend_from_slice(amounts);
        });
    }
    out
}

fn restore_table(books: &mut Books, table: &stored::CellTable, counts: Counts) -> Read<()> {
    let wrong = || ArchiveError::Wrong("a table of cells has too few columns, rows or dimensions");
    let columns = table.measures.iter().zip(&table.attributions);
    let columns = columns.map(|(name, code)| Ok((measure(name)?, attribution(*code)?)));
    let columns: Vec<_> = columns.collect::<Read<_>>()?;
    let dimensions = table.dimensions.iter().map(|dims| dims_of(dims, counts));
    let dimensions: Vec<Dims> = dimensions.collect::<Read<_>>()?;
    let width = columns.len();
    if width == 0
        || table.amounts.len() != width * table.intervals.len()
        || table.dims.len() != table.intervals.len()
    {
        return if table.amounts.is_empty() { Ok(()) } else { Err(wrong()) };
    }
    let rows = table.intervals.iter().zip(&table.dims).zip(table.amounts.chunks_exact(width));
    for ((interval, place), amounts) in rows {
        let place = usize::try_from(*place).unwrap_or(usize::MAX);
        let dims = *dimensions.get(place).ok_or_else(wrong)?;
        for ((measure, attribution), amount) in
            columns.iter().zip(amounts).filter(|(_, amount)| **amount != 0)
        {
            let (measure, attribution, amount) = (*measure, *attribution, *amount);
            let interval = Interval(*interval);
            books.cells.add(&Contribution { measure, attribution, interval, dims, amount });
        }
    }
    Ok(())
}

fn archived_crossing(crossing: &Crossing) -> stored::Crossing {
    let (interval, entered) = (crossing.interval.0, crossing.entered.0);
    stored::Crossing { interval, dims: Some(dims(&crossing.dims)), entered }
}

fn archived_maturing(due: Micros, one: &Contribution) -> stored::Maturing {
    stored::Maturing {
        due: due.0,
        measure: one.measure.name().to_owned(),
        attribution: attribution_code(one.attribution),
        interval: one.interval.0,
        dims: Some(dims(&one.dims)),
        amount: one.amount,
    }
}

fn attribution_code(attribution: Attribution) -> u32 {
    match attribution {
        Attribution::Event => 0,
        Attribution::Start => 1,
        Attribution::End => 2,
    }
}

fn attribution(code: u32) -> Read<Attribution> {
    match code {
        0 => Ok(Attribution::Event),
        1 => Ok(Attribution::Start),
        2 => Ok(Attribution::End),
        _ => Err(ArchiveError::Wrong("a code is unknown")),
    }
}

fn measure(name: &str) -> Read<Measure> {
    let found = Measure::ALL.iter().find(|measure| measure.name() == name);
    found.copied().ok_or(ArchiveError::Wrong("a measure is unknown"))
}

pub(super) fn archived_correction(one: &Correction) -> stored::Corrected {
    stored::Corrected {
        position: one.position.0,
        recorded_at: one.recorded_at.0,
        interval: one.interval.0,
        measure: one.measure.name().to_owned(),
        difference: one.difference,
    }
}

pub(super) fn restored_correction(one: &stored::Corrected) -> Read<Correction> {
    Ok(Correction {
        position: Position(one.position),
        recorded_at: Micros(one.recorded_at),
        interval: Interval(one.interval),
        measure: measure(&one.measure)?,
        difference: one.difference,
    })
}
