//! What can be typed. Only words and their help; what they do is under [`crate::commands`].
//!
//! Invariant: every command explains itself to a stranger, with an example.

mod demo;
mod kpi;
mod other;
mod target;
mod values;

use clap::{Parser, Subcommand};

pub(crate) use demo::DemoArgs;
pub(crate) use kpi::{KpiArgs, RangeArgs, WatchArgs};
pub(crate) use other::{
    AgentCommand, AgentListArgs, BankArgs, ConfigArgs, ImportCommand, LogCommand, ServeArgs, TailArgs,
    TokenArgs,
};
pub(crate) use target::{DATA_DIR_DEFAULT, LISTEN_DEFAULT, TargetArgs};
pub(crate) use values::{Format, Length};

/// Pegcount keeps every agent action and every ticket event of a contact centre, once and for good, and computes
/// handle time, first-contact resolution, abandon rate and per-agent efficiency from them while they happen.
#[derive(Debug, Parser)]
#[command(
    name = "pegcount",
    version,
    arg_required_else_help = true,
    subcommand_required = true,
    after_help = "Begin with:\n  pegcount demo                       a simulated contact centre and its live page\n  \
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
    /// Show a simulated contact centre at work, with a live page
    Demo(DemoArgs),
    /// Run a server on a folder until it is told to stop
    Serve(ServeArgs),
    /// Bring in the records of another system
    #[command(subcommand)]
    Import(ImportCommand),
    /// Print figures of a range of time
    Kpi(KpiArgs),
    /// Watch figures change
    Watch(WatchArgs),
    /// Read the log itself
    #[command(subcommand)]
    Log(LogCommand),
    /// Read agents as they are now
    #[command(subcommand)]
    Agent(AgentCommand),
    /// Make a token for a softphone, an exchange or a person
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
