//! `pegcount demo`: a server and a simulated contact centre in one process, on one scaled clock.
//!
//! Not for anything that a real centre would run. Invariant: nothing here is drawn or counted by itself: facts go
//! through the client SDK and gRPC into the log, and the figures shown are the server's answers.

mod line;
mod stage;

use std::{path::PathBuf, sync::Arc, time::Duration};

use indicatif::ProgressBar;
use pegcount_client::Token;
use pegcount_domain::ids::{Name, SiteId};
use pegcount_engine::Engine;
use pegcount_server::{Running, ServerOptions};
use pegcount_sim::{SimConfig, SimReport};
use tokio_util::sync::CancellationToken;

use crate::{
    address, args::DemoArgs, error::CliError, figures::human::number, output, progress::styled, shutdown,
    target, telemetry, when,
};
use line::{BETWEEN, Figures};
use stage::Stage;

/// The site that is simulated.
const SITE: SiteId = SiteId(Name::fixed("demo"));
/// So often the line is said anew on a terminal, and where nobody looks live.
const REFRESH: Duration = Duration::from_millis(250);
const REFRESH_UNSEEN: Duration = Duration::from_secs(2);
/// Calls in the busiest hour, for each agent: most of them are busy then, and a queue forms at times.
const CALLS_PER_HOUR_PER_AGENT: u32 = 6;

/// Shows the centre until told to stop.
pub(crate) async fn run(args: DemoArgs) -> Result<(), CliError> {
    telemetry::for_tool();
    let wish = shutdown::wish()?;
    let stage = Stage::set(&args).await?;
    let engine = stage.engine(args.speed).await.map_err(|error| target::locked(error, &stage.dir))?;
    let options = ServerOptions::new(args.listen, &stage.dir);
    let mut running = pegcount_server::start(Arc::clone(&engine), options).await?;
    engine.run_processes();
    stage.define_zone(&engine, &SITE).await?;
    let posted = address::post(&stage.dir, &format!("http://{}", running.addr))?;
    let token = running.local_token.clone().unwrap_or_default();
    let calls_per_hour = args.calls_per_hour.unwrap_or(args.agents.saturating_mul(CALLS_PER_HOUR_PER_AGENT));
    introduce(&args, &stage, &running, &token, calls_per_hour)?;

    let stop = CancellationToken::new();
    let sim = SimConfig {
        seed: args.seed,
        agents: usize::try_from(args.agents).unwrap_or(usize::MAX),
        calls_per_hour,
        site: SITE,
        time_zone: stage.zone.clone(),
        endpoint: format!("http://{}", running.addr),
        tls_ca: None,
        token: Token::new(token),
        clock: stage.clock.clone(),
        spool_dir: stage.dir.join("spools"),
        start: None,
        duration: None,
    };
    let mut simulation = tokio::spawn(pegcount_sim::run(sim, stop.clone()));
    let mut ended_by_itself = None;
    tokio::select! {
        shown = show(&engine, &stage) => shown?,
        _ = wish => {}
        () = over(&args) => {}
        () = running.stopped() => {}
        ended = &mut simulation => ended_by_itself = Some(ended),
    }

    stop.cancel();
    let report = match ended_by_itself {
        Some(ended) => ended,
        None => simulation.await,
    };
    let served = running.shutdown().await;
    let position = engine.end().0;
    engine.close().await?;
    drop(posted);
    let report =
        report.map_err(|error| CliError::Argument(format!("the simulation broke off: {error}")))??;
    served?;
    conclude(&stage, &report, position)
}

/// When `--for` is over; never without it.
async fn over(args: &DemoArgs) {
    match args.length {
        Some(length) => tokio::time::sleep(length.0).await,
        None => std::future::pending().await,
    }
}

fn introduce(
    args: &DemoArgs,
    stage: &Stage,
    running: &Running,
    token: &str,
    calls_per_hour: u32,
) -> Result<(), CliError> {
    output::line(format_args!(
        "A simulated contact centre, {} times as fast as life.\n\n  \
         wallboard  http://{address}/#token={token}\n  \
         runs on    this machine only (http://{address}, gRPC too), with an administrator's token made for it\n  \
         site       {SITE}: {} agents, {} calls in the busiest hour, seed {}, from {} on\n  \
         log        {}\n\n\
         Ctrl-C ends it.\n",
        args.speed,
        number(args.agents),
        number(calls_per_hour),
        args.seed,
        when::rfc3339(stage.clock.now(), &stage.zone),
        stage.dir.display(),
        address = running.addr,
    ))
}

/// Shows the line of figures, without end.
async fn show(engine: &Arc<Engine>, stage: &Stage) -> Result<(), CliError> {
    let mut figures = Figures::new(Arc::clone(engine), SITE, stage.zone.clone());
    if !output::is_terminal() {
        let mut every = tokio::time::interval(REFRESH_UNSEEN);
        loop {
            every.tick().await;
            output::line(figures.parts()?.join(BETWEEN))?;
        }
    }
    let bar = styled(ProgressBar::new_spinner(), "{spinner} {msg}");
    let _clear = Clear(bar.clone());
    let mut every = tokio::time::interval(REFRESH);
    loop {
        every.tick().await;
        bar.set_message(figures.parts()?.join("\n  "));
        bar.tick();
    }
}

/// Leaves the last line standing when the show is over.
struct Clear(ProgressBar);

impl Drop for Clear {
    fn drop(&mut self) {
        self.0.abandon();
    }
}

fn conclude(stage: &Stage, report: &SimReport, position: u64) -> Result<(), CliError> {
    let dir: PathBuf = stage.dir.clone();
    let total = report.total();
    output::line(format_args!(
        "\nEnded. {} facts of {} contacts, {} of them answered, are among the {} events kept in {}.\n\
         Look again:  pegcount kpi --site {SITE} --by queue --from {} --time-zone {} --data-dir {}",
        number(report.facts),
        number(report.contacts),
        number(total.answered),
        number(position),
        dir.display(),
        when::date(stage.began, &stage.zone),
        stage.zone.iana_name().unwrap_or("UTC"),
        dir.display(),
    ))
}
