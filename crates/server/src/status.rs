//! What went wrong, as a gRPC status with `google.rpc` details that a program can act on.
//!
//! Invariant: the code is the one that the contract's comments promise; the message says what, where, which limit,
//! what was found and what to do.

use std::{collections::HashMap, time::Duration};

use pegcount_domain::ticketing::TicketRefusal;
use pegcount_engine::{EngineError, VaultError};
use pegcount_kpi::QueryError;
use pegcount_log::{AppendError, ConsumerError, LogError, limits::CONSUMERS_MAX};
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, PreconditionViolation, StatusExt};

use crate::{
    options::{MESSAGE_BYTES_MAX, SHED_RETRY, SHUTDOWN_RETRY},
    tokens::TokenError,
};

/// The domain of every `ErrorInfo`.
const DOMAIN: &str = "pegcount";

/// A status with an `ErrorInfo` of `reason` and some numbers.
fn informed(code: Code, message: String, reason: &str, facts: &[(&str, String)]) -> Status {
    Status::with_error_details(code, message, info(reason, facts))
}

fn info(reason: &str, facts: &[(&str, String)]) -> ErrorDetails {
    let metadata: HashMap<String, String> =
        facts.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect();
    ErrorDetails::with_error_info(reason, DOMAIN, metadata)
}

/// A field is wrong.
pub(crate) fn invalid(field: &str, reason: impl Into<String>) -> Status {
    let reason = reason.into();
    let message = format!("{field} {reason}");
    let details = ErrorDetails::with_bad_request_violation(field, reason);
    Status::with_error_details(Code::InvalidArgument, message, details)
}

/// The principal may not.
pub(crate) fn denied(reason: &str, message: String) -> Status {
    informed(Code::PermissionDenied, message, reason, &[])
}

/// There is no good token.
pub(crate) fn unauthenticated(error: &TokenError) -> Status {
    let reason = match error {
        TokenError::Missing | TokenError::Scheme => "TOKEN_MISSING",
        TokenError::Expired => "TOKEN_EXPIRED",
        TokenError::Foreign { .. } | TokenError::Claims { .. } => "TOKEN_INVALID",
    };
    informed(Code::Unauthenticated, error.to_string(), reason, &[])
}

/// The token expired while a stream was going on.
pub(crate) fn token_expired() -> Status {
    unauthenticated(&TokenError::Expired)
}

/// Too many calls at once.
pub(crate) fn shed(what: &str, limit: usize) -> Status {
    let message = format!("{limit} {what} are going on, which is the limit; try again in {SHED_RETRY:?}");
    let mut details = info("OVERLOADED", &[("limit", limit.to_string())]);
    details.set_retry_info(Some(SHED_RETRY));
    Status::with_error_details(Code::ResourceExhausted, message, details)
}

/// The server goes down.
pub(crate) fn shutting_down() -> Status {
    let mut details = info("SHUTTING_DOWN", &[]);
    details.set_retry_info(Some(SHUTDOWN_RETRY));
    let message =
        "the server is shutting down; what it acknowledged is safe: connect again and send the rest";
    Status::with_error_details(Code::Unavailable, message, details)
}

/// A call took too long.
pub(crate) fn too_slow(limit: Duration) -> Status {
    let message =
        format!("the call took longer than {limit:?}; what it wrote may be durable: repeat it as it was");
    informed(Code::DeadlineExceeded, message, "CALL_TIMEOUT", &[])
}

/// The state does not allow it.
pub(crate) fn precondition(kind: &str, subject: &str, message: String) -> Status {
    let violation = PreconditionViolation::new(kind, subject, message.clone());
    let details = ErrorDetails::with_precondition_failure(vec![violation]);
    Status::with_error_details(Code::FailedPrecondition, message, details)
}

/// There is no such thing.
pub(crate) fn not_found(what: &str, id: &str) -> Status {
    let message = format!("there is no {what} {id}");
    let details = ErrorDetails::with_resource_info(what, id, "", message.clone());
    Status::with_error_details(Code::NotFound, message, details)
}

/// What tonic says of a message over the limit, with the code that the contract promises; others stay as they are.
pub(crate) fn of_transport(status: Status) -> Status {
    if !is_too_long(status.code(), status.message()) {
        return status;
    }
    let found = status.message().split_whitespace().find_map(|word| word.parse::<usize>().ok());
    let found = found.map_or_else(|| "too many".to_owned(), |bytes| bytes.to_string());
    let message = format!("a message has {found} bytes; the limit is {MESSAGE_BYTES_MAX}: send it in parts");
    let facts = [("found", found), ("limit", MESSAGE_BYTES_MAX.to_string())];
    informed(Code::ResourceExhausted, message, "MESSAGE_TOO_LARGE", &facts)
}

/// Whether this is tonic's way of saying that a message was over the limit.
pub(crate) fn is_too_long(code: Code, message: &str) -> bool {
    code == Code::OutOfRange && message.contains("message length too large")
}

/// Why a ticket's rules refuse a command.
fn of_ticket(ticket: &str, refusal: &TicketRefusal, message: String) -> Status {
    match refusal {
        TicketRefusal::Stale { expected, actual, .. } | TicketRefusal::Ahead { expected, actual } => {
            let (expected, actual) = (expected.0.to_string(), actual.0.to_string());
            let facts = [("ticket", ticket.to_owned()), ("expected", expected), ("actual", actual)];
            informed(Code::Aborted, message, "WRONG_VERSION", &facts)
        }
        TicketRefusal::Other { ticket, refusal } => of_ticket(ticket, refusal, message),
        TicketRefusal::Field { field, reason } => invalid(field, reason.clone()),
        _ => precondition("TICKET", ticket, message),
    }
}

/// The engine's error as a status.
pub(crate) fn of(error: EngineError) -> Status {
    let message = error.to_string();
    match error {
        EngineError::Invalid { field, reason } => invalid(&field, reason),
        EngineError::NotFound { what, id } => not_found(what, &id),
        EngineError::Exists { what, id } => {
            let details = ErrorDetails::with_resource_info(what, id, "", message.clone());
            Status::with_error_details(Code::AlreadyExists, message, details)
        }
        EngineError::Archive { position, .. } => {
            tracing::error!(error = message, "the log's archive cannot be used");
            informed(Code::DataLoss, message, "ARCHIVE_DAMAGED", &[("position", position.to_string())])
        }
        // No call makes one; the reason is that of a file.
        EngineError::Checkpoint(_) => informed(Code::Unavailable, message, "CHECKPOINT", &[]),
        EngineError::Precondition(_) => precondition("STATE", "", message),
        EngineError::Ticket { ticket, refusal } => of_ticket(&ticket, &refusal, message),
        EngineError::SourceTaken { owner, .. } => {
            informed(Code::PermissionDenied, message, "SOURCE_TAKEN", &[("owner", owner.to_string())])
        }
        EngineError::Fenced { .. } => informed(Code::Aborted, message, "FENCED", &[]),
        EngineError::Append(error) => of_append(&error),
        EngineError::Log(error) => of_log(&error),
        EngineError::Consumer(error) => of_consumer(&error),
        EngineError::Vault(error) if error.is_of_the_request() => of_vault(&error),
        EngineError::Vault(_) => {
            tracing::error!(error = message, "the vault cannot be used");
            informed(Code::Unavailable, message, "VAULT", &[])
        }
        EngineError::Decode { position, .. } => {
            informed(Code::DataLoss, message, "UNDECODABLE", &[("position", position.to_string())])
        }
        EngineError::Query(error) => of_query(&error, "column"),
    }
}

/// A query that has no answer; `column` is the field in which the request names columns.
pub(crate) fn of_query(error: &QueryError, column: &'static str) -> Status {
    let message = error.to_string();
    let field = match error {
        QueryError::Unaligned { field: "from", .. } => "from_us",
        QueryError::Unaligned { .. } | QueryError::Empty { .. } | QueryError::TooLong { .. } => "to_us",
        QueryError::Repeated { .. } | QueryError::CutWindow { .. } | QueryError::NoMeanOfDays { .. } => "by",
        QueryError::WrongLength { .. } => "last_us",
        QueryError::NoMeanOfWindow => "mean_of_days",
        QueryError::DaysGone { .. } => {
            return precondition("HISTORY_CLOSED", "efficiency_target_milli", message);
        }
        QueryError::Closed { .. } => return precondition("HISTORY_CLOSED", "as_of_us", message),
        QueryError::EventsGone { .. } => return precondition("HISTORY_CLOSED", "from_us", message),
        QueryError::UnknownFormula { .. } => "formula_version",
        QueryError::NeedsFold { .. } => return precondition("NEEDS_FOLD", "formula_version", message),
        QueryError::UnknownColumn { .. }
        | QueryError::NotExplained { .. }
        | QueryError::MeanNotExplained { .. }
        | QueryError::NotCutBy { .. } => column,
    };
    let details = ErrorDetails::with_bad_request_violation(field, message.clone());
    Status::with_error_details(Code::InvalidArgument, message, details)
}

/// A request that the vault cannot carry out.
fn of_vault(error: &VaultError) -> Status {
    let message = error.to_string();
    match error {
        VaultError::Taken { .. } => informed(Code::AlreadyExists, message, "KNOWN_AS_ANOTHER", &[]),
        VaultError::UnknownCustomer { .. } | VaultError::UnknownReference { .. } => {
            informed(Code::NotFound, message, "NOT_FOUND", &[])
        }
        VaultError::Erased { .. } => precondition("ERASED", "", message),
        _ => invalid("values", message),
    }
}

/// The log's refusal of an append.
fn of_append(error: &AppendError) -> Status {
    let message = error.to_string();
    match error {
        AppendError::WrongVersion { actual, .. } => {
            informed(Code::Aborted, message, "WRONG_VERSION", &[("actual", actual.0.to_string())])
        }
        AppendError::Gap { origin, offered, next } => {
            let mut details = info("GAP", &[("offered", offered.to_string()), ("next", next.to_string())]);
            details.add_precondition_failure_violation("GAP", origin.as_str(), message.clone());
            Status::with_error_details(Code::FailedPrecondition, message, details)
        }
        AppendError::ContentDiffers { seq, .. } => {
            informed(Code::AlreadyExists, message, "CONTENT_DIFFERS", &[("seq", seq.to_string())])
        }
        AppendError::BadSkip { .. } => invalid("skip", message),
        AppendError::SeveralSites { .. } | AppendError::Empty => invalid("batch", message),
        AppendError::TooLarge { unit, actual, limit } => {
            let facts =
                [("unit", (*unit).to_owned()), ("found", actual.to_string()), ("limit", limit.to_string())];
            informed(Code::ResourceExhausted, message, "BATCH_TOO_LARGE", &facts)
        }
        AppendError::Poisoned { .. } => informed(Code::Unavailable, message, "LOG_POISONED", &[]),
        AppendError::Closed => shutting_down(),
        AppendError::ReadOnly => informed(Code::FailedPrecondition, message, "LOG_READ_ONLY", &[]),
    }
}

/// The log's refusal of a named consumer.
fn of_consumer(error: &ConsumerError) -> Status {
    let message = error.to_string();
    match error {
        ConsumerError::Fenced { .. } => informed(Code::Aborted, message, "FENCED", &[]),
        ConsumerError::Deleted { .. } => informed(Code::Aborted, message, "DELETED", &[]),
        ConsumerError::Unknown { name } => not_found("consumer", &name.to_string()),
        ConsumerError::Taken { owner, .. } => {
            informed(Code::PermissionDenied, message, "CONSUMER_TAKEN", &[("owner", owner.to_string())])
        }
        ConsumerError::TooMany { .. } => {
            let facts = [("limit", CONSUMERS_MAX.to_string())];
            informed(Code::ResourceExhausted, message, "TOO_MANY_CONSUMERS", &facts)
        }
        ConsumerError::NotGiven { .. } => {
            let details = ErrorDetails::with_bad_request_violation("confirm.position", message.clone());
            Status::with_error_details(Code::InvalidArgument, message, details)
        }
        ConsumerError::Damaged { .. } => informed(Code::DataLoss, message, "CONSUMERS_DAMAGED", &[]),
        ConsumerError::Closed => shutting_down(),
        ConsumerError::ReadOnly => informed(Code::FailedPrecondition, message, "LOG_READ_ONLY", &[]),
        ConsumerError::Log(error) => of_log(error),
    }
}

/// The log's refusal of a read.
fn of_log(error: &LogError) -> Status {
    let message = error.to_string();
    match error {
        LogError::OutOfRange { next, .. } => {
            informed(Code::OutOfRange, message, "BEYOND_THE_END", &[("next", next.to_string())])
        }
        LogError::Dropped { first, .. } => {
            informed(Code::OutOfRange, message, "DROPPED", &[("first", first.to_string())])
        }
        LogError::DroppedVersion { first, .. } => {
            let first = first.map(|first| ("first_version", first.0.to_string()));
            informed(Code::OutOfRange, message, "DROPPED_VERSION", first.as_slice())
        }
        LogError::ArchiveMisplaced { .. } => informed(Code::FailedPrecondition, message, "ARCHIVE", &[]),
        LogError::Damaged { position, .. } => {
            tracing::error!(error = message, "the log is damaged");
            informed(Code::DataLoss, message, "LOG_DAMAGED", &[("position", position.to_string())])
        }
        LogError::Io { .. } | LogError::Locked { .. } | LogError::NewerFormat { .. } => {
            tracing::error!(error = message, "the log cannot be read");
            informed(Code::Unavailable, message, "LOG", &[])
        }
    }
}

#[cfg(test)]
mod tests {
    use pegcount_domain::ids::Name;
    use tonic_types::StatusExt;

    use super::*;

    #[test]
    fn a_gap_says_which_seq_comes_next() {
        let gap = AppendError::Gap { origin: Name::fixed("phone"), offered: 7, next: 4 };
        let status = of(EngineError::Append(gap));
        assert_eq!(status.code(), Code::FailedPrecondition);
        let details = status.get_error_details();
        assert_eq!(details.error_info().unwrap().metadata["next"], "4");
        assert_eq!(details.precondition_failure().unwrap().violations[0].subject, "phone");
    }

    #[test]
    fn a_wrong_field_is_named_in_the_details() {
        let status = invalid("source.epoch", "has 3 bytes; a UUID has 16");
        let details = status.get_error_details();
        assert_eq!(details.bad_request().unwrap().field_violations[0].field, "source.epoch");
        assert_eq!(status.message(), "source.epoch has 3 bytes; a UUID has 16");
    }

    #[test]
    fn an_unknown_column_is_told_under_the_field_that_the_request_has() {
        let unknown = QueryError::UnknownColumn { column: "happiness".into() };
        for (status, field) in [
            (of_query(&unknown, "columns"), "columns"),
            (of(EngineError::Query(QueryError::UnknownColumn { column: "happiness".into() })), "column"),
        ] {
            let details = status.get_error_details();
            assert_eq!(details.bad_request().unwrap().field_violations[0].field, field);
        }
    }

    #[test]
    fn who_is_shed_is_told_when_to_try_again() {
        let details = shed("calls", 5).get_error_details();
        assert_eq!(details.retry_info().unwrap().retry_delay, Some(SHED_RETRY));
    }

    #[test]
    fn a_message_over_the_limit_is_told_both_numbers() {
        let words =
            "Error, decoded message length too large: found 2097152 bytes, the limit is: 1048576 bytes";
        let status = of_transport(Status::out_of_range(words));
        assert_eq!(status.code(), Code::ResourceExhausted);
        assert!(status.message().contains("has 2097152 bytes; the limit is 1048576"), "{}", status.message());
    }
}
