//! What an error of the server means for the source.
//!
//! Invariant: a code that may be a passing trouble never stops a source for good.

use std::time::Duration;

use tonic::{Code, Status};
use tonic_types::StatusExt;

use crate::status::Stopped;

/// How a connection ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The source was closed.
    Closed,
    /// No use in trying again.
    Stopped(Stopped),
    /// Try again.
    Again {
        /// What went wrong.
        cause: String,
        /// Not before this has passed.
        after: Option<Duration>,
        /// With smaller batches.
        smaller: bool,
    },
}

impl Verdict {
    pub(super) fn again(cause: impl Into<String>) -> Self {
        Self::Again { cause: cause.into(), after: None, smaller: false }
    }

    /// By the contract's codes (`IngestService.StreamFacts`).
    pub(super) fn of(status: &Status) -> Self {
        let said = status.message().to_owned();
        match status.code() {
            Code::Aborted => Self::Stopped(Stopped::Fenced(said)),
            Code::Unauthenticated | Code::PermissionDenied => Self::Stopped(Stopped::Denied(said)),
            Code::AlreadyExists => Self::Stopped(Stopped::Conflict(said)),
            Code::InvalidArgument | Code::Unimplemented => Self::Stopped(Stopped::Rejected(said)),
            code => {
                let after = status.get_details_retry_info().and_then(|info| info.retry_delay);
                // tonic's own limit on a message says OUT_OF_RANGE.
                let over_limit = matches!(code, Code::ResourceExhausted | Code::OutOfRange);
                let smaller = over_limit && after.is_none();
                Self::Again { cause: format!("{code:?}: {said}"), after, smaller }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use tonic_types::ErrorDetails;

    use super::*;

    #[test]
    fn a_newer_connection_and_a_bad_token_stop_the_source() {
        let fenced = Verdict::of(&Status::aborted("x"));
        assert_eq!(fenced, Verdict::Stopped(Stopped::Fenced("x".into())));
        let denied = Verdict::of(&Status::permission_denied("y"));
        assert_eq!(denied, Verdict::Stopped(Stopped::Denied("y".into())));
    }

    #[test]
    fn an_overloaded_server_says_when_to_come_back() {
        let details = ErrorDetails::with_retry_info(Some(Duration::from_secs(3)));
        let status = Status::with_error_details(Code::ResourceExhausted, "busy", details);
        let Verdict::Again { after, smaller, .. } = Verdict::of(&status) else { panic!("it passes") };
        assert_eq!((after, smaller), (Some(Duration::from_secs(3)), false));
    }

    #[test]
    fn a_batch_over_the_limit_is_tried_again_smaller() {
        let Verdict::Again { smaller, .. } = Verdict::of(&Status::resource_exhausted("batch")) else {
            panic!("it passes")
        };
        assert!(smaller);
    }
}
