//! Tickets for the eye and as JSON.
//!
//! Invariant: both say the same; JSON has every field, a table what fits a line.

use jiff::tz::TimeZone;
use pegcount_domain::{
    ticketing::{LinkKind, Severity, Status, TargetKind, Urgency, Validity, VisitStep, WayKind},
    time::Micros,
};
use pegcount_proto::v1;
use serde_json::{Value, json};

use crate::{figures::human, output, when};

/// The word of a code of the contract, which are the domain's.
fn word<T>(code: i32, from_code: impl Fn(u32) -> Option<T>, word: impl Fn(T) -> &'static str) -> String {
    u32::try_from(code).ok().and_then(from_code).map(word).unwrap_or_default().to_owned()
}

pub(super) fn status(ticket: &v1::Ticket) -> String {
    word(ticket.status, Status::from_code, Status::word)
}

pub(super) fn target(code: i32) -> String {
    word(code, TargetKind::from_code, TargetKind::word)
}

/// The earliest time at which a target is due that still runs.
fn due(ticket: &v1::Ticket) -> Option<i64> {
    let running =
        ticket.deadlines.iter().filter(|one| one.fulfilled_us.is_none() && one.withdrawn_us.is_none());
    running.filter_map(|one| one.due_us).min()
}

pub(super) const HEAD: [&str; 10] =
    ["ticket", "status", "kind", "category", "severity", "owner", "group", "opened", "due", "breached"];

pub(super) fn fields(ticket: &v1::Ticket, zone: &TimeZone, absent: &str) -> [String; 10] {
    let none = v1::TicketFacts::default();
    let facts = ticket.facts.as_ref().unwrap_or(&none);
    let or_absent = |text: &str| if text.is_empty() { absent.to_owned() } else { text.to_owned() };
    let breached: Vec<String> =
        ticket.deadlines.iter().filter(|one| one.breached).map(|one| target(one.target)).collect();
    [
        ticket.ticket.clone(),
        status(ticket),
        ticket.kind.clone(),
        or_absent(&facts.category),
        or_absent(&word(facts.severity, Severity::from_code, Severity::word)),
        or_absent(&ticket.owner),
        or_absent(&ticket.group),
        when::rfc3339(Micros(ticket.opened_us), zone),
        due(ticket).map_or_else(|| absent.to_owned(), |due| when::rfc3339(Micros(due), zone)),
        or_absent(&breached.join(", ")),
    ]
}

pub(super) fn table(tickets: &[v1::Ticket], zone: &TimeZone, more: bool) -> String {
    let mut table = output::plain_table();
    table.set_header(HEAD);
    for ticket in tickets {
        table.add_row(fields(ticket, zone, human::ABSENT));
    }
    let more = if more { ", and there are more: see --limit" } else { "" };
    let count = if tickets.len() == 1 { "1 ticket".to_owned() } else { format!("{} tickets", tickets.len()) };
    format!("{}\n{count}{more}", output::shown(table))
}

pub(super) fn one(ticket: &v1::Ticket, zone: &TimeZone) -> String {
    let mut lines = Vec::new();
    let mut line = |key: &str, value: String| {
        if !value.is_empty() && value != "0" {
            lines.push(format!("{key:<12} {value}"));
        }
    };
    let at = |at: Option<i64>| at.map(|at| when::rfc3339(Micros(at), zone)).unwrap_or_default();
    line("ticket", format!("{} (version {})", ticket.ticket, ticket.version));
    let hold =
        if ticket.hold_reason.is_empty() { String::new() } else { format!(": {}", ticket.hold_reason) };
    line("status", format!("{}{hold}", status(ticket)));
    line("kind", ticket.kind.clone());
    for (key, value) in facts(ticket) {
        line(key, value);
    }
    line("received by", ticket.receiver.clone());
    line("owner", ticket.owner.clone());
    line("group", ticket.group.clone());
    line("sent", ticket.sent.clone());
    line("opened", at(Some(ticket.opened_us)));
    line(
        "resolved",
        [at(ticket.resolved_us), way(ticket), ticket.resolved_by.clone()].join(" ").trim().to_owned(),
    );
    line("closed", at(ticket.closed_us));
    line("reopened", ticket.reopened.to_string());
    line("repeated", ticket.repeated.to_string());
    line("level", ticket.level.to_string());
    line("merged into", ticket.merged_into.clone());
    line("links", links(ticket).join(", "));
    line("contacts", ticket.contacts.join(", "));
    if let Some(visit) = &ticket.visit {
        let step = word(visit.step, VisitStep::from_code, VisitStep::word);
        line("visit", format!("{}: {step} {}", visit.number, at(visit.appointment_us)).trim().to_owned());
    }
    if let Some(approval) = &ticket.approval {
        let answer = approval.given.map_or("not answered", |given| if given { "given" } else { "refused" });
        line("approval", format!("{}: {answer}", approval.approver));
    }
    for deadline in &ticket.deadlines {
        line("target", format!("{}: {}", target(deadline.target), standing(deadline, zone)));
    }
    lines.join("\n")
}

fn standing(one: &v1::TicketDeadline, zone: &TimeZone) -> String {
    let at = |at: i64| when::rfc3339(Micros(at), zone);
    let due = one.due_us.map_or_else(|| "its clock stands".to_owned(), |due| format!("due {}", at(due)));
    let promised = if one.promised { ", promised" } else { "" };
    let end = match (one.fulfilled_us, one.withdrawn_us) {
        (Some(fulfilled), _) => format!(", fulfilled {}", at(fulfilled)),
        (None, Some(withdrawn)) => format!(", withdrawn {}", at(withdrawn)),
        (None, None) => String::new(),
    };
    let breached = if one.breached { ", BREACHED" } else { "" };
    format!("{due}{promised}{end}{breached}")
}

fn way(ticket: &v1::Ticket) -> String {
    ticket.way.as_ref().map(|way| word(way.kind, WayKind::from_code, WayKind::word)).unwrap_or_default()
}

fn links(ticket: &v1::Ticket) -> Vec<String> {
    let link = |link: &v1::TicketLink| {
        format!("{} {}", word(link.how, LinkKind::from_code, LinkKind::word), link.ticket)
    };
    ticket.links.iter().map(link).collect()
}

fn facts(ticket: &v1::Ticket) -> Vec<(&str, String)> {
    let Some(facts) = &ticket.facts else { return Vec::new() };
    let mut list = vec![
        ("category", facts.category.clone()),
        ("topic", facts.topic.clone()),
        ("severity", word(facts.severity, Severity::from_code, Severity::word)),
        ("urgency", word(facts.urgency, Urgency::from_code, Urgency::word)),
        ("validity", word(facts.validity, Validity::from_code, Validity::word)),
        ("customer", facts.customer.clone()),
        ("tier", facts.tier.clone()),
        ("place", facts.place.clone()),
        ("region", facts.region.clone()),
        ("channel", facts.channel.clone()),
    ];
    let mut attributes: Vec<_> = facts.attributes.iter().collect();
    attributes.sort();
    list.extend(attributes.into_iter().map(|(name, value)| (name.as_str(), value.clone())));
    list
}

pub(super) fn json(ticket: &v1::Ticket, zone: &TimeZone) -> Value {
    let at = |at: Option<i64>| at.map(|at| when::rfc3339(Micros(at), zone));
    let known: serde_json::Map<String, Value> = facts(ticket)
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(key, value)| (key.to_owned(), value.into()))
        .collect();
    let deadlines = ticket.deadlines.iter().map(|one| {
        json!({
            "target": target(one.target),
            "activated": at(Some(one.activated_us)),
            "due": at(one.due_us),
            "promised": one.promised,
            "fulfilled": at(one.fulfilled_us),
            "withdrawn": at(one.withdrawn_us),
            "breached": one.breached,
        })
    });
    json!({
        "site": ticket.site,
        "ticket": ticket.ticket,
        "version": ticket.version,
        "status": status(ticket),
        "hold_reason": ticket.hold_reason,
        "kind": ticket.kind,
        "facts": known,
        "receiver": ticket.receiver,
        "owner": ticket.owner,
        "group": ticket.group,
        "sent": ticket.sent,
        "way": way(ticket),
        "resolved_by": ticket.resolved_by,
        "opened": at(Some(ticket.opened_us)),
        "resolved": at(ticket.resolved_us),
        "closed": at(ticket.closed_us),
        "reopened": ticket.reopened,
        "reworked": ticket.reworked,
        "repeated": ticket.repeated,
        "confirmed": ticket.confirmed,
        "level": ticket.level,
        "untold": ticket.untold,
        "merged_into": ticket.merged_into,
        "links": links(ticket),
        "contacts": ticket.contacts,
        "evidence": ticket.evidence,
        "notes": ticket.notes,
        "deadlines": deadlines.collect::<Vec<_>>(),
    })
}

pub(super) fn history(history: &v1::TicketHistory, zone: &TimeZone) -> String {
    let mut table = output::plain_table();
    table.set_header(["version", "at", "by", "what", "details"]);
    for event in &history.events {
        let details = event.details.iter().map(|detail| format!("{} {}", detail.name, detail.value));
        let what = event.r#type.strip_prefix("ticket.").unwrap_or(&event.r#type);
        table.add_row([
            event.version.to_string(),
            when::rfc3339(Micros(event.occurred_us), zone),
            event.by.clone(),
            what.to_owned(),
            details.collect::<Vec<_>>().join(", "),
        ]);
    }
    let mut targets = output::plain_table();
    targets.set_header(["target", "at", "what", "due", "why"]);
    for moment in &history.moments {
        let due = moment.due_us.map(|due| when::rfc3339(Micros(due), zone));
        targets.add_row([
            target(moment.target),
            when::rfc3339(Micros(moment.at_us), zone),
            moment.step.clone(),
            due.unwrap_or_else(|| human::ABSENT.to_owned()),
            moment.why.clone(),
        ]);
    }
    format!("{}\n\n{}", output::shown(table), output::shown(targets))
}

pub(super) fn history_json(history: &v1::TicketHistory, zone: &TimeZone) -> Value {
    let at = |at: i64| when::rfc3339(Micros(at), zone);
    let events = history.events.iter().map(|event| {
        let details = event.details.iter().map(|one| json!({ "name": one.name, "value": one.value }));
        json!({
            "position": event.position,
            "version": event.version,
            "at": at(event.occurred_us),
            "by": event.by,
            "type": event.r#type,
            "details": details.collect::<Vec<_>>(),
        })
    });
    let moments = history.moments.iter().map(|moment| {
        json!({
            "target": target(moment.target),
            "at": at(moment.at_us),
            "step": moment.step,
            "why": moment.why,
            "due": moment.due_us.map(at),
        })
    });
    json!({ "events": events.collect::<Vec<_>>(), "moments": moments.collect::<Vec<_>>() })
}
