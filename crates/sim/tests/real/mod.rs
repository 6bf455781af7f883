//! A real server with a real engine in a folder of its own, for a simulation at a scaled clock.

use std::{net::SocketAddr, sync::Arc};

use jiff::tz::TimeZone;
use pegcount_client::{Api, Token, channel};
use pegcount_clock::Clock;
use pegcount_domain::{ids::SiteId, time::Micros};
use pegcount_engine::{Engine, EngineOptions};
use pegcount_server::{Running, ServerOptions, start};
use pegcount_sim::SimConfig;
use tempfile::TempDir;

/// Real time for which the machine's own pauses may keep a softphone silent.
const SILENCE_S: f64 = 10.0;

pub(crate) struct Real {
    folder: TempDir,
    clock: Clock,
    start: Micros,
    pub(crate) engine: Arc<Engine>,
    pub(crate) server: Running,
}

impl Real {
    /// Begins at an instant, with so much time in a second.
    pub(crate) async fn begin(start_at: Micros, speed: f64) -> Self {
        let folder = TempDir::new().unwrap();
        let clock = Clock::scaled(start_at, speed);
        #[allow(clippy::cast_possible_truncation, reason = "some hundred thousand seconds")]
        let lease = Micros::from_secs((SILENCE_S * speed) as i64);
        let log = folder.path().join("log");
        let options = EngineOptions { clock: clock.clone(), lease, ..EngineOptions::folder(&log) };
        let engine = Engine::open(options).await.unwrap();
        let listen = SocketAddr::from(([127, 0, 0, 1], 0));
        let server = start(engine.clone(), ServerOptions::new(listen, log)).await.unwrap();
        Self { folder, clock, start: start_at, engine, server }
    }

    fn endpoint(&self) -> String {
        format!("http://{}", self.server.addr)
    }

    fn token(&self) -> Token {
        Token::new(self.server.local_token.clone().unwrap())
    }

    pub(crate) fn api(&self) -> Api {
        Api::over(channel(&self.endpoint(), None).unwrap(), &self.token()).unwrap()
    }

    /// The centre that works here.
    pub(crate) fn config(
        &self,
        seed: u64,
        agents: usize,
        calls_per_hour: u32,
        duration: Micros,
    ) -> SimConfig {
        SimConfig {
            seed,
            agents,
            calls_per_hour,
            site: SiteId::new("main").unwrap(),
            time_zone: TimeZone::UTC,
            endpoint: self.endpoint(),
            tls_ca: None,
            token: self.token(),
            clock: self.clock.clone(),
            spool_dir: self.folder.path().join("spool"),
            start: Some(self.start),
            duration: Some(duration),
        }
    }

    pub(crate) async fn end(self) {
        self.server.shutdown().await.unwrap();
        self.engine.close().await.unwrap();
    }
}
