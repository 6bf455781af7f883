//! `WatchKpi`: updates of a watched query, each encoded once for all who are told the same.
//!
//! The generated service would encode an update for every subscriber; so this call is answered by [`super::encoded`].
//! Invariant: the bytes of an answer are a `KpiUpdate`.

use bytes::Bytes;
use pegcount_engine::{KpiWatch, WatchUpdate};
use pegcount_kpi::live::LiveRow;
use pegcount_proto::v1;
use prost::Message;
use tonic::Status;

use super::{Answers, Room, kpi::query, kpi_table::row_message};
use crate::{
    access::{Action, Caller},
    options::UPDATES_PER_SECOND_MAX,
    status,
    wire::column_messages,
};

/// The call that is answered here.
pub(super) const WATCH_KPI: &str = "/pegcount.v1.KpiService/WatchKpi";

/// The updates of a watch, encoded.
pub(super) fn updates(
    room: Room,
    request: tonic::Request<v1::WatchKpiRequest>,
) -> Result<Answers<Bytes>, Status> {
    let caller = room.access.admit(request.metadata(), Action::ReadKpis)?;
    let watch = open(&room, &caller, request.into_inner(), "")?;
    let watching = Watching { watch, room, caller, over: false };
    Ok(Box::pin(futures_util::stream::unfold(watching, Watching::next)))
}

/// Begins a watch, checked, and narrowed to what the caller may see; `within` stands before the names of wrong fields.
pub(super) fn open(
    room: &Room,
    caller: &Caller,
    request: v1::WatchKpiRequest,
    within: &str,
) -> Result<KpiWatch, Status> {
    let wrong = |field: &str, reason: &str| status::invalid(&format!("{within}{field}"), reason);
    let asked = request.query.ok_or_else(|| wrong("query", "is missing; it is required"))?;
    if asked.known_at.is_some() {
        let reason = "is set; a watch follows the present: leave it out, or query once";
        return Err(wrong("query.known_at", reason));
    }
    if asked.formula_version != 0 {
        let reason = "is set; a watch follows what is in force: leave it out, or query once";
        return Err(wrong("query.formula_version", reason));
    }
    let query = query(caller, &asked, room.engine.clock().now())?;
    if request.max_per_second > UPDATES_PER_SECOND_MAX {
        let reason = format!("is {}; the limit is {UPDATES_PER_SECOND_MAX}", request.max_per_second);
        return Err(wrong("max_per_second", &reason));
    }
    Ok(room.engine.watch(&query, request.max_per_second, &request.resume_token))
}

/// An update as a `KpiUpdate`, encoded once for all who are told it.
pub(super) fn encoded(update: &WatchUpdate) -> Bytes {
    update.encoded(|update| message(update).encode_to_vec().into())
}

/// One subscriber of a watch.
struct Watching {
    watch: KpiWatch,
    room: Room,
    caller: Caller,
    over: bool,
}

impl Watching {
    async fn next(mut self) -> Option<(Result<Bytes, Status>, Self)> {
        if self.over {
            return None;
        }
        let update = tokio::select! {
            biased;
            () = self.room.closing.cancelled() => Err(status::shutting_down()),
            () = self.caller.expired() => Err(status::token_expired()),
            update = self.watch.next() => update.map_err(status::of),
        };
        self.over = update.is_err();
        Some((update.map(|update| encoded(&update)), self))
    }
}

fn message(update: &WatchUpdate) -> v1::KpiUpdate {
    let change = &update.change;
    let span = |span: &pegcount_domain::time::Span| v1::KpiSpan { from_us: span.start.0, to_us: span.end.0 };
    let gone = |(from, to, keys): &pegcount_kpi::live::RowId| {
        let (keys, values, versions) = (keys.clone(), Vec::new(), pegcount_kpi::Versions::new());
        row_message(
            &pegcount_kpi::Row { from: *from, to: *to, keys, values, versions },
            change.formula_version,
        )
    };
    v1::KpiUpdate {
        snapshot: change.snapshot,
        columns: if change.snapshot { column_messages(&change.columns) } else { Vec::new() },
        rows: change.rows.iter().map(|row| live_row(row, change.formula_version)).collect(),
        removed: change.removed.iter().map(gone).collect(),
        replaced: change.replaced.iter().map(span).collect(),
        older_definitions: change.older_definitions.map_or(0, |position| position.0),
        as_of_us: change.as_of.0,
        position: change.position.0,
        resume_token: update.resume_token.clone().into(),
    }
}

fn live_row(live: &LiveRow, formula_version: u8) -> v1::KpiRow {
    let running = live.running.iter().map(|running| {
        let absent = live.row.values.get(running.column) == Some(&pegcount_kpi::Value::Absent);
        v1::KpiRunning {
            column: u32::try_from(running.column).unwrap_or(u32::MAX),
            amount_per_us: running.rates.0,
            denominator_per_us: running.rates.1,
            amount: if absent { running.parts.0 } else { 0 },
        }
    });
    v1::KpiRow { running: running.collect(), ..row_message(&live.row, formula_version) }
}
