//! One agent: the facts about its sessions and its legs, gone through from the beginning, into spans.
//!
//! Only what signed-in, occupied, lost and unsigned time depend on is followed (KPIS.md §3); which of ready, away, ringing
//! and dialling the rest of a signed-in span is does not matter here. Invariant: what comes due at an instant has taken
//! effect before a fact of that instant.

use pegcount_domain::{
    agent::AfterCallPolicy,
    definitions::Definitions,
    event::{AfterCallEnd, AfterCallOnContact},
    ids::{Key, QueueId},
    time::Micros,
};

use crate::{
    leg::{Field, Leg, Reporters, Stage, Word},
    rank::Rank,
};

/// A lost connection may take so long to come back (KPIS.md §2).
const LOST_GRACE: Micros = Micros(15 * Micros::MINUTE.0);

/// What a fact says of its agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    SignedIn,
    SignedOut,
    /// A supervisor signs the agent out: all legs end.
    ForcedOut,
    /// Out as soon as no contact is going on.
    OutNext,
    /// Ready or away: whatever was to come next is no more.
    Stand,
    Lost,
    Back,
    Leg {
        contact: Key,
        mark: u64,
        queue: Option<Key>,
        field: Field,
        word: Word,
    },
}

/// One fact.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AgentFact {
    pub(crate) rank: Rank,
    pub(crate) said: Said,
}

impl AgentFact {
    pub(crate) fn leg(&self) -> Option<u64> {
        match self.said {
            Said::Leg { mark, .. } => Some(mark),
            _ => None,
        }
    }
}

/// What is counted of a span.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Time {
    /// Signed out, no contact.
    #[default]
    None,
    Unsigned,
    Occupied,
    Lost,
    /// Signed in and none of these.
    Rest,
}

/// What going through an agent's facts gives.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Told {
    Span(Time, Micros, Micros),
    SignIn(Micros),
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Session {
    #[default]
    Out,
    In,
    Lost {
        until: Micros,
    },
}

/// What is known of an agent while no leg of it goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Start {
    session: Session,
    time: Time,
    since: Micros,
    /// No fact before this takes effect before this.
    pub(crate) not_before: Micros,
}

impl Default for Start {
    fn default() -> Self {
        Self {
            session: Session::Out,
            time: Time::None,
            since: Micros(i64::MIN),
            not_before: Micros(i64::MIN),
        }
    }
}

/// Goes through facts, which are in order, up to `until`, and tells what they come to. Gives what is known at the end,
/// unless a leg still goes on.
pub(crate) fn walk(
    start: &Start,
    facts: &[AgentFact],
    definitions: &Definitions<Key>,
    until: Option<Micros>,
    tell: &mut dyn FnMut(Told),
) -> Option<Start> {
    let mut walk =
        Walk { definitions, tell, now: *start, next_out: false, legs: legs_of(facts, definitions) };
    for fact in facts {
        let at = fact.rank.at.max(start.not_before);
        if until.is_some_and(|until| at > until) {
            break;
        }
        walk.come_due(at);
        walk.take(fact, at);
        walk.settle(at);
    }
    match until {
        Some(until) => {
            walk.come_due(until);
            walk.close_span(until);
            None
        }
        None if walk.legs.iter().any(|leg| leg.stage.goes_on()) => None,
        None => Some(walk.now),
    }
}

/// The legs with all that is ever said of them, in the order of their first facts.
fn legs_of(facts: &[AgentFact], definitions: &Definitions<Key>) -> Vec<Leg> {
    let mut legs: Vec<Leg> = Vec::new();
    for fact in facts {
        let Said::Leg { mark, queue, field, word, .. } = fact.said else { continue };
        let index = legs.iter().rposition(|leg| leg.mark == mark).unwrap_or_else(|| {
            let reporters = Reporters::of_leg(definitions, fact.rank.at);
            legs.push(Leg { mark, reporters, ..Leg::default() });
            legs.len() - 1
        });
        if let Some(leg) = legs.get_mut(index) {
            leg.queue = leg.queue.or(queue);
            leg.reporters.learn(fact.rank.by_exchange, field, word);
        }
    }
    legs
}

struct Walk<'a> {
    definitions: &'a Definitions<Key>,
    tell: &'a mut dyn FnMut(Told),
    now: Start,
    /// Signs out when no contact is going on any more.
    next_out: bool,
    legs: Vec<Leg>,
}

impl Walk<'_> {
    fn take(&mut self, fact: &AgentFact, at: Micros) {
        match fact.said {
            Said::SignedIn => {
                if self.now.session != Session::In {
                    (self.now.session, self.next_out) = (Session::In, false);
                    (self.tell)(Told::SignIn(at));
                }
            }
            Said::ForcedOut => {
                self.end(at, |_| true);
                self.sign_out(at);
            }
            Said::OutNext if self.is_busy() => self.next_out = self.now.session != Session::Out,
            Said::SignedOut | Said::OutNext => self.sign_out(at),
            Said::Stand => self.next_out = false,
            Said::Lost if self.now.session == Session::In => {
                self.now.session = Session::Lost { until: at.plus(LOST_GRACE) };
            }
            Said::Back if self.now.session != Session::Out => self.now.session = Session::In,
            Said::Lost | Said::Back => {}
            Said::Leg { mark, field, word, .. } => self.hear(mark, fact.rank.by_exchange, field, word, at),
        }
    }

    fn hear(&mut self, mark: u64, by_exchange: bool, field: Field, word: Word, at: Micros) {
        let Some(index) = self.legs.iter().rposition(|leg| leg.mark == mark) else { return };
        let Some(leg) = self.legs.get_mut(index) else { return };
        let Some(word) = leg.reporters.believed(by_exchange, field, word) else { return };
        let (before, after) = (leg.stage, leg.stage.after(word));
        if before == after {
            return;
        }
        if after == Stage::Work {
            let policy = policy(self.definitions, leg.queue, at);
            if policy.end == AfterCallEnd::None {
                leg.enter(Stage::Over, at);
                return;
            }
            leg.limit = (policy.end == AfterCallEnd::ByTimer).then_some(policy.timer);
            if before != Stage::Parked {
                leg.worked = Micros::ZERO;
            }
        }
        leg.enter(after, at);
        if after == Stage::Talk {
            self.interrupt_work(at);
        }
    }

    /// A new conversation ends the after-call work that is going on, or makes it wait.
    fn interrupt_work(&mut self, at: Micros) {
        for leg in self.legs.iter_mut().filter(|leg| leg.stage == Stage::Work) {
            match policy(self.definitions, leg.queue, at).on_contact {
                AfterCallOnContact::Ends => leg.enter(Stage::Over, at),
                AfterCallOnContact::Suspends => {
                    leg.worked = leg.worked.plus(at.minus(leg.since));
                    leg.enter(Stage::Parked, at);
                }
            }
        }
    }

    /// Offers and work end with the session; a conversation goes on.
    fn sign_out(&mut self, at: Micros) {
        if self.now.session != Session::Out {
            (self.now.session, self.next_out) = (Session::Out, false);
            self.end(at, |stage| stage != Stage::Talk);
        }
    }

    fn end(&mut self, at: Micros, ends: impl Fn(Stage) -> bool) {
        for leg in self.legs.iter_mut().filter(|leg| leg.stage.goes_on() && ends(leg.stage)) {
            leg.enter(leg.stage.ended(), at);
        }
    }

    fn is_busy(&self) -> bool {
        self.legs.iter().any(|leg| leg.stage.is_busy())
    }

    /// With nothing going on, the work parked last goes on; without any, what was to come next comes.
    fn settle(&mut self, at: Micros) {
        if !self.is_busy() {
            let parked = self.legs.iter_mut().filter(|leg| leg.stage == Stage::Parked);
            if let Some(leg) = parked.max_by_key(|leg| leg.since) {
                leg.enter(Stage::Work, at);
            } else if std::mem::take(&mut self.next_out) {
                self.sign_out(at);
            }
        }
        let time = self.time();
        if time != self.now.time {
            self.close_span(at);
            (self.now.time, self.now.since) = (time, at);
        }
    }

    fn time(&self) -> Time {
        match (self.now.session, self.is_busy()) {
            (Session::Out, false) => Time::None,
            (Session::Out, true) => Time::Unsigned,
            (_, true) => Time::Occupied,
            (Session::Lost { .. }, false) => Time::Lost,
            (Session::In, false) => Time::Rest,
        }
    }

    fn close_span(&mut self, at: Micros) {
        if self.now.time != Time::None && self.now.since < at {
            (self.tell)(Told::Span(self.now.time, self.now.since, at));
        }
    }

    /// Timers of after-call work, and the grace of a lost connection, each at its own instant.
    fn come_due(&mut self, to: Micros) {
        loop {
            let work = self.legs.iter().enumerate().filter_map(|(index, leg)| Some((leg.due()?, index)));
            let work = work.min();
            let grace = match self.now.session {
                Session::Lost { until } => Some(until),
                Session::Out | Session::In => None,
            };
            match (work, grace) {
                (Some((at, index)), grace) if at <= to && grace.is_none_or(|grace| at <= grace) => {
                    if let Some(leg) = self.legs.get_mut(index) {
                        leg.enter(Stage::Over, at);
                    }
                    self.settle(at);
                }
                (_, Some(grace)) if grace <= to => {
                    self.sign_out(grace);
                    self.settle(grace);
                }
                _ => return,
            }
        }
    }
}

fn policy(definitions: &Definitions<Key>, queue: Option<Key>, at: Micros) -> AfterCallPolicy {
    let defined = queue.and_then(|queue| definitions.queue_defined_at(&QueueId(queue), at));
    defined.map_or_else(AfterCallPolicy::default, |queue| AfterCallPolicy {
        end: queue.after_call_end,
        timer: queue.after_call_timer,
        on_contact: queue.after_call_on_contact,
    })
}
