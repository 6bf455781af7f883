//! The one binary, `pegcount`.
//!
//! `args` says what can be typed; each command has a file of its own; `target` opens the server or the folder that a
//! command works on; `figures` is the one shape that figures are printed from. Not for rules or sums: those are the
//! engine's. Invariant: the answer goes to standard output, everything else to standard error; a command that could
//! not do it says why in words and ends with code 1 (`log verify` and `reconcile`, which have to tell what they found from that,
//! with 2).

mod address;
mod agent_list;
mod anomalies;
mod apply;
mod args;
mod config;
mod corrections;
mod customer;
mod demo;
mod error;
mod explain;
mod export;
mod figures;
mod import;
mod kpi;
mod log_consumers;
mod log_retain;
mod log_seal;
mod log_tail;
mod log_tools;
mod output;
mod patience;
mod progress;
mod recomputing;
mod reconcile;
mod serve;
mod shutdown;
mod site_file;
mod target;
mod telemetry;
mod ticket;
mod token;
mod vault;
mod watch;
mod when;

use std::{io::Write, process::ExitCode};

use clap::Parser;

use args::{AgentCommand, Cli, Command, ImportCommand, LogCommand};
use error::CliError;

/// Calls and folds allocate much and on all threads at once; the C library's allocator makes them wait for each other.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let command = Cli::parse().command;
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return end(Err(CliError::Output(error))),
    };
    end(runtime.block_on(run(command)))
}

async fn run(command: Command) -> Result<(), CliError> {
    if !matches!(command, Command::Serve(_) | Command::Demo(_)) {
        telemetry::for_tool();
    }
    match command {
        Command::Demo(args) => demo::run(args).await,
        Command::Serve(args) => serve::run(args).await,
        Command::Import(ImportCommand::Bank(args)) => import::bank(args).await,
        Command::Import(ImportCommand::Tickets(args)) => import::tickets(args).await,
        Command::Apply(args) => apply::run(args).await,
        Command::Definitions(args) => apply::show(args).await,
        Command::Kpi(args) => kpi::run(args).await,
        Command::Explain(args) => explain::run(args).await,
        Command::Anomalies(args) => anomalies::run(args).await,
        Command::Corrections(args) => corrections::run(args).await,
        Command::Reconcile(args) => reconcile::run(args).await,
        Command::Export(command) => export::run(command).await,
        Command::Watch(args) => watch::run(args).await,
        Command::Log(LogCommand::Tail(args)) => log_tail::run(args).await,
        Command::Log(LogCommand::Consumers(args)) => log_consumers::run(args).await,
        Command::Log(LogCommand::Retain(args)) => log_retain::run(&args).await,
        Command::Log(LogCommand::Seal(args)) => log_seal::run(&args).await,
        Command::Log(LogCommand::Verify(args)) => log_tools::verify(&args),
        Command::Log(LogCommand::Stat(args)) => log_tools::stat(&args),
        Command::Log(LogCommand::Backup(args)) => log_tools::backup(args).await,
        Command::Log(LogCommand::Restore(args)) => log_tools::restore(&args),
        Command::Log(LogCommand::Dump(args)) => log_tools::dump(&args),
        Command::Log(LogCommand::Load(args)) => log_tools::load(&args),
        Command::Agent(AgentCommand::List(args)) => agent_list::run(args).await,
        Command::Customer(command) => customer::run(command).await,
        Command::Vault(command) => vault::run(command).await,
        Command::Ticket(verb) => ticket::run(verb).await,
        Command::Token(args) => token::run(&args),
        Command::Config(args) => config::run(&args),
    }
}

fn end(result: Result<(), CliError>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.is_broken_pipe() => ExitCode::SUCCESS,
        Err(error) => {
            // Nobody is left to tell if standard error is gone too.
            let _ = writeln!(std::io::stderr(), "error: {}", error.in_full());
            ExitCode::from(error.code())
        }
    }
}
