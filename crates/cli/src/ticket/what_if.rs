//! `pegcount ticket what-if`: what other deadline policies would have made of the past. It changes nothing.
//!
//! Invariant: however many tickets differ, no more of them are held than are shown.

use std::fs;

use jiff::tz::TimeZone;
use pegcount_client::Api;
use pegcount_domain::{
    deadlines::{PolicySet, standard::standard},
    event::Event,
    ids::SiteId,
    time::Micros,
};
use pegcount_engine::STANDARD_CALENDAR;
use pegcount_proto::v1;
use pegcount_server::wire;
use serde_json::{Value, json};
use tokio_stream::StreamExt;

use super::show;
use crate::{
    apply,
    args::WhatIfArgs,
    error::CliError,
    figures::human,
    output, progress,
    site_file::read,
    target::{self, Target},
    when,
};

/// So many tickets are shown in a table if nobody says.
const SHOWN_USUAL: usize = 100;
/// The word for the set that every site has before its own.
const STANDARD: &str = "standard";

/// Does what was asked for.
pub(super) async fn run(args: WhatIfArgs) -> Result<(), CliError> {
    let api = Target::server(&args.at.target, "replaying tickets").await?;
    let Tried { site, zone, events } = tried(&args, &api).await?;
    let (from, to) = (when::instant(&args.from, &zone)?, when::instant(&args.to, &zone)?);
    if to <= from {
        let (from, to) = (when::rfc3339(from, &zone), when::rfc3339(to, &zone));
        return Err(CliError::Argument(format!("--to ({to}) does not lie after --from ({from})")));
    }
    let request = v1::ReplayTicketPoliciesRequest {
        site: site.to_string(),
        tried: events.iter().filter_map(wire::definition_message).collect(),
        from_us: from.0,
        to_us: to.0,
    };
    let mut parts = api.definitions().replay_ticket_policies(request).await?.into_inner();
    let limit = args.limit.map(|limit| usize::try_from(limit).unwrap_or(usize::MAX));
    let bar = progress::Bar::new("replaying {bar:40} {percent:>3} % · {human_pos} of {human_len} tickets");
    let mut shown = Shown { tickets: Vec::new(), told: 0, limit, as_json: args.at.json };
    while let Some(part) = parts.next().await {
        let part = part?;
        bar.0.set_length(part.of);
        bar.0.set_position(part.looked);
        for ticket in part.tickets {
            shown.take(ticket, &zone)?;
        }
        if let Some(summary) = part.summary {
            drop(bar);
            return shown.end(&summary, &zone);
        }
    }
    Err(CliError::Argument("the server ended before it had told all of it: ask again".to_owned()))
}

/// What is tried, where, and in which zone its dates are meant.
struct Tried {
    site: SiteId,
    zone: TimeZone,
    events: Vec<Event>,
}

async fn tried(args: &WhatIfArgs, api: &Api) -> Result<Tried, CliError> {
    let own_zone = args.time_zone.as_deref().map(when::zone).transpose()?;
    let Some(path) = &args.file else {
        let (site, zone) = (target::site(&args.at.site)?, own_zone.unwrap_or(TimeZone::UTC));
        let set = match args.set.as_deref() {
            Some(STANDARD) => standard(&STANDARD_CALENDAR),
            named => {
                let none = format!(
                    "{site} has no ticket policies of its own: name a site's file, or say --set {STANDARD}"
                );
                one_set(policies(apply::defined_at(api, &site).await?), named, &zone, none)?
            }
        };
        let events = vec![Event::TicketPoliciesDefined(Box::new(alone(set, &args.policy)?))];
        return Ok(Tried { site, zone, events });
    };
    let failed = |source| CliError::File { action: "read", path: path.clone(), source };
    let file = read::read(path, &fs::read_to_string(path).map_err(failed)?)?;
    let site = apply::the_site(path, Some(&args.at.site), file.site.as_deref())?;
    let standing = apply::defined_at(api, &site).await?;
    apply::check_calendars(file.calendars, &file.events.iter().chain(&standing))?;
    let zone = own_zone.unwrap_or(file.zone);
    let (sets, others): (Vec<Event>, Vec<Event>) =
        file.events.into_iter().partition(|event| matches!(event, Event::TicketPoliciesDefined(_)));
    let none = format!("{} holds no [[ticket_policies]]: there is nothing to try", path.display());
    let set = one_set(policies(sets), args.set.as_deref(), &zone, none)?;
    let calendars = others
        .into_iter()
        .filter(|event| matches!(event, Event::CalendarDefined(_) | Event::CalendarChanged(_)));
    let mut events = vec![Event::TicketPoliciesDefined(Box::new(alone(set, &args.policy)?))];
    events.extend(calendars);
    Ok(Tried { site, zone, events })
}

fn policies(events: Vec<Event>) -> Vec<PolicySet> {
    let set = |event| match event {
        Event::TicketPoliciesDefined(set) => Some(*set),
        _ => None,
    };
    events.into_iter().filter_map(set).collect()
}

/// The set that came into force at the instant named, or the only one.
fn one_set(
    mut sets: Vec<PolicySet>,
    named: Option<&str>,
    zone: &TimeZone,
    none: String,
) -> Result<PolicySet, CliError> {
    let listed = || {
        let dates = sets.iter().map(|set| when::exact(set.valid_from, zone));
        dates.collect::<Vec<_>>().join(", ")
    };
    let place = match named {
        _ if sets.is_empty() => return Err(CliError::Argument(none)),
        None if sets.len() == 1 => 0,
        None => {
            return Err(CliError::Argument(format!(
                "there are {} sets of ticket policies: say --set with when the one that you mean came into force: {}",
                sets.len(),
                listed()
            )));
        }
        Some(text) => {
            let at = when::instant(text, zone)?;
            let place = sets.iter().position(|set| set.valid_from == at);
            place.ok_or_else(|| {
                CliError::Argument(format!(
                    "--set {text} is no set of ticket policies; there are those in force from: {}",
                    listed()
                ))
            })?
        }
    };
    Ok(sets.swap_remove(place))
}

/// The policies of these names alone; all if none is named.
fn alone(mut set: PolicySet, names: &[String]) -> Result<PolicySet, CliError> {
    if let Some(unknown) =
        names.iter().find(|name| set.policies.iter().all(|one| one.name.as_str() != **name))
    {
        let known = set.policies.iter().map(|policy| policy.name.as_str()).collect::<Vec<_>>().join(", ");
        return Err(CliError::Argument(format!("--policy {unknown} is not in the set; it has: {known}")));
    }
    if !names.is_empty() {
        set.policies.retain(|policy| names.iter().any(|name| policy.name.as_str() == *name));
    }
    Ok(set)
}

/// What has been told so far.
struct Shown {
    tickets: Vec<v1::ReplayedTicket>,
    told: usize,
    limit: Option<usize>,
    as_json: bool,
}

impl Shown {
    fn take(&mut self, ticket: v1::ReplayedTicket, zone: &TimeZone) -> Result<(), CliError> {
        let limit = self.limit.unwrap_or(if self.as_json { usize::MAX } else { SHOWN_USUAL });
        if self.told >= limit {
            return Ok(());
        }
        self.told += 1;
        if self.as_json {
            return output::line(ticket_json(&ticket, zone));
        }
        self.tickets.push(ticket);
        Ok(())
    }

    fn end(self, summary: &v1::TicketReplaySummary, zone: &TimeZone) -> Result<(), CliError> {
        if self.as_json {
            return output::line(json!({ "summary": summary_json(summary, zone) }));
        }
        if summary.targets.is_empty() {
            return output::line(format!("{} tickets, and no target of any", summary.tickets));
        }
        output::line(targets(summary))?;
        if !self.tickets.is_empty() {
            output::line(format!("\n{}", differing(&self.tickets, zone)))?;
        }
        let left = summary.differing.saturating_sub(u64::try_from(self.told).unwrap_or(u64::MAX));
        let more = if left == 0 { String::new() } else { format!(", {left} of them not shown: see --limit") };
        output::line(format!(
            "\n{} tickets, as of {}; {} would have ended otherwise{more}",
            summary.tickets,
            when::rfc3339(Micros(summary.as_of_us), zone),
            summary.differing
        ))
    }
}

fn targets(summary: &v1::TicketReplaySummary) -> String {
    let mut table = output::plain_table();
    table.set_header(["target", "", "met", "breached", "running", "withdrawn", "spared", "struck"]);
    for one in &summary.targets {
        let target = show::target(one.target);
        let row = |what: &str, fates: Option<v1::TicketTargetFates>, last: [String; 2]| {
            let fates = fates.unwrap_or_default();
            let counts = [fates.met, fates.breached, fates.running + fates.unreckonable, fates.withdrawn];
            let counts = counts.map(|count| count.to_string());
            [target.clone(), what.to_owned()].into_iter().chain(counts).chain(last).collect::<Vec<_>>()
        };
        table.add_row(row("was", one.was, [String::new(), String::new()]));
        table.add_row(row("would", one.would, [one.spared.to_string(), one.struck.to_string()]));
    }
    output::shown(table)
}

fn differing(tickets: &[v1::ReplayedTicket], zone: &TimeZone) -> String {
    let mut table = output::plain_table();
    table.set_header(["ticket", "target", "since", "was", "due", "would", "due"]);
    let due = |course: Option<v1::TicketTargetCourse>| {
        let due = course.and_then(|course| course.due_us);
        due.map_or_else(|| human::ABSENT.to_owned(), |due| when::rfc3339(Micros(due), zone))
    };
    for ticket in tickets {
        for one in &ticket.activations {
            table.add_row([
                ticket.ticket.clone(),
                show::target(one.target),
                when::rfc3339(Micros(one.activated_us), zone),
                fate(one.was).to_owned(),
                due(one.was),
                fate(one.would).to_owned(),
                due(one.would),
            ]);
        }
    }
    output::shown(table)
}

fn fate(course: Option<v1::TicketTargetCourse>) -> &'static str {
    use v1::TicketTargetFate::{Breached, Met, Running, Unreckonable, Unspecified, Withdrawn};
    match course.map(|course| course.fate()) {
        None => "not asked",
        Some(Met) => "met",
        Some(Breached) => "breached",
        Some(Running) => "running",
        Some(Withdrawn) => "withdrawn",
        Some(Unreckonable) => "unreckonable",
        Some(Unspecified) => "",
    }
}

fn ticket_json(ticket: &v1::ReplayedTicket, zone: &TimeZone) -> Value {
    let at = |at: i64| when::rfc3339(Micros(at), zone);
    let course = |course: Option<v1::TicketTargetCourse>| {
        course.map(|one| {
            json!({ "fate": fate(Some(one)), "due": one.due_us.map(at), "ended": one.ended_us.map(at) })
        })
    };
    let activations = ticket.activations.iter().map(|one| {
        json!({
            "target": show::target(one.target),
            "activated": at(one.activated_us),
            "was": course(one.was),
            "would": course(one.would),
        })
    });
    json!({
        "ticket": ticket.ticket,
        "opened": at(ticket.opened_us),
        "activations": activations.collect::<Vec<_>>(),
    })
}

fn summary_json(summary: &v1::TicketReplaySummary, zone: &TimeZone) -> Value {
    let fates = |fates: Option<v1::TicketTargetFates>| {
        let v1::TicketTargetFates { met, breached, running, withdrawn, unreckonable } =
            fates.unwrap_or_default();
        json!({ "met": met, "breached": breached, "running": running, "withdrawn": withdrawn,
                "unreckonable": unreckonable })
    };
    let targets = summary.targets.iter().map(|one| {
        json!({
            "target": show::target(one.target),
            "was": fates(one.was),
            "would": fates(one.would),
            "spared": one.spared,
            "struck": one.struck,
        })
    });
    json!({
        "tickets": summary.tickets,
        "differing": summary.differing,
        "position": summary.position,
        "as_of": when::rfc3339(Micros(summary.as_of_us), zone),
        "targets": targets.collect::<Vec<_>>(),
    })
}
