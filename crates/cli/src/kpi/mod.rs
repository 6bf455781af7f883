//! `pegcount kpi`: figures of a range, from a server or a folder, as a table, CSV or JSON.
//!
//! Invariant: both ways ask the same question and print through the same shape, so their answers are equal.

mod columns;
pub(crate) mod question;

use std::sync::Arc;

use pegcount_domain::{event::Event, target::TargetDefinition};
use pegcount_engine::{Engine, EngineError};
use pegcount_kpi::Table;

use crate::{
    apply,
    args::{Format, KpiArgs, RangeArgs, Version},
    error::CliError,
    figures::{self, Figures, Picked},
    output,
    recomputing::{Looking, beside},
    target::{Missing, Target},
};
use question::{AskedMoment, Question};

/// How often tables by several versions are asked for until no event comes in between.
const TRIES: usize = 5;

/// Prints figures.
pub(crate) async fn run(args: KpiArgs) -> Result<(), CliError> {
    if matches!(args.range.columns.as_slice(), [one] if one == "help") {
        return columns::run(&args.target, args.range.format).await;
    }
    let question = Question::of(&args.range)?;
    let asked = AskedMoment::of(&args.moment, &question.zone)?;
    let target = Target::open(&args.target, Missing::Refuse).await?;
    let figures = figures(&args, &target, &question, asked).await;
    target.close().await?;
    let shown = figures?;
    match args.range.format {
        Format::Table => output::line(figures::table(&shown)),
        Format::Csv => Ok(figures::write_csv(&shown, output::out())?),
        Format::Json => Ok(figures::write_json(&shown, output::out())?),
    }
}

/// What is to be printed.
async fn figures(
    args: &KpiArgs,
    target: &Target,
    question: &Question,
    asked: AskedMoment,
) -> Result<Figures, CliError> {
    let versions: Vec<u8> = args.formula.iter().map(|Version(number)| *number).collect();
    let mut picked = picked(&args.range);
    if let [_, _, ..] = versions.as_slice() {
        let tables = by_versions(target, question, asked, &versions).await?;
        let tables = tables.iter().map(|(version, table)| Ok((*version, figures::pick(table, &picked)?)));
        let tables: Vec<_> = tables.collect::<Result<_, CliError>>()?;
        return figures::compared(few_alike(tables))
            .ok_or_else(|| CliError::Argument("no version".to_owned()));
    }
    let question = question.clone().under(versions.first().copied());
    let table = ask(target, &question, asked).await?;
    if !args.targets {
        return Ok(figures::pick(&table, &picked)?);
    }
    let targets = targets(target, &question).await?;
    if let Picked::Few = picked {
        let usual = figures::pick(&table, &picked)?;
        let mut names: Vec<String> = usual.columns.iter().map(|column| column.name.clone()).collect();
        names.extend(
            figures::target_columns(&targets)
                .into_iter()
                .filter(|name| !names.contains(name))
                .collect::<Vec<_>>(),
        );
        picked = Picked::Named(names);
    }
    Ok(figures::judged(&figures::pick(&table, &picked)?, &targets, &question.only()))
}

/// The usual columns are those that hold something: of several tables, those that do in the first.
fn few_alike(tables: Vec<(u32, Figures)>) -> Vec<(u32, Figures)> {
    let Some((_, first)) = tables.first() else { return tables };
    let names: Vec<String> = first.columns.iter().map(|column| column.name.clone()).collect();
    let alike = |table: &Figures| figures::pick(table, &Picked::Named(names.clone())).ok();
    tables.iter().map(|(version, table)| (*version, alike(table).unwrap_or_else(|| table.clone()))).collect()
}

/// The same question by several versions, as of one instant and, if events come in, of one position too.
async fn by_versions(
    target: &Target,
    question: &Question,
    mut asked: AskedMoment,
    versions: &[u8],
) -> Result<Vec<(u32, Figures)>, CliError> {
    for _ in 0..TRIES {
        let mut tables = Vec::new();
        for version in versions {
            let question = question.clone().under(Some(*version));
            let table = ask(target, &question, asked).await?;
            asked.as_of = asked.as_of.or(Some(table.as_of));
            tables.push((u32::from(*version), table));
        }
        let first = tables.first().map(|(_, table)| table.position);
        if tables.iter().all(|(_, table)| Some(table.position) == first) {
            return Ok(tables);
        }
    }
    Err(CliError::Argument(format!(
        "events came in between the questions, {TRIES} times: compare with --known-at, which stands still"
    )))
}

async fn ask(target: &Target, question: &Question, asked: AskedMoment) -> Result<Figures, CliError> {
    let site = question.site();
    match target {
        Target::Server(api) => {
            let answer = async { Ok(api.kpi().query_kpi(question.on_wire(asked)).await?.into_inner()) };
            let answer = beside(Looking::Server(api), site, answer).await?;
            Ok(Figures::from_wire(answer, question.dimensions(), question.zone.clone()))
        }
        Target::Folder(engine) => {
            let answer = async { Ok(of_folder(engine, question, asked).await?) };
            let answer: Table = beside(Looking::Folder(engine), site, answer).await?;
            Ok(Figures::from_kpi(&answer, question.dimensions(), question.zone.clone()))
        }
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

/// The site's targets.
async fn targets(target: &Target, question: &Question) -> Result<Vec<TargetDefinition>, CliError> {
    let events = apply::defined(target, question.site()).await?;
    let targets = events.into_iter().filter_map(|event| match event {
        Event::TargetDefined(target) => Some(*target),
        _ => None,
    });
    Ok(targets.collect())
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
