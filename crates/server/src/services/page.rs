//! Page tokens: opaque to who holds one, checked whole by who gave it.
//!
//! A token says of which log and of which question it is, and then whatever its service needs to go on.
//!
//! Invariant: a token of another incarnation, or of another question, gives an error and never a page.

use std::fmt::Debug;

use pegcount_domain::ids::{Incarnation, Key};
use tonic::Status;

use crate::status;

/// Incarnation and question.
const HEAD_BYTES: usize = 16 + 16;

/// What a token is tied to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ties {
    incarnation: Incarnation,
    question: Key,
}

impl Ties {
    /// `question` is the request without its page token and size.
    pub(super) fn new(incarnation: Incarnation, question: &impl Debug) -> Self {
        Self { incarnation, question: Key::of(&format!("{question:?}"), 0) }
    }

    /// A token that says `rest`.
    pub(super) fn token(&self, rest: &[u8]) -> bytes::Bytes {
        let mut token = Vec::with_capacity(HEAD_BYTES + rest.len());
        token.extend_from_slice(&self.incarnation.0.to_be_bytes());
        token.extend_from_slice(&self.question.0.to_be_bytes());
        token.extend_from_slice(rest);
        token.into()
    }

    /// What a token says, if it is tied to the same.
    pub(super) fn rest<'t>(&self, token: &'t [u8]) -> Result<&'t [u8], Status> {
        let (incarnation, rest) = token.split_first_chunk::<16>().ok_or_else(|| malformed(token))?;
        let (question, rest) = rest.split_first_chunk::<16>().ok_or_else(|| malformed(token))?;
        if u128::from_be_bytes(*incarnation) != self.incarnation.0 {
            let message = "the page token is of another incarnation of this log, which was restored since: begin with the first page";
            return Err(status::precondition("INCARNATION", "page_token", message.to_owned()));
        }
        if u128::from_be_bytes(*question) != self.question.0 {
            let reason =
                "is of another question; ask the same as for the page before, or begin without a token";
            return Err(status::invalid("page_token", reason));
        }
        Ok(rest)
    }
}

/// A token that nobody here has made.
pub(super) fn malformed(token: &[u8]) -> Status {
    let reason = format!("has {} bytes; give the one of the page before, as it was", token.len());
    status::invalid("page_token", reason)
}

/// How many things a page holds: as asked, the usual number for 0, and never more than the limit.
pub(super) fn size(asked: u32, usual: usize, limit: usize) -> usize {
    match usize::try_from(asked) {
        Ok(0) => usual,
        Ok(asked) => asked.min(limit),
        Err(_) => limit,
    }
}

#[cfg(test)]
mod tests {
    use tonic::Code;

    use super::*;

    #[test]
    fn a_token_goes_with_its_log_and_its_question_only() {
        let ties = Ties::new(Incarnation(9), &"how many");
        let token = ties.token(b"from 7");
        assert_eq!(ties.rest(&token).unwrap(), b"from 7");
        let restored = Ties::new(Incarnation(8), &"how many").rest(&token).unwrap_err();
        assert_eq!(restored.code(), Code::FailedPrecondition);
        let other = Ties::new(Incarnation(9), &"how long").rest(&token).unwrap_err();
        assert!(other.message().contains("is of another question"), "{other}");
        assert_eq!(
            ties.rest(b"short").unwrap_err().message(),
            "page_token has 5 bytes; give the one of the page before, as it was"
        );
    }

    #[test]
    fn a_page_has_the_usual_size_unless_another_is_asked_for_within_the_limit() {
        assert_eq!([0, 7, 900].map(|asked| size(asked, 100, 500)), [100, 7, 500]);
    }
}
