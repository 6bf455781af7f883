//! `pegcount kpi`: figures of a range, from a server or a folder, as a table, CSV or JSON.
//!
//! Invariant: both ways ask the same question and print through the same shape, so their answers are equal.

mod columns;
pub(crate) mod question;

use std::sync::Arc;

use pegcount_engine::{Engine, EngineError};
use pegcount_kpi::Table;

use crate::{
    args::{Format, KpiArgs, RangeArgs},
    error::CliError,
    figures::{self, Figures, Picked},
    output,
    target::{Missing, Target},
};
use question::{AskedMoment, Question};

/// Prints figures.
pub(crate) async fn run(args: KpiArgs) -> Result<(), CliError> {
    if matches!(args.range.columns.as_slice(), [one] if one == "help") {
        return columns::run(&args.target, args.range.format).await;
    }
    let question = Question::of(&args.range)?;
    let asked = AskedMoment::of(&args.moment, &question.zone)?;
    let table = match Target::open(&args.target, Missing::Refuse).await? {
        Target::Server(api) => {
            let answer = api.kpi().query_kpi(question.on_wire(asked)).await?.into_inner();
            Figures::from_wire(answer, question.dimensions(), question.zone.clone())
        }
        Target::Folder(engine) => {
            let answer = of_folder(&engine, &question, asked).await;
            engine.close().await?;
            Figures::from_kpi(&answer?, question.dimensions(), question.zone.clone())
        }
    };
    let shown = figures::pick(&table, &picked(&args.range))?;
    match args.range.format {
        Format::Table => output::line(figures::table(&shown)),
        Format::Csv => Ok(figures::write_csv(&shown, output::out())?),
        Format::Json => Ok(figures::write_json(&shown, output::out())?),
    }
}

async fn of_folder(
    engine: &Arc<Engine>,
    question: &Question,
    asked: AskedMoment,
) -> Result<Table, EngineError> {
    let moment = engine.moment(asked.as_of, asked.known_at).await?;
    engine.query_at(question.for_engine(moment.as_of), moment.known).await
}

/// The columns that are wanted.
pub(crate) fn picked(range: &RangeArgs) -> Picked {
    match (range.columns.as_slice(), range.format) {
        ([], Format::Table) => Picked::Few,
        ([], Format::Csv | Format::Json) => Picked::All,
        ([one], _) if one == "all" => Picked::All,
        (names, _) => Picked::Named(names.to_vec()),
    }
}
