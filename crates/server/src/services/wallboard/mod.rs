//! The wallboard service: who asks, and one stream for all that a view shows.
//!
//! - [`view`]: the stream, made of watched tables and of the floor
//! - [`floor`]: a site's agents as they are now, looked at once for all pages
//! - [`picture`]: what is known of them, and which of it is new to whom
//!
//! Invariant: a stream sends nothing that the caller's role may not ask for singly.

mod floor;
mod picture;
mod view;

use pegcount_domain::{ids::SiteId, time::Micros};
use pegcount_proto::v1;
use prost::Message;
use tonic::{Request, Response, Status};

pub(crate) use floor::Floors;
pub(super) use view::{WATCH_VIEW, updates};

use super::{Answers, Room};
use crate::access::Action;

#[tonic::async_trait]
impl v1::wallboard_service_server::WallboardService for Room {
    type WatchViewStream = Answers<v1::ViewUpdate>;

    async fn who_am_i(
        &self,
        request: Request<v1::WhoAmIRequest>,
    ) -> Result<Response<v1::WhoAmIResponse>, Status> {
        let caller = self.access.admit(request.metadata(), Action::ReadDefinitions)?;
        let now = self.engine.clock().now();
        let sites = match caller.only_site() {
            Some(site) => vec![site.clone()],
            None => self.engine.sites(),
        };
        Ok(Response::new(v1::WhoAmIResponse {
            name: caller.actor().to_string(),
            role: caller.role().to_string(),
            agent: caller.own_agent().map(ToString::to_string).unwrap_or_default(),
            sites: sites.iter().map(|site| self.in_view(site, now)).collect(),
            reads_figures: caller.may(Action::ReadKpis),
            reads_agents: caller.may(Action::ReadAgents),
            reads_corrections: caller.may(Action::ReadCorrections),
            reads_tickets: caller.may(Action::ReadTickets),
            now_us: now.0,
        }))
    }

    async fn watch_view(
        &self,
        request: Request<v1::WatchViewRequest>,
    ) -> Result<Response<Self::WatchViewStream>, Status> {
        // Never called: [`super::encoded`] answers this one before.
        let decoded = futures_util::StreamExt::map(updates(self.clone(), request)?, |update| {
            v1::ViewUpdate::decode(update?).map_err(|error| Status::internal(error.to_string()))
        });
        Ok(Response::new(Box::pin(decoded)))
    }
}

impl Room {
    /// A site with the zone that is in force now.
    fn in_view(&self, site: &SiteId, now: Micros) -> v1::SiteInView {
        let zones = self.engine.defined(site).sites;
        let in_force = zones.iter().filter(|one| one.valid_from <= now).max_by_key(|one| one.valid_from);
        let time_zone = in_force.map_or_else(|| "UTC".to_owned(), |one| one.time_zone.as_str().to_owned());
        v1::SiteInView { site: site.to_string(), time_zone }
    }
}
