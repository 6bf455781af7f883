//! Which events a caller of the log asks for, within what it may see.
//!
//! Invariant: a caller for one site never gets a filter that passes another site's events.

use pegcount_domain::{
    envelope::{StreamKind, StreamName},
    event::EventType,
    ids::Name,
};
use pegcount_log::Filter;
use pegcount_proto::v1;
use tonic::Status;

use crate::{access::Caller, fields, options::FILTER_TYPES_MAX, status};

/// What the caller wants, within what it may see.
pub(super) fn filter(caller: &Caller, asked: &v1::LogFilter) -> Result<Filter, Status> {
    let mut filter = Filter::default();
    if !asked.site.is_empty() {
        filter.site = Some(caller.site("filter.site", &asked.site)?.0);
    }
    if !asked.kind.is_empty() {
        let known = StreamKind::ALL.map(StreamKind::word).join(", ");
        let unknown = || status::invalid("filter.kind", format!("is {:?}; use one of {known}", asked.kind));
        filter.kind = Some(StreamKind::from_word(&asked.kind).ok_or_else(unknown)?);
    }
    let types = asked.types.len();
    if types > FILTER_TYPES_MAX {
        let reason = format!("has {types} names; the limit is {FILTER_TYPES_MAX}: leave it empty for all");
        return Err(status::invalid("filter.types", reason));
    }
    filter.types = asked.types.iter().enumerate().map(event_type).collect::<Result<_, _>>()?;
    if !asked.stream.is_empty() {
        one_stream(caller, &asked.stream, &mut filter)?;
    }
    if filter.site.is_none() {
        filter.site = caller.only_site().map(|site| site.0.clone());
    }
    Ok(filter)
}

fn one_stream(caller: &Caller, text: &str, filter: &mut Filter) -> Result<(), Status> {
    let wrong = |reason: String| status::invalid("filter.stream", reason);
    let stream = StreamName::parse(text)
        .ok_or_else(|| wrong(format!("is {text:?}; give site/kind/id, for example north/agent/7")))?;
    let site: Name = caller.site("filter.stream", stream.site)?.0;
    let contradicts = filter.site.as_ref().is_some_and(|other| *other != site)
        || filter.kind.is_some_and(|other| other != stream.kind);
    if contradicts {
        return Err(wrong(format!(
            "is {text:?}, of another site or kind than asked for beside; leave those out"
        )));
    }
    filter.site = Some(site);
    filter.kind = Some(stream.kind);
    filter.id = Some(fields::name("filter.stream", stream.id)?);
    Ok(())
}

fn event_type((index, name): (usize, &String)) -> Result<EventType, Status> {
    EventType::from_name(name).ok_or_else(|| {
        let reason =
            format!("is {name:?}; give the type of an event as the log has it, for example agent.ready");
        status::invalid(&format!("filter.types[{index}]"), reason)
    })
}
