//! The one list of what is fuzzed: every decoder of bytes that a disk or a client may have changed, or that
//! another system has written.
//!
//! The targets in `fuzz/` run one of them each for as long as one likes; `tests/bounded.rs` runs all of them for a moment
//! with every `cargo test`. Invariant: both work through the same list.

mod tickets;

use pegcount_log::fuzzing::{self as log, Decoder};
use pegcount_proto::fuzzing as proto;
use pegcount_server::fuzzing as server;

/// All decoders.
pub fn decoders() -> Vec<Decoder> {
    let mut all = log::decoders();
    all.extend([
        Decoder {
            name: "stored_payload",
            samples: proto::stored_payload_samples,
            read: proto::stored_payload,
            checksummed: false,
        },
        Decoder { name: "fact", samples: proto::fact_samples, read: proto::fact, checksummed: false },
        Decoder {
            name: "dump_item",
            samples: proto::dump_item_samples,
            read: proto::dump_item,
            checksummed: false,
        },
        Decoder {
            name: "timeline_token",
            samples: server::timeline_token_samples,
            read: server::timeline_token,
            checksummed: false,
        },
    ]);
    all.extend(tickets::decoders());
    all
}

/// Feeds `bytes` to the decoder of this name.
///
/// # Panics
///
/// If a rule was broken, or there is no such decoder: that is how a fuzzer is told.
#[allow(clippy::panic, reason = "a fuzzer looks for panics")]
pub fn run(name: &str, bytes: &[u8]) {
    let decoder = decoders().into_iter().find(|decoder| decoder.name == name);
    let outcome = decoder.map(|decoder| (decoder.read)(bytes));
    match outcome {
        Some(Ok(_)) => {}
        Some(Err(broken)) => panic!("{name}: {broken}"),
        None => panic!("there is no decoder {name}"),
    }
}
