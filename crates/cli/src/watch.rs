//! `pegcount watch`: figures of a running server while they change.
//!
//! Invariant: what is shown is the snapshot with every change since laid over it; a watch that broke goes on from its
//! resume token.

use std::{
    io::Write,
    time::{Duration, Instant},
};

use pegcount_client::{Api, WatchedTable};
use pegcount_domain::time::Micros;
use pegcount_proto::v1::{KpiUpdate, QueryKpiRequest, WatchKpiRequest};
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

const SECOND: Duration = Duration::from_secs(1);

/// Watches until told to stop.
pub(crate) async fn run(args: WatchArgs) -> Result<(), CliError> {
    let wish = shutdown::wish()?;
    let question = Question::of(&args.range)?.of_columns(&args.range.columns);
    let api = Target::server(&args.target, "watch").await?;
    tokio::select! {
        watched = watch(&api, &question, &args) => watched,
        _ = wish => Ok(()),
    }
}

async fn watch(api: &Api, question: &Question, args: &WatchArgs) -> Result<(), CliError> {
    let query = question.on_wire(AskedMoment::default());
    let mut board = Board::new(question, &query);
    let mut printer = Printer::new(args);
    let mut updates = 0;
    loop {
        let request = WatchKpiRequest {
            query: Some(query.clone()),
            max_per_second: args.per_second,
            resume_token: board.known.resume_token().to_vec().into(),
        };
        let mut stream = match api.kpi().watch_kpi(request).await {
            Ok(answer) => answer.into_inner(),
            Err(status) if updates > 0 && patience::is_passing(&status) => {
                patience::wait(&status).await;
                continue;
            }
            Err(status) => return Err(status.into()),
        };
        loop {
            // On a screen, clocks that run are seen to run.
            let update = tokio::select! {
                update = stream.next() => update,
                () = tokio::time::sleep(SECOND), if printer.whole && updates > 0 => {
                    printer.show(&board, Changed { snapshot: false, rows: Vec::new() })?;
                    continue;
                }
            };
            let update = match update {
                Some(Ok(update)) => update,
                None => break,
                Some(Err(status)) if patience::is_passing(&status) => break,
                Some(Err(status)) => return Err(status.into()),
            };
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
    known: WatchedTable,
    /// When the last update came.
    taken_at: Instant,
}

/// What an update changed.
struct Changed {
    /// All of it is new.
    snapshot: bool,
    /// Rows that are new or have other values.
    rows: Vec<Row>,
}

impl Board {
    fn new(question: &Question, query: &QueryKpiRequest) -> Self {
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
        Self { figures, known: WatchedTable::new(query), taken_at: Instant::now() }
    }

    fn take(&mut self, update: KpiUpdate) -> Changed {
        let (snapshot, told) = (update.snapshot, update.rows.clone());
        self.known.take(update);
        self.taken_at = Instant::now();
        self.figures.columns = figures::wire_columns(self.known.columns());
        self.figures.as_of = Micros(self.known.as_of_us());
        self.figures.position = self.known.position();
        self.figures.older_definitions = self.known.older_definitions();
        let columns: &[Column] = &self.figures.columns;
        Changed { snapshot, rows: told.into_iter().map(|row| figures::wire_row(row, columns)).collect() }
    }

    /// All of it as of now: clocks that run have run on since the last update.
    fn now(&self) -> Figures {
        let passed = i64::try_from(self.taken_at.elapsed().as_micros()).unwrap_or(0);
        let at = self.known.as_of_us() + passed;
        let columns: &[Column] = &self.figures.columns;
        let rows = self.known.rows_at(at).into_iter().map(|row| figures::wire_row(row, columns)).collect();
        Figures { rows, as_of: Micros(at), ..self.figures.clone() }
    }
}

struct Printer<'a> {
    args: &'a WatchArgs,
    /// The whole table on a screen, again and again, and not only what changed.
    whole: bool,
    head_written: bool,
}

impl<'a> Printer<'a> {
    fn new(args: &'a WatchArgs) -> Self {
        let whole = args.range.format == Format::Table && output::is_terminal();
        Self { args, whole, head_written: false }
    }

    fn show(&mut self, board: &Board, changed: Changed) -> Result<(), CliError> {
        let picked = picked(&self.args.range);
        if self.whole {
            let shown = figures::pick(&board.now(), &picked)?;
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
