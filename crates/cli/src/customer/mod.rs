//! `pegcount customer`: customers' files, sealed values, erasing. Needs a running server: who may do what is its affair.
//!
//! Invariant: nothing plain but what was asked for goes to standard output, and nothing plain to standard error.

mod timeline;

use std::io::{self, BufRead, IsTerminal, Read, Write};

use jiff::tz::TimeZone;
use pegcount_client::Api;
use pegcount_domain::{customer::ValueKind, time::Micros};
use pegcount_proto::v1;
use serde::Serialize;
use tonic::codegen::Bytes;

use crate::{
    args::{
        AtArgs, CustomerCommand, EraseArgs, FindArgs, GrantArgs, KeepArgs, ReadArgs, RevokeArgs, ShowArgs,
        TierArgs,
    },
    error::CliError,
    output,
    target::Target,
    when,
};

/// Does what was typed.
pub(crate) async fn run(command: CustomerCommand) -> Result<(), CliError> {
    match command {
        CustomerCommand::Find(args) => find(args).await,
        CustomerCommand::Show(args) => show(args).await,
        CustomerCommand::Keep(args) => keep(args).await,
        CustomerCommand::Read(args) => read(args).await,
        CustomerCommand::Timeline(args) => timeline::timeline(args).await,
        CustomerCommand::Tier(args) => tier(args).await,
        CustomerCommand::Grant(args) => grant(args).await,
        CustomerCommand::Revoke(args) => revoke(args).await,
        CustomerCommand::Erase(args) => erase(args).await,
    }
}

async fn server(args: &AtArgs) -> Result<Api, CliError> {
    Target::server(&args.target, "working with customers").await
}

fn command_id() -> Bytes {
    uuid::Uuid::new_v4().into_bytes().to_vec().into()
}

async fn find(args: FindArgs) -> Result<(), CliError> {
    let known_by = if args.known_by == "-" { first_line()? } else { args.known_by };
    let site = args.at.site.clone();
    let request = v1::FindCustomerRequest { site, known_by };
    let file = server(&args.at).await?.customers().find_customer(request).await?.into_inner();
    print(&file, args.at.json)
}

async fn show(args: ShowArgs) -> Result<(), CliError> {
    let file = file(&server(&args.at).await?, &args.at.site, &args.customer).await?;
    print(&file, args.at.json)
}

async fn file(api: &Api, site: &str, customer: &str) -> Result<v1::CustomerFile, CliError> {
    let request = v1::GetCustomerRequest { site: site.to_owned(), customer: customer.to_owned() };
    Ok(api.customers().get_customer(request).await?.into_inner())
}

async fn keep(args: KeepArgs) -> Result<(), CliError> {
    let text = if args.file.as_os_str() == "-" {
        let mut text = String::new();
        io::stdin().read_to_string(&mut text)?;
        text
    } else {
        let failed = |source| CliError::File { action: "read", path: args.file.clone(), source };
        std::fs::read_to_string(&args.file).map_err(failed)?
    };
    let (values, known_by) = values_of(&text)?;
    let kinds: Vec<i32> = values.iter().map(|value| value.kind).collect();
    let request = v1::KeepValuesRequest {
        site: args.at.site.clone(),
        customer: args.customer.unwrap_or_default(),
        values,
        known_by,
        command_id: command_id(),
    };
    let kept = server(&args.at).await?.customers().keep_values(request).await?.into_inner();
    if args.at.json {
        return output::line(serde_json::json!({ "customer": kept.customer, "references": kept.references }));
    }
    output::line(&kept.customer)?;
    for (reference, kind) in kept.references.iter().zip(kinds) {
        output::line(format_args!("{reference}  {}", word(kind)))?;
    }
    Ok(())
}

/// The values of lines `kind: text`, and the numbers and addresses of lines `known by: text`.
fn values_of(text: &str) -> Result<(Vec<v1::PlainValue>, Vec<String>), CliError> {
    let (mut values, mut known_by) = (Vec::new(), Vec::new());
    for (number, line) in (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty()) {
        // The line itself may be personal: messages give its number.
        let what = || {
            CliError::Argument(format!(
                "line {number} is not `kind: text`; kinds are name, contact, place, text, and `known by`"
            ))
        };
        let (kind, text) = line.split_once(':').ok_or_else(what)?;
        let text = text.trim().to_owned();
        if kind.trim() == "known by" {
            known_by.push(text);
            continue;
        }
        let kind = ValueKind::from_word(kind.trim()).map_err(|_| what())?;
        values.push(v1::PlainValue { kind: kind.code().into(), text });
    }
    Ok((values, known_by))
}

async fn read(args: ReadArgs) -> Result<(), CliError> {
    let api = server(&args.at).await?;
    let references = if args.references.is_empty() {
        let file = file(&api, &args.at.site, &args.customer).await?;
        let wanted = args.kind.map(|kind| i32::from(kind.code()));
        let values = file.values.into_iter().filter(|value| wanted.is_none_or(|wanted| value.kind == wanted));
        values.map(|value| value.reference).collect()
    } else {
        args.references
    };
    let request = v1::ReadValuesRequest {
        site: args.at.site.clone(),
        customer: args.customer,
        references,
        purpose: args.purpose,
        command_id: command_id(),
    };
    let values = api.customers().read_values(request).await?.into_inner().values;
    if args.at.json {
        let objects = values.iter().map(|value| {
            serde_json::json!({ "reference": value.reference, "kind": word(value.kind), "text": value.text })
        });
        return output::line(serde_json::Value::Array(objects.collect()));
    }
    for value in values {
        output::line(format_args!("{}: {}", word(value.kind), value.text))?;
    }
    Ok(())
}

async fn tier(args: TierArgs) -> Result<(), CliError> {
    let (site, customer, tier) = (args.at.site.clone(), args.customer, args.tier);
    let request = v1::SetTierRequest { site, customer, tier, command_id: command_id() };
    let done = server(&args.at).await?.customers().set_tier(request).await?.into_inner();
    carried(&done, args.at.json, "the tier is set")
}

async fn grant(args: GrantArgs) -> Result<(), CliError> {
    let length = Micros(i64::try_from(args.length.0.as_micros()).unwrap_or(i64::MAX));
    let until = Micros(jiff::Timestamp::now().as_microsecond()).plus(length);
    let request = v1::GrantAccessRequest {
        site: args.at.site.clone(),
        customer: args.customer,
        to: args.to.clone(),
        purpose: args.purpose,
        until_us: until.0,
        command_id: command_id(),
    };
    let done = server(&args.at).await?.customers().grant_access(request).await?.into_inner();
    let told = format!("{} may read it until {}", args.to, when::rfc3339(until, &TimeZone::UTC));
    carried(&done, args.at.json, &told)
}

async fn revoke(args: RevokeArgs) -> Result<(), CliError> {
    let (site, customer, to) = (args.at.site.clone(), args.customer, args.from.clone());
    let request = v1::RevokeAccessRequest { site, customer, to, command_id: command_id() };
    let done = server(&args.at).await?.customers().revoke_access(request).await?.into_inner();
    carried(&done, args.at.json, &format!("{} may not read it any more", args.from))
}

async fn erase(args: EraseArgs) -> Result<(), CliError> {
    if !args.yes && !confirmed(&args.customer)? {
        return Err(CliError::Argument("nothing was erased".to_owned()));
    }
    let (site, customer, reason) = (args.at.site.clone(), args.customer.clone(), args.reason);
    let request = v1::EraseCustomerRequest { site, customer, reason, command_id: command_id() };
    let done = server(&args.at).await?.customers().erase_customer(request).await?.into_inner();
    carried(&done, args.at.json, &format!("{} is erased, for good", args.customer))
}

fn confirmed(customer: &str) -> Result<bool, CliError> {
    if !io::stdin().is_terminal() {
        return Err(CliError::Argument(
            "erasing asks first, and nobody is there to ask: say --yes".to_owned(),
        ));
    }
    let mut error = io::stderr();
    write!(error, "Erase {customer} for good? Nothing brings it back. Type yes: ")?;
    error.flush()?;
    Ok(first_line()? == "yes")
}

fn first_line() -> Result<String, CliError> {
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line)?;
    Ok(line.trim().to_owned())
}

fn carried(done: &v1::CustomerResponse, json: bool, told: &str) -> Result<(), CliError> {
    if json {
        return output::line(serde_json::json!({ "position": done.position, "version": done.version }));
    }
    match done.position {
        0 => output::line(format_args!("{told}; it was so already")),
        position => output::line(format_args!("{told} (position {position})")),
    }
}

fn word(kind: i32) -> &'static str {
    let kind = u32::try_from(kind).ok().and_then(ValueKind::from_code);
    kind.map_or("unknown", ValueKind::word)
}

/// A file, in words.
#[derive(Serialize)]
struct Shown<'a> {
    customer: &'a str,
    tier: Option<&'a str>,
    values: Vec<ShownValue<'a>>,
    grants: Vec<ShownGrant<'a>>,
    erased_at: Option<String>,
    erased_by: Option<&'a str>,
    reads: u64,
    version: u64,
}

#[derive(Serialize)]
struct ShownValue<'a> {
    reference: &'a str,
    kind: &'static str,
    at: String,
    by: &'a str,
}

#[derive(Serialize)]
struct ShownGrant<'a> {
    to: &'a str,
    purpose: &'a str,
    until: String,
    by: &'a str,
}

fn print(file: &v1::CustomerFile, json: bool) -> Result<(), CliError> {
    let time = |at| when::rfc3339(Micros(at), &TimeZone::UTC);
    if json {
        let shown = Shown {
            customer: &file.customer,
            tier: Some(file.tier.as_str()).filter(|tier| !tier.is_empty()),
            values: file
                .values
                .iter()
                .map(|one| ShownValue {
                    reference: &one.reference,
                    kind: word(one.kind),
                    at: time(one.at_us),
                    by: &one.by,
                })
                .collect(),
            grants: file
                .grants
                .iter()
                .map(|one| ShownGrant {
                    to: &one.to,
                    purpose: &one.purpose,
                    until: time(one.until_us),
                    by: &one.by,
                })
                .collect(),
            erased_at: file.erased_us.map(time),
            erased_by: Some(file.erased_by.as_str()).filter(|by| !by.is_empty()),
            reads: file.reads,
            version: file.version,
        };
        return output::line(serde_json::to_string(&shown).map_err(io::Error::from)?);
    }
    let tier = if file.tier.is_empty() { String::new() } else { format!(", tier {}", file.tier) };
    let erased = file.erased_us.map(|at| format!(", erased at {} by {}", time(at), file.erased_by));
    output::line(format_args!("{}{tier}{}", file.customer, erased.unwrap_or_default()))?;
    if !file.values.is_empty() {
        let mut table = output::plain_table();
        table.set_header(["reference", "kind", "sealed", "by"]);
        for value in &file.values {
            let at = time(value.at_us);
            table.add_row([value.reference.as_str(), word(value.kind), at.as_str(), value.by.as_str()]);
        }
        output::line(output::shown(table))?;
    }
    for grant in &file.grants {
        let (to, purpose, until) = (&grant.to, &grant.purpose, time(grant.until_us));
        output::line(format_args!("{to} may read it for {purpose} until {until}, by {}", grant.by))?;
    }
    match file.reads {
        0 => output::line("nobody has read any of it"),
        1 => output::line("it was read once"),
        reads => output::line(format_args!("it was read {reads} times")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_line_by_line_and_a_wrong_line_is_named_by_its_number_alone() {
        let (values, known_by) =
            values_of("name: Ann: the Elder\n\nknown by: +49 30 1\n text:  note \n").unwrap();
        let values: Vec<_> = values.iter().map(|value| (word(value.kind), value.text.as_str())).collect();
        assert_eq!(values, [("name", "Ann: the Elder"), ("text", "note")]);
        assert_eq!(known_by, ["+49 30 1"]);
        for wrong in ["name: Ann\nsecret", "name: Ann\nsecret: x"] {
            let error = values_of(wrong).unwrap_err().to_string();
            assert!(error.starts_with("line 2 is not") && !error.contains("secret"), "{error}");
        }
    }
}
