//! The agent service: agents as they are now, and commands on their state.

use pegcount_domain::{
    agent::{AgentState, ClockState, Phase, Session, Slot, Standing},
    event::Intent,
    ids::{AgentId, Name, ReasonCode},
    time::Micros,
};
use pegcount_engine::{AgentView, Carried, EngineError, MarkedFact};
use pegcount_proto::v1;
use tonic::{Request, Response, Status};

use super::Room;
use crate::{access::Action, fields, status};

#[tonic::async_trait]
impl v1::agent_service_server::AgentService for Room {
    async fn get_agent(
        &self,
        request: Request<v1::GetAgentRequest>,
    ) -> Result<Response<v1::AgentState>, Status> {
        let caller = self.access.admit(request.metadata(), Action::ReadAgents)?;
        let request = request.into_inner();
        let site = caller.site("site", &request.site)?;
        let agent = fields::agent("agent", &request.agent)?;
        caller.about_agent(&agent)?;
        let view = self.engine.agent(&site, &agent).map_err(status::of)?;
        Ok(Response::new(agent_message(&view)))
    }

    async fn list_agents(
        &self,
        request: Request<v1::ListAgentsRequest>,
    ) -> Result<Response<v1::ListAgentsResponse>, Status> {
        let caller = self.access.admit(request.metadata(), Action::ReadAgents)?;
        let request = request.into_inner();
        let site = caller.site("site", &request.site)?;
        let views = self.engine.agents(&site, request.present_only);
        let own = |view: &&AgentView| caller.own_agent().is_none_or(|own| own == view.state.agent());
        let agents = views.iter().filter(own).map(agent_message).collect();
        Ok(Response::new(v1::ListAgentsResponse { agents }))
    }

    async fn set_state(
        &self,
        request: Request<v1::SetStateRequest>,
    ) -> Result<Response<v1::AgentCommandResponse>, Status> {
        let caller = self.access.admit(request.metadata(), Action::SetState)?;
        let request = request.into_inner();
        let site = caller.site("site", &request.site)?;
        let agent = fields::agent("agent", &request.agent)?;
        caller.about_agent(&agent)?;
        let command_id = fields::command_id(&request.command_id)?;
        let comment = fields::optional("comment", &request.comment)?;
        let intent = intent("state", request.state.as_ref())?;
        if intent == Intent::SignedOut {
            let reason = "asks for signed out, which is only a next state; use SignOutAgent or SetNextState";
            return Err(status::invalid("state.sign_out", reason));
        }
        let done = self.engine.set_state(&site, &agent, intent, comment, caller.actor(), command_id).await;
        commanded(done, "set_state", &agent)
    }

    async fn set_next_state(
        &self,
        request: Request<v1::SetNextStateRequest>,
    ) -> Result<Response<v1::AgentCommandResponse>, Status> {
        let caller = self.access.admit(request.metadata(), Action::SetState)?;
        let request = request.into_inner();
        let site = caller.site("site", &request.site)?;
        let agent = fields::agent("agent", &request.agent)?;
        caller.about_agent(&agent)?;
        let command_id = fields::command_id(&request.command_id)?;
        let next = intent("next", request.next.as_ref())?;
        let done = self.engine.set_next_state(&site, &agent, next, caller.actor(), command_id).await;
        commanded(done, "set_next_state", &agent)
    }

    async fn sign_out_agent(
        &self,
        request: Request<v1::SignOutAgentRequest>,
    ) -> Result<Response<v1::AgentCommandResponse>, Status> {
        let caller = self.access.admit(request.metadata(), Action::SignOutAgent)?;
        let request = request.into_inner();
        let site = caller.site("site", &request.site)?;
        let agent = fields::agent("agent", &request.agent)?;
        let command_id = fields::command_id(&request.command_id)?;
        let comment = fields::name("comment", &request.comment)?;
        let done = self.engine.sign_out_agent(&site, &agent, Some(comment), caller.actor(), command_id).await;
        commanded(done, "sign_out_agent", &agent)
    }
}

/// The answer to a command, which the program's own log tells too.
fn commanded(
    done: Result<Carried, EngineError>,
    command: &str,
    agent: &AgentId,
) -> Result<Response<v1::AgentCommandResponse>, Status> {
    let done = done.map_err(status::of)?;
    tracing::info!(command, %agent, position = done.position.0, "carried out");
    Ok(Response::new(v1::AgentCommandResponse { position: done.position.0, pending: done.pending }))
}

/// What is asked for: exactly one of ready, away with a reason, signed out.
fn intent(field: &str, intent: Option<&v1::Intent>) -> Result<Intent, Status> {
    let wrong = |reason: &str| status::invalid(field, reason);
    let intent = intent.ok_or_else(|| wrong("is missing; it is required"))?;
    match (intent.ready, intent.sign_out, intent.reason.is_empty()) {
        (true, false, true) => Ok(Intent::Ready),
        (false, true, true) => Ok(Intent::SignedOut),
        (false, false, false) => {
            fields::name(&format!("{field}.reason"), &intent.reason).map(ReasonCode).map(Intent::NotReady)
        }
        (false, false, true) => Err(wrong("is away without a reason; give ready, a reason or sign_out")),
        _ => Err(wrong("asks for several things at once; give one of ready, a reason or sign_out")),
    }
}

/// An agent as it is now.
pub(super) fn agent_message(view: &AgentView) -> v1::AgentState {
    let state = &view.state;
    v1::AgentState {
        site: view.site.to_string(),
        agent: state.agent().to_string(),
        team: view.team.as_ref().map(ToString::to_string).unwrap_or_default(),
        session: session_code(state).into(),
        session_since_us: since(state.session_since()),
        intent: state.standing().map(standing_message),
        next: state.next().map(intent_message),
        clock: clock_code(state.clock_state()).into(),
        clock_since_us: since(state.clock_since()),
        slots: state.slots().iter().map(slot_message).collect(),
        version: view.version.0,
        anomalies: view.anomalies.iter().map(anomaly_message).collect(),
        position: view.position.0,
    }
}

/// An instant on the wire; "never otherwise" is 0.
fn since(at: Micros) -> i64 {
    if at == Micros(i64::MIN) { 0 } else { at.0 }
}

fn session_code(state: &AgentState) -> v1::SessionState {
    match state.session() {
        Session::SignedOut => v1::SessionState::SignedOut,
        Session::SignedIn => v1::SessionState::SignedIn,
        Session::Lost { .. } => v1::SessionState::ConnectionLost,
    }
}

fn clock_code(clock: Option<&ClockState>) -> v1::ClockState {
    match clock {
        None => v1::ClockState::Unspecified,
        Some(ClockState::Occupied) => v1::ClockState::Occupied,
        Some(ClockState::Lost) => v1::ClockState::Lost,
        Some(ClockState::Ringing) => v1::ClockState::Ringing,
        Some(ClockState::Dialing) => v1::ClockState::Dialing,
        Some(ClockState::Away(_)) => v1::ClockState::Away,
        Some(ClockState::Ready) => v1::ClockState::Ready,
        Some(ClockState::Unsigned) => v1::ClockState::Unsigned,
    }
}

fn standing_message(standing: &Standing) -> v1::Intent {
    match standing {
        Standing::Ready => v1::Intent { ready: true, ..Default::default() },
        Standing::Away(reason) => v1::Intent { reason: reason.to_string(), ..Default::default() },
    }
}

fn intent_message(intent: &Intent) -> v1::Intent {
    match intent {
        Intent::Ready => v1::Intent { ready: true, ..Default::default() },
        Intent::NotReady(reason) => v1::Intent { reason: reason.to_string(), ..Default::default() },
        Intent::SignedOut => v1::Intent { sign_out: true, ..Default::default() },
    }
}

fn slot_message(slot: &Slot<Name>) -> v1::Slot {
    v1::Slot {
        contact: slot.contact.to_string(),
        leg: slot.leg.to_string(),
        queue: slot.queue.as_ref().map(ToString::to_string).unwrap_or_default(),
        channel: slot.channel.map_or(0, |channel| channel.code().into()),
        direction: slot.direction.map_or(0, |direction| direction.code().into()),
        state: phase_code(slot.phase).into(),
        since_us: slot.since.0,
    }
}

/// A leg's phase on the wire; what is over has none.
pub(super) fn phase_code(phase: Phase) -> v1::SlotState {
    match phase {
        Phase::Offered => v1::SlotState::Offered,
        Phase::Ringing => v1::SlotState::Ringing,
        Phase::Dialing => v1::SlotState::Dialing,
        Phase::Talking => v1::SlotState::Talking,
        Phase::Held => v1::SlotState::Held,
        Phase::Consulting => v1::SlotState::Consulting,
        Phase::Conferenced => v1::SlotState::Conferenced,
        Phase::Interrupted => v1::SlotState::Interrupted,
        Phase::AfterCall | Phase::Suspended => v1::SlotState::AfterCall,
        Phase::Missed | Phase::Rejected | Phase::CustomerGone | Phase::Failed | Phase::Ended => {
            v1::SlotState::Unspecified
        }
    }
}

fn anomaly_message(marked: &MarkedFact) -> v1::Anomaly {
    v1::Anomaly {
        position: marked.position.0,
        occurred_at_us: marked.occurred_at.0,
        reason: marked.anomaly.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(ready: bool, reason: &str, sign_out: bool) -> Result<Intent, Status> {
        intent("state", Some(&v1::Intent { ready, reason: reason.into(), sign_out }))
    }

    #[test]
    fn exactly_one_thing_can_be_asked_for() {
        assert_eq!(asked(true, "", false).unwrap(), Intent::Ready);
        assert_eq!(asked(false, "", true).unwrap(), Intent::SignedOut);
        assert!(matches!(asked(false, "meal", false).unwrap(), Intent::NotReady(_)));
        assert!(asked(true, "meal", false).is_err());
        assert!(asked(false, "", false).is_err());
        assert!(intent("state", None).is_err());
    }
}
