//! What a softphone says, in the field's words.
//!
//! [`AgentFacts`] makes the facts and nothing else; [`Softphone`] records them through a [`Source`] that holds the
//! agent's lease. Invariant: every fact of a softphone is in the stream of its own agent.

use pegcount_domain::{
    envelope::SourceSeq,
    event::{LegRef, LegStep, Party, TransferKind},
    ids::{AgentId, ContactId, LegId, PhoneKey, QueueId, ReasonCode},
};
use pegcount_proto::v1::{
    AgentFact, KeyPressed, NotReady, Nothing, OutboundTask, agent_fact::Action, fact::Fact,
};

use crate::{
    config::SourceConfig,
    leg::leg_message,
    source::{OpenError, Source},
    spool::SpoolError,
};

/// Makes the facts of one agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentFacts(pub AgentId);

impl AgentFacts {
    fn fact(&self, action: Action) -> Fact {
        Fact::Agent(AgentFact { agent: self.0.to_string(), action: Some(action) })
    }

    /// Signed in; begins not ready.
    pub fn sign_in(&self) -> Fact {
        self.fact(Action::SignedIn(Nothing {}))
    }

    /// Signed out.
    pub fn sign_out(&self) -> Fact {
        self.fact(Action::SignedOut(Nothing {}))
    }

    /// Ready for contacts.
    pub fn ready(&self) -> Fact {
        self.fact(Action::Ready(Nothing {}))
    }

    /// Away with a reason.
    pub fn not_ready(&self, reason: &ReasonCode) -> Fact {
        self.fact(Action::NotReady(NotReady { reason: reason.to_string() }))
    }

    /// A key that steers or jams the phone.
    pub fn key(&self, key: &PhoneKey) -> Fact {
        self.fact(Action::KeyPressed(KeyPressed { key: key.to_string() }))
    }

    /// An outbound task was assigned; the dialing follows.
    pub fn outbound_assigned(&self, contact: &ContactId, leg: &LegId) -> Fact {
        let task = OutboundTask { contact: contact.to_string(), leg: leg.to_string() };
        self.fact(Action::OutboundAssigned(task))
    }

    /// A step of a leg.
    pub fn leg(&self, leg: &LegRef, step: &LegStep) -> Fact {
        self.fact(Action::Leg(leg_message(leg, step)))
    }
}

/// A softphone: one agent, one source, one lease.
#[derive(Debug)]
pub struct Softphone {
    facts: AgentFacts,
    source: Source,
}

type Recorded = Result<SourceSeq, SpoolError>;

impl Softphone {
    /// Opens the source with the lease of `agent`.
    pub fn open(config: SourceConfig, agent: AgentId) -> Result<Self, OpenError> {
        let source = Source::open(SourceConfig { agent: Some(agent.clone()), ..config })?;
        Ok(Self { facts: AgentFacts(agent), source })
    }

    /// The source underneath: flush, status.
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// Ends the connection in good order.
    pub async fn close(self) {
        self.source.close().await;
    }

    /// The agent signed in; begins not ready.
    pub fn sign_in(&self) -> Recorded {
        self.source.record(self.facts.sign_in())
    }

    /// The agent signed out.
    pub fn sign_out(&self) -> Recorded {
        self.source.record(self.facts.sign_out())
    }

    /// The agent is ready for contacts.
    pub fn ready(&self) -> Recorded {
        self.source.record(self.facts.ready())
    }

    /// The agent is away.
    pub fn not_ready(&self, reason: &ReasonCode) -> Recorded {
        self.source.record(self.facts.not_ready(reason))
    }

    /// The agent pressed a key that steers or jams the phone.
    pub fn key(&self, key: &PhoneKey) -> Recorded {
        self.source.record(self.facts.key(key))
    }

    /// The agent is to call somebody.
    pub fn outbound_assigned(&self, contact: &ContactId, leg: &LegId) -> Recorded {
        self.source.record(self.facts.outbound_assigned(contact, leg))
    }

    /// A leg of this agent, to tell its steps.
    pub fn leg(&self, leg: LegRef) -> LegHandle<'_> {
        LegHandle { phone: self, leg }
    }
}

/// One leg on this softphone.
#[derive(Debug)]
pub struct LegHandle<'a> {
    phone: &'a Softphone,
    leg: LegRef,
}

impl LegHandle<'_> {
    /// Any step.
    pub fn step(&self, step: &LegStep) -> Recorded {
        self.phone.source.record(self.phone.facts.leg(&self.leg, step))
    }

    /// Assigned to the agent.
    pub fn offered(&self) -> Recorded {
        self.step(&LegStep::Offered)
    }

    /// The device rings.
    pub fn ringing(&self) -> Recorded {
        self.step(&LegStep::Ringing)
    }

    /// The device dials out.
    pub fn dialing(&self) -> Recorded {
        self.step(&LegStep::Dialing)
    }

    /// The agent talks.
    pub fn answered(&self) -> Recorded {
        self.step(&LegStep::Answered)
    }

    /// The customer is on hold.
    pub fn held(&self) -> Recorded {
        self.step(&LegStep::Held)
    }

    /// The customer is back.
    pub fn retrieved(&self) -> Recorded {
        self.step(&LegStep::Retrieved)
    }

    /// The agent asks somebody while the customer waits.
    pub fn consulting(&self) -> Recorded {
        self.step(&LegStep::Consulting)
    }

    /// Passed on to a queue; the leg still ends by [`LegHandle::ended`].
    pub fn transferred_to(&self, queue: QueueId, kind: TransferKind, reason: Option<ReasonCode>) -> Recorded {
        self.step(&LegStep::Transferred { kind, reason, to_queue: Some(queue), to_agent: None })
    }

    /// The ring was not answered.
    pub fn missed(&self) -> Recorded {
        self.step(&LegStep::Missed)
    }

    /// The agent pressed reject.
    pub fn rejected(&self) -> Recorded {
        self.step(&LegStep::Rejected)
    }

    /// The customer went while it rang.
    pub fn customer_gone(&self) -> Recorded {
        self.step(&LegStep::CustomerGone)
    }

    /// It could not be connected.
    pub fn failed(&self) -> Recorded {
        self.step(&LegStep::Failed)
    }

    /// The conversation is over, after-call work follows.
    pub fn ended_with_after_call(&self, by: Party) -> Recorded {
        self.step(&LegStep::Ended { by: Some(by), after_call_expected: true })
    }

    /// The conversation is over and so is the handle.
    pub fn ended(&self, by: Party) -> Recorded {
        self.step(&LegStep::Ended { by: Some(by), after_call_expected: false })
    }

    /// After-call work began.
    pub fn after_call_started(&self) -> Recorded {
        self.step(&LegStep::AfterCallStarted)
    }

    /// After-call work is over.
    pub fn after_call_ended(&self) -> Recorded {
        self.step(&LegStep::AfterCallEnded)
    }
}
