//! `pegcount log verify`: a log from end to end, each damage in a line of its own.

use std::{
    io::Write,
    time::{Duration, Instant},
};

use indicatif::HumanBytes;
use pegcount_log::{
    LogError,
    tools::{self, ToolError, Verified},
};

use super::bar;
use crate::{args::VerifyArgs, error::CliError, figures::human::number, output};

/// Checks, and says what was looked at and what is wrong.
pub(crate) fn run(args: &VerifyArgs) -> Result<(), CliError> {
    let started = Instant::now();
    let verified = tools::verify(&args.dir, &bar("checking"));
    let verified = verified.map_err(|error| match error {
        ToolError::Log(LogError::Locked { path }) => CliError::CannotVerifyServed { dir: path },
        error => CliError::CannotLook(error),
    })?;
    show(&verified, started.elapsed())?;
    match verified.damages_count {
        0 => output::line("sound: nothing is damaged"),
        count => Err(CliError::LogDamaged { dir: verified.dir, count }),
    }
}

fn show(verified: &Verified, took: Duration) -> Result<(), CliError> {
    let mut out = output::out();
    let incarnation =
        verified.incarnation.map_or_else(String::new, |id| format!(", incarnation {:032x}", id.0));
    writeln!(out, "{}{incarnation}", verified.dir.display())?;
    let unknown = |count: Option<u64>| count.map_or_else(|| "not countable".to_owned(), number);
    let lines = [
        ("segments", number(verified.segments)),
        ("databases", number(verified.databases)),
        ("frames", number(verified.frames)),
        ("events", number(verified.events)),
        ("streams", unknown(verified.streams)),
        ("counters of sources", unknown(verified.counters)),
        ("first position", number(verified.first.0)),
        ("last position", number(verified.end.0)),
        ("archives of what was dropped", number(verified.archives)),
        ("bytes", HumanBytes(verified.bytes).to_string()),
        ("seconds", format!("{:.1}", took.as_secs_f64())),
    ];
    for (word, value) in lines {
        writeln!(out, "  {value:>14}  {word}")?;
    }
    for remark in &verified.remarks {
        writeln!(out, "remark: {remark}")?;
    }
    for damage in &verified.damages {
        writeln!(out, "damage: {}, position {}: {}", damage.path.display(), damage.position, damage.what)?;
    }
    let listed = u64::try_from(verified.damages.len()).unwrap_or(u64::MAX);
    if verified.damages_count > listed {
        writeln!(out, "damage: and {} more", number(verified.damages_count - listed))?;
    }
    Ok(out.flush()?)
}
