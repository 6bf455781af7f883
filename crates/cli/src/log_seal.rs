//! `pegcount log seal`: what is not sealed yet goes into a segment.
//!
//! Works on the log alone: nothing is folded. Invariant: the folder is one that no server uses.

use std::time::Instant;

use pegcount_engine::EngineError;
use pegcount_log::{EventLog, LogError, SledLog, SledOptions};

use crate::{args::SealArgs, error::CliError, output, target};

/// Seals, and says what.
pub(crate) async fn run(args: &SealArgs) -> Result<(), CliError> {
    let dir = &args.data_dir;
    if !dir.join("log").is_dir() {
        return Err(CliError::NoFolder { dir: dir.clone() });
    }
    let failed = |error: LogError| target::locked(EngineError::from(error), dir);
    let started = Instant::now();
    let log = SledLog::open(SledOptions::new(dir.join("log"))).map_err(failed)?;
    let sealed = log.seal().await.map_err(failed)?;
    let segments = log.status().segments;
    log.close().await.map_err(failed)?;
    output::line(match sealed {
        Some(sealed) => format!(
            "sealed positions {} to {}: {} bytes in {:.1} s; the log has {segments} segments",
            sealed.first,
            sealed.last,
            sealed.bytes,
            started.elapsed().as_secs_f64()
        ),
        None => format!("everything is sealed already; the log has {segments} segments"),
    })
}
