//! `pegcount watch`: figures of a running server while they change.
//!
//! Invariant: what is shown is the snapshot with every change since laid over it; a watch that broke goes on from its
//! resume token.

use std::{collections::BTreeMap, io::Write};

use pegcount_client::Api;
use pegcount_domain::time::Micros;
use pegcount_proto::v1::{KpiRow, KpiUpdate, WatchKpiRequest};
use tokio_stream::StreamExt;

use crate::{
    args::{Format, WatchArgs},
    error::CliError,
    figures::{self, Column, Figures, Row},
    kpi::{
        picked,
        question::{AskedMoment, Question},
    },
    output, patience, shutdown,
    target::Target,
};

type RowKey = (Micros, Micros, Vec<Option<String>>);

/// Watches until told to stop.
pub(crate) async fn run(args: WatchArgs) -> Result<(), CliError> {
    let wish = shutdown::wish()?;
    let question = Question::of(&args.range)?;
    let api = Target::server(&args.target, "watch").await?;
    tokio::select! {
        watched = watch(&api, &question, &args) => watched,
        _ = wish => Ok(()),
    }
}

async fn watch(api: &Api, question: &Question, args: &WatchArgs) -> Result<(), CliError> {
    let mut board = Board::new(question);
    let mut printer = Printer::new(args);
    let mut resume_token = tonic::codegen::Bytes::new();
    let mut updates = 0;
    loop {
        let request = WatchKpiRequest {
            query: Some(question.on_wire(AskedMoment::default())),
            max_per_second: args.per_second,
            resume_token: resume_token.clone(),
        };
        let mut stream = match api.kpi().watch_kpi(request).await {
            Ok(answer) => answer.into_inner(),
            Err(status) if updates > 0 && patience::is_passing(&status) => {
                patience::wait(&status).await;
                continue;
            }
            Err(status) => return Err(status.into()),
        };
        while let Some(update) = stream.next().await {
            let update = match update {
                Ok(update) => update,
                Err(status) if patience::is_passing(&status) => break,
                Err(status) => return Err(status.into()),
            };
            resume_token = update.resume_token.clone();
            let changed = board.take(update);
            printer.show(&board, changed)?;
            updates += 1;
            if args.updates == Some(updates) {
                return Ok(());
            }
        }
    }
}

/// What is known now.
struct Board {
    figures: Figures,
    rows: BTreeMap<RowKey, Row>,
}

/// What an update changed.
struct Changed {
    /// All of it is new.
    snapshot: bool,
    /// Rows that are new or have other values.
    rows: Vec<Row>,
}

impl Board {
    fn new(question: &Question) -> Self {
        let figures = Figures {
            dimensions: question.dimensions(),
            columns: Vec::new(),
            rows: Vec::new(),
            as_of: Micros::ZERO,
            position: 0,
            formula_version: 0,
            formula_versions: Vec::new(),
            older_definitions: 0,
            zone: question.zone.clone(),
        };
        Self { figures, rows: BTreeMap::new() }
    }

    fn take(&mut self, update: KpiUpdate) -> Changed {
        if update.snapshot {
            self.rows.clear();
            self.figures.columns = figures::wire_columns(&update.columns);
        }
        self.figures.as_of = Micros(update.as_of_us);
        self.figures.position = update.position;
        self.figures.older_definitions = update.older_definitions;
        let columns: &[Column] = &self.figures.columns;
        let read = |row: KpiRow| figures::wire_row(row, columns);
        for gone in update.removed {
            self.rows.remove(&key(&read(gone)));
        }
        let rows: Vec<Row> = update.rows.into_iter().map(read).collect();
        self.rows.extend(rows.iter().map(|row| (key(row), row.clone())));
        self.figures.rows = self.rows.values().cloned().collect();
        Changed { snapshot: update.snapshot, rows }
    }
}

fn key(row: &Row) -> RowKey {
    (row.from, row.to, row.keys.clone())
}

struct Printer<'a> {
    args: &'a WatchArgs,
    head_written: bool,
}

impl<'a> Printer<'a> {
    fn new(args: &'a WatchArgs) -> Self {
        Self { args, head_written: false }
    }

    fn show(&mut self, board: &Board, changed: Changed) -> Result<(), CliError> {
        let picked = picked(&self.args.range);
        let whole = self.args.range.format == Format::Table && output::is_terminal();
        if whole {
            let shown = figures::pick(&board.figures, &picked)?;
            // Home, the table, and away with what was longer before.
            let table = figures::table(&shown).replace('\n', "\x1b[K\n");
            return output::line(format_args!(
                "{}\x1b[H{table}\x1b[K\x1b[J",
                if changed.snapshot { "\x1b[2J" } else { "" }
            ));
        }
        let mut part = board.figures.clone();
        part.rows = changed.rows;
        let shown = figures::pick(&part, &picked)?;
        let mut out = output::out();
        match self.args.range.format {
            Format::Table => {
                for row in &shown.rows {
                    writeln!(out, "{}", figures::one_line(&shown, row))?;
                }
            }
            Format::Json => {
                for row in &shown.rows {
                    writeln!(out, "{}", figures::json_row(&shown, row))?;
                }
            }
            Format::Csv => {
                let mut csv = csv::Writer::from_writer(&mut out);
                if !self.head_written {
                    csv.write_record(figures::csv_header(&shown.dimensions, &shown.columns))?;
                    self.head_written = true;
                }
                for row in &shown.rows {
                    figures::write_csv_row(&shown, row, &mut csv)?;
                }
                csv.flush()?;
            }
        }
        Ok(out.flush()?)
    }
}
