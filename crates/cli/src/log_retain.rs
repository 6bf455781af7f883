//! `pegcount log retain`: the oldest history goes, its figures stay.
//!
//! Invariant: a server and a folder do the same, and say it in the same words.

use std::fmt::Write as _;

use jiff::tz::TimeZone;
use pegcount_domain::time::Micros;
use pegcount_engine::Retention;
use pegcount_proto::v1::{DropHistoryRequest, DropHistoryResponse};
use pegcount_server::wire;

use crate::{
    args::{RetainArgs, Size},
    error::CliError,
    output,
    target::{Missing, Target},
    when,
};

/// Drops, or says what would go.
pub(crate) async fn run(args: &RetainArgs) -> Result<(), CliError> {
    let done = match Target::open(&args.target, Missing::Refuse).await? {
        Target::Server(api) => {
            let request = DropHistoryRequest {
                keep_days: args.keep_days.unwrap_or_default(),
                keep_bytes: args.keep_size.map(|size| size.0).unwrap_or_default(),
                only_tell: args.only_tell,
            };
            api.log().drop_history(request).await?.into_inner()
        }
        Target::Folder(engine) => {
            let done = engine.retain(retention(args.keep_days, args.keep_size), args.only_tell).await;
            engine.close().await?;
            wire::dropped(&done?)
        }
    };
    output::line(told(&done, args.only_tell))
}

/// What the arguments say is to be kept.
pub(crate) fn retention(keep_days: Option<u32>, keep_size: Option<Size>) -> Retention {
    Retention { age: keep_days.map(Retention::days), bytes: keep_size.map(|size| size.0) }
}

fn told(done: &DropHistoryResponse, only_tell: bool) -> String {
    let DropHistoryResponse { first_position, events, bytes, segments, .. } = done;
    let Some(closed_before) = done.closed_before_us else {
        return "nothing goes: whole segments go, and only those whose last event is older than 40 days and \
                than what is to be kept"
            .to_owned();
    };
    let closed_before = when::rfc3339(Micros(closed_before), &TimeZone::UTC);
    let (gone, closed) = if only_tell { ("would go", "would be closed") } else { ("have gone", "is closed") };
    let mut told = format!(
        "{events} events in {segments} segments {gone}, {bytes} bytes; the log begins at {first_position}, and history \
         before {closed_before} {closed}"
    );
    if !done.left_behind.is_empty() {
        let names = done.left_behind.join(", ");
        let reads = if only_tell { "has not read" } else { "had not read" };
        // Writing to a string cannot fail.
        let _ = write!(told, "\nconsumers of which each {reads} all of it: {names}");
    }
    told
}
