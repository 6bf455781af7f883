//! `pegcount ticket …`: every command on tickets, and how they are read. All of it asks a running server, which decides.
//!
//! - [`ask`]: what was typed into commands of the contract; [`show`]: tickets for the eye and as JSON; `what_if`: policies
//!   tried on the past

mod ask;
mod show;
mod what_if;

use std::{fs, io, path::Path};

use jiff::tz::TimeZone;
use pegcount_client::Api;
use pegcount_proto::v1;
use serde_json::json;
use tokio_stream::StreamExt;

use crate::{
    args::{
        AskArgs, AtArgs, FilterArgs, OneArgs, OrderWord, ReadTextsArgs, SeverityWord, StatusWord,
        TicketListArgs, TicketVerb, TicketWatchArgs, UrgencyWord,
    },
    error::CliError,
    output, patience,
    target::{self, Target},
    when,
};

/// Pages are asked for in this size.
const PAGE: u32 = 500;

/// Does what was asked for.
pub(crate) async fn run(verb: TicketVerb) -> Result<(), CliError> {
    match ask::command(verb)? {
        Ok((ticket, command, ask)) => {
            let api = server(&ask.at).await?;
            let request = v1::TicketCommandRequest {
                site: target::site(&ask.at.site)?.to_string(),
                ticket: ticket.clone(),
                expected_version: ask.expected,
                command_id: command_id(&ask),
                text: plain(ask.plain.as_deref())?,
                command: Some(command),
            };
            done(&ask.at, &ticket, api.tickets().command_ticket(request).await?.into_inner())
        }
        Err(TicketVerb::Open(args)) => {
            let api = server(&args.at).await?;
            let request = v1::OpenTicketRequest {
                site: target::site(&args.at.site)?.to_string(),
                ticket: Some(ask::new_ticket(args.ticket.clone(), args.new)?),
                command_id: id(args.command_id),
            };
            done(&args.at, &args.ticket, api.tickets().open_ticket(request).await?.into_inner())
        }
        Err(TicketVerb::Show(args)) => show(args).await,
        Err(TicketVerb::History(args)) => history(args).await,
        Err(TicketVerb::Read(args)) => read(args).await,
        Err(TicketVerb::List(args)) => list(args).await,
        Err(TicketVerb::Watch(args)) => watch(args).await,
        Err(TicketVerb::WhatIf(args)) => what_if::run(args).await,
        Err(pair) => two(pair).await,
    }
}

async fn two(verb: TicketVerb) -> Result<(), CliError> {
    let at =
        |ticket: &str, expected_version| Some(v1::TicketAt { ticket: ticket.to_owned(), expected_version });
    match verb {
        TicketVerb::Merge(args) => {
            let api = server(&args.ask.at).await?;
            let request = v1::MergeTicketsRequest {
                site: target::site(&args.ask.at.site)?.to_string(),
                secondary: at(&args.ticket, args.ask.expected),
                primary: at(&args.into, 0),
                command_id: command_id(&args.ask),
            };
            done(&args.ask.at, &args.ticket, api.tickets().merge_tickets(request).await?.into_inner())
        }
        TicketVerb::Split(args) => {
            let api = server(&args.ask.at).await?;
            let request = v1::SplitTicketRequest {
                site: target::site(&args.ask.at.site)?.to_string(),
                whole: at(&args.ticket, args.ask.expected),
                part: Some(ask::new_ticket(args.part, args.new)?),
                command_id: command_id(&args.ask),
            };
            done(&args.ask.at, &args.ticket, api.tickets().split_ticket(request).await?.into_inner())
        }
        TicketVerb::Link(args) => {
            let api = server(&args.ask.at).await?;
            let request = v1::LinkTicketsRequest {
                site: target::site(&args.ask.at.site)?.to_string(),
                one: at(&args.ticket, args.ask.expected),
                other: at(&args.to, 0),
                how: args.how.number(),
                command_id: command_id(&args.ask),
            };
            done(&args.ask.at, &args.ticket, api.tickets().link_tickets(request).await?.into_inner())
        }
        _ => Ok(()),
    }
}

async fn server(at: &AtArgs) -> Result<Api, CliError> {
    Target::server(&at.target, "working on tickets").await
}

fn id(given: Option<uuid::Uuid>) -> tonic::codegen::Bytes {
    given.unwrap_or_else(uuid::Uuid::new_v4).as_bytes().to_vec().into()
}

fn command_id(ask: &AskArgs) -> tonic::codegen::Bytes {
    id(ask.command_id)
}

fn done(at: &AtArgs, ticket: &str, done: v1::TicketResponse) -> Result<(), CliError> {
    if at.json {
        return output::line(json!({ "ticket": ticket, "version": done.version, "position": done.position }));
    }
    let already = if done.position == 0 { ": it was so already" } else { "" };
    output::line(format!("ticket {ticket} is at version {}{already}", done.version))
}

async fn show(args: OneArgs) -> Result<(), CliError> {
    let zone = when::zone(&args.time_zone)?;
    let request =
        v1::GetTicketRequest { site: target::site(&args.at.site)?.to_string(), ticket: args.ticket };
    let ticket = server(&args.at).await?.tickets().get_ticket(request).await?.into_inner();
    if args.at.json {
        output::line(show::json(&ticket, &zone))
    } else {
        output::line(show::one(&ticket, &zone))
    }
}

async fn read(args: ReadTextsArgs) -> Result<(), CliError> {
    let request = v1::ReadTicketTextsRequest {
        site: target::site(&args.at.site)?.to_string(),
        ticket: args.ticket,
        references: args.references,
        purpose: args.purpose,
        command_id: id(None),
    };
    let texts = server(&args.at).await?.tickets().read_ticket_texts(request).await?.into_inner().texts;
    for one in texts {
        if args.at.json {
            output::line(json!({ "reference": one.reference, "text": one.text }))?;
        } else {
            output::line(format_args!("{}: {}", one.reference, one.text))?;
        }
    }
    Ok(())
}

/// What stands in a file, or comes from standard input; nothing without one.
fn plain(file: Option<&Path>) -> Result<String, CliError> {
    match file {
        None => Ok(String::new()),
        Some(file) if file.as_os_str() == "-" => Ok(io::read_to_string(io::stdin())?),
        Some(file) => {
            let failed = |source| CliError::File { action: "read", path: file.to_owned(), source };
            fs::read_to_string(file).map_err(failed)
        }
    }
}

async fn history(args: OneArgs) -> Result<(), CliError> {
    let zone = when::zone(&args.time_zone)?;
    let request =
        v1::GetTicketRequest { site: target::site(&args.at.site)?.to_string(), ticket: args.ticket };
    let history = server(&args.at).await?.tickets().get_ticket_history(request).await?.into_inner();
    if args.at.json {
        output::line(show::history_json(&history, &zone))
    } else {
        output::line(show::history(&history, &zone))
    }
}

fn filter(filter: FilterArgs, zone: &TimeZone) -> Result<v1::TicketFilter, CliError> {
    let within = |length: crate::args::Length| i64::try_from(length.0.as_micros()).unwrap_or(i64::MAX);
    let due_before = filter.due_before.map(|text| when::instant(&text, zone)).transpose()?;
    Ok(v1::TicketFilter {
        statuses: filter.status.into_iter().map(StatusWord::number).collect(),
        open: filter.open,
        kinds: filter.kind,
        categories: filter.category,
        severities: filter.severity.into_iter().map(SeverityWord::number).collect(),
        urgencies: filter.urgency.into_iter().map(UrgencyWord::number).collect(),
        owners: filter.owner,
        unowned: filter.unowned,
        groups: filter.group,
        tiers: filter.tier,
        regions: filter.region,
        channels: filter.channel,
        customer: filter.customer.unwrap_or_default(),
        due_before_us: due_before.map(|at| at.0),
        due_within_us: filter.due_within.map(within),
        breached: filter.breached,
    })
}

async fn list(args: TicketListArgs) -> Result<(), CliError> {
    let zone = when::zone(&args.time_zone)?;
    let site = target::site(&args.site)?.to_string();
    let api = Target::server(&args.target, "listing tickets").await?;
    let order = match args.order {
        OrderWord::Oldest => v1::TicketOrder::Unspecified,
        OrderWord::Newest => v1::TicketOrder::Newest,
        OrderWord::Due => v1::TicketOrder::Due,
    };
    let filter = filter(args.filter, &zone)?;
    let (mut tickets, mut page_token) = (Vec::new(), tonic::codegen::Bytes::new());
    let limit = usize::try_from(args.limit).unwrap_or(usize::MAX);
    while tickets.len() < limit {
        let left = u32::try_from(limit - tickets.len()).unwrap_or(u32::MAX);
        let request = v1::ListTicketsRequest {
            site: site.clone(),
            filter: Some(filter.clone()),
            order: order.into(),
            page_size: left.min(PAGE),
            page_token,
        };
        let page = api.tickets().list_tickets(request).await?.into_inner();
        tickets.extend(page.tickets);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    let more = !page_token.is_empty();
    let format = if args.json { crate::args::Format::Json } else { args.format };
    let records = tickets.iter().map(|ticket| show::fields(ticket, &zone, ""));
    let objects = tickets.iter().map(|ticket| show::json(ticket, &zone));
    output::list(format, || show::table(&tickets, &zone, more), &show::HEAD, records, objects)
}

async fn watch(args: TicketWatchArgs) -> Result<(), CliError> {
    let zone = when::zone(&args.time_zone)?;
    let api = server(&args.at).await?;
    let request = v1::WatchTicketsRequest {
        site: target::site(&args.at.site)?.to_string(),
        filter: Some(filter(args.filter, &zone)?),
    };
    let mut updates = api.tickets().watch_tickets(request).await?.into_inner();
    while let Some(update) = updates.next().await {
        let update = match update {
            Ok(update) => update,
            Err(status) if patience::is_passing(&status) => return Ok(()),
            Err(status) => return Err(status.into()),
        };
        let at = when::rfc3339(pegcount_domain::time::Micros(update.as_of_us), &zone);
        if args.at.json {
            let tickets: Vec<_> = update.tickets.iter().map(|ticket| show::json(ticket, &zone)).collect();
            output::line(
                json!({ "as_of": at, "whole": update.whole, "tickets": tickets, "gone": update.gone }),
            )?;
            continue;
        }
        if update.whole {
            output::line(format!("{at}  {} tickets", update.tickets.len()))?;
        }
        for ticket in &update.tickets {
            let [id, status, kind, _, _, owner, _, _, due, breached] = show::fields(ticket, &zone, "-");
            output::line(format!(
                "{at}  {id}  {status}  {kind}  owner {owner}  due {due}  breached {breached}"
            ))?;
        }
        for gone in &update.gone {
            output::line(format!("{at}  {gone}  not in the list any more"))?;
        }
    }
    Ok(())
}
