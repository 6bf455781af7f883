//! The contact service: contacts as they are now.

use pegcount_domain::ids::ContactId;
use pegcount_engine::{ContactView, OPEN_CONTACTS_MAX};
use pegcount_proto::v1;
use tonic::{Request, Response, Status};

use super::{Room, agents::phase_code};
use crate::{
    access::{Action, Caller},
    fields, status,
};

#[tonic::async_trait]
impl v1::contact_service_server::ContactService for Room {
    async fn get_contact(
        &self,
        request: Request<v1::GetContactRequest>,
    ) -> Result<Response<v1::ContactState>, Status> {
        let caller = self.access.admit(request.metadata(), Action::ReadContacts)?;
        let request = request.into_inner();
        let site = caller.site("site", &request.site)?;
        let contact = fields::name("contact", &request.contact).map(ContactId)?;
        let view = self.engine.contact(&site, &contact).await.map_err(status::of)?;
        if !may_see(&caller, &view) {
            // An agent learns nothing about contacts of others, not even that they exist.
            return Err(status::not_found("contact of yours", contact.as_str()));
        }
        Ok(Response::new(contact_message(&view)))
    }

    async fn list_open_contacts(
        &self,
        request: Request<v1::ListOpenContactsRequest>,
    ) -> Result<Response<v1::ListOpenContactsResponse>, Status> {
        let caller = self.access.admit(request.metadata(), Action::ReadContacts)?;
        let site = caller.site("site", &request.get_ref().site)?;
        let views = self.engine.open_contacts(&site);
        let contacts = views.iter().filter(|view| may_see(&caller, view)).take(OPEN_CONTACTS_MAX);
        Ok(Response::new(v1::ListOpenContactsResponse { contacts: contacts.map(contact_message).collect() }))
    }
}

/// An agent sees the contacts that it takes part in.
fn may_see(caller: &Caller, view: &ContactView) -> bool {
    let takes_part = |own| view.state.legs.iter().any(|leg| leg.agent.as_ref() == Some(own));
    caller.own_agent().is_none_or(takes_part)
}

fn text(id: Option<impl ToString>) -> String {
    id.map(|id| id.to_string()).unwrap_or_default()
}

fn contact_message(view: &ContactView) -> v1::ContactState {
    let state = &view.state;
    let visits = state.visits.iter().map(|visit| v1::Visit {
        visit: visit.visit.to_string(),
        queue: text(visit.queue.as_ref()),
        entered_us: visit.entered.0,
        left_us: visit.left.map(|(at, _)| at.0),
        exit: visit.left.map_or(0, |(_, exit)| exit.code().into()),
    });
    let legs = state.legs.iter().map(|leg| v1::ContactLeg {
        leg: leg.leg.to_string(),
        agent: text(leg.agent.as_ref()),
        state: phase_code(leg.phase).into(),
        since_us: leg.since.0,
    });
    let anomalies = view.anomalies.iter().map(|marked| v1::Anomaly {
        position: marked.position.0,
        occurred_at_us: marked.occurred_at.0,
        reason: marked.anomaly.to_string(),
    });
    v1::ContactState {
        site: view.site.to_string(),
        contact: state.contact.to_string(),
        channel: state.channel.map_or(0, |channel| channel.code().into()),
        direction: state.direction.map_or(0, |direction| direction.code().into()),
        entry: text(state.entry.as_ref()),
        customer: text(state.customer.as_ref()),
        // A contact that goes on with no other one begins its journey itself.
        journey: text(state.journey.as_ref().or(Some(&state.contact))),
        started_us: state.started.map_or(0, |at| at.0),
        ended_us: state.ended.as_ref().map(|(at, _)| at.0),
        visits: visits.collect(),
        legs: legs.collect(),
        wrap_up: text(state.wrap_up.as_ref().map(|(code, _)| code)),
        version: view.version.0,
        anomalies: anomalies.collect(),
        position: view.position.0,
    }
}
