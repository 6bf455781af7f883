//! The agent's transition table as ARCHITECTURE.md shows it.
//!
//! Printed by running the machine over every state and event, so that the page and the program cannot differ; a test
//! holds the page to it.

use std::fmt::Write as _;

use crate::{
    agent::{
        AgentState, Anomaly, Phase, ReservedReasons, Session, SitePolicies, Standing, StepKind,
        transition::transition,
    },
    definitions::Definitions,
    event::{Channel, Direction, Event, Intent, LegRef, LegStep},
    ids::{AgentId, ContactId, LegId, Name, ReasonCode},
    time::Micros,
};

/// The line before the table in ARCHITECTURE.md.
pub const BEGIN: &str = "<!-- agent-table:begin -->";
/// The line after it.
pub const END: &str = "<!-- agent-table:end -->";

const OFFERS: &[Option<Phase>] = &[None, Some(Phase::Offered), Some(Phase::Ringing), Some(Phase::Dialing)];
const CONVERSATIONS: &[Option<Phase>] = &[
    Some(Phase::Talking),
    Some(Phase::Held),
    Some(Phase::Consulting),
    Some(Phase::Conferenced),
    Some(Phase::Interrupted),
];
const AFTERWARDS: &[Option<Phase>] = &[
    Some(Phase::AfterCall),
    Some(Phase::Suspended),
    Some(Phase::Missed),
    Some(Phase::Rejected),
    Some(Phase::CustomerGone),
    Some(Phase::Failed),
    Some(Phase::Ended),
];

/// The whole section, in Markdown, without the marker lines.
pub fn markdown() -> String {
    let mut page = String::from(
        "A cell says what the event leads to; `·` changes nothing; a number in brackets marks the event as not \
         expected, for the reason listed at the end. Entering after-call work ends the leg at once (10) where the \
         queue has none.\n\n",
    );
    page.push_str("**A leg before it is answered**\n\n");
    legs(&mut page, OFFERS);
    page.push_str("\n**A leg in conversation**\n\n");
    legs(&mut page, CONVERSATIONS);
    page.push_str("\n**A leg afterwards**\n\n");
    legs(&mut page, AFTERWARDS);
    page.push_str(
        "\n**Session and intent** (the agent of the example is away for a `meal`; *in contact* is the same agent, \
         ready, in a conversation)\n\n",
    );
    sessions(&mut page);
    page.push_str("\n**Marks**\n\n");
    for anomaly in Anomaly::ALL {
        row(&mut page, format_args!("{}. {anomaly}", number(anomaly)));
    }
    page
}

fn row(page: &mut String, line: std::fmt::Arguments<'_>) {
    // Writing into a String cannot fail.
    let _ = page.write_fmt(line);
    page.push('\n');
}

fn heading(page: &mut String, columns: &[&str]) {
    row(page, format_args!("| event | {} |", columns.join(" | ")));
    row(page, format_args!("|---{}|", "|---".repeat(columns.len())));
}

/// The mark's number in the list: 1 is the first.
fn number(anomaly: Anomaly) -> usize {
    Anomaly::ALL.iter().take_while(|other| **other != anomaly).count() + 1
}

fn marked(text: &str, anomaly: Option<Anomaly>) -> String {
    anomaly.map_or_else(|| text.to_owned(), |anomaly| format!("{text} ({})", number(anomaly)))
}

fn legs(page: &mut String, phases: &[Option<Phase>]) {
    let columns: Vec<_> = phases.iter().map(|phase| phase.map_or("not reported", Phase::word)).collect();
    heading(page, &columns);
    for step in StepKind::ALL {
        let cells: Vec<_> = phases
            .iter()
            .map(|phase| {
                let moved = transition(*phase, *step);
                marked(moved.to.map_or("·", Phase::word), moved.mark)
            })
            .collect();
        row(page, format_args!("| {} | {} |", step.word(), cells.join(" | ")));
    }
}

const AT: Micros = Micros(0);

fn reason(code: &'static str) -> ReasonCode {
    ReasonCode(Name::fixed(code))
}

fn leg(leg: &'static str, step: LegStep) -> Event {
    let leg = LegRef {
        contact: ContactId(Name::fixed("c")),
        leg: LegId(Name::fixed(leg)),
        agent: None,
        visit: None,
        queue: None,
        channel: Some(Channel::Voice),
        direction: Some(Direction::Inbound),
    };
    Event::Leg { leg, step }
}

/// The states that the session table begins from, each with the events that lead there.
fn beginnings() -> [(&'static str, Vec<Event>); 5] {
    let away = Event::NotReady { reason: reason("meal") };
    let lost = Event::ConnectionLost { last_heard: AT };
    [
        ("signed out", Vec::new()),
        ("ready", vec![Event::SignedIn, Event::Ready]),
        ("away", vec![Event::SignedIn, away.clone()]),
        ("in contact", vec![Event::SignedIn, Event::Ready, leg("1", LegStep::Answered)]),
        ("lost", vec![Event::SignedIn, away, lost]),
    ]
}

fn session_events() -> Vec<(&'static str, Event)> {
    vec![
        ("signed in", Event::SignedIn),
        ("signed out", Event::SignedOut),
        ("ready", Event::Ready),
        ("away, `meal`", Event::NotReady { reason: reason("meal") }),
        ("away, `rest`", Event::NotReady { reason: reason("rest") }),
        ("set ready", Event::StateSet { intent: Intent::Ready, comment: None }),
        ("set away, `rest`", Event::StateSet { intent: Intent::NotReady(reason("rest")), comment: None }),
        ("set signed out", Event::StateSet { intent: Intent::SignedOut, comment: None }),
        (
            "set next: away, `rest`",
            Event::NextSet { intent: Intent::NotReady(reason("rest")), comment: None },
        ),
        ("set next: signed out", Event::NextSet { intent: Intent::SignedOut, comment: None }),
        ("a ring is missed", leg("2", LegStep::Missed)),
        ("connection lost", Event::ConnectionLost { last_heard: AT }),
        ("connection restored", Event::ConnectionRestored),
    ]
}

fn sessions(page: &mut String) {
    let definitions = Definitions::new();
    let reserved = ReservedReasons::default();
    let policies = SitePolicies { definitions: &definitions, reserved: &reserved };
    let beginnings = beginnings();
    heading(page, &beginnings.each_ref().map(|(name, _)| *name));
    for (name, event) in session_events() {
        // The missed ring needs a ring before it, or its own mark would hide the session's answer.
        let rings = matches!(event, Event::Leg { .. }).then(|| leg("2", LegStep::Ringing));
        let cells = beginnings.each_ref().map(|(_, events)| {
            let mut state = AgentState::new(AgentId(Name::fixed("a")));
            for event in events.iter().chain(&rings) {
                state.apply(event, AT, &policies);
            }
            let before = describe(&state);
            let applied = state.apply(&event, AT, &policies);
            let after = describe(&state);
            marked(if after == before { "·" } else { &after }, applied.anomaly)
        });
        row(page, format_args!("| {name} | {} |", cells.join(" | ")));
    }
}

fn describe(state: &AgentState) -> String {
    let mut text = match (state.session(), state.standing()) {
        (Session::SignedOut, _) | (_, None) => "signed out".to_owned(),
        (Session::SignedIn, Some(standing)) => stands(standing),
        (Session::Lost { .. }, Some(standing)) => format!("lost, {}", stands(standing)),
    };
    if state.in_contact() {
        text.push_str(", in contact");
    }
    match state.next() {
        None => {}
        Some(Intent::Ready) => text.push_str(", next: ready"),
        Some(Intent::NotReady(reason)) => row_less(&mut text, format_args!(", next: away, `{reason}`")),
        Some(Intent::SignedOut) => text.push_str(", next: signed out"),
    }
    text
}

fn row_less(text: &mut String, more: std::fmt::Arguments<'_>) {
    // Writing into a String cannot fail.
    let _ = text.write_fmt(more);
}

fn stands(standing: &Standing) -> String {
    match standing {
        Standing::Ready => "ready".to_owned(),
        Standing::Away(reason) => format!("away, `{reason}`"),
    }
}
