//! What the simulated centre did, counted as it did it: to compare with the server's figures.
//!
//! Invariant: counted from what was emitted, at the moment it was emitted, under the names of KPIS.md §3.

use std::collections::BTreeMap;

use pegcount_domain::{
    ids::{AgentId, QueueId},
    time::Micros,
};

/// What one queue did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QueueCounts {
    /// Visits that began.
    pub offered: u64,
    /// Visits that an agent answered.
    pub answered: u64,
    /// Visits in which the customer gave up, ringing included.
    pub abandoned: u64,
    /// Of these, while it rang.
    pub abandoned_ringing: u64,
    /// Visits that ended with a call-back promised.
    pub callback_taken: u64,
    /// Visits that ended any other way.
    pub flow_out: u64,
    /// Wait of the answered visits, ringing included.
    pub wait_answered: Micros,
    /// Wait of the abandoned ones.
    pub wait_abandoned: Micros,
    /// Legs whose handling is complete, inbound.
    pub handled: u64,
    /// Their talk, consultation included.
    pub handle_talk: Micros,
    /// Their hold.
    pub handle_hold: Micros,
    /// Their after-call work.
    pub handle_acw: Micros,
}

impl QueueCounts {
    /// Visits that are over.
    pub fn ended(&self) -> u64 {
        self.answered + self.abandoned + self.callback_taken + self.flow_out
    }
}

/// What the centre did, all together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SimReport {
    /// By queue.
    pub queues: BTreeMap<QueueId, QueueCounts>,
    /// Complete legs by agent, inbound and outbound.
    pub handled_by_agent: BTreeMap<AgentId, u64>,
    /// Contacts that began, both directions.
    pub contacts: u64,
    /// Contacts that a menu served.
    pub self_served: u64,
    /// Offers to agents.
    pub offers: u64,
    /// Rings that nobody answered.
    pub missed: u64,
    /// Offers that an agent rejected.
    pub rejected: u64,
    /// Offers during which the customer went.
    pub customer_gone: u64,
    /// Times that a customer was put on hold.
    pub holds: u64,
    /// Consultations.
    pub consults: u64,
    /// Transfers without a word before.
    pub transfers_cold: u64,
    /// Transfers after a consultation.
    pub transfers_warm: u64,
    /// Legs that the agent ended.
    pub ended_by_agent: u64,
    /// Outbound calls dialled.
    pub outbound_dials: u64,
    /// Outbound calls answered.
    pub outbound_connected: u64,
    /// Outbound legs whose handling is complete.
    pub outbound_handled: u64,
    /// Surveys answered.
    pub surveys: u64,
    /// Tickets opened.
    pub tickets_opened: u64,
    /// Tickets resolved, again included.
    pub tickets_resolved: u64,
    /// Tickets opened again.
    pub tickets_reopened: u64,
    /// Tickets closed.
    pub tickets_closed: u64,
    /// Tickets cancelled as invalid.
    pub tickets_cancelled: u64,
    /// Tickets that went on in another one.
    pub tickets_merged: u64,
    /// Ticket steps that the server refused; none, if all is well.
    pub tickets_refused: u64,
    /// Sign-ins.
    pub sign_ins: u64,
    /// Facts emitted, by softphones and the exchange.
    pub facts: u64,
    /// The server's position when everything was acknowledged; 0 if it never was.
    pub position: u64,
}

impl SimReport {
    /// All queues together.
    pub fn total(&self) -> QueueCounts {
        self.queues.values().fold(QueueCounts::default(), |sum, queue| QueueCounts {
            offered: sum.offered + queue.offered,
            answered: sum.answered + queue.answered,
            abandoned: sum.abandoned + queue.abandoned,
            abandoned_ringing: sum.abandoned_ringing + queue.abandoned_ringing,
            callback_taken: sum.callback_taken + queue.callback_taken,
            flow_out: sum.flow_out + queue.flow_out,
            wait_answered: sum.wait_answered.plus(queue.wait_answered),
            wait_abandoned: sum.wait_abandoned.plus(queue.wait_abandoned),
            handled: sum.handled + queue.handled,
            handle_talk: sum.handle_talk.plus(queue.handle_talk),
            handle_hold: sum.handle_hold.plus(queue.handle_hold),
            handle_acw: sum.handle_acw.plus(queue.handle_acw),
        })
    }
}
