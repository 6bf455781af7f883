//! A request's id: the caller's own (`x-request-id`) or a new one, from the header through every log line to the
//! position of what was written.

use std::fmt;

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
        Self(given.filter(plain).map_or_else(|| uuid::Uuid::new_v4().simple().to_string(), str::to_owned))
    }

    /// For the answer.
    pub(crate) fn header_value(&self) -> Option<HeaderValue> {
        HeaderValue::from_str(&self.0).ok()
    }
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
    }
}
