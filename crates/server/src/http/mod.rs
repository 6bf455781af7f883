//! HTTP beside gRPC: the wallboard's page, health, metrics.
//!
//! Invariant: no figure and no name of an agent goes out here: the page asks for them by gRPC-web, with a token.

mod health;
mod metrics;
mod page;

use axum::{Router, routing::get};

pub(crate) use health::Pulse;
pub(crate) use metrics::Recorder;

use crate::services::Room;

/// What the HTTP routes work with.
#[derive(Clone)]
pub(crate) struct Web {
    pub(crate) room: Room,
    pub(crate) pulse: Pulse,
    pub(crate) recorder: Recorder,
}

/// All HTTP routes.
pub(crate) fn routes(web: Web) -> Router {
    Router::new()
        .route("/", get(page::page))
        .route("/assets/{name}", get(page::asset))
        .route("/healthz", get(health::healthz))
        .route("/metrics", get(metrics::metrics))
        .with_state(web)
}
