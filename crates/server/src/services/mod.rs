//! One file per service of the contract: take the request apart, ask `access`, call the engine, put the answer
//! together. No rules here.

mod agents;
mod anomalies;
mod consume;
mod consumers;
mod contacts;
mod conversation;
mod corrections;
mod customers;
mod definitions;
mod encoded;
mod explain;
mod first_word;
mod imports;
mod ingest;
mod kpi;
mod kpi_table;
mod log;
mod log_filter;
mod log_message;
mod page;
mod reconcile;
mod ticket_imports;
mod tickets;
mod timeline;
mod to_days;
mod to_definitions;
mod to_rules;
mod to_tickets;
mod wallboard;
mod watch;
mod what_if;

use std::sync::Arc;

use axum::Router;
use pegcount_engine::Engine;
use pegcount_proto::v1;
use tokio_util::sync::CancellationToken;
use tonic::{Status, service::Routes};
use tonic_health::server::HealthReporter;

use crate::{access::Access, error::ServeError, options::MESSAGE_BYTES_MAX};

pub(crate) use crate::wire::incarnation_bytes;
#[cfg(feature = "fuzzing")]
pub(crate) use timeline::fuzzing as timeline_fuzzing;
pub(crate) use to_definitions::{definition, definition_message};
pub(crate) use wallboard::Floors;

/// What every service works with.
#[derive(Clone)]
pub(crate) struct Room {
    pub(crate) engine: Arc<Engine>,
    pub(crate) access: Access,
    /// Cancelled when the server begins to shut down: lasting streams end then.
    pub(crate) closing: CancellationToken,
    /// The agents of the sites that pages show.
    pub(crate) floors: Floors,
}

/// A stream of answers.
pub(crate) type Answers<T> = std::pin::Pin<Box<dyn tokio_stream::Stream<Item = Result<T, Status>> + Send>>;

/// The names of the services, for the health service.
pub(crate) const SERVICES: [&str; 9] = [
    v1::agent_service_server::SERVICE_NAME,
    v1::contact_service_server::SERVICE_NAME,
    v1::customer_service_server::SERVICE_NAME,
    v1::definition_service_server::SERVICE_NAME,
    v1::ingest_service_server::SERVICE_NAME,
    v1::kpi_service_server::SERVICE_NAME,
    v1::log_service_server::SERVICE_NAME,
    v1::ticket_service_server::SERVICE_NAME,
    v1::wallboard_service_server::SERVICE_NAME,
];

/// All gRPC routes: the services of the contract, health and reflection.
pub(crate) fn routes(room: &Room) -> Result<(Router, HealthReporter), ServeError> {
    macro_rules! limited {
        ($module:ident :: $server:ident) => {
            v1::$module::$server::new(room.clone()).max_decoding_message_size(MESSAGE_BYTES_MAX)
        };
    }
    let wrong = |error: tonic_reflection::server::Error| ServeError::Reflection { reason: error.to_string() };
    let reflection = || {
        tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(v1::FILE_DESCRIPTOR_SET)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
    };
    let (reporter, health) = tonic_health::server::health_reporter();
    let routes = Routes::from(Router::new())
        .add_service(limited!(agent_service_server::AgentServiceServer))
        .add_service(limited!(contact_service_server::ContactServiceServer))
        .add_service(limited!(customer_service_server::CustomerServiceServer))
        .add_service(limited!(definition_service_server::DefinitionServiceServer))
        .add_service(limited!(ingest_service_server::IngestServiceServer))
        .add_service(encoded::EncodedCall::new(
            watch::WATCH_KPI,
            room.clone(),
            watch::updates,
            limited!(kpi_service_server::KpiServiceServer),
        ))
        .add_service(limited!(log_service_server::LogServiceServer))
        .add_service(limited!(ticket_service_server::TicketServiceServer))
        .add_service(encoded::EncodedCall::new(
            wallboard::WATCH_VIEW,
            room.clone(),
            wallboard::updates,
            limited!(wallboard_service_server::WallboardServiceServer),
        ))
        .add_service(health)
        .add_service(reflection().build_v1().map_err(wrong)?)
        .add_service(reflection().build_v1alpha().map_err(wrong)?);
    Ok((routes.into_axum_router(), reporter))
}
