//! `pegcount explain`: why a figure is what it is, from a server or a folder, for the eye or as JSON.
//!
//! Invariant: a folder's answer takes the shape of a server's before anything is printed, so both print alike.

mod formula;
mod json;
mod screen;

use pegcount_client::Api;
use pegcount_domain::ids::Name;
use pegcount_engine::Engine;
use pegcount_kpi::{Dimension, ExplainQuery};
use pegcount_proto::v1::{CellValue, ExplainKpiRequest, ExplainKpiResponse};
use pegcount_server::wire;

use crate::{
    args::{ExplainArgs, ReportFormat, Version},
    error::CliError,
    kpi::question::{AskedMoment, Question, wire_dimension},
    output,
    recomputing::{Looking, beside},
    target::{self, Missing, Target},
};

/// What is asked, checked.
struct Asked {
    question: Question,
    column: String,
    cell: Vec<(Dimension, Option<Name>)>,
    moment: AskedMoment,
    limit: u32,
}

/// Prints why a figure is what it is.
pub(crate) async fn run(args: ExplainArgs) -> Result<(), CliError> {
    let question =
        Question::new(&args.site, &args.span, &[])?.under(args.formula.map(|Version(number)| number));
    let moment = AskedMoment::of(&args.moment, &question.zone)?;
    let cell = args.cell.iter().map(|text| cell_value(text)).collect::<Result<_, _>>()?;
    let asked = Asked { question, column: args.column, cell, moment, limit: args.limit };
    let site = asked.question.site().clone();
    let answer = match Target::open(&args.target, Missing::Refuse).await? {
        Target::Server(api) => beside(Looking::Server(&api), &site, asked.of_server(&api)).await?,
        Target::Folder(engine) => {
            let answer = beside(Looking::Folder(&engine), &site, asked.of_folder(&engine)).await;
            engine.close().await?;
            answer?
        }
    };
    match args.format {
        ReportFormat::Table => output::line(screen::report(&asked.words(), &answer, &asked.question.zone)),
        ReportFormat::Json => output::line(json::report(&answer, &asked.question)),
    }
}

/// `queue=PS`; `queue=` for what has no queue.
fn cell_value(text: &str) -> Result<(Dimension, Option<Name>), CliError> {
    let wrong = |why: String| CliError::Argument(format!("--cell `{text}` {why}"));
    let (dimension, value) =
        text.split_once('=').ok_or_else(|| wrong("says no value: give dimension=value".to_owned()))?;
    let dimension: Dimension = dimension.parse().map_err(|error| wrong(format!("is no cell: {error}")))?;
    if dimension.is_time() {
        return Err(wrong("is a time: say it by --from and --to".to_owned()));
    }
    let value = if value.is_empty() { None } else { Some(target::name("--cell", value)?) };
    Ok((dimension, value))
}

impl Asked {
    /// The figure's name and place, for the eye.
    fn words(&self) -> String {
        let cell = self.cell.iter().map(|(dimension, value)| match value {
            Some(value) => format!(", {dimension} {value}"),
            None => format!(", no {dimension}"),
        });
        format!("{} of {}{}", self.column, self.question.words(), cell.collect::<String>())
    }

    /// Asks a server for page after page.
    async fn of_server(&self, api: &Api) -> Result<ExplainKpiResponse, CliError> {
        let cell = self.cell.iter().map(|(dimension, value)| CellValue {
            dimension: wire_dimension(*dimension).into(),
            value: value.as_ref().map(ToString::to_string).unwrap_or_default(),
        });
        let mut request = ExplainKpiRequest {
            query: Some(self.question.on_wire(self.moment)),
            column: self.column.clone(),
            cell: cell.collect(),
            page_size: self.limit,
            page_token: tonic::codegen::Bytes::new(),
        };
        let (mut items, mut left) = (Vec::new(), self.limit);
        loop {
            let page = api.kpi().explain_kpi(request.clone()).await?.into_inner();
            let given = u32::try_from(page.items.len()).unwrap_or(u32::MAX);
            left = left.saturating_sub(given);
            let answer = ExplainKpiResponse { items: Vec::new(), ..page.clone() };
            items.extend(page.items);
            if left == 0 || page.next_page_token.is_empty() {
                return Ok(ExplainKpiResponse { items, ..answer });
            }
            (request.page_size, request.page_token) = (left, page.next_page_token);
        }
    }

    /// Asks a folder.
    async fn of_folder(&self, engine: &std::sync::Arc<Engine>) -> Result<ExplainKpiResponse, CliError> {
        let moment = engine.moment(self.moment.as_of, self.moment.known_at).await?;
        let asked = ExplainQuery {
            query: self.question.for_engine(moment.as_of),
            cell: self.cell.clone(),
            column: self.column.clone(),
            skip: 0,
            limit: usize::try_from(self.limit).unwrap_or(usize::MAX),
        };
        Ok(wire::explanation(&engine.explain(asked, moment.known).await?, engine.incarnation()))
    }
}

#[cfg(test)]
pub(crate) mod samples {
    //! The handle time of one call, for the tests of both ways out.

    use pegcount_proto::v1::{
        ExplainKpiResponse, KpiColumn, KpiEvent, KpiItem, KpiTerm, KpiValue, TermRole, Unit,
    };

    /// 1999-02-01 09:10:20 in Jerusalem.
    pub(crate) const ANSWERED: i64 = 917_853_020_000_000;

    /// 4m30s of talk and 40 s of after-call work in one leg.
    pub(crate) fn one_call() -> ExplainKpiResponse {
        let at = |seconds: i64| ANSWERED + seconds * 1_000_000;
        let term = |measure: &str, unit: Unit, role: TermRole, amount: i64| KpiTerm {
            measure: measure.into(),
            unit: unit.into(),
            role: role.into(),
            amount,
            item_count: u64::from(amount != 0),
        };
        let event = |position: u64, seconds: i64, words: &str| KpiEvent {
            position,
            stream: "bank/agent/ann".into(),
            r#type: words.into(),
            occurred_at_us: at(seconds),
            recorded_at_us: at(seconds) + 1,
            source: "pbx".into(),
            actor: "pbx".into(),
        };
        let events =
            [event(6, 0, "leg answered"), event(7, 270, "leg ended"), event(8, 310, "leg after call ended")];
        let item = |measure: &str, amount: i64| KpiItem {
            measure: measure.into(),
            amount,
            from_us: at(0),
            to_us: at(310),
            agent: "ann".into(),
            queue: String::new(),
            events: events.to_vec(),
            event_count: 3,
            formula_version: 0,
            notes: Vec::new(),
        };
        ExplainKpiResponse {
            column: Some(KpiColumn {
                name: "aht".into(),
                unit: Unit::Microseconds.into(),
                gauge: false,
                formula: "(handle_talk + handle_hold + handle_acw) / handled".into(),
                meaning: String::new(),
            }),
            value: Some(KpiValue { absent: false, amount: 310_000_000, denominator: 1 }),
            terms: vec![
                term("handle_talk", Unit::Microseconds, TermRole::Plus, 270_000_000),
                term("handle_hold", Unit::Microseconds, TermRole::Plus, 0),
                term("handle_acw", Unit::Microseconds, TermRole::Plus, 40_000_000),
                term("handled", Unit::Count, TermRole::Over, 1),
            ],
            items: vec![item("handled", 1), item("handle_talk", 270_000_000), item("handle_acw", 40_000_000)],
            item_count: 3,
            as_of_us: at(3_600),
            position: 8,
            formula_version: 1,
            formula_versions: vec![1],
            ..Default::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_a_dimension_with_a_value_or_with_none() {
        let (dimension, value) = cell_value("queue=PS=1").unwrap();
        assert_eq!((dimension, value.unwrap().as_str()), (Dimension::Queue, "PS=1"));
        assert_eq!(cell_value("agent=").unwrap(), (Dimension::Agent, None));
        for (text, said) in [
            ("queue", "--cell `queue` says no value: give dimension=value"),
            ("colour=red", "--cell `colour=red` is no cell: `colour` is not one of"),
            ("day=1999-02-01", "--cell `day=1999-02-01` is a time: say it by --from and --to"),
        ] {
            let refused = cell_value(text).unwrap_err().to_string();
            assert!(refused.starts_with(said), "{refused}");
        }
    }
}
