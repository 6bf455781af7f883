//! Drives the core by a clock and reports what comes of it through the client SDK.
//!
//! Not for what happens in the centre: that is the core's. Invariant: facts carry the instants of the core, not those
//! at which they were released; so a runner that is late changes no figure.

mod definitions;
mod desk;
mod fleet;

use std::{path::PathBuf, time::Duration};

use jiff::tz::TimeZone;
use pegcount_client::{Api, CaCertificate, ConnectError, OpenError, SpoolError, Token, channel};
use pegcount_clock::Clock;
use pegcount_domain::{ids::SiteId, time::Micros};
use tokio_util::sync::CancellationToken;

use crate::{
    centre::{Centre, Emission, Emitted, Scenario},
    report::SimReport,
};
use desk::Desk;
use fleet::Fleet;

/// The most virtual time that is worked off at once when the runner is behind.
const STEP_MAX: Micros = Micros(5 * Micros::MINUTE.0);
/// How long the end of a run waits for the last acknowledgements, real time.
const FLUSH_WAIT_MAX: Duration = Duration::from_secs(30);

/// What is simulated, and against which server.
#[derive(Clone, Debug)]
pub struct SimConfig {
    /// Everything random follows from it.
    pub seed: u64,
    /// How many agents.
    pub agents: usize,
    /// Arrivals per hour in the busiest half hour.
    pub calls_per_hour: u32,
    /// The site that is simulated.
    pub site: SiteId,
    /// What is meant by the time of day.
    pub time_zone: TimeZone,
    /// Where the server is.
    pub endpoint: String,
    /// For `https`: who signs the server's certificate.
    pub tls_ca: Option<CaCertificate>,
    /// A token that may define, stream facts of any agent, and handle tickets (`administrator`).
    pub token: Token,
    /// The clock of the centre; use the server's where both run in one process.
    pub clock: Clock,
    /// Where the sources spool.
    pub spool_dir: PathBuf,
    /// When the centre begins, not later than the clock; none: when it is run. What lies before the clock's time is
    /// worked off as fast as it goes.
    pub start: Option<Micros>,
    /// After so long nobody new comes, and the run ends with the last contact; none: until it is stopped.
    pub duration: Option<Micros>,
}

/// Why a simulation ended early.
#[derive(Debug, thiserror::Error)]
pub enum SimError {
    /// The server's address or the token is no good.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// A source cannot be opened.
    #[error("a source of the simulation cannot be opened")]
    Open(#[from] OpenError),
    /// A fact cannot be spooled.
    #[error("a fact of the simulation cannot be spooled")]
    Spool(#[from] SpoolError),
    /// The definitions are refused.
    #[error("the server refuses the simulation's definitions; does the token belong to an administrator?")]
    Define(#[source] Box<tonic::Status>),
}

/// Runs the centre until its duration is over or `stop` is cancelled; then ends whatever is open, waits for the last
/// acknowledgements (up to 30 s, real time) and says what it did.
pub async fn run(config: SimConfig, stop: CancellationToken) -> Result<SimReport, SimError> {
    let start = config.start.unwrap_or_else(|| config.clock.now());
    let api = Api::over(channel(&config.endpoint, config.tls_ca.as_ref())?, &config.token)?;
    tokio::select! {
        defined = definitions::define(&api, &config.site, config.agents) => defined?,
        () = stop.cancelled() => return Ok(SimReport::default()),
    }
    let fleet = Fleet::open(&config)?;
    let mut desk = Desk::open(&api, &config.site, fleet.exchange());
    let mut centre = Centre::new(Scenario {
        seed: config.seed,
        agents: config.agents,
        calls_per_hour: config.calls_per_hour,
        start,
        duration: config.duration,
        time_zone: config.time_zone.clone(),
    });
    tracing::info!(site = %config.site, agents = config.agents, seed = config.seed, "the simulated centre opens");

    let mut reached = start;
    while !centre.is_over() && !stop.is_cancelled() {
        reached = config.clock.now().min(reached.plus(STEP_MAX));
        release(centre.advance(reached), &fleet, &desk).await?;
        let Some(next) = centre.next_at() else { break };
        tokio::select! {
            () = config.clock.sleep_until(next) => {}
            () = stop.cancelled() => {}
        }
    }
    // A run that is behind its clock ends where it is, not where the clock is.
    release(centre.close_down(reached), &fleet, &desk).await?;

    let mut report = centre.report().clone();
    report.tickets_refused = desk.close(FLUSH_WAIT_MAX).await;
    report.position = fleet.flush(FLUSH_WAIT_MAX).await;
    fleet.close().await;
    let total = report.total();
    tracing::info!(
        site = %config.site, offered = total.offered, answered = total.answered, abandoned = total.abandoned,
        facts = report.facts, "the simulated centre is closed"
    );
    Ok(report)
}

async fn release(emissions: Vec<Emission>, fleet: &Fleet, desk: &Desk) -> Result<(), SpoolError> {
    let mut tickets = Vec::new();
    let mut batch = fleet.batch();
    for Emission { at, what } in emissions {
        match what {
            Emitted::Softphone { agent, fact } => batch.softphone(agent, fact, at),
            Emitted::Exchange(fact) => batch.exchange(fact, at),
            Emitted::Ticket(step) => tickets.push(step),
        }
    }
    batch.record().await?;
    // After the facts: the ticket desk asks that the contact be known.
    for step in tickets {
        desk.take(step);
    }
    Ok(())
}
