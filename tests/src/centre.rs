//! A little centre of real clients: softphones and an exchange that stream through their spools, and a note of every fact
//! that they recorded.
//!
//! Not for figures: nobody waits in a queue here. Invariant: what a client recorded is noted under the seq that its spool
//! gave it, once.

use std::{
    collections::HashMap,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use pegcount_client::{Exchange, LegHandle, Softphone, SourceConfig, SpoolDurability, Start, Status, Token};
use pegcount_domain::{
    envelope::SourceSeq,
    event::{Channel, Direction, LegRef, Party, QueueExit},
    ids::{AgentId, ContactId, LegId, Name, QueueId, SiteId, VisitId},
};
use tokio::{sync::watch, task::JoinHandle};

use crate::server::Server;

/// Beyond this a writer waits for the server: the spools must not grow faster than the log.
const PENDING_MAX: u64 = 400;
const EXCHANGE: &str = "exchange";
const SITE: &str = "main";

/// What was recorded, or what a log holds: by source and seq the event's type and the contact that it is about, if any.
pub type Facts = HashMap<(String, u64), (&'static str, String)>;

/// The clients at work.
pub struct Centre {
    floor: Arc<Floor>,
    shifts: Vec<JoinHandle<Softphone>>,
    statuses: HashMap<String, watch::Receiver<Status>>,
}

/// What the shifts share.
struct Floor {
    recorded: Mutex<Facts>,
    exchange: Exchange,
    stop: AtomicBool,
}

impl Centre {
    /// Opens the exchange and so many softphones, with their spools in `dir`, and lets them take calls.
    pub fn open(server: &Server, dir: &Path, phones: usize) -> Self {
        let config = |source: &str| {
            let (token, site) = (Token::new(server.token()), SiteId(Name::fixed(SITE)));
            let config = SourceConfig::new(server.url(), token, site, source, dir).expect("a good address");
            SourceConfig { durability: SpoolDurability::ProcessCrash, ..config }
        };
        let exchange = Exchange::open(config(EXCHANGE)).expect("the exchange's spool opens");
        let mut statuses = HashMap::from([(EXCHANGE.to_owned(), exchange.source().status())]);
        let floor = Arc::new(Floor { recorded: Mutex::default(), exchange, stop: AtomicBool::new(false) });
        let mut shifts = Vec::new();
        for number in 0..phones {
            let phone = Softphone::open(config(&phone_name(number)), agent(number)).expect("a spool opens");
            statuses.insert(phone_name(number), phone.source().status());
            shifts.push(tokio::spawn(Arc::clone(&floor).shift(phone, number)));
        }
        Self { floor, shifts, statuses }
    }

    /// What each source has been told is durable: its seq, 0 for nothing.
    pub fn acknowledged(&self) -> HashMap<String, u64> {
        let seq = |status: &watch::Receiver<Status>| acknowledged(&status.borrow());
        self.statuses.iter().map(|(source, status)| (source.clone(), seq(status))).collect()
    }

    /// Waits until the exchange has been told that so many more of its facts are durable.
    pub async fn acknowledges_more(&self, facts: u64) {
        let mut status = self.statuses[EXCHANGE].clone();
        let until = acknowledged(&status.borrow()) + facts;
        status.wait_for(|status| acknowledged(status) >= until).await.expect("the exchange lives");
    }

    /// What was recorded so far, handed to `look`; nothing is recorded meanwhile.
    pub fn recorded<T>(&self, look: impl FnOnce(&Facts) -> T) -> T {
        look(&self.floor.recorded.lock().expect("nobody panics with it"))
    }

    /// Everybody finishes the call and goes home; waits until all is acknowledged. Gives all that was recorded.
    pub async fn closes(self) -> Facts {
        self.floor.stop.store(true, Ordering::Relaxed);
        for shift in self.shifts {
            let phone = shift.await.expect("a shift ends well");
            phone.source().flush().await.expect("all of it is taken");
            phone.close().await;
        }
        self.floor.exchange.source().flush().await.expect("all of it is taken");
        std::mem::take(&mut self.floor.recorded.lock().expect("nobody panics with it"))
    }
}

impl Floor {
    fn note(&self, source: &str, stored: SourceSeq, event_type: &'static str, contact: &str) {
        let mut recorded = self.recorded.lock().expect("nobody panics with it");
        let before = recorded.insert((source.into(), stored.seq), (event_type, contact.into()));
        assert_eq!(before, None, "{source} gave seq {} twice", stored.seq);
    }

    /// One agent takes calls until told to stop.
    async fn shift(self: Arc<Self>, phone: Softphone, number: usize) -> Softphone {
        let me = phone_name(number);
        self.note(&me, phone.sign_in().expect("spooled"), "agent.signed_in", "");
        self.note(&me, phone.ready().expect("spooled"), "agent.ready", "");
        let mut phones = phone.source().status();
        let mut exchanges = self.exchange.source().status();
        let mut call = 0;
        while !self.stop.load(Ordering::Relaxed) {
            call += 1;
            self.call(&phone, number, &format!("call-{number}-{call}"));
            phones.wait_for(|status| status.pending < PENDING_MAX).await.expect("the phone lives");
            exchanges.wait_for(|status| status.pending < PENDING_MAX).await.expect("the exchange lives");
        }
        self.note(&me, phone.sign_out().expect("spooled"), "agent.signed_out", "");
        phone
    }

    fn call(&self, phone: &Softphone, number: usize, text: &str) {
        let me = phone_name(number);
        let contact = ContactId::new(text).expect("a name");
        let (visit, queue) = (VisitId(Name::fixed("1")), QueueId(Name::fixed("support")));
        let at_exchange = |stored, event_type| self.note(EXCHANGE, stored, event_type, text);
        let at_phone = |stored, event_type| self.note(&me, stored, event_type, text);
        let exchange = &self.exchange;
        let leg: LegHandle<'_> = phone.leg(LegRef {
            contact: contact.clone(),
            leg: LegId(Name::fixed("1")),
            agent: Some(agent(number)),
            visit: Some(visit.clone()),
            queue: Some(queue.clone()),
            channel: Some(Channel::Voice),
            direction: Some(Direction::Inbound),
        });
        at_exchange(exchange.started(&contact, &inbound()).expect("spooled"), "contact.started");
        let entered = exchange.queue_entered(&contact, &visit, &queue).expect("spooled");
        at_exchange(entered, "contact.queue_entered");
        at_phone(leg.ringing().expect("spooled"), "leg.ringing");
        let left = exchange.queue_left(&contact, &visit, QueueExit::Answered, true).expect("spooled");
        at_exchange(left, "contact.queue_left");
        at_phone(leg.answered().expect("spooled"), "leg.answered");
        at_phone(leg.ended_with_after_call(Party::Customer).expect("spooled"), "leg.ended");
        let ended = exchange.ended(&contact, Party::Customer, false).expect("spooled");
        at_exchange(ended, "contact.ended");
        at_phone(leg.after_call_ended().expect("spooled"), "leg.after_call_ended");
    }
}

fn phone_name(number: usize) -> String {
    format!("phone-{number}")
}

fn agent(number: usize) -> AgentId {
    AgentId::new(&format!("agent-{number}")).expect("a name")
}

fn acknowledged(status: &Status) -> u64 {
    status.acknowledged.map_or(0, |seq| seq.seq)
}

fn inbound() -> Start {
    Start {
        channel: Channel::Voice,
        direction: Direction::Inbound,
        entry: None,
        caller: None,
        journey: None,
        callback: false,
        priority: 0,
    }
}
