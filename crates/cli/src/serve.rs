//! `pegcount serve`: a server on a folder until it is told to stop.
//!
//! Invariant: when the process ends, everything acknowledged is in the log, and the folder is free again.

use std::{path::PathBuf, sync::Arc, time::Instant};

use pegcount_domain::envelope::Position;
use pegcount_engine::{Engine, EngineOptions, LogStore};
use pegcount_server::{ServerOptions, TlsFiles, tokens::LOCAL_TOKEN_FILE};

use crate::{
    address, args::ServeArgs, error::CliError, log_retain, output, shutdown, target, telemetry, vault,
};

/// Serves until SIGINT or SIGTERM.
pub(crate) async fn run(args: ServeArgs) -> Result<(), CliError> {
    telemetry::for_server(args.json_logs);
    let wish = shutdown::wish()?;
    let mut options = EngineOptions::folder(&args.data_dir);
    let LogStore::Folder { cache_bytes, seal_bytes, .. } = &mut options.store;
    *cache_bytes = args.cache_mib.saturating_mul(1024 * 1024);
    *seal_bytes = args.seal_size.0;
    options.master_key = vault::master_key(args.vault_key.as_deref())?;
    options.retention = log_retain::retention(args.keep_days, args.keep_size);
    options.retention.check()?;
    let started = Instant::now();
    let engine = Engine::open(options).await.map_err(|error| target::locked(error, &args.data_dir))?;
    let opened_in = started.elapsed();

    let mut running = pegcount_server::start(Arc::clone(&engine), server_options(&args)).await?;
    engine.run_processes();
    let scheme = if args.tls_cert.is_some() { "https" } else { "http" };
    let url = format!("{scheme}://{}", running.addr);
    let posted = address::post(&args.data_dir, &url)?;
    output::line(format_args!("listening on {url}"))?;
    let log = engine.log_status().0;
    output::line(format_args!(
        "folder {}: {} events in {} segments and the store; opened in {:.2} s (the log alone in {:.2} s), {}",
        args.data_dir.display(),
        log.end,
        log.segments,
        opened_in.as_secs_f64(),
        log.opened_in.as_secs_f64(),
        folded_from(engine.began_at())
    ))?;
    if running.local_token.is_some() {
        let token: PathBuf = args.data_dir.join(LOCAL_TOKEN_FILE);
        output::line(format_args!(
            "no TLS, reachable from this machine only; the administrator's token is in {}",
            token.display()
        ))?;
    }

    tokio::select! {
        signal = wish => tracing::info!(signal, "ending: what was acknowledged is durable"),
        () = running.stopped() => {}
    }
    let ended = running.shutdown().await;
    let closed = engine.close().await;
    drop(posted);
    ended?;
    Ok(closed?)
}

/// Where the folds began, in words.
fn folded_from(began_at: Position) -> String {
    match began_at {
        Position::START => "all of it folded".to_owned(),
        position => format!("folded from position {position} on"),
    }
}

fn server_options(args: &ServeArgs) -> ServerOptions {
    let tls = args.tls_cert.clone().zip(args.tls_key.clone());
    ServerOptions {
        tls: tls.map(|(cert, key)| TlsFiles { cert, key, client_ca: args.tls_client_ca.clone() }),
        shutdown_grace: args.shutdown_grace.0,
        ..ServerOptions::new(args.listen, &args.data_dir)
    }
}
