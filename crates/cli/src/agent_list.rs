//! `pegcount agent list`.
//!
//! Invariant: a server and a folder give the same words for the same state.

use comfy_table::CellAlignment;
use jiff::tz::TimeZone;
use pegcount_domain::{
    agent::{ClockState, Phase, Session},
    time::Micros,
};
use pegcount_engine::AgentView;
use pegcount_proto::v1::{self, ListAgentsRequest};
use serde::Serialize;

use crate::{
    args::AgentListArgs,
    error::CliError,
    figures::human,
    output,
    target::{self, Missing, Target},
    when,
};

/// One agent, in words.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Line {
    agent: String,
    team: Option<String>,
    session: &'static str,
    clock: Option<String>,
    clock_since: Option<String>,
    legs: Vec<String>,
    anomalies: usize,
}

/// Prints the agents of a site.
pub(crate) async fn run(args: AgentListArgs) -> Result<(), CliError> {
    let zone = when::zone(&args.time_zone)?;
    let site = target::site(&args.site)?;
    let lines: Vec<Line> = match Target::open(&args.target, Missing::Refuse).await? {
        Target::Server(api) => {
            let request = ListAgentsRequest { site: site.to_string(), present_only: args.present };
            let agents = api.agents().list_agents(request).await?.into_inner().agents;
            agents.into_iter().map(|agent| of_wire(agent, &zone)).collect()
        }
        Target::Folder(engine) => {
            let lines =
                engine.agents(&site, args.present).iter().map(|agent| of_view(agent, &zone)).collect();
            engine.close().await?;
            lines
        }
    };
    let records = lines.iter().map(|line| fields(line, ""));
    output::list(args.format, || table(&lines), &HEAD, records, lines.iter())
}

fn table(lines: &[Line]) -> String {
    let mut table = output::plain_table();
    table.set_header(HEAD);
    for line in lines {
        table.add_row(fields(line, human::ABSENT));
    }
    if let Some(anomalies) = table.column_mut(HEAD.len() - 1) {
        anomalies.set_cell_alignment(CellAlignment::Right);
    }
    format!("{}\n{} agents", output::shown(table), lines.len())
}

const HEAD: [&str; 7] = ["agent", "team", "session", "clock", "clock_since", "legs", "anomalies"];

fn fields(line: &Line, absent: &str) -> [String; 7] {
    let or_absent = |text: &Option<String>| text.clone().unwrap_or_else(|| absent.to_owned());
    [
        line.agent.clone(),
        or_absent(&line.team),
        line.session.to_owned(),
        or_absent(&line.clock),
        or_absent(&line.clock_since),
        line.legs.join("; "),
        line.anomalies.to_string(),
    ]
}

fn of_view(view: &AgentView, zone: &TimeZone) -> Line {
    let state = &view.state;
    let clock = state.clock_state().map(|clock| match clock {
        ClockState::Occupied => "occupied".to_owned(),
        ClockState::Lost => "lost".to_owned(),
        ClockState::Ringing => "ringing".to_owned(),
        ClockState::Dialing => "dialing".to_owned(),
        ClockState::Away(reason) => format!("away ({reason})"),
        ClockState::Ready => "ready".to_owned(),
        ClockState::Unsigned => "unsigned".to_owned(),
    });
    Line {
        agent: state.agent().to_string(),
        team: view.team.as_ref().map(ToString::to_string),
        session: match state.session() {
            Session::SignedOut => "signed out",
            Session::SignedIn => "signed in",
            Session::Lost { .. } => "connection lost",
        },
        clock_since: clock.as_ref().map(|_| when::rfc3339(state.clock_since(), zone)),
        clock,
        legs: state.slots().iter().map(|slot| format!("{} {}", slot.contact, word(slot.phase))).collect(),
        anomalies: view.anomalies.len(),
    }
}

/// The phase as the contract knows it.
fn word(phase: Phase) -> &'static str {
    match phase {
        Phase::AfterCall | Phase::Suspended => "after-call work",
        other => other.word(),
    }
}

fn of_wire(agent: v1::AgentState, zone: &TimeZone) -> Line {
    let reason = agent.intent.as_ref().map(|intent| intent.reason.as_str()).unwrap_or_default();
    let clock = match agent.clock() {
        v1::ClockState::Unspecified => None,
        v1::ClockState::Occupied => Some("occupied".to_owned()),
        v1::ClockState::Lost => Some("lost".to_owned()),
        v1::ClockState::Ringing => Some("ringing".to_owned()),
        v1::ClockState::Dialing => Some("dialing".to_owned()),
        v1::ClockState::Away => Some(format!("away ({reason})")),
        v1::ClockState::Ready => Some("ready".to_owned()),
        v1::ClockState::Unsigned => Some("unsigned".to_owned()),
    };
    let slot_word = |state| match state {
        v1::SlotState::Unspecified => "over",
        v1::SlotState::Offered => Phase::Offered.word(),
        v1::SlotState::Ringing => Phase::Ringing.word(),
        v1::SlotState::Dialing => Phase::Dialing.word(),
        v1::SlotState::Talking => Phase::Talking.word(),
        v1::SlotState::Held => Phase::Held.word(),
        v1::SlotState::Consulting => Phase::Consulting.word(),
        v1::SlotState::Conferenced => Phase::Conferenced.word(),
        v1::SlotState::Interrupted => Phase::Interrupted.word(),
        v1::SlotState::AfterCall => Phase::AfterCall.word(),
    };
    Line {
        session: match agent.session() {
            v1::SessionState::Unspecified | v1::SessionState::SignedOut => "signed out",
            v1::SessionState::SignedIn => "signed in",
            v1::SessionState::ConnectionLost => "connection lost",
        },
        clock_since: clock.as_ref().map(|_| when::rfc3339(Micros(agent.clock_since_us), zone)),
        clock,
        legs: agent
            .slots
            .iter()
            .map(|slot| format!("{} {}", slot.contact, slot_word(slot.state())))
            .collect(),
        anomalies: agent.anomalies.len(),
        team: (!agent.team.is_empty()).then_some(agent.team),
        agent: agent.agent,
    }
}
