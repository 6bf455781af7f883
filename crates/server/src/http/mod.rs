//! HTTP beside gRPC: the live page and its data, health, metrics.
//!
//! Invariant: figures and names of agents are answered only to a token that `access` admits.

mod floor;
mod health;
mod live;
mod metrics;
mod page;

use axum::{
    Json, Router,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use tonic::{Code, Status};

pub(crate) use health::Pulse;
pub(crate) use metrics::Recorder;

use crate::{
    access::{Access, Action, Caller},
    services::Room,
};

/// The data of the live page, a lasting stream.
pub(crate) const LIVE_PATH: &str = "/api/live";

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
        .route("/api/sites", get(live::sites))
        .route(LIVE_PATH, get(live::live))
        .route("/healthz", get(health::healthz))
        .route("/metrics", get(metrics::metrics))
        .with_state(web)
}

/// Admits an HTTP request by its `authorization` header.
fn admit(access: &Access, headers: &HeaderMap, action: Action) -> Result<Caller, Refused> {
    let header = headers.get(header::AUTHORIZATION).map(|value| value.to_str().unwrap_or_default());
    Ok(access.admit_header(header, action)?)
}

/// A refusal as JSON with the HTTP code that fits.
pub(crate) struct Refused(Status);

impl From<Status> for Refused {
    fn from(status: Status) -> Self {
        Self(status)
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let code = match self.0.code() {
            Code::Unauthenticated => StatusCode::UNAUTHORIZED,
            Code::PermissionDenied => StatusCode::FORBIDDEN,
            Code::InvalidArgument => StatusCode::BAD_REQUEST,
            Code::NotFound => StatusCode::NOT_FOUND,
            Code::Unavailable | Code::ResourceExhausted => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        };
        (code, Json(serde_json::json!({ "error": self.0.message() }))).into_response()
    }
}
