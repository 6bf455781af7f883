//! Signing in and out, ready and away, and the pending next intent.
//!
//! Invariant: there is a standing exactly while the agent is signed in or lost, and a pending intent only while a
//! contact or after-call work is going on.

use crate::{
    agent::{
        anomaly::Anomaly,
        apply::Effect,
        policy::ReservedReasons,
        slot::Phase,
        state::{AgentState, Session, Standing},
    },
    event::Intent,
    time::Micros,
};

impl<N: Clone + Eq> AgentState<N> {
    pub(super) fn sign_in(&mut self, at: Micros, reserved: &ReservedReasons<N>) -> Effect {
        if self.session == Session::SignedIn {
            return Effect::marked(Anomaly::SignedInAlready);
        }
        // A softphone that was lost and signs in again has started anew.
        self.enter_session(Session::SignedIn, at);
        self.next = None;
        self.stand(Standing::Away(reserved.signed_in.clone()), at);
        Effect::CHANGED
    }

    /// The agent is gone: after-call work and offers end with it. A conversation goes on, since the exchange knows
    /// better than the softphone when it ends; its time is unsigned.
    pub(super) fn sign_out(&mut self, at: Micros) -> Effect {
        if self.session == Session::SignedOut {
            return Effect::NOTHING;
        }
        let open = self.slots.iter().any(|slot| slot.phase.is_offer() || slot.phase.is_conversation());
        self.enter_session(Session::SignedOut, at);
        self.standing = None;
        self.next = None;
        self.end_slots(at, |phase| !phase.is_conversation());
        Effect { changed: true, mark: open.then_some(Anomaly::SignedOutInContact) }
    }

    /// A supervisor signs a stuck agent out: every leg ends.
    pub(super) fn sign_out_by_force(&mut self, at: Micros) -> Effect {
        let open = !self.slots.is_empty();
        self.end_slots(at, |_| true);
        let signed_out = self.sign_out(at);
        Effect { changed: signed_out.changed || open, mark: None }
    }

    /// Ready or away is asked for: at once, or pending while a contact is going on.
    pub(super) fn ask(&mut self, intent: &Intent<N>, at: Micros) -> Effect {
        let Some(standing) = &self.standing else { return Effect::marked(Anomaly::NotSignedIn) };
        let met = standing.meets(intent);
        if self.in_contact() {
            let next = (!met).then(|| intent.clone());
            let changed = self.next != next;
            self.next = next;
            return Effect { changed, mark: None };
        }
        if met {
            return Effect::NOTHING;
        }
        self.become_asked(intent.clone(), at)
    }

    /// A ring with no answer: away, unless the agent is away or on the way out already.
    pub(super) fn ring_no_answer(&mut self, at: Micros, reserved: &ReservedReasons<N>) {
        let leaving = match &self.next {
            Some(Intent::Ready) => false,
            Some(Intent::NotReady(_) | Intent::SignedOut) => true,
            None => matches!(self.standing, Some(Standing::Away(_)) | None),
        };
        if !leaving {
            self.ask(&Intent::NotReady(reserved.rona.clone()), at);
        }
    }

    pub(super) fn connection_lost(&mut self, since: Micros, grace: Micros) -> Effect {
        match self.session {
            Session::SignedOut => Effect::marked(Anomaly::NotSignedIn),
            Session::Lost { .. } => Effect::NOTHING,
            Session::SignedIn => {
                self.enter_session(Session::Lost { until: since.plus(grace) }, since);
                Effect::CHANGED
            }
        }
    }

    pub(super) fn connection_restored(&mut self, at: Micros) -> Effect {
        match self.session {
            Session::SignedOut => Effect::marked(Anomaly::NotSignedIn),
            Session::SignedIn => Effect::marked(Anomaly::ConnectionNotLost),
            Session::Lost { .. } => {
                self.enter_session(Session::SignedIn, at);
                Effect::CHANGED
            }
        }
    }

    /// Once no contact is going on, suspended work goes on, and after the last of it the pending intent holds.
    pub(super) fn settle(&mut self, at: Micros) {
        if self.in_contact() {
            return;
        }
        let suspended = self.slots.iter_mut().filter(|slot| slot.phase == Phase::Suspended);
        if let Some(slot) = suspended.max_by_key(|slot| slot.since) {
            slot.enter(Phase::AfterCall, at);
        } else if let Some(next) = self.next.take() {
            self.become_asked(next, at);
        }
    }

    fn become_asked(&mut self, intent: Intent<N>, at: Micros) -> Effect {
        match intent {
            Intent::SignedOut => return self.sign_out(at),
            Intent::Ready => self.stand(Standing::Ready, at),
            Intent::NotReady(reason) => self.stand(Standing::Away(reason), at),
        }
        Effect::CHANGED
    }

    fn stand(&mut self, standing: Standing<N>, at: Micros) {
        self.standing = Some(standing);
        self.standing_since = at;
    }

    fn enter_session(&mut self, session: Session, at: Micros) {
        self.session = session;
        self.session_since = at;
    }

    fn end_slots(&mut self, at: Micros, ends: impl Fn(Phase) -> bool) {
        let mut index = 0;
        while let Some(slot) = self.slots.get_mut(index) {
            if ends(slot.phase) {
                let over = if slot.phase.is_offer() { Phase::Failed } else { Phase::Ended };
                slot.enter(over, at);
                self.put_away(index);
            } else {
                index += 1;
            }
        }
    }
}
