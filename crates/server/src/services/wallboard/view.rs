//! `WatchView`: watched tables and the floor, merged into one stream.
//!
//! Tables are watched as by `WatchKpi`, with the same shared bytes; this adds the clock and the table's place. Invariant:
//! every answer is a `ViewUpdate`, and there is one at least each [`ALIVE`].

use std::{pin::Pin, sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream::SelectAll};
use pegcount_engine::{EngineError, KpiWatch, WatchUpdate};
use pegcount_proto::v1;
use prost::Message;
use tonic::Status;

use super::{floor::FloorWatch, picture::AgentsBytes};
use crate::{
    access::{Action, Caller},
    options::VIEW_TABLES_MAX,
    services::{Answers, Room, watch},
    status,
};

/// The call that is answered here.
pub(crate) const WATCH_VIEW: &str = "/pegcount.v1.WallboardService/WatchView";
/// So long without a change, and an empty update says that the server is there.
const ALIVE: Duration = Duration::from_secs(1);

/// A `ViewUpdate` on the wire, its parts encoded already.
#[derive(Clone, PartialEq, Message)]
struct ViewBytes {
    #[prost(int64, tag = "1")]
    now_us: i64,
    #[prost(double, tag = "2")]
    speed: f64,
    #[prost(message, optional, tag = "3")]
    table: Option<TableBytes>,
    #[prost(message, optional, tag = "4")]
    agents: Option<AgentsBytes>,
}

/// A `TableUpdate` on the wire, its update encoded already.
#[derive(Clone, PartialEq, Message)]
struct TableBytes {
    #[prost(uint32, tag = "1")]
    table: u32,
    #[prost(bytes = "bytes", optional, tag = "2")]
    update: Option<Bytes>,
}

type Told = (u32, Result<Arc<WatchUpdate>, EngineError>);
type Tables = SelectAll<Pin<Box<dyn Stream<Item = Told> + Send>>>;

/// All that a view shows, encoded.
pub(crate) fn updates(
    room: Room,
    request: tonic::Request<v1::WatchViewRequest>,
) -> Result<Answers<Bytes>, Status> {
    let caller = room.access.admit(request.metadata(), Action::ReadDefinitions)?;
    let request = request.into_inner();
    let site = caller.site("site", &request.site)?;
    let count = request.tables.len();
    if count > VIEW_TABLES_MAX {
        let reason = format!("asks for {count}; the limit is {VIEW_TABLES_MAX}: open another stream");
        return Err(status::invalid("tables", reason));
    }
    if count > 0 {
        caller.also(Action::ReadKpis)?;
    }
    let mut tables = SelectAll::new();
    for (place, table) in (0_u32..).zip(request.tables) {
        let asked = table.query.as_ref().map(|query| query.site.as_str()).unwrap_or_default();
        if asked != request.site {
            let reason = format!("is {asked:?}; all of a view is of one site, here {:?}", request.site);
            return Err(status::invalid(&format!("tables[{place}].query.site"), reason));
        }
        let kpis = watch::open(&room, &caller, table, &format!("tables[{place}]."))?;
        tables.push(told(place, kpis));
    }
    let floor = if request.agents {
        caller.also(Action::ReadAgents)?;
        Some(room.floors.watch(&room, &site, caller.own_agent().cloned()))
    } else {
        None
    };
    let viewing = Viewing { tables, floor, room, caller, over: false };
    Ok(Box::pin(futures_util::stream::unfold(viewing, Viewing::next)))
}

/// A table's updates, each with the table's place. It ends with its first error.
fn told(place: u32, kpis: KpiWatch) -> Pin<Box<dyn Stream<Item = Told> + Send>> {
    Box::pin(futures_util::stream::unfold(Some(kpis), move |kpis| async move {
        let mut kpis = kpis?;
        let update = kpis.next().await;
        let goes_on = update.is_ok().then_some(kpis);
        Some(((place, update), goes_on))
    }))
}

/// One page.
struct Viewing {
    tables: Tables,
    floor: Option<FloorWatch>,
    room: Room,
    caller: Caller,
    over: bool,
}

impl Viewing {
    async fn next(mut self) -> Option<(Result<Bytes, Status>, Self)> {
        if self.over {
            return None;
        }
        let Self { tables, floor, room, caller, .. } = &mut self;
        let agents = async {
            match floor {
                Some(floor) => floor.next().await,
                None => std::future::pending().await,
            }
        };
        let change = tokio::select! {
            biased;
            () = room.closing.cancelled() => Err(status::shutting_down()),
            () = caller.expired() => Err(status::token_expired()),
            Some((table, update)) = tables.next() => match update {
                Ok(update) => Ok((Some(TableBytes { table, update: Some(watch::encoded(&update)) }), None)),
                Err(error) => Err(status::of(error)),
            },
            agents = agents => agents.map(|agents| (None, Some(agents))).ok_or_else(status::shutting_down),
            () = tokio::time::sleep(ALIVE) => Ok((None, None)),
        };
        self.over = change.is_err();
        Some((change.map(|change| self.encoded(change)), self))
    }

    fn encoded(&self, (table, agents): (Option<TableBytes>, Option<AgentsBytes>)) -> Bytes {
        let clock = self.room.engine.clock();
        let update = ViewBytes { now_us: clock.now().0, speed: clock.speed(), table, agents };
        update.encode_to_vec().into()
    }
}
