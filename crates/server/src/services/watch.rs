//! `WatchKpi`: updates of a watched query, each encoded once for all who are told the same.
//!
//! The generated service would encode an update for every subscriber; so this call alone is answered here, with a codec
//! whose answers are bytes. Invariant: the bytes of an answer are a `KpiUpdate`.

use std::{
    convert::Infallible,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use axum::http::{Request, Response};
use bytes::{BufMut, Bytes};
use pegcount_engine::{KpiWatch, WatchUpdate};
use pegcount_kpi::live::LiveRow;
use pegcount_proto::v1;
use prost::Message;
use tonic::{
    Status,
    body::Body,
    codec::{Codec, EncodeBuf, Encoder},
    server::{Grpc, NamedService, ServerStreamingService},
};
use tonic_prost::ProstCodec;
use tower_service::Service;

use super::{Answers, Room, kpi::query, kpi_table::row_message};
use crate::{
    access::{Action, Caller},
    options::{MESSAGE_BYTES_MAX, UPDATES_PER_SECOND_MAX},
    status,
    wire::column_messages,
};

/// The call that is answered here.
const WATCH_KPI: &str = "/pegcount.v1.KpiService/WatchKpi";

type KpiServer = v1::kpi_service_server::KpiServiceServer<Room>;

/// The KPI service, its watches apart.
#[derive(Clone)]
pub(super) struct KpiRoutes {
    room: Room,
    rest: KpiServer,
}

impl KpiRoutes {
    pub(super) fn new(room: Room, rest: KpiServer) -> Self {
        Self { room, rest }
    }
}

impl NamedService for KpiRoutes {
    const NAME: &'static str = <KpiServer as NamedService>::NAME;
}

impl Service<Request<Body>> for KpiRoutes {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        if request.uri().path() != WATCH_KPI {
            return self.rest.call(request);
        }
        let watches = Watches(self.room.clone());
        Box::pin(async move {
            let mut grpc = Grpc::new(UpdateCodec).max_decoding_message_size(MESSAGE_BYTES_MAX);
            Ok(grpc.server_streaming(watches, request).await)
        })
    }
}

struct Watches(Room);

impl ServerStreamingService<v1::WatchKpiRequest> for Watches {
    type Response = Bytes;
    type ResponseStream = Answers<Bytes>;
    type Future = Pin<Box<dyn Future<Output = Result<tonic::Response<Self::ResponseStream>, Status>> + Send>>;

    fn call(&mut self, request: tonic::Request<v1::WatchKpiRequest>) -> Self::Future {
        let room = self.0.clone();
        Box::pin(async move { Ok(tonic::Response::new(updates(room, request)?)) })
    }
}

/// The updates of a watch, encoded.
pub(super) fn updates(
    room: Room,
    request: tonic::Request<v1::WatchKpiRequest>,
) -> Result<Answers<Bytes>, Status> {
    let caller = room.access.admit(request.metadata(), Action::ReadKpis)?;
    let request = request.into_inner();
    let asked = request.query.ok_or_else(|| status::invalid("query", "is missing; it is required"))?;
    if asked.known_at.is_some() {
        let reason = "is set; a watch follows the present: leave it out, or query once";
        return Err(status::invalid("query.known_at", reason));
    }
    if asked.formula_version != 0 {
        let reason = "is set; a watch follows what is in force: leave it out, or query once";
        return Err(status::invalid("query.formula_version", reason));
    }
    let query = query(&caller, &asked, room.engine.clock().now())?;
    if request.max_per_second > UPDATES_PER_SECOND_MAX {
        let reason = format!("is {}; the limit is {UPDATES_PER_SECOND_MAX}", request.max_per_second);
        return Err(status::invalid("max_per_second", reason));
    }
    let watch = room.engine.watch(&query, request.max_per_second, &request.resume_token);
    let watching = Watching { watch, room, caller, over: false };
    Ok(Box::pin(futures_util::stream::unfold(watching, Watching::next)))
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
        Some((update.map(|update| update.encoded(|update| message(update).encode_to_vec().into())), self))
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

/// Answers that are encoded already.
#[derive(Clone, Copy, Debug, Default)]
struct UpdateCodec;

/// Writes bytes as they are.
struct AsTheyAre;

impl Encoder for AsTheyAre {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, item: Bytes, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put(item);
        Ok(())
    }
}

impl Codec for UpdateCodec {
    type Encode = Bytes;
    type Decode = v1::WatchKpiRequest;
    type Encoder = AsTheyAre;
    type Decoder = <ProstCodec<v1::KpiUpdate, v1::WatchKpiRequest> as Codec>::Decoder;

    fn encoder(&mut self) -> AsTheyAre {
        AsTheyAre
    }

    fn decoder(&mut self) -> Self::Decoder {
        ProstCodec::<v1::KpiUpdate, v1::WatchKpiRequest>::default().decoder()
    }
}
