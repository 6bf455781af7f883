//! Signing in and out, ready and away, and the pending next intent, within a fold.
//!
//! The same rules as the domain's live machine. Invariant: there is a pending intent only while a contact or
//! after-call work is going on.

use pegcount_domain::{
    agent::{Anomaly as AgentAnomaly, Phase, policy::LOST_GRACE},
    time::Micros,
};

use crate::{
    agent::{
        clock::{Reason, Session, Standing},
        fold::Walk,
        leg::Leg,
    },
    cells::{Dims, Part},
    day::What,
    fact::Intent,
    measure::Measure,
};

impl Walk<'_> {
    pub(super) fn sign_in(&mut self, at: Micros) -> Option<AgentAnomaly> {
        if self.carried.session == Session::In {
            return Some(AgentAnomaly::SignedInAlready);
        }
        self.carried.session = Session::In;
        self.carried.standing = Standing::Away(Reason::SignedIn);
        self.next = None;
        self.out.contributions.source(Part::Between, at, at);
        self.out.amount(self.whose, self.own(), Measure::SignIns, at, 1);
        self.out.piece(self.whose, at, What::SignIn);
        None
    }

    /// After-call work and offers end with the session; a conversation goes on, unsigned.
    pub(super) fn sign_out(&mut self, at: Micros) -> Option<AgentAnomaly> {
        if self.carried.session == Session::Out {
            return None;
        }
        let open = |leg: &Leg| leg.phase.is_some_and(|phase| phase.is_offer() || phase.is_conversation());
        let open = self.legs.iter().any(open);
        self.carried.session = Session::Out;
        self.next = None;
        self.end_legs(at, |phase| !phase.is_conversation());
        open.then_some(AgentAnomaly::SignedOutInContact)
    }

    pub(super) fn end_legs(&mut self, at: Micros, ends: impl Fn(Phase) -> bool) {
        for index in 0..self.legs.len() {
            if let Some(phase) = self.phase(index)
                && !phase.is_over()
                && ends(phase)
            {
                self.enter(index, if phase.is_offer() { Phase::Failed } else { Phase::Ended }, at);
            }
        }
    }

    /// Ready or away is asked for: at once, or pending while a contact is going on.
    pub(super) fn ask(&mut self, intent: Intent, at: Micros) -> Option<AgentAnomaly> {
        if self.carried.session == Session::Out {
            return Some(AgentAnomaly::NotSignedIn);
        }
        let met = self.meets(intent);
        if self.in_contact() {
            self.next = (!met).then_some(intent);
        } else if !met {
            self.become_asked(intent, at);
        }
        None
    }

    pub(super) fn meets(&self, intent: Intent) -> bool {
        match (intent, self.carried.standing) {
            (Intent::Ready, Standing::Ready)
            | (Intent::RingNoAnswer, Standing::Away(Reason::RingNoAnswer)) => true,
            (Intent::Away(asked), Standing::Away(Reason::Code(code))) => asked == code,
            _ => false,
        }
    }

    pub(super) fn become_asked(&mut self, intent: Intent, at: Micros) {
        match intent {
            Intent::SignedOut => {
                self.sign_out(at);
            }
            Intent::Ready => self.carried.standing = Standing::Ready,
            Intent::RingNoAnswer => self.carried.standing = Standing::Away(Reason::RingNoAnswer),
            Intent::Away(reason) => {
                let reason = Reason::Code(reason);
                self.carried.standing = Standing::Away(reason);
                let dims = Dims { detail: reason.detail(), ..self.own() };
                self.out.contributions.source(Part::Between, at, at);
                self.out.amount(self.whose, dims, Measure::AwayCount, at, 1);
                self.out.piece(self.whose, at, What::WentAway(reason.detail()));
            }
        }
    }

    /// A ring with no answer: away, unless the agent is away or on the way out already.
    pub(super) fn ring_no_answer(&mut self, at: Micros) {
        let leaving = match self.next {
            Some(Intent::Ready) => false,
            Some(_) => true,
            None => self.carried.session == Session::Out || self.carried.standing != Standing::Ready,
        };
        if !leaving {
            self.ask(Intent::RingNoAnswer, at);
        }
    }

    pub(super) fn lose(&mut self, at: Micros) -> Option<AgentAnomaly> {
        match self.carried.session {
            Session::Out => Some(AgentAnomaly::NotSignedIn),
            Session::Lost { .. } => None,
            Session::In => {
                self.carried.session = Session::Lost { until: at.plus(LOST_GRACE) };
                None
            }
        }
    }

    pub(super) fn restore(&mut self) -> Option<AgentAnomaly> {
        match self.carried.session {
            Session::Out => Some(AgentAnomaly::NotSignedIn),
            Session::In => Some(AgentAnomaly::ConnectionNotLost),
            Session::Lost { .. } => {
                self.carried.session = Session::In;
                None
            }
        }
    }
}
