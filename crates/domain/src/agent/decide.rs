//! What a supervisor, or the agent itself, asks for: decided against the state as it is.
//!
//! Not for who may ask: the server checks roles. A decision is appended with the state's version as the expected one,
//! so what was decided is what happens.
//!
//! Invariant: what is decided here is never marked as an anomaly when it is applied.

use crate::{
    agent::state::{AgentState, Session},
    event::{Event, Intent},
    ids::Name,
};

/// What is to be appended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision<N = Name> {
    /// The event; none if the state is so already.
    pub event: Option<Event<N>>,
    /// It takes effect only when the present contact is over.
    pub pending: bool,
}

impl<N> Decision<N> {
    const NOTHING: Self = Self { event: None, pending: false };
}

/// Why a command on an agent was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Nobody there.
    #[error("the agent is signed out; its state can be set once it has signed in")]
    NotSignedIn,
    /// Nobody would take the contacts.
    #[error(
        "the agent's connection is lost, so no contact could reach it; set it away, or wait until it is restored"
    )]
    ConnectionLost,
    /// Two commands for two things.
    #[error(
        "signing out is not a state to set; use the command that signs an agent out, or set it as the next state"
    )]
    SignOutIsNoState,
    /// Nothing to wait for.
    #[error(
        "no contact and no after-call work is going on, so there is nothing to wait for; set the state itself"
    )]
    NoContact,
}

/// Sets an agent ready or away; during a contact it becomes the pending next state.
pub fn decide_set_state<N: Clone + Eq>(
    state: &AgentState<N>,
    intent: &Intent<N>,
) -> Result<Decision<N>, Refusal> {
    if *intent == Intent::SignedOut {
        return Err(Refusal::SignOutIsNoState);
    }
    let Some(standing) = state.standing() else { return Err(Refusal::NotSignedIn) };
    if *intent == Intent::Ready && matches!(state.session(), Session::Lost { .. }) {
        return Err(Refusal::ConnectionLost);
    }
    if state.in_contact() {
        return decide_next_state(state, intent);
    }
    if standing.meets(intent) {
        return Ok(Decision::NOTHING);
    }
    Ok(Decision { event: Some(Event::StateSet { intent: intent.clone(), comment: None }), pending: false })
}

/// Sets what the agent becomes when the present contact is over; replaces what was pending.
pub fn decide_next_state<N: Clone + Eq>(
    state: &AgentState<N>,
    intent: &Intent<N>,
) -> Result<Decision<N>, Refusal> {
    let Some(standing) = state.standing() else { return Err(Refusal::NotSignedIn) };
    if !state.in_contact() {
        return Err(Refusal::NoContact);
    }
    let so_already = match state.next() {
        Some(next) => next == intent,
        None => standing.meets(intent),
    };
    let event = (!so_already).then(|| Event::NextSet { intent: intent.clone(), comment: None });
    Ok(Decision { pending: event.is_some() || state.next().is_some(), event })
}

/// Signs a stuck agent out at once; open legs and after-call work end. Does nothing to one that is out already.
pub fn decide_sign_out<N: Clone + Eq>(state: &AgentState<N>) -> Decision<N> {
    if state.session() == Session::SignedOut && state.slots().is_empty() {
        return Decision::NOTHING;
    }
    Decision { event: Some(Event::StateSet { intent: Intent::SignedOut, comment: None }), pending: false }
}
