//! gRPC and HTTP on one port: services, principals, limits, telemetry.
//!
//! A request's way, by file: `guard` gives it an id, a span and a place (or sheds it), a service in `services` asks
//! `access` who speaks and whether it may, `fields` takes the message's texts apart, the engine does it, and
//! `status` says what went wrong. Pages and JSON are in `http`.
//!
//! Not for rules or figures: those are the engine's. Invariant: nothing but health, metrics, reflection and the empty
//! page is answered before `access` has said yes.

mod access;
mod error;
mod fields;
mod files;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod guard;
mod http;
pub mod options;
mod principal;
mod request_id;
mod serve;
mod services;
mod status;
mod tally;
pub mod tokens;
pub mod wire;

pub use error::ServeError;
pub use options::{Limits, ServerOptions, TlsFiles};
pub use principal::{Principal, PrincipalError, Role, Sites};
pub use serve::{Running, start};
