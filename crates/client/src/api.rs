//! Connections and the token on every call.
//!
//! Not for facts: those go through a [`crate::Source`]. Invariant: the token never shows in a debug print.

use std::{fmt, time::Duration};

use pegcount_proto::v1;
use tonic::{
    Request, Status,
    metadata::{Ascii, MetadataValue},
    service::{Interceptor, interceptor::InterceptedService},
    transport::{Certificate, Channel, ClientTlsConfig, Endpoint},
};

/// A bearer token.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// Takes it as it is, without surrounding white space.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into().trim().to_owned())
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

/// The certificate, in PEM, of who signs the server's certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaCertificate(Vec<u8>);

impl CaCertificate {
    /// Takes PEM bytes.
    pub fn from_pem(pem: impl Into<Vec<u8>>) -> Self {
        Self(pem.into())
    }
}

/// Why no connection can be made.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// Not a URL.
    #[error("`{endpoint}` is no address of a server; give http://host:port or https://host:port")]
    Endpoint {
        /// What was given.
        endpoint: String,
        /// Why.
        #[source]
        source: tonic::transport::Error,
    },
    /// TLS without anybody to trust.
    #[error("`{endpoint}` speaks TLS; give the certificate of who signed the server's")]
    CaMissing {
        /// What was given.
        endpoint: String,
    },
    /// The token has characters that no header may carry.
    #[error("the token holds characters that a header cannot carry; was it copied whole, and only it?")]
    Token,
    /// Nobody answers.
    #[error("no server answers at `{endpoint}`; is it running?")]
    Unreachable {
        /// Where.
        endpoint: String,
        /// Why.
        #[source]
        source: tonic::transport::Error,
    },
}

/// Puts the token on every call.
#[derive(Clone)]
pub struct BearerAuth(MetadataValue<Ascii>);

impl BearerAuth {
    /// For this token.
    pub fn new(token: &Token) -> Result<Self, ConnectError> {
        let mut value: MetadataValue<Ascii> =
            format!("Bearer {}", token.0).parse().map_err(|_| ConnectError::Token)?;
        value.set_sensitive(true);
        Ok(Self(value))
    }
}

impl fmt::Debug for BearerAuth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BearerAuth(…)")
    }
}

impl Interceptor for BearerAuth {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        request.metadata_mut().insert("authorization", self.0.clone());
        Ok(request)
    }
}

/// A channel that puts the token on every call.
pub type AuthorizedChannel = InterceptedService<Channel, BearerAuth>;

/// A channel to `endpoint` that connects when it is first used, and again whenever it must. Needs a tokio runtime.
pub fn channel(endpoint: &str, tls_ca: Option<&CaCertificate>) -> Result<Channel, ConnectError> {
    Ok(configured(endpoint, tls_ca)?.connect_lazy())
}

fn configured(endpoint: &str, tls_ca: Option<&CaCertificate>) -> Result<Endpoint, ConnectError> {
    let named = |source| ConnectError::Endpoint { endpoint: endpoint.to_owned(), source };
    let mut configured = Endpoint::from_shared(endpoint.to_owned())
        .map_err(named)?
        .connect_timeout(Duration::from_secs(5))
        .tcp_nodelay(true)
        .tcp_keepalive(Some(Duration::from_secs(30)))
        .http2_keep_alive_interval(Duration::from_secs(10))
        .keep_alive_timeout(Duration::from_secs(10))
        .keep_alive_while_idle(true)
        .http2_adaptive_window(true);
    if endpoint.starts_with("https") {
        let ca = tls_ca.ok_or_else(|| ConnectError::CaMissing { endpoint: endpoint.to_owned() })?;
        let tls = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(&ca.0));
        configured = configured.tls_config(tls).map_err(named)?;
    }
    Ok(configured)
}

/// The unary services and the reading streams of a server, with the token in place. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Api {
    channel: Channel,
    auth: BearerAuth,
}

/// Connects, and fails at once if nobody answers.
pub async fn connect(
    endpoint: &str,
    token: &Token,
    tls_ca: Option<&CaCertificate>,
) -> Result<Api, ConnectError> {
    let auth = BearerAuth::new(token)?;
    let channel = configured(endpoint, tls_ca)?
        .connect()
        .await
        .map_err(|source| ConnectError::Unreachable { endpoint: endpoint.to_owned(), source })?;
    Ok(Api { channel, auth })
}

macro_rules! services {
    ($($(#[$doc:meta])* $name:ident: $module:ident :: $client:ident,)+) => {
        impl Api {
            $($(#[$doc])*
            pub fn $name(&self) -> v1::$module::$client<AuthorizedChannel> {
                v1::$module::$client::new(self.service())
            })+
        }
    };
}

services! {
    /// Agents as they are now, and commands on them.
    agents: agent_service_client::AgentServiceClient,
    /// Contacts as they are now.
    contacts: contact_service_client::ContactServiceClient,
    /// Customers' files.
    customers: customer_service_client::CustomerServiceClient,
    /// Reference data.
    definitions: definition_service_client::DefinitionServiceClient,
    /// Facts without a lasting connection, corrections, imports.
    ingest: ingest_service_client::IngestServiceClient,
    /// Figures.
    kpi: kpi_service_client::KpiServiceClient,
    /// The log itself.
    log: log_service_client::LogServiceClient,
    /// Tickets.
    tickets: ticket_service_client::TicketServiceClient,
}

impl Api {
    /// Over a channel that is there already.
    pub fn over(channel: Channel, token: &Token) -> Result<Self, ConnectError> {
        Ok(Self { channel, auth: BearerAuth::new(token)? })
    }

    /// The channel with the token, for any generated client.
    pub fn service(&self) -> AuthorizedChannel {
        InterceptedService::new(self.channel.clone(), self.auth.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_never_shows() {
        let token = Token::new(" secret\n");
        assert_eq!(format!("{token:?} {:?}", BearerAuth::new(&token).unwrap()), "Token(…) BearerAuth(…)");
    }

    #[test]
    fn tls_needs_somebody_to_trust() {
        assert!(matches!(configured("https://host:1", None), Err(ConnectError::CaMissing { .. })));
    }

    #[test]
    fn a_token_of_several_lines_is_refused() {
        assert!(matches!(BearerAuth::new(&Token::new("a\nb")), Err(ConnectError::Token)));
    }
}
