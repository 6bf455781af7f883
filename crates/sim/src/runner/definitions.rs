//! Tells the server what the plan says: queues, reasons, agents with their teams.
//!
//! Invariant: the server counts by the same thresholds and after-call policies that the core works by.

use std::time::Duration;

use pegcount_client::Api;
use pegcount_domain::{ids::SiteId, time::Micros};
use pegcount_proto::v1::{
    AfterCallOnContact, AgentDefinition, DefineRequest, Definition, QueueDefinition, ReasonDefinition,
    definition::Definition as Kind,
};
use tonic::Code;

use super::SimError;
use crate::plan::{CHAT_SLOTS, QUEUES, QueuePlan, REASONS, ReasonPlan, TEAMS, agent_id, team_of};

/// Defines everything; waits while the server is away.
pub(super) async fn define(api: &Api, site: &SiteId, agents: usize) -> Result<(), SimError> {
    let request = request(site, agents);
    loop {
        match api.definitions().define(request.clone()).await {
            Ok(_) => return Ok(()),
            Err(status) if matches!(status.code(), Code::Unavailable | Code::ResourceExhausted) => {
                tracing::debug!(%status, "the definitions wait for the server");
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
            Err(status) => return Err(SimError::Define(Box::new(status))),
        }
    }
}

fn request(site: &SiteId, agents: usize) -> DefineRequest {
    let queues = QUEUES.iter().map(|plan| Kind::Queue(queue(plan)));
    let reasons = REASONS.iter().map(|plan| Kind::Reason(reason(plan)));
    let agents = (0..agents).map(|place| Kind::Agent(agent(place)));
    let definitions = queues
        .chain(reasons)
        .chain(agents)
        .map(|definition| Definition { valid_from_us: 0, definition: Some(definition) });
    DefineRequest { site: site.to_string(), definitions: definitions.collect() }
}

fn queue(plan: &QueuePlan) -> QueueDefinition {
    QueueDefinition {
        queue: plan.id.to_string(),
        label: plan.label.to_owned(),
        threshold_us: Micros::from_secs(plan.threshold_s).0,
        short_us: 0,
        rings_us: 0,
        after_call_end: plan.after_call.code().into(),
        after_call_timer_us: Micros::from_secs(plan.work_max_s).0,
        after_call_on_contact: AfterCallOnContact::Ends.into(),
    }
}

fn reason(plan: &ReasonPlan) -> ReasonDefinition {
    ReasonDefinition {
        reason: plan.code.to_string(),
        label: plan.label.to_owned(),
        productive: plan.productive,
        paid: plan.paid,
        longest_us: plan.longest_min * Micros::MINUTE.0,
    }
}

fn agent(place: usize) -> AgentDefinition {
    let team = TEAMS.get(team_of(place)).map(|team| team.id.to_string());
    AgentDefinition {
        agent: agent_id(place).to_string(),
        team: team.unwrap_or_default(),
        chat_slots: CHAT_SLOTS,
    }
}
