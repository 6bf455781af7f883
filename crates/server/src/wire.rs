//! Figures and their explanations as messages of the contract; for this server, and for whoever answers in its stead
//! from a folder.
//!
//! Form only. Invariant: the same answer makes the same message, wherever it is made.

use pegcount_domain::{
    envelope::Position,
    event::Event,
    ids::{Incarnation, Name},
};
use pegcount_engine::{
    Difference, Explained, Kind, Purpose, ReadEvent, Recomputation, Reconciled, Retained, told_events,
};
use pegcount_kpi::{Anomaly, Column, Correction, Item, Role, Term, Unit, Value};
use pegcount_proto::v1;

/// Columns, with their formulas in words.
pub fn column_messages(columns: &[Column]) -> Vec<v1::KpiColumn> {
    columns.iter().map(column_message).collect()
}

fn column_message(column: &Column) -> v1::KpiColumn {
    v1::KpiColumn {
        name: column.name.to_owned(),
        unit: unit(column.unit).into(),
        gauge: column.gauge,
        formula: column.formula.unwrap_or_default().to_owned(),
        meaning: column.meaning.unwrap_or_default().to_owned(),
    }
}

fn unit(unit: Unit) -> v1::Unit {
    match unit {
        Unit::Count => v1::Unit::Count,
        Unit::Duration => v1::Unit::Microseconds,
        Unit::Ratio => v1::Unit::Ratio,
    }
}

/// One value of a table.
pub(crate) fn value_message(value: &Value) -> v1::KpiValue {
    match value {
        Value::Absent => v1::KpiValue { absent: true, ..Default::default() },
        Value::Amount(amount) => v1::KpiValue { amount: *amount, ..Default::default() },
        Value::Ratio { numerator, denominator } => {
            v1::KpiValue { absent: false, amount: *numerator, denominator: *denominator }
        }
    }
}

/// An explanation, as a first page that is the last one too: who pages sets `moved_on` and `next_page_token`.
pub fn explanation(explained: &Explained, incarnation: Incarnation) -> v1::ExplainKpiResponse {
    let explanation = &explained.explanation;
    v1::ExplainKpiResponse {
        column: Some(column_message(&explanation.column)),
        value: Some(value_message(&explanation.value)),
        terms: explanation.terms.iter().map(term_message).collect(),
        items: explanation.items.iter().map(|item| item_message(item, explained)).collect(),
        item_count: count(explanation.count),
        as_of_us: explanation.as_of.0,
        position: explanation.position.0,
        moved_on: false,
        incarnation: incarnation_bytes(incarnation),
        formula_version: explanation.formula_version.into(),
        formula_versions: versions(&explanation.formula_versions),
        older_definitions: explanation.older_definitions.map_or(0, |position| position.0),
        next_page_token: bytes::Bytes::new(),
    }
}

fn term_message(term: &Term) -> v1::KpiTerm {
    let role = match term.role {
        Role::Itself => v1::TermRole::Itself,
        Role::Plus => v1::TermRole::Plus,
        Role::Minus => v1::TermRole::Minus,
        Role::Over => v1::TermRole::Over,
        Role::OverMinus => v1::TermRole::OverMinus,
    };
    v1::KpiTerm {
        measure: term.measure.name().to_owned(),
        unit: unit(term.measure.unit()).into(),
        role: role.into(),
        amount: term.amount,
        item_count: count(term.items),
    }
}

fn item_message(item: &Item, explained: &Explained) -> v1::KpiItem {
    let text = |name: &Option<pegcount_domain::ids::Name>| name.as_ref().map(ToString::to_string);
    let events = told_events(item).filter_map(|position| explained.events.get(&position));
    v1::KpiItem {
        measure: item.measure.name().to_owned(),
        amount: item.amount,
        from_us: item.from.0,
        to_us: item.to.0,
        agent: text(&item.agent).unwrap_or_default(),
        queue: text(&item.queue).unwrap_or_default(),
        events: events.map(event_message).collect(),
        event_count: count(item.events.len()),
        formula_version: item.formula_version.map_or(0, u32::from),
        notes: item.notes.clone(),
    }
}

fn event_message(event: &ReadEvent) -> v1::KpiEvent {
    v1::KpiEvent {
        position: event.position.0,
        stream: event.stream.to_string(),
        r#type: event.event_type.name().replace(['.', '_'], " "),
        occurred_at_us: event.occurred_at.0,
        recorded_at_us: event.recorded_at.0,
        source: event.source.to_string(),
        actor: event.actor.to_string(),
    }
}

/// An odd fact, with its event if that is still there.
pub fn anomaly(anomaly: &Anomaly, event: Option<&ReadEvent>) -> v1::KpiAnomaly {
    let only_position = || v1::KpiEvent { position: anomaly.position.0, ..Default::default() };
    v1::KpiAnomaly {
        event: Some(event.map_or_else(only_position, event_message)),
        kind: anomaly.kind.word().to_owned(),
        reason: anomaly.kind.to_string(),
    }
}

/// Formula versions as numbers.
pub(crate) fn versions(versions: &[u8]) -> Vec<u32> {
    versions.iter().copied().map(u32::from).collect()
}

/// A definition as a message; none for any other event.
pub fn definition_message(event: &Event) -> Option<v1::Definition> {
    crate::services::definition_message(event)
}

/// A definition as the event that writes it. Errors: what is wrong, with the field's path.
pub fn definition(message: &v1::Definition) -> Result<Event, tonic::Status> {
    crate::services::definition("definition", message)
}

/// What is being computed anew.
pub fn recomputation(one: &Recomputation, deferred_since: Option<Position>) -> v1::Recomputation {
    let purpose = match &one.purpose {
        Purpose::Definitions => v1::RecomputationPurpose::Definitions,
        Purpose::Formula { .. } => v1::RecomputationPurpose::Formula,
        Purpose::KnownAt => v1::RecomputationPurpose::KnownAt,
    };
    let formula_version = match &one.purpose {
        Purpose::Formula { version, .. } => u32::from(*version),
        _ => 0,
    };
    let since = deferred_since.filter(|_| one.purpose == Purpose::Definitions);
    v1::Recomputation {
        purpose: purpose.into(),
        formula_version,
        definitions_from: since.map_or(0, |position| position.0),
        folded_to: one.folded_to.0,
        end: one.end.0,
    }
}

/// A correction.
pub fn correction(correction: &Correction) -> v1::KpiCorrection {
    v1::KpiCorrection {
        position: correction.position.0,
        recorded_at_us: correction.recorded_at.0,
        from_us: correction.interval.start().0,
        to_us: correction.interval.end().0,
        measure: correction.measure.name().to_owned(),
        unit: unit(correction.measure.unit()).into(),
        difference: correction.difference,
    }
}

/// A number that is not what the facts say.
pub fn difference(difference: &Difference<Name>) -> v1::ReconcileDifference {
    let kind = match difference.kind {
        Kind::Queue => v1::ReconcileKind::Queue,
        Kind::Agent => v1::ReconcileKind::Agent,
        Kind::Balance => v1::ReconcileKind::Balance,
        Kind::AgentClock => v1::ReconcileKind::AgentClock,
    };
    let is_time = difference.kind.is_of_agent() && difference.column != "sign_ins";
    v1::ReconcileDifference {
        from_us: difference.interval.start().0,
        to_us: difference.interval.end().0,
        kind: kind.into(),
        who: difference.who.as_ref().map(ToString::to_string).unwrap_or_default(),
        column: difference.column.to_owned(),
        unit: if is_time { v1::Unit::Microseconds } else { v1::Unit::Count }.into(),
        stated: difference.stated,
        counted: difference.counted,
    }
}

/// What a recount came to.
pub fn reconciled(done: &Reconciled) -> v1::ReconcileSummary {
    v1::ReconcileSummary {
        position: done.position.0,
        as_of_us: done.as_of.0,
        compared_from_us: done.compared_from.map(|at| at.0),
        queue_lines: done.queue_lines,
        agent_lines: done.agent_lines,
        numbers: done.numbers,
        differing: done.differing,
        left_out: done.left_out.clone(),
    }
}

/// What of history was dropped.
pub fn dropped(done: &Retained) -> v1::DropHistoryResponse {
    v1::DropHistoryResponse {
        first_position: done.first.0,
        events: done.events,
        bytes: done.bytes,
        segments: u64::try_from(done.segments).unwrap_or(u64::MAX),
        closed_before_us: done.closed_before.map(|at| at.0),
        left_behind: done.left_behind.iter().map(ToString::to_string).collect(),
    }
}

/// An incarnation on the wire.
pub(crate) fn incarnation_bytes(incarnation: Incarnation) -> bytes::Bytes {
    bytes::Bytes::copy_from_slice(&incarnation.0.to_be_bytes())
}

/// No machine counts further.
fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}
