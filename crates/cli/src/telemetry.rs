//! What the program says about itself while it runs, on standard error.
//!
//! Invariant: `PEGCOUNT_LOG` outranks what a command would show by itself.

use std::io::IsTerminal;

use tracing_subscriber::{EnvFilter, fmt};

const VARIABLE: &str = "PEGCOUNT_LOG";

/// A server tells what happens.
pub(crate) fn for_server(json: bool) {
    let shape = fmt().with_env_filter(filter("info")).with_writer(std::io::stderr);
    if json {
        shape.json().init();
    } else {
        shape.with_ansi(std::io::stderr().is_terminal()).init();
    }
}

/// A tool tells only what went wrong.
pub(crate) fn for_tool() {
    let ansi = std::io::stderr().is_terminal();
    fmt().with_env_filter(filter("warn")).with_writer(std::io::stderr).with_ansi(ansi).init();
}

fn filter(usual: &str) -> EnvFilter {
    EnvFilter::try_from_env(VARIABLE).unwrap_or_else(|_| EnvFilter::new(usual))
}
