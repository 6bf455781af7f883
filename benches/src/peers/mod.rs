//! The databases that Pegcount is compared with. Each is a process of its own on loopback, with its data in a folder
//! beside Pegcount's and with the settings by which it promises to survive power loss.
//!
//! Not for installing them: `benches/peers/install.sh` does. Invariant: a peer that is not there is named as missing.

pub mod jetstream;
pub mod postgres;
pub mod process;
pub mod umadb;

use std::collections::HashMap;

use pegcount_proto::v1::{Fact, contact_fact::Action, fact};
use prost::Message;

use crate::workload::Calls;

/// What to say of a peer that is not there.
pub const NOT_INSTALLED: &str = "not installed; run benches/peers/install.sh";

/// One event as a general store takes it: the fact's own protobuf, and where it belongs.
#[derive(Clone, Debug)]
pub struct Stored {
    /// Its stream.
    pub stream: String,
    /// Its place in the stream, from 1.
    pub version: i64,
    /// What kind of fact it is.
    pub event_type: &'static str,
    /// When it happened, microseconds UTC.
    pub occurred_at: i64,
    /// The fact, encoded.
    pub payload: Vec<u8>,
}

/// The same facts that Pegcount's clients send, for a general store.
#[derive(Debug)]
pub struct StoredCalls {
    calls: Calls,
    versions: HashMap<String, i64>,
}

impl StoredCalls {
    /// The facts of client `client`, whose calls go to `agents` agents.
    pub fn new(client: usize, agents: usize) -> Self {
        Self { calls: Calls::new(client, agents), versions: HashMap::new() }
    }

    /// The next `count` events.
    pub fn batch(&mut self, count: usize) -> Vec<Stored> {
        let facts = self.calls.batch(count);
        facts.into_iter().map(|fact| self.stored(&fact)).collect()
    }

    fn stored(&mut self, fact: &Fact) -> Stored {
        let (stream, event_type, over) = match &fact.fact {
            Some(fact::Fact::Agent(of)) => (format!("agent.{}", of.agent), "agent", false),
            Some(fact::Fact::Contact(of)) => {
                let over = matches!(of.action, Some(Action::Ended(_)));
                (format!("contact.{}", of.contact), "contact", over)
            }
            None => (String::new(), "", false),
        };
        let version = self.versions.get(&stream).copied().unwrap_or_default() + 1;
        if over {
            self.versions.remove(&stream);
        } else {
            self.versions.insert(stream.clone(), version);
        }
        Stored {
            stream,
            version,
            event_type,
            occurred_at: fact.source_time_us,
            payload: fact.encode_to_vec(),
        }
    }
}
