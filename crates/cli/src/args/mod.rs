//! What can be typed. Only words and their help; what they do is under [`crate::commands`].
//!
//! Invariant: every command explains itself to a stranger, with an example.

mod apply;
mod customer;
mod demo;
mod export;
mod kpi;
mod log_tools;
mod other;
mod target;
mod ticket;
mod values;

use clap::{Parser, Subcommand};

pub(crate) use apply::{ApplyArgs, DefinitionsArgs};
pub(crate) use customer::{
    CustomerCommand, EraseArgs, FindArgs, GrantArgs, KeepArgs, ReadArgs, RevokeArgs, ShowArgs, TierArgs,
    TimelineArgs, VaultBackupArgs, VaultCommand, VaultRestoreArgs,
};
pub(crate) use demo::DemoArgs;
pub(crate) use export::{ExportColumnsArgs, ExportCommand, ExportListArgs, ExportRunArgs, ExportVerifyArgs};
pub(crate) use kpi::{
    AnomaliesArgs, CorrectionsArgs, ExplainArgs, KpiArgs, MomentArgs, RangeArgs, ReconcileArgs, SpanArgs,
    WatchArgs,
};
pub(crate) use log_tools::{BackupArgs, DumpArgs, DumpFormat, LoadArgs, RestoreArgs, StatArgs, VerifyArgs};
pub(crate) use other::{
    AgentCommand, AgentListArgs, BankArgs, ConfigArgs, ConsumersArgs, ImportCommand, LogCommand, RetainArgs,
    SealArgs, ServeArgs, TailArgs, TicketsArgs, TokenArgs,
};
pub(crate) use target::{AtArgs, DATA_DIR_DEFAULT, LISTEN_DEFAULT, TargetArgs};
pub(crate) use ticket::{
    AskArgs, FactsArgs, FilterArgs, NewArgs, OneArgs, OrderWord, PromiseArgs, ReadTextsArgs, ResolveArgs,
    SeverityWord, StatusWord, TicketListArgs, TicketVerb, TicketWatchArgs, UrgencyWord, ValidityWord,
    VisitArgs, WhatIfArgs,
};
pub(crate) use values::{Format, Length, ReportFormat, Size, Version};

/// Pegcount keeps every agent action and every ticket event of a contact centre, once and for good, and computes
/// handle time, first-contact resolution, abandon rate and per-agent efficiency from them while they happen.
#[derive(Debug, Parser)]
#[command(
    name = "pegcount",
    version,
    arg_required_else_help = true,
    subcommand_required = true,
    after_help = "Begin with:\n  pegcount demo                       a simulated contact centre and its wallboard\n  \
                  pegcount serve --data-dir ./data    a server for your own softphones\n  \
                  pegcount kpi --help                 the figures, as a table, CSV or JSON"
)]
pub(crate) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show a simulated contact centre at work, with its wallboard
    ///
    /// Runs a server and a simulated contact centre in one process: simulated softphones and a simulated exchange send
    /// real gRPC calls into a durable log, and the figures change on a wallboard while they do. Everything listens on
    /// this machine only.
    Demo(DemoArgs),
    /// Run a server on a folder until it is told to stop
    ///
    /// On this machine's own address (127.0.0.1) it may run without TLS, with a token that it makes itself; any other
    /// address needs a certificate. SIGTERM and SIGINT end it gracefully: nothing acknowledged is lost.
    Serve(ServeArgs),
    /// Bring in the records of another system
    #[command(subcommand)]
    Import(ImportCommand),
    /// Define a site by one file: queues, teams, agents, reasons, calendars, formula versions, targets
    ///
    /// Shows first what would be added and changed, and asks. A second time there is nothing to do. Nothing is taken away:
    /// what is defined and not in the file stays. `deploy/site.toml` is an example; `pegcount definitions` prints what is
    /// in force as such a file.
    Apply(ApplyArgs),
    /// Print all that is defined at a site as a file for `pegcount apply`
    Definitions(DefinitionsArgs),
    /// Print figures of a range of time
    ///
    /// --to is exclusive: `--from 1999-02-01 --to 1999-02-08` is seven days. In CSV a row is `from,to` (RFC 3339 with
    /// offset), then what it is cut by, then the measures under their names, durations as decimal seconds under a name
    /// that ends in `_s`, then the KPIs; what is absent is empty.
    Kpi(KpiArgs),
    /// Show why a figure is what it is
    ///
    /// Prints the figure's formula in words and in numbers, the spans and counts that it is the sum of, and the events
    /// in the log that say so. `pegcount log tail --from POSITION` shows an event in full.
    Explain(ExplainArgs),
    /// List what changed figures after the fact
    ///
    /// A late, amended or annulled fact changes figures of intervals that had closed. This lists each change with its
    /// cause: the log position, when it was recorded, the interval, the measure, and by how much.
    /// `pegcount kpi --known-at` shows figures as they were before.
    Corrections(CorrectionsArgs),
    /// List facts that the rules do not allow, and reports in which softphone and exchange differ
    Anomalies(AnomaliesArgs),
    /// Check figures against the log
    ///
    /// Reads the log from its beginning, counts visits and signed-in time by other means than the figures do, and compares
    /// every queue and every agent, interval by interval: how many came, left and wait, and how the agents' clocks add up. A
    /// server does the same all the time by itself; this does it for any range, and says what it has compared.
    Reconcile(ReconcileArgs),
    /// Watch figures change
    ///
    /// Follows a running server: on a terminal as a table that changes, else with a line for every row that changed.
    Watch(WatchArgs),
    /// Publish days as files for a warehouse, list and check what is published
    #[command(subcommand)]
    Export(ExportCommand),
    /// Read the log itself
    #[command(subcommand)]
    Log(LogCommand),
    /// Read agents as they are now
    #[command(subcommand)]
    Agent(AgentCommand),
    /// Find customers, keep and read what is sealed for them, erase them
    #[command(subcommand)]
    Customer(CustomerCommand),
    /// Back up and restore the vault, in which everything personal lies
    #[command(subcommand)]
    Vault(VaultCommand),
    /// Work on tickets, read, list and watch them
    ///
    /// Asks a running server, which decides by the ticket's rules. What is called a reference names a sealed value: what it says
    /// never stands here.
    #[command(subcommand)]
    Ticket(TicketVerb),
    /// Make a token for a softphone, an exchange or a person
    ///
    /// Makes it from the key in a server's folder and prints it, and nothing else. Whoever holds it acts in its name
    /// until it expires: hand it over like a password.
    Token(TokenArgs),
    /// Show every limit and default, with its unit
    Config(ConfigArgs),
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_says_what_it_is_for() {
        fn check(command: &clap::Command) {
            assert!(command.get_about().is_some(), "{} has no help", command.get_name());
            for argument in command.get_arguments() {
                assert!(
                    argument.get_help().is_some(),
                    "{} {} has no help",
                    command.get_name(),
                    argument.get_id()
                );
            }
            command.get_subcommands().for_each(check);
        }
        check(&Cli::command());
    }
}
