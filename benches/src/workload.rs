//! Calls as facts: what one call makes an exchange and a softphone say, ten facts in all.

use pegcount_proto::v1::{
    self, AgentFact, ContactFact, Fact, Leg, LegEnded, Nothing, agent_fact, contact_fact, fact, leg,
};

/// Facts of one source, in order, without end.
#[derive(Debug)]
pub struct Calls {
    client: usize,
    /// Tells this run's contacts from those of another run on the same log.
    run: i64,
    agents: usize,
    call: u64,
    seq: u64,
    now_us: i64,
    ready: std::vec::IntoIter<fact::Fact>,
}

/// The queues that calls come through.
pub const QUEUES: [&str; 4] = ["service", "sales", "repairs", "billing"];

impl Calls {
    /// The facts of client number `client`, whose calls go to `agents` agents, as they happen.
    pub fn new(client: usize, agents: usize) -> Self {
        let run = pegcount_clock::system_now().0 / 1_000 % 1_000_000;
        let mut calls =
            Self { client, run, agents, call: 0, seq: 0, now_us: 0, ready: Vec::new().into_iter() };
        let mut first = Vec::new();
        for agent in 0..agents {
            first.extend(sign_in(&calls.agent_name(agent)));
        }
        calls.ready = first.into_iter();
        calls
    }

    /// The next `count` facts.
    pub fn batch(&mut self, count: usize) -> Vec<Fact> {
        (0..count).map(|_| self.next_fact()).collect()
    }

    fn next_fact(&mut self) -> Fact {
        let Some(fact) = self.ready.next() else {
            self.ready = self.next_call().into_iter();
            return self.next_fact();
        };
        self.seq += 1;
        // Stamped as a live source does it: by the clock, never the same instant twice.
        self.now_us = pegcount_clock::system_now().0.max(self.now_us + 1);
        Fact { seq: self.seq, source_time_us: self.now_us, fact: Some(fact) }
    }

    fn agent_name(&self, agent: usize) -> String {
        format!("agent-{}-{agent:03}", self.client)
    }

    fn next_call(&mut self) -> Vec<fact::Fact> {
        self.call += 1;
        let contact = format!("c{}-{}-{}", self.client, self.run, self.call);
        let agent = usize::try_from(self.call).unwrap_or(0) % self.agents;
        let turn = usize::try_from(self.call / 7).unwrap_or(0);
        call(&contact, &self.agent_name(agent), QUEUES.get(turn % QUEUES.len()).copied().unwrap_or_default())
    }
}

/// What an agent says when its shift begins.
pub fn sign_in(agent: &str) -> Vec<fact::Fact> {
    vec![
        of_agent(agent, agent_fact::Action::SignedIn(Nothing {})),
        of_agent(agent, agent_fact::Action::Ready(Nothing {})),
    ]
}

/// One answered call.
pub fn call(contact: &str, agent: &str, queue: &str) -> Vec<fact::Fact> {
    let of_contact =
        |action| fact::Fact::Contact(ContactFact { contact: contact.to_owned(), action: Some(action) });
    let step = |step, queue: &str| {
        let leg = Leg {
            contact: contact.to_owned(),
            leg: "1".to_owned(),
            queue: queue.to_owned(),
            channel: if queue.is_empty() { 0 } else { v1::Channel::Voice.into() },
            direction: if queue.is_empty() { 0 } else { v1::Direction::Inbound.into() },
            step: Some(step),
            ..Leg::default()
        };
        of_agent(agent, agent_fact::Action::Leg(leg))
    };
    let started = v1::ContactStarted {
        channel: v1::Channel::Voice.into(),
        direction: v1::Direction::Inbound.into(),
        entry: "4001".to_owned(),
        ..Default::default()
    };
    let entered = v1::QueueEntered { visit: "1".to_owned(), queue: queue.to_owned(), priority: 0 };
    let left = v1::QueueLeft { visit: "1".to_owned(), exit: v1::QueueExit::Answered.into(), ringing: false };
    let ended = LegEnded { by: v1::Party::Customer.into(), after_call_expected: true };
    vec![
        of_contact(contact_fact::Action::Started(started)),
        of_contact(contact_fact::Action::QueueEntered(entered)),
        step(leg::Step::Ringing(Nothing {}), queue),
        step(leg::Step::Answered(Nothing {}), ""),
        of_contact(contact_fact::Action::QueueLeft(left)),
        step(leg::Step::Held(Nothing {}), ""),
        step(leg::Step::Retrieved(Nothing {}), ""),
        step(leg::Step::Ended(ended), ""),
        of_contact(contact_fact::Action::Ended(v1::ContactEnded { by: 2, self_served: false })),
        step(leg::Step::AfterCallEnded(Nothing {}), ""),
    ]
}

fn of_agent(agent: &str, action: agent_fact::Action) -> fact::Fact {
    fact::Fact::Agent(AgentFact { agent: agent.to_owned(), action: Some(action) })
}
