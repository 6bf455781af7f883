//! `/healthz` and the gRPC health service: the log takes appends, and the folds follow it.
//!
//! Figures that differ from the facts are shown too, by their number; they make nothing unhealthy: the log goes on taking
//! facts, and a balancer that took the server away would mend nothing.
//!
//! Invariant: healthy means that what was durable a while ago has been folded, and that the log is not poisoned.

use std::{sync::Arc, time::Duration};

use axum::{Json, extract::State, http::StatusCode, response::IntoResponse};
use pegcount_domain::envelope::Position;
use pegcount_engine::Engine;
use tokio::{sync::watch, time::Instant};
use tonic_health::{ServingStatus, server::HealthReporter};

use super::Web;
use crate::services::SERVICES;

/// How often it looks.
const BEAT: Duration = Duration::from_millis(500);
/// Folds may be this far behind before they count as stuck.
const LAG_MAX: Duration = Duration::from_secs(10);

/// Whether the server is well, kept up to date by [`Pulse::beat`].
#[derive(Clone)]
pub(crate) struct Pulse(watch::Receiver<Health>);

/// What was seen at the last beat.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Health {
    folds_follow: bool,
    poisoned: Option<Arc<str>>,
}

impl Health {
    fn is_well(&self) -> bool {
        self.folds_follow && self.poisoned.is_none()
    }
}

/// Follows the folds: what they still owe, and since when.
struct Debt {
    owed: Position,
    since: Instant,
}

impl Debt {
    /// Whether the folds follow, when they stand at `folded` and the log at `end`.
    fn paid(&mut self, folded: Position, end: Position, now: Instant) -> bool {
        if folded >= self.owed {
            self.owed = end;
            self.since = now;
        }
        now.duration_since(self.since) <= LAG_MAX
    }
}

impl Pulse {
    /// Begins to look after `engine`, and tells `reporter`. The second part runs until it is dropped.
    pub(crate) fn start(
        engine: Arc<Engine>,
        reporter: HealthReporter,
    ) -> (Self, impl Future<Output = ()> + Send) {
        let (tell, pulse) = watch::channel(look(&engine, true));
        let beating = async move {
            let mut debt = Debt { owed: engine.end(), since: Instant::now() };
            loop {
                let (log, folded) = engine.log_status();
                let follow = debt.paid(folded, log.end, Instant::now());
                let health = look(&engine, follow);
                report(&reporter, health.is_well()).await;
                tell.send_if_modified(|known| {
                    let changed = *known != health;
                    if changed {
                        tracing::info!(?health, "health has changed");
                    }
                    *known = health;
                    changed
                });
                tokio::time::sleep(BEAT).await;
            }
        };
        (Self(pulse), beating)
    }
}

fn look(engine: &Engine, folds_follow: bool) -> Health {
    Health { folds_follow, poisoned: engine.log_status().0.poisoned }
}

async fn report(reporter: &HealthReporter, well: bool) {
    let status = if well { ServingStatus::Serving } else { ServingStatus::NotServing };
    for service in SERVICES.into_iter().chain([""]) {
        reporter.set_service_status(service, status).await;
    }
}

pub(super) async fn healthz(State(web): State<Web>) -> impl IntoResponse {
    let health = web.pulse.0.borrow().clone();
    let (log, folded) = web.room.engine.log_status();
    let code = if health.is_well() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let audit = web.room.engine.audit_status();
    let body = serde_json::json!({
        "status": if health.is_well() { "ok" } else { "unhealthy" },
        "folds_follow": health.folds_follow,
        "poisoned": health.poisoned.as_deref(),
        "end_position": log.end.0,
        "folded_position": folded.0,
        "incarnation": format!("{:032x}", log.incarnation.0),
        "balance_violations": audit.open.len(),
        "audited_position": audit.position.0,
    });
    (code, Json(body))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folds_that_owe_the_same_position_for_too_long_are_stuck() {
        let start = Instant::now();
        let mut debt = Debt { owed: Position(10), since: start };
        assert!(debt.paid(Position(4), Position(20), start + LAG_MAX), "still in time");
        assert!(!debt.paid(Position(4), Position(20), start + LAG_MAX * 2), "stuck");
        assert!(debt.paid(Position(10), Position(30), start + LAG_MAX * 2), "paid, and owes 30 from now on");
        assert!(debt.paid(Position(12), Position(40), start + LAG_MAX * 3));
    }
}
