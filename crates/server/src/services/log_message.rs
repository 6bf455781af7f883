//! Events of the log in the contract's words.
//!
//! Invariant: every field of the envelope that the contract has is filled from the event itself.

use pegcount_engine::ReadEvent;
use pegcount_proto::v1;
use tonic::Status;

/// Some events.
pub(super) fn messages(events: &[ReadEvent]) -> Result<Vec<v1::LogEvent>, Status> {
    events.iter().map(event_message).collect()
}

fn event_message(event: &ReadEvent) -> Result<v1::LogEvent, Status> {
    let body_json = serde_json::to_string(&event.event).map_err(|error| {
        Status::internal(format!("the event at {} cannot be written as JSON: {error}", event.position))
    })?;
    let source = event.source_seq;
    let uuid = |value: u128| bytes::Bytes::copy_from_slice(&value.to_be_bytes());
    Ok(v1::LogEvent {
        position: event.position.0,
        stream: event.stream.to_string(),
        version: event.version.0,
        r#type: event.event_type.name().to_owned(),
        schema_version: event.schema_version.into(),
        occurred_at_us: event.occurred_at.0,
        source_time_us: event.source_time.0,
        recorded_at_us: event.recorded_at.0,
        actor: event.actor.to_string(),
        on_behalf_of: event.on_behalf_of.as_ref().map(ToString::to_string).unwrap_or_default(),
        source: event.source.to_string(),
        source_epoch: source.map(|source| uuid(source.epoch.0)).unwrap_or_default(),
        source_seq: source.map_or(0, |source| source.seq),
        command_id: event.command_id.map(|command| uuid(command.0)).unwrap_or_default(),
        clamped: event.clamped,
        body_json,
    })
}
