//! The named consumers as a caller may see them, and forgetting one.
//!
//! Invariant: who is admitted for one site sees and deletes that site's consumers only.

use pegcount_log::{ConsumerName, ConsumerStatus};
use pegcount_proto::v1;
use tonic::Status;

use super::Room;
use crate::{access::Caller, fields, status};

impl Room {
    /// Those that the caller may see.
    pub(super) fn consumers_of(&self, caller: &Caller) -> Result<Vec<v1::ConsumerStatus>, Status> {
        let all = self.engine.consumers().map_err(|error| status::of(error.into()))?;
        let site = caller.only_site().map(|site| &site.0);
        let seen = all.iter().filter(|one| site.is_none() || one.name.site.as_ref() == site);
        Ok(seen.map(consumer_message).collect())
    }

    /// Forgets one, if it is the caller's or the caller administers.
    pub(super) async fn forget_consumer(
        &self,
        caller: &Caller,
        request: v1::DeleteConsumerRequest,
    ) -> Result<(), Status> {
        let site = match request.site.as_str() {
            "" => caller.only_site().map(|site| site.0.clone()),
            site => Some(caller.site("site", site)?.0),
        };
        let name = ConsumerName { site, name: fields::name("name", &request.name)? };
        let owner = (!caller.is_administrator()).then(|| caller.actor().clone());
        self.engine.delete_consumer(name, owner).await.map_err(status::of)
    }
}

/// A consumer in the contract's words.
fn consumer_message(one: &ConsumerStatus) -> v1::ConsumerStatus {
    v1::ConsumerStatus {
        site: one.name.site.as_ref().map(ToString::to_string).unwrap_or_default(),
        name: one.name.name.to_string(),
        owner: one.owner.to_string(),
        confirmed_position: one.confirmed.0,
        events_behind: one.behind,
        confirmed_at_us: one.confirmed_at.map(|at| at.0),
        since_confirm_us: one.since_confirm.0,
        connected: one.connected,
    }
}
