//! `pegcount kpi`: figures of a range, from a server or a folder, as a table, CSV or JSON.
//!
//! Invariant: both ways ask the same question and print through the same shape, so their answers are equal.

pub(crate) mod question;

use crate::{
    args::{Format, KpiArgs, RangeArgs},
    error::CliError,
    figures::{self, Figures, Picked},
    output,
    target::{Missing, Target},
    when,
};
use question::Question;

/// Prints figures.
pub(crate) async fn run(args: KpiArgs) -> Result<(), CliError> {
    let question = Question::of(&args.range)?;
    let as_of = args.as_of.as_deref().map(|text| when::instant(text, &question.zone)).transpose()?;
    let table = match Target::open(&args.target, Missing::Refuse).await? {
        Target::Server(api) => {
            let answer = api.kpi().query_kpi(question.on_wire(as_of)).await?.into_inner();
            Figures::from_wire(answer, question.dimensions(), question.zone.clone())
        }
        Target::Folder(engine) => {
            let as_of = as_of.unwrap_or_else(|| engine.clock().now());
            let answer = engine.query(&question.for_engine(as_of));
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

/// The columns that are wanted.
pub(crate) fn picked(range: &RangeArgs) -> Picked {
    match (range.columns.as_slice(), range.format) {
        ([], Format::Table) => Picked::Few,
        ([], Format::Csv | Format::Json) => Picked::All,
        ([one], _) if one == "all" => Picked::All,
        (names, _) => Picked::Named(names.to_vec()),
    }
}
