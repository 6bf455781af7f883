//! `/metrics`: the program's own figures, for Prometheus. No personal data, no names of agents.
//!
//! Invariant: one recorder per process, installed once, whoever starts how many servers.

use std::{sync::OnceLock, time::Duration};

use axum::{extract::State, http::header, response::IntoResponse};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use pegcount_log::LogStatus;

use super::Web;

/// How often histograms are drained.
const UPKEEP: Duration = Duration::from_secs(5);
/// The upper edges of histograms of durations, seconds: from a sync of the disk to the longest call.
const SECONDS: [f64; 14] =
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 30.0];
const OPEN_SECONDS: &str = "pegcount_log_open_seconds";
/// The log's sealer goes on with it.
const SEGMENTS: &str = "pegcount_log_segments";
/// What Prometheus expects.
const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The process's one recorder.
#[derive(Clone)]
pub(crate) struct Recorder(PrometheusHandle);

impl Recorder {
    /// Installs it on first use. If the program has installed another one, that one keeps the figures and `/metrics`
    /// stays empty.
    pub(crate) fn install() -> Self {
        static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();
        let handle = HANDLE.get_or_init(|| {
            let recorder = builder().build_recorder();
            let handle = recorder.handle();
            if metrics::set_global_recorder(recorder).is_err() {
                tracing::warn!("another metrics recorder is installed; /metrics stays empty");
            }
            handle
        });
        Self(handle.clone())
    }

    /// Keeps how long the log took to open, which was before there was anybody to tell.
    pub(crate) fn opened(log: &LogStatus) {
        metrics::describe_gauge!(OPEN_SECONDS, metrics::Unit::Seconds, "how long the log took to open");
        metrics::gauge!(OPEN_SECONDS).set(log.opened_in.as_secs_f64());
        let segments = u32::try_from(log.segments).unwrap_or(u32::MAX);
        metrics::gauge!(SEGMENTS).set(f64::from(segments));
    }

    /// Drains histograms until it is dropped with its task.
    pub(crate) async fn keep_up(self) {
        loop {
            tokio::time::sleep(UPKEEP).await;
            self.0.run_upkeep();
        }
    }
}

/// Durations go into buckets, which add up over servers, unlike quantiles.
fn builder() -> PrometheusBuilder {
    let durations = Matcher::Suffix("_seconds".to_owned());
    // Refused only if there were no buckets; quantiles would do then.
    PrometheusBuilder::new().set_buckets_for_metric(durations, &SECONDS).unwrap_or_default()
}

pub(super) async fn metrics(State(web): State<Web>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, TEXT)], web.recorder.0.render())
}
