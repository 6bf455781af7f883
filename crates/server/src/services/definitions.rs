//! The definition service: queues, reasons, agents, teams, formula versions, targets, calendars, the site's zone, what is
//! allowed on a day, who is believed; and what deadline policies would have made of the past.

use pegcount_proto::v1;
use tonic::{Request, Response, Status};

use super::{
    Answers, Room,
    to_definitions::{definition, definition_message},
    what_if,
};
use crate::{access::Action, status};

#[tonic::async_trait]
impl v1::definition_service_server::DefinitionService for Room {
    async fn define(
        &self,
        request: Request<v1::DefineRequest>,
    ) -> Result<Response<v1::DefineResponse>, Status> {
        let caller = self.access.admit(request.metadata(), Action::Define)?;
        let request = request.into_inner();
        let site = caller.site("site", &request.site)?;
        let events: Result<Vec<_>, Status> = request
            .definitions
            .iter()
            .enumerate()
            .map(|(index, one)| definition(&format!("definitions[{index}]"), one))
            .collect();
        let (written, position) =
            self.engine.define(&site, caller.actor(), events?).await.map_err(status::of)?;
        tracing::debug!(position = position.0, written, "defined");
        let written = u32::try_from(written).unwrap_or(u32::MAX);
        Ok(Response::new(v1::DefineResponse { written, position: position.0 }))
    }

    async fn list_definitions(
        &self,
        request: Request<v1::ListDefinitionsRequest>,
    ) -> Result<Response<v1::ListDefinitionsResponse>, Status> {
        let caller = self.access.admit(request.metadata(), Action::ReadDefinitions)?;
        let site = caller.site("site", &request.get_ref().site)?;
        let defined = self.engine.defined(&site);
        Ok(Response::new(v1::ListDefinitionsResponse {
            definitions: defined.events().iter().filter_map(definition_message).collect(),
            undeclared_agents: defined.undeclared_agents.iter().map(ToString::to_string).collect(),
            undeclared_queues: defined.undeclared_queues.iter().map(ToString::to_string).collect(),
        }))
    }

    type ReplayTicketPoliciesStream = Answers<v1::ReplayTicketPoliciesResponse>;

    async fn replay_ticket_policies(
        &self,
        request: Request<v1::ReplayTicketPoliciesRequest>,
    ) -> Result<Response<Self::ReplayTicketPoliciesStream>, Status> {
        let caller = self.access.admit(request.metadata(), Action::ReadTickets)?;
        what_if::answer(self, caller, &request.into_inner()).await.map(Response::new)
    }
}
