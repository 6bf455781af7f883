//! A request's id: the caller's own (`x-request-id`) or a new one, from the header through every log line to the
//! position of what was written.

use std::{
    fmt,
    sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering},
    },
};

use tonic::codegen::http::{HeaderMap, HeaderValue};

/// The header that carries it, both ways.
pub(crate) const HEADER: &str = "x-request-id";
/// A longer one is replaced.
const BYTES_MAX: usize = 64;

/// A request's id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RequestId(String);

impl RequestId {
    /// The caller's id if it is short and plain, else a new one.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let given = headers.get(HEADER).and_then(|value| value.to_str().ok());
        let plain = |text: &&str| {
            (1..=BYTES_MAX).contains(&text.len())
                && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte))
        };
        Self(given.filter(plain).map_or_else(new, str::to_owned))
    }

    /// For the answer. No other answer has the same, so it is told to HTTP/2 not to remember it: each would push out
    /// of the connection's table what all answers have in common.
    pub(crate) fn header_value(&self) -> Option<HeaderValue> {
        let mut value = HeaderValue::from_str(&self.0).ok()?;
        value.set_sensitive(true);
        Some(value)
    }
}

/// An id that no other has: a random number of this process, and how many there were before. Random bits for each would
/// be a system call for each.
fn new() -> String {
    static PROCESS: OnceLock<u64> = OnceLock::new();
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let process = PROCESS.get_or_init(|| uuid::Uuid::new_v4().as_u64_pair().0);
    format!("{process:016x}{:016x}", COUNT.fetch_add(1, Ordering::Relaxed))
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id_for(given: &'static str) -> String {
        let mut headers = HeaderMap::new();
        headers.insert(HEADER, HeaderValue::from_static(given));
        RequestId::of(&headers).to_string()
    }

    #[test]
    fn a_plain_id_is_kept_and_another_replaced() {
        assert_eq!(id_for("call-7.a"), "call-7.a");
        assert_ne!(id_for("bad id {}"), "bad id {}");
        assert_eq!(RequestId::of(&HeaderMap::new()).to_string().len(), 32);
        assert_ne!(RequestId::of(&HeaderMap::new()), RequestId::of(&HeaderMap::new()));
    }

    #[test]
    fn an_id_takes_no_place_in_the_connections_table_of_headers() {
        assert!(RequestId::of(&HeaderMap::new()).header_value().unwrap().is_sensitive());
    }
}
