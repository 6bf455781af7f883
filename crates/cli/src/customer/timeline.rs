//! `pegcount customer timeline`: all contacts and tickets of a customer, in the order in which they began.
//!
//! Invariant: a table and JSON say the same; each page that is read stands in the log.

use jiff::tz::TimeZone;
use pegcount_domain::{
    event::{Channel, Direction},
    ticketing::Status,
    time::Micros,
};
use pegcount_proto::v1::{self, ContactOutcome, timeline_entry::Entry};
use serde_json::{Value, json};

use super::{command_id, server};
use crate::{args::TimelineArgs, error::CliError, figures::human, output, when};

/// Entries asked for at once: as many as a server gives.
const PAGE: u32 = 200;

pub(super) async fn timeline(args: TimelineArgs) -> Result<(), CliError> {
    let zone = when::zone(&args.time_zone)?;
    let mut customers = server(&args.at).await?.customers();
    let (mut entries, mut token, mut dropped) = (Vec::new(), None, 0);
    while entries.len() < args.limit
        && token.as_ref().is_none_or(|token: &tonic::codegen::Bytes| !token.is_empty())
    {
        let left = u32::try_from(args.limit - entries.len()).unwrap_or(PAGE);
        let request = v1::GetTimelineRequest {
            site: args.at.site.clone(),
            customer: args.customer.clone(),
            purpose: args.purpose.clone(),
            newest_first: args.newest_first,
            page_size: left.min(PAGE),
            page_token: token.unwrap_or_default(),
            command_id: command_id(),
        };
        let page = customers.get_timeline(request).await?.into_inner();
        entries.extend(page.entries);
        (token, dropped) = (Some(page.next_page_token), page.dropped);
    }
    let more = token.is_some_and(|token| !token.is_empty());
    if args.at.json {
        for entry in &entries {
            output::line(object(entry))?;
        }
        return Ok(());
    }
    let mut table = output::plain_table();
    table.set_header(["began", "what", "channel", "kind", "queue", "who", "how it stands", "until"]);
    for entry in &entries {
        table.add_row(row(entry, &zone));
    }
    output::line(output::shown(table))?;
    if dropped > 0 {
        output::line(format_args!("{dropped} earlier contacts were dropped from the log"))?;
    }
    if more {
        output::line(format_args!(
            "there are more; --limit {} shows twice as many",
            args.limit.saturating_mul(2)
        ))?;
    }
    Ok(())
}

fn word<T>(
    code: i32,
    from_code: impl Fn(u32) -> Option<T>,
    word: impl Fn(T) -> &'static str,
) -> &'static str {
    u32::try_from(code).ok().and_then(from_code).map_or("", word)
}

fn outcome(code: i32) -> &'static str {
    match ContactOutcome::try_from(code) {
        Ok(ContactOutcome::Open) => "open",
        Ok(ContactOutcome::Answered) => "answered",
        Ok(ContactOutcome::Abandoned) => "abandoned",
        Ok(ContactOutcome::FlowedOut) => "flowed out",
        Ok(ContactOutcome::CallbackTaken) => "call-back taken",
        Ok(ContactOutcome::SelfServed) => "self-served",
        Ok(ContactOutcome::Unspecified) | Err(_) => "",
    }
}

fn row(entry: &v1::TimelineEntry, zone: &TimeZone) -> [String; 8] {
    let time = |at: i64| when::rfc3339(Micros(at), zone);
    let shown = |text: &str| if text.is_empty() { human::ABSENT.to_owned() } else { text.to_owned() };
    let until = |at: Option<i64>| at.map_or_else(|| human::ABSENT.to_owned(), time);
    let began = time(entry.began_us);
    match &entry.entry {
        Some(Entry::Contact(contact)) => [
            began,
            format!("contact {}", contact.contact),
            shown(word(contact.channel, Channel::from_code, Channel::word)),
            shown(if contact.callback {
                "call-back"
            } else {
                word(contact.direction, Direction::from_code, Direction::word)
            }),
            shown(&contact.queue),
            shown(&contact.agent),
            shown(outcome(contact.outcome)),
            until(contact.ended_us),
        ],
        Some(Entry::Ticket(ticket)) => [
            began,
            format!("ticket {}", ticket.ticket),
            shown(&ticket.channel),
            shown(&ticket.kind),
            human::ABSENT.to_owned(),
            shown(&ticket.owner),
            shown(word(ticket.status, Status::from_code, Status::word)),
            until(ticket.resolved_us),
        ],
        None => std::array::from_fn(|_| human::ABSENT.to_owned()),
    }
}

fn object(entry: &v1::TimelineEntry) -> Value {
    let time = |at: i64| when::rfc3339(Micros(at), &TimeZone::UTC);
    let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    match &entry.entry {
        Some(Entry::Contact(contact)) => json!({
            "began": time(entry.began_us),
            "contact": contact.contact,
            "channel": some(word(contact.channel, Channel::from_code, Channel::word)),
            "direction": some(word(contact.direction, Direction::from_code, Direction::word)),
            "callback": contact.callback,
            "entry": some(&contact.entry),
            "queue": some(&contact.queue),
            "agent": some(&contact.agent),
            "outcome": some(outcome(contact.outcome)),
            "ended": contact.ended_us.map(time),
            "topic": some(&contact.topic),
            "wrap_up": some(&contact.wrap_up),
            "resolved": contact.resolved,
        }),
        Some(Entry::Ticket(ticket)) => json!({
            "began": time(entry.began_us),
            "ticket": ticket.ticket,
            "kind": ticket.kind,
            "category": some(&ticket.category),
            "channel": some(&ticket.channel),
            "status": some(word(ticket.status, Status::from_code, Status::word)),
            "owner": some(&ticket.owner),
            "resolved": ticket.resolved_us.map(time),
            "reopened": ticket.reopened,
            "merged_into": some(&ticket.merged_into),
        }),
        None => json!({ "began": time(entry.began_us) }),
    }
}
