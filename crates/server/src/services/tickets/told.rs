//! A ticket's history for people to read: what each event says, name by name, and what became of its targets.

use pegcount_domain::{
    deadlines::{ChangeCause, Step},
    ticketing::Promiser,
    time::{Micros, Shown},
};
use pegcount_engine::{TicketHistory, TicketStep};
use pegcount_proto::v1;
use serde_json::Value;
use tonic::Status;

pub(super) fn history(history: &TicketHistory) -> Result<v1::TicketHistory, Status> {
    let events = history.steps.iter().map(event).collect::<Result<_, _>>()?;
    let mut moments = Vec::new();
    for target in &history.targets {
        for moment in &target.moments {
            let (step, why, due) = words(&moment.step);
            moments.push(v1::TicketTargetMoment {
                target: target.clock.kind.code().into(),
                at_us: moment.at.0,
                step: step.to_owned(),
                why,
                due_us: due.map(|due| due.0),
            });
        }
    }
    moments.sort_by_key(|moment| moment.at_us);
    Ok(v1::TicketHistory { events, moments })
}

fn event(step: &TicketStep) -> Result<v1::TicketEvent, Status> {
    let value = serde_json::to_value(&step.event).map_err(|error| {
        Status::internal(format!("the event at {} cannot be told: {error}", step.position))
    })?;
    let mut details = Vec::new();
    // An event is its word, or its word with what it says; the word stands in the type.
    if let Value::Object(said) = value {
        said.values().for_each(|said| tell("", said, &mut details));
    }
    Ok(v1::TicketEvent {
        position: step.position.0,
        version: step.version.0,
        occurred_us: step.at.0,
        by: step.by.to_string(),
        r#type: step.event.event_type().name().to_owned(),
        details,
    })
}

/// Names of instants, which people read otherwise.
const INSTANTS: [&str; 2] = ["due", "appointment"];

fn tell(name: &str, said: &Value, details: &mut Vec<v1::TicketDetail>) {
    let mut one = |value: String| details.push(v1::TicketDetail { name: name.to_owned(), value });
    match said {
        Value::Null => {}
        Value::Bool(answer) => one(if *answer { "yes" } else { "no" }.to_owned()),
        Value::String(text) => one(text.clone()),
        Value::Number(number) => match number.as_i64().filter(|_| INSTANTS.contains(&name)) {
            Some(at) => one(Shown(Micros(at)).to_string()),
            None => one(number.to_string()),
        },
        Value::Array(several) => several.iter().for_each(|said| tell(name, said, details)),
        Value::Object(said) => match (said.get("name"), said.get("value")) {
            // A site's own attribute is called by its own name.
            (Some(Value::String(name)), Some(value)) => tell(name, value, details),
            _ => said.iter().for_each(|(name, said)| tell(name, said, details)),
        },
    }
}

fn words(step: &Step) -> (&'static str, String, Option<Micros>) {
    let far = |permille: &u32| format!("at {}.{} %", permille / 10, permille % 10);
    match step {
        Step::Activated { due } => ("activated", String::new(), *due),
        Step::Paused => ("paused", String::new(), None),
        Step::Resumed { due } => ("resumed", String::new(), *due),
        Step::Warned { permille } => ("warned", far(permille), None),
        Step::Escalated { permille } => ("escalated", far(permille), None),
        Step::Breached => ("breached", String::new(), None),
        Step::Fulfilled => ("fulfilled", String::new(), None),
        Step::Withdrawn => ("withdrawn", String::new(), None),
        Step::Changed { cause, to, .. } => ("changed", why(*cause), *to),
        Step::Unreckonable(error) => ("unreckonable", error.to_string(), None),
    }
}

fn why(cause: ChangeCause) -> String {
    let word = |by: Promiser| by.word();
    match cause {
        ChangeCause::Priority => "something else is known of the ticket".to_owned(),
        ChangeCause::Promised(by) => format!("said by {}", word(by)),
        ChangeCause::Postponed { by, in_time: true } => format!("postponed by {} in time", word(by)),
        ChangeCause::Postponed { by, in_time: false } => {
            format!("postponed by {} too late: the promise is broken", word(by))
        }
        ChangeCause::Owner => "somebody else answers for it".to_owned(),
        ChangeCause::Definition => "a policy or a calendar was defined anew".to_owned(),
    }
}
