//! What a demo runs on: a folder, a zone, and one scaled clock for everything.
//!
//! Invariant: the clock begins after everything that the folder's log holds, so that a second demo goes on where the
//! first one ended.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use jiff::tz::TimeZone;
use pegcount_clock::{Clock, system_now};
use pegcount_domain::{
    allowance::{SiteDefinition, ZoneName},
    envelope::Position,
    event::Event,
    ids::{Name, SiteId},
    time::{Interval, Micros},
};
use pegcount_engine::{Engine, EngineError, EngineOptions};
use pegcount_log::Filter;

use crate::{args::DemoArgs, error::CliError, target, when};

/// The demo's day begins at nine: somebody is at work, and the busiest hour is near (local time of day).
const OPENS: Micros = Micros(9 * Micros::HOUR.0);

/// What a demo runs on.
pub(super) struct Stage {
    /// The folder.
    pub(super) dir: PathBuf,
    /// The zone of the centre's days.
    pub(super) zone: TimeZone,
    /// The clock of server, leases and clients.
    pub(super) clock: Clock,
    /// When the demo began, by that clock.
    pub(super) began: Micros,
}

impl Stage {
    /// Makes the folder, if it is not there, and starts the clock.
    pub(super) async fn set(args: &DemoArgs) -> Result<Self, CliError> {
        let dir = match &args.data_dir {
            Some(dir) => made(dir)?,
            None => fresh()?,
        };
        let zone = TimeZone::system();
        // A zone without a name (a fixed rule of this machine) cannot be given to other commands.
        let zone = if zone.iana_name().is_some() { zone } else { TimeZone::UTC };
        let now = system_now();
        let opens = when::day_of(now, &zone).map_or(now, |(start, _)| start.plus(OPENS));
        let began = match last_recorded(&dir).await? {
            Some(last) => opens.max(Interval::containing(last).end()),
            None => opens,
        };
        let clock = Clock::scaled(began, args.speed);
        Ok(Self { dir, zone, clock, began })
    }

    /// Opens the engine on the folder, by this clock. Leases and graces are real lengths of time, so they grow with
    /// the speed: a heartbeat does not travel faster.
    pub(super) async fn engine(&self, speed: f64) -> Result<Arc<Engine>, EngineError> {
        let usual = EngineOptions::folder(&self.dir);
        Engine::open(EngineOptions {
            clock: self.clock.clone(),
            lease: scaled(usual.lease, speed),
            lost_grace: scaled(usual.lost_grace, speed),
            ..usual
        })
        .await
    }
}

impl Stage {
    /// Says at the site itself which zone its days are found by, so that the wallboard shows this machine's days.
    pub(super) async fn define_zone(&self, engine: &Arc<Engine>, site: &SiteId) -> Result<(), EngineError> {
        let name = ZoneName::new(self.zone.iana_name().unwrap_or("UTC"));
        let zone = Event::SiteDefined(SiteDefinition { time_zone: name, valid_from: Micros::ZERO });
        engine.define(site, &Name::fixed("demo"), vec![zone]).await.map(drop)
    }
}

/// `length` times the speed, never shorter than `length`.
fn scaled(length: Micros, speed: f64) -> Micros {
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        reason = "minutes times at most some thousands are far from the ends of both"
    )]
    let longer = (length.0 as f64 * speed.max(1.0)) as i64;
    Micros(longer)
}

/// When the last event of the folder's log was recorded; none if there is no log, or nothing in it.
async fn last_recorded(dir: &Path) -> Result<Option<Micros>, CliError> {
    if !dir.join("log").is_dir() {
        return Ok(None);
    }
    let engine =
        Engine::open(EngineOptions::folder(dir)).await.map_err(|error| target::locked(error, dir))?;
    let end = engine.end();
    let last = if end == Position::START {
        None
    } else {
        engine.read_log(end, 1, &Filter::default()).await?.events.pop()
    };
    engine.close().await?;
    Ok(last.map(|event| event.recorded_at))
}

fn made(dir: &Path) -> Result<PathBuf, CliError> {
    let failed = |source| CliError::File { action: "make", path: dir.to_owned(), source };
    fs::create_dir_all(dir).map_err(failed)?;
    fs::canonicalize(dir).map_err(failed)
}

/// A folder under the system's temporary one that stays when the demo has ended.
fn fresh() -> Result<PathBuf, CliError> {
    let dir = tempfile::Builder::new().prefix("pegcount-demo-").tempdir();
    dir.map(tempfile::TempDir::keep).map_err(|source| CliError::File {
        action: "make a folder in",
        path: std::env::temp_dir(),
        source,
    })
}
