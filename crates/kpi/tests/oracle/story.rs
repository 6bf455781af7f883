//! Random histories from a seed: agents, calls in several queues, two reporters, late and missing and repeated and
//! impossible facts, corrections, tickets, definitions that change.

use pegcount_domain::{
    envelope::{Position, Recorded, SourceSeq, StreamKind, StreamName},
    event::{
        AfterCallEnd, AfterCallOnContact, AgentDefinition, Channel, Direction, Event, Intent, LegRef,
        LegStep, Party, QueueDefinition, QueueExit, TransferKind,
    },
    ids::{
        AgentId, ContactId, CustomerId, EntryId, Epoch, Key, LegId, PhoneKey, QueueId, ReasonCode, TeamId,
        TicketKind, TopicId, VisitId, WrapUpCode,
    },
    time::Micros,
};

use super::super::support::key;

/// `SplitMix64`: the same story for the same seed, everywhere.
#[derive(Clone, Debug)]
pub struct Dice(pub u64);

impl Dice {
    pub fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// In `[0, n)`.
    pub fn below(&mut self, n: i64) -> i64 {
        i64::try_from(self.roll() % u64::try_from(n).unwrap()).unwrap()
    }

    pub fn chance(&mut self, percent: i64) -> bool {
        self.below(100) < percent
    }

    pub fn pick<T: Clone>(&mut self, list: &[T]) -> T {
        list[usize::try_from(self.below(i64::try_from(list.len()).unwrap())).unwrap()].clone()
    }
}

/// How events arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrival {
    InOrder,
    ALittleLate,
    Anyhow,
}

#[derive(Clone, Debug)]
struct Draft {
    site: &'static str,
    kind: StreamKind,
    id: String,
    at: i64,
    event: Event<Key>,
}

/// Everything that names may be.
pub fn words() -> Vec<String> {
    let mut words: Vec<String> =
        ["north", "south", "meal", "rest", "all", "hotline", "web form"].map(str::to_owned).to_vec();
    for index in 0..12 {
        for kind in ["agent", "queue", "team", "c", "customer", "topic"] {
            words.push(format!("{kind} {index}"));
        }
    }
    words
}

struct Teller {
    dice: Dice,
    site: &'static str,
    start: i64,
    drafts: Vec<Draft>,
}

const AGENTS: [&str; 3] = ["agent 0", "agent 1", "agent 2"];
const QUEUES: [&str; 3] = ["queue 0", "queue 1", "queue 2"];

/// A history of two sites, `size` contacts each, in the order of arrival.
pub fn tell(seed: u64, size: i64, arrival: Arrival) -> Vec<Recorded> {
    let mut dice = Dice(seed);
    // Around a midnight, a leap day, and both changes of the clocks in Europe.
    let days = [1_772_409_600, 1_774_742_400, 1_792_886_400, 1_709_164_800, 1_835_395_200];
    let start = dice.pick(&days) - 3600 * 2 + dice.below(7200);
    let mut drafts = Vec::new();
    for site in ["north", "south"] {
        let size = if site == "north" { size } else { 2 };
        let mut teller = Teller { dice: Dice(dice.roll()), site, start, drafts: Vec::new() };
        teller.definitions();
        for agent in AGENTS {
            teller.shift(agent);
        }
        for index in 0..size {
            teller.call(index);
        }
        drafts.append(&mut teller.drafts);
    }
    record(drafts, &mut dice, arrival)
}

impl Teller {
    fn put(&mut self, kind: StreamKind, id: &str, at: i64, event: Event<Key>) {
        if self.dice.chance(5) {
            return;
        }
        let draft = Draft { site: self.site, kind, id: id.to_owned(), at, event };
        if self.dice.chance(4) {
            let again = at + self.dice.below(40);
            self.drafts.push(Draft { at: again, ..draft.clone() });
        }
        self.drafts.push(draft);
    }

    fn definitions(&mut self) {
        for queue in QUEUES {
            for from in [0, self.start + self.dice.below(9000)] {
                if self.dice.chance(60) {
                    let definition = self.queue_definition(queue, from);
                    self.put(StreamKind::Definition, "all", self.start, Event::QueueDefined(definition));
                }
            }
        }
        for agent in AGENTS {
            for from in [0, self.start + self.dice.below(9000), self.start + 9000 + self.dice.below(9000)] {
                if self.dice.chance(60) {
                    let team = self.dice.pick(&[Some("team 0"), Some("team 1"), None]);
                    let definition = AgentDefinition {
                        agent: AgentId(key(agent)),
                        team: team.map(|team| TeamId(key(team))),
                        chat_slots: 2,
                        valid_from: Micros::from_secs(from),
                    };
                    self.put(StreamKind::Definition, "all", self.start, Event::AgentDefined(definition));
                }
            }
        }
    }

    fn queue_definition(&mut self, queue: &str, from: i64) -> QueueDefinition<Key> {
        use AfterCallEnd::{ByAgent, ByTimer};
        QueueDefinition {
            threshold: Micros::from_secs(self.dice.pick(&[10, 20, 60])),
            short: Micros::from_secs(self.dice.pick(&[2, 5, 30])),
            rings: Micros::from_secs(self.dice.pick(&[5, 15])),
            after_call_end: self.dice.pick(&[ByAgent, ByTimer, ByTimer, AfterCallEnd::None]),
            after_call_timer: Micros::from_secs(self.dice.pick(&[20, 45])),
            after_call_on_contact: self.dice.pick(&[AfterCallOnContact::Ends, AfterCallOnContact::Suspends]),
            valid_from: Micros::from_secs(from),
            ..QueueDefinition::default_for(QueueId(key(queue)))
        }
    }

    fn shift(&mut self, agent: &str) {
        let mut at = self.start + self.dice.below(1200);
        if self.dice.chance(90) {
            self.put(StreamKind::Agent, agent, at, Event::SignedIn);
        }
        let until = self.start + 4 * 3600;
        while at < until {
            at += 1 + self.dice.below(1500);
            let reason = ReasonCode(key(self.dice.pick(&["meal", "rest"])));
            let event = match self.dice.below(20) {
                0..5 => Event::NotReady { reason },
                11 => Event::KeyPressed { key: PhoneKey(key("mute")) },
                12 => {
                    let last_heard = Micros::from_secs(at - 10);
                    let back = at + self.dice.below(2000);
                    self.put(StreamKind::Agent, agent, back, Event::ConnectionRestored);
                    Event::ConnectionLost { last_heard }
                }
                13 => Event::SignedOut,
                14 | 15 => Event::SignedIn,
                16 => Event::StateSet {
                    intent: self.dice.pick(&[Intent::Ready, Intent::NotReady(reason), Intent::SignedOut]),
                    comment: None,
                },
                17 => Event::NextSet {
                    intent: self.dice.pick(&[Intent::Ready, Intent::NotReady(reason), Intent::SignedOut]),
                    comment: None,
                },
                _ => Event::Ready,
            };
            self.put(StreamKind::Agent, agent, at, event);
        }
        let at = until + self.dice.below(1800);
        self.put(StreamKind::Agent, agent, at, Event::SignedOut);
    }

    fn call(&mut self, index: i64) {
        let contact = format!("c {index}");
        let mut at = self.start + self.dice.below(4 * 3600);
        if self.dice.chance(10) {
            at += 6 * 24 * 3600 + self.dice.below(2 * 24 * 3600);
        }
        self.begin(&contact, index, at);
        let mut last = at;
        let visits = self.dice.pick(&[0, 1, 1, 1, 2]);
        let together = self.dice.chance(40);
        for visit in 0..visits {
            let enter = if together { at + self.dice.below(10) } else { last + self.dice.below(5) };
            last = last.max(self.visit(&contact, visit, enter));
        }
        if visits == 0 && self.dice.chance(50) {
            last = self.leg(&contact, 9, None, "", at);
        }
        if self.dice.chance(30) {
            let code = WrapUpCode(key("done"));
            let topic = self.dice.chance(40).then(|| TopicId(key("topic 0")));
            let resolved = self.dice.pick(&[None, Some(true), Some(false)]);
            self.put(StreamKind::Contact, &contact, last, Event::WrappedUp { code, topic, resolved });
        }
        if self.dice.chance(85) {
            let by = self.dice.pick(&[Some(Party::Customer), Some(Party::Agent), None]);
            let self_served = visits == 0 && self.dice.chance(50);
            self.put(StreamKind::Contact, &contact, last, Event::ContactEnded { by, self_served });
        }
        if self.dice.chance(35) {
            self.ticket(&contact, index, last);
        }
    }

    fn begin(&mut self, contact: &str, index: i64, at: i64) {
        let customer = |dice: &mut Dice| {
            let who = dice.pick(&["customer 0", "customer 1", "customer 2"]);
            dice.chance(70).then(|| CustomerId(key(who)))
        };
        let direction = self.dice.pick(&[
            Direction::Inbound,
            Direction::Inbound,
            Direction::Inbound,
            Direction::Outbound,
        ]);
        let started = Event::ContactStarted {
            channel: self.dice.pick(&[Channel::Voice, Channel::Chat]),
            direction,
            entry: Some(EntryId(key(self.dice.pick(&["hotline", "web form"])))),
            customer: customer(&mut self.dice),
            journey: (index > 0 && self.dice.chance(15)).then(|| ContactId(key(&format!("c {}", index - 1)))),
            callback: self.dice.chance(5),
            priority: 0,
        };
        self.put(StreamKind::Contact, contact, at, started);
        if self.dice.chance(25) {
            let topic = self.dice.chance(50).then(|| TopicId(key(self.dice.pick(&["topic 0", "topic 1"]))));
            let identified = Event::ContactIdentified { customer: customer(&mut self.dice), topic };
            let at = at + self.dice.below(60);
            self.put(StreamKind::Contact, contact, at, identified);
        }
    }

    /// One visit; gives the end of what came of it.
    fn visit(&mut self, contact: &str, index: i64, enter: i64) -> i64 {
        let queue = self.dice.pick(&QUEUES);
        let visit = VisitId(key(&format!("v {index}")));
        let entered = Event::QueueEntered { visit, queue: QueueId(key(queue)), priority: 0 };
        self.put(StreamKind::Contact, contact, enter, entered);
        let mut at = enter + self.dice.pick(&[0, 2, 5, 10, 20, 21, 60, 300, 2000]);
        let exit = self.dice.pick(&[
            QueueExit::Answered,
            QueueExit::Answered,
            QueueExit::Answered,
            QueueExit::Abandoned,
            QueueExit::Abandoned,
            QueueExit::CallbackTaken,
            QueueExit::Overflow,
            QueueExit::Transferred,
            QueueExit::AnsweredElsewhere,
        ]);
        if self.dice.chance(20) {
            at = self.ring_no_answer(contact, visit, queue, at);
        }
        let ringing = self.dice.chance(30);
        self.put(StreamKind::Contact, contact, at, Event::QueueLeft { visit, exit, ringing });
        if exit == QueueExit::Answered { self.leg(contact, index, Some(visit), queue, at) } else { at }
    }

    fn ring_no_answer(&mut self, contact: &str, visit: VisitId<Key>, queue: &str, at: i64) -> i64 {
        let agent = self.dice.pick(&AGENTS);
        let leg = Self::leg_ref(contact, 7, Some(agent), Some(visit), queue);
        let step =
            self.dice.pick(&[LegStep::Missed, LegStep::Rejected, LegStep::CustomerGone, LegStep::Failed]);
        let end = at + 20;
        for (at, step) in [(at, LegStep::Ringing), (end, step)] {
            self.report(agent, contact, at, leg, step, true, false);
        }
        end
    }

    fn leg_ref(
        contact: &str,
        index: i64,
        agent: Option<&str>,
        visit: Option<VisitId<Key>>,
        queue: &str,
    ) -> LegRef<Key> {
        LegRef {
            contact: ContactId(key(contact)),
            leg: LegId(key(&format!("leg {index} {}", agent.unwrap_or("nobody")))),
            agent: agent.map(|agent| AgentId(key(agent))),
            visit,
            queue: (!queue.is_empty()).then(|| QueueId(key(queue))),
            channel: Some(Channel::Voice),
            direction: Some(Direction::Inbound),
        }
    }

    #[allow(clippy::too_many_arguments, reason = "a test's shorthand")]
    fn report(
        &mut self,
        agent: &str,
        contact: &str,
        at: i64,
        leg: LegRef<Key>,
        step: LegStep<Key>,
        phone: bool,
        switch: bool,
    ) {
        if phone && !agent.is_empty() {
            self.put(StreamKind::Agent, agent, at, Event::Leg { leg, step });
        }
        if switch || agent.is_empty() {
            let at = at + self.dice.below(3) - 1;
            self.put(StreamKind::Contact, contact, at, Event::Leg { leg, step });
        }
    }

    /// One leg; gives its end.
    fn leg(&mut self, contact: &str, index: i64, visit: Option<VisitId<Key>>, queue: &str, at: i64) -> i64 {
        let agent = if self.dice.chance(10) { "" } else { self.dice.pick(&AGENTS) };
        let named = (!agent.is_empty()).then_some(agent);
        let visit = visit.filter(|_| self.dice.chance(70));
        let mut leg = Self::leg_ref(contact, index, named, visit, queue);
        let outbound = self.dice.chance(15);
        if outbound {
            leg.direction = Some(Direction::Outbound);
        }
        let (phone, switch) = self.dice.pick(&[(true, false), (false, true), (true, true), (true, true)]);
        if outbound && phone && !agent.is_empty() {
            let assigned = Event::OutboundAssigned { contact: leg.contact, leg: leg.leg };
            let before = at - self.dice.below(3000);
            self.put(StreamKind::Agent, agent, before, assigned);
        }
        let mut steps: Vec<(i64, LegStep<Key>)> = Vec::new();
        let ring = self.dice.pick(&[3, 5, 12, 16, 40]);
        if outbound {
            steps.push((at - ring, LegStep::Dialing));
        } else if self.dice.chance(80) {
            steps.push((at - ring - 1, LegStep::Offered));
            steps.push((at - ring, LegStep::Ringing));
        }
        steps.push((at, LegStep::Answered));
        let mut now = at;
        for _ in 0..self.dice.below(4) {
            now += self.dice.below(400);
            let step = self.dice.pick(&[
                LegStep::Held,
                LegStep::Consulting,
                LegStep::Conferenced,
                LegStep::Interrupted,
                LegStep::Retrieved,
                LegStep::Answered,
                LegStep::Ringing,
                LegStep::AfterCallEnded,
            ]);
            steps.push((now, step));
            if self.dice.chance(70) {
                now += self.dice.below(100);
                steps.push((now, LegStep::Retrieved));
            }
        }
        now += self.dice.pick(&[0, 4, 10, 200, 1500]);
        if self.dice.chance(25) {
            let to_queue = self.dice.chance(50).then(|| QueueId(key(self.dice.pick(&QUEUES))));
            let kind = self.dice.pick(&[TransferKind::Cold, TransferKind::Warm]);
            steps.push((now, LegStep::Transferred { kind, reason: None, to_queue, to_agent: None }));
        }
        let by = self.dice.pick(&[Some(Party::Agent), Some(Party::Customer), None]);
        let work = self.dice.chance(50);
        steps.push((now, LegStep::Ended { by, after_call_expected: work }));
        let end = now;
        if work && self.dice.chance(30) {
            steps.push((now + self.dice.below(3), LegStep::AfterCallStarted));
        }
        if work || self.dice.chance(10) {
            now += self.dice.below(120);
            steps.push((now, LegStep::AfterCallEnded));
        }
        if self.dice.chance(10) {
            now += self.dice.below(1000);
            steps.push((now, LegStep::AfterCallStarted));
            steps.push((now + 30, LegStep::AfterCallEnded));
        }
        for (at, step) in steps {
            self.report(agent, contact, at, leg, step, phone, switch);
        }
        end
    }

    fn ticket(&mut self, contact: &str, index: i64, at: i64) {
        let id = format!("t {index}");
        let agent = Some(AgentId(key(self.dice.pick(&AGENTS))));
        let customer = self.dice.chance(40).then(|| CustomerId(key("customer 0")));
        let opened = Event::TicketOpened {
            contact: self.dice.chance(90).then(|| ContactId(key(contact))),
            customer,
            kind: TicketKind(key("repair")),
            category: None,
            topic: self.dice.chance(50).then(|| TopicId(key("topic 0"))),
            agent,
            queue: Some(QueueId(key("queue 0"))),
        };
        self.put(StreamKind::Ticket, &id, at - 5, opened);
        let reason = None;
        let mut now = at - self.dice.below(4);
        self.put(StreamKind::Ticket, &id, now, Event::TicketResolved { agent, reason });
        if self.dice.chance(40) {
            now += self.dice.below(9 * 24 * 3600);
            self.put(StreamKind::Ticket, &id, now, Event::TicketReopened { agent, reason });
            now += self.dice.below(3600);
            self.put(StreamKind::Ticket, &id, now, Event::TicketResolved { agent, reason });
        }
        self.put(StreamKind::Ticket, &id, now + 60, Event::TicketClosed { agent, reason });
    }
}

/// Times become unique between streams, seqs dense within; then the events arrive.
fn record(mut drafts: Vec<Draft>, dice: &mut Dice, arrival: Arrival) -> Vec<Recorded> {
    drafts.sort_by_key(|draft| draft.at);
    let mut streams: Vec<(&'static str, StreamKind, String, u64)> = Vec::new();
    let mut facts: Vec<(i64, Recorded)> = Vec::new();
    for draft in drafts {
        let found = streams
            .iter()
            .position(|(site, kind, id, _)| *site == draft.site && *kind == draft.kind && *id == draft.id);
        let index = found.unwrap_or_else(|| {
            streams.push((draft.site, draft.kind, draft.id.clone(), 0));
            streams.len() - 1
        });
        streams[index].3 += 1;
        let residue = i64::try_from(index).unwrap() % 1000;
        let at = Micros(draft.at * 1_000_000 + residue);
        let event = match draft.event {
            Event::ConnectionLost { last_heard } => {
                Event::ConnectionLost { last_heard: Micros(last_heard.0 + residue) }
            }
            other => other,
        };
        let delay = match arrival {
            Arrival::InOrder => 0,
            Arrival::ALittleLate => {
                if dice.chance(10) {
                    dice.below(4000)
                } else {
                    dice.below(3)
                }
            }
            Arrival::Anyhow => dice.below(100_000_000),
        };
        let recorded = Recorded {
            position: Position(0),
            stream: StreamName { site: key(draft.site), kind: draft.kind, id: key(&draft.id) },
            occurred_at: at,
            recorded_at: at,
            source: key("source"),
            source_seq: Some(SourceSeq { epoch: Epoch(index as u128 + 1), seq: streams[index].3 }),
            event,
        };
        facts.push((draft.at + delay, recorded));
    }
    facts.sort_by_key(|(arrives, _)| *arrives);
    let mut history: Vec<Recorded> = facts.into_iter().map(|(_, recorded)| recorded).collect();
    correct(&mut history, dice);
    let mut clock = Micros(i64::MIN);
    for (position, recorded) in (1..).zip(&mut history) {
        recorded.position = Position(position);
        clock = clock.max(recorded.occurred_at);
        recorded.recorded_at = clock;
    }
    history
}

/// Some facts are annulled or amended, at the end of the story.
fn correct(history: &mut Vec<Recorded>, dice: &mut Dice) {
    let facts = i64::try_from(history.len()).unwrap();
    for _ in 0..dice.below(6) {
        let target = dice.below(facts);
        let fact = history[usize::try_from(target).unwrap()].clone();
        if matches!(fact.stream.kind, StreamKind::Definition) {
            continue;
        }
        let target = u64::try_from(target + 1).unwrap();
        let reason = key("wrong");
        let event = if dice.chance(50) {
            Event::Annulled { target, reason }
        } else {
            let occurred_at = Micros(fact.occurred_at.0 + (dice.below(1200) - 600) * 1_000_000);
            let event = match fact.event {
                Event::ConnectionLost { .. } => Event::ConnectionLost { last_heard: occurred_at },
                Event::Ready => Event::NotReady { reason: ReasonCode(key("meal")) },
                other => other,
            };
            Event::Amended { target, reason, occurred_at, event: Box::new(event) }
        };
        history.push(Recorded { source_seq: None, event, ..fact });
    }
}
