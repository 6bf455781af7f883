//! The live page's data: the sites, and one site's floor as server-sent events.
//!
//! `floor` events hold everything that the page shows, at once on change but at most four a second; `alive` events
//! come in between, so that a page which hears nothing for three seconds knows that it is cut off.
//!
//! Not for programs: those watch figures by gRPC. Invariant: what a `floor` shows is at least as new as the position that it names.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{
    Json,
    extract::{Query, State},
    http::{HeaderMap, header},
    response::{
        IntoResponse, Response,
        sse::{Event, Sse},
    },
};
use pegcount_domain::{envelope::Position, ids::SiteId};
use pegcount_engine::{Engine, EngineError};
use serde::Deserialize;
use tokio::time::{Instant, Interval, MissedTickBehavior};

use super::{Refused, Web, admit};
use crate::{
    access::{Action, Caller},
    http::floor::{self, Outlook},
    services::{Room, time_zone},
    status,
};

/// At most one `floor` in this time.
const PACE: Duration = Duration::from_millis(250);
/// So long without any event, and `alive` says that the server is there.
const ALIVE: Duration = Duration::from_secs(1);
/// Open work grows without events; so often everything is said anew.
const REFRESH: Duration = Duration::from_secs(5);

/// The sites that the caller may watch.
pub(super) async fn sites(State(web): State<Web>, headers: HeaderMap) -> Result<Response, Refused> {
    let caller = admit(&web.room.access, &headers, Action::WatchFloor)?;
    let sites = match caller.only_site() {
        Some(site) => vec![site.clone()],
        None => web.room.engine.sites(),
    };
    let names: Vec<&str> = sites.iter().map(SiteId::as_str).collect();
    Ok(Json(serde_json::json!({ "sites": names })).into_response())
}

/// What the page asks for.
#[derive(Debug, Deserialize)]
pub(super) struct Asked {
    site: String,
    /// The IANA zone of the page's day.
    #[serde(default)]
    zone: String,
}

/// One site's floor.
pub(super) async fn live(
    State(web): State<Web>,
    headers: HeaderMap,
    Query(asked): Query<Asked>,
) -> Result<Response, Refused> {
    let caller = admit(&web.room.access, &headers, Action::WatchFloor)?;
    let site = caller.site("site", &asked.site)?;
    let outlook = Outlook::new(site, time_zone(&asked.zone)?);
    let mut pace = tokio::time::interval(PACE);
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let live = Live { room: web.room, caller, outlook, pace, shown: None, said: Instant::now(), over: false };
    let events = Sse::new(futures_util::stream::unfold(live, Live::next));
    // Proxies must not gather events.
    Ok(([(header::HeaderName::from_static("x-accel-buffering"), "no")], events).into_response())
}

/// One page.
struct Live {
    room: Room,
    caller: Caller,
    outlook: Outlook,
    pace: Interval,
    /// What was shown last, and when.
    shown: Option<(Position, Instant)>,
    /// When anything was said last.
    said: Instant,
    over: bool,
}

impl Live {
    async fn next(mut self) -> Option<(Result<Event, Infallible>, Self)> {
        while !self.over {
            tokio::select! {
                biased;
                () = self.room.closing.cancelled() => return None,
                () = self.caller.expired() => {
                    self.over = true;
                    let refusal = status::token_expired();
                    return Some((Ok(Event::default().event("refused").data(refusal.message())), self));
                }
                _ = self.pace.tick() => {}
            }
            let end = self.room.engine.end();
            let due = self.shown.is_none_or(|(position, at)| position != end || at.elapsed() >= REFRESH);
            let event = if due {
                self.floor(end).await
            } else if self.said.elapsed() >= ALIVE {
                Event::default().event("alive").data("{}")
            } else {
                continue;
            };
            self.said = Instant::now();
            return Some((Ok(event), self));
        }
        None
    }

    async fn floor(&mut self, end: Position) -> Event {
        match self.look(end).await {
            Ok(floor) => {
                self.shown = Some((end, Instant::now()));
                Event::default().event("floor").data(floor)
            }
            Err(error) => {
                tracing::error!(%error, "the live page cannot be answered");
                self.over = true;
                Event::default().event("refused").data(error.to_string().replace(['\r', '\n'], " "))
            }
        }
    }

    async fn look(&self, end: Position) -> Result<String, EngineError> {
        self.room.engine.caught_up(end).await?;
        let (engine, outlook): (Arc<Engine>, Outlook) = (Arc::clone(&self.room.engine), self.outlook.clone());
        let looked = tokio::task::spawn_blocking(move || floor::floor(&engine, &outlook)).await;
        looked
            .unwrap_or_else(|error| Err(EngineError::Precondition(format!("the look was cut off: {error}"))))
    }
}
