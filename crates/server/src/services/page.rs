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

    /// What a token says, if it is tied to the same; none without a token. `read` gives none for what nobody here wrote.
    pub(super) fn place<P>(
        &self,
        token: &[u8],
        read: impl FnOnce(&[u8]) -> Option<P>,
    ) -> Result<Option<P>, Status> {
        if token.is_empty() {
            return Ok(None);
        }
        read(self.rest(token)?).map(Some).ok_or_else(|| malformed(token))
    }

    fn rest<'t>(&self, token: &'t [u8]) -> Result<&'t [u8], Status> {
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
fn malformed(token: &[u8]) -> Status {
    let reason = format!("has {} bytes; give the one of the page before, as it was", token.len());
    status::invalid("page_token", reason)
}

/// Of a list in the order of `place` what comes after a place, up to `limit`; and the last place of that, if more follows.
pub(super) fn cut<T, P: PartialOrd>(
    list: &[T],
    after: Option<P>,
    limit: usize,
    place: impl Fn(&T) -> P,
) -> (Vec<&T>, Option<P>) {
    let first = after.map_or(0, |after| list.partition_point(|one| place(one) <= after));
    let mut left = list.iter().skip(first);
    let page: Vec<&T> = left.by_ref().take(limit).collect();
    let end = page.last().copied().filter(|_| left.next().is_some()).map(place);
    (page, end)
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
    fn pages_hold_all_of_a_list_once_and_the_last_one_says_no_place() {
        let list = [1, 3, 5];
        assert_eq!(cut(&list, None, 2, |one| *one), (vec![&1, &3], Some(3)));
        assert_eq!(cut(&list, Some(3), 2, |one| *one), (vec![&5], None));
        assert_eq!(cut(&list, None, 3, |one| *one).1, None);
    }

    #[test]
    fn a_page_has_the_usual_size_unless_another_is_asked_for_within_the_limit() {
        assert_eq!([0, 7, 900].map(|asked| size(asked, 100, 500)), [100, 7, 500]);
    }
}
