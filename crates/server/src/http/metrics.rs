//! `/metrics`: the program's own figures, for Prometheus. No personal data, no names of agents.
//!
//! Invariant: one recorder per process, installed once, whoever starts how many servers.

use std::{fmt::Write, sync::OnceLock, time::Duration};

use axum::{extract::State, http::header, response::IntoResponse};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use pegcount_log::LogStatus;

use pegcount_domain::{ids::Name, time::Micros};
use pegcount_log::ConsumerStatus;

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
    let mut text = web.recorder.0.render();
    // Damage is said by the log's status; the other figures are no less true.
    text.push_str(&consumers(&web.room.engine.consumers().unwrap_or_default()));
    ([(header::CONTENT_TYPE, TEXT)], text)
}

/// How far named consumers are behind. Written out when asked for, not recorded: a name that is deleted is gone at once,
/// and there are never more of them than the log allows.
fn consumers(all: &[ConsumerStatus]) -> String {
    let mut text = String::new();
    if all.is_empty() {
        return text;
    }
    let mut gauge = |name: &str, value: &dyn Fn(&ConsumerStatus) -> String| {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "# TYPE {name} gauge");
        for one in all {
            let site = one.name.site.as_ref().map_or("", Name::as_str);
            let (site, consumer) = (escaped(site), escaped(one.name.name.as_str()));
            let _ = writeln!(text, "{name}{{site=\"{site}\",consumer=\"{consumer}\"}} {}", value(one));
        }
    };
    gauge("pegcount_consumer_events_behind", &|one| one.behind.to_string());
    gauge("pegcount_consumer_since_confirm_seconds", &|one| seconds(one.since_confirm));
    gauge("pegcount_consumer_connected", &|one| u8::from(one.connected).to_string());
    text
}

fn seconds(length: Micros) -> String {
    let micros = length.0.max(0);
    format!("{}.{:06}", micros / Micros::SECOND.0, micros % Micros::SECOND.0)
}

/// A label's value as Prometheus reads it; a name has no line break.
fn escaped(label: &str) -> String {
    label.replace('\\', "\\\\").replace('"', "\\\"")
}

#[cfg(test)]
mod tests {
    use pegcount_domain::envelope::Position;
    use pegcount_log::ConsumerName;

    use super::*;

    #[test]
    fn a_consumer_is_a_line_of_each_gauge_with_its_name_escaped() {
        let one = ConsumerStatus {
            name: ConsumerName { site: Some(Name::fixed("north")), name: Name::fixed("a \"b\" \\c") },
            owner: Name::fixed("etl"),
            confirmed: Position(7),
            confirmed_at: None,
            since_confirm: Micros(1_500_000),
            behind: 12,
            connected: true,
        };
        let text = consumers(&[one]);
        let labels = r#"{site="north",consumer="a \"b\" \\c"}"#;
        for line in
            ["events_behind", "since_confirm_seconds", "connected"].iter().zip(["12", "1.500000", "1"])
        {
            let line = format!("pegcount_consumer_{}{labels} {}\n", line.0, line.1);
            assert!(text.contains(&line), "{line} in {text}");
        }
        assert!(consumers(&[]).is_empty());
    }
}
