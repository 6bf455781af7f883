//! A site's agents as they are now, looked at once for all pages that show them.
//!
//! One task for each site that anybody watches; it ends when nobody does. Invariant: a picture is at least as new as the
//! position that it names.

use std::{collections::HashMap, sync::Arc, time::Duration};

use bytes::Bytes;
use parking_lot::Mutex;
use pegcount_domain::{
    envelope::Position,
    ids::{AgentId, SiteId},
};
use pegcount_engine::{AgentView, Engine};
use pegcount_proto::v1;
use prost::Message;
use tokio::{
    sync::watch,
    time::{Instant, MissedTickBehavior},
};

use super::picture::{AgentsBytes, Picture, Shared};
use crate::services::{Room, agents::agent_message};

/// At most one look in this time.
const PACE: Duration = Duration::from_millis(250);
/// After-call work by a timer ends without an event; so it looks this often at least.
const LOOK: Duration = Duration::from_secs(1);

/// The floors that anybody watches.
#[derive(Clone, Default)]
pub(crate) struct Floors(Arc<Mutex<HashMap<SiteId, watch::Sender<Shared>>>>);

/// One watcher of a floor.
pub(super) struct FloorWatch {
    pictures: watch::Receiver<Shared>,
    own: Option<AgentId>,
    told: u64,
}

impl Floors {
    /// Watches a site's agents; of one agent only, if `own` is given.
    pub(super) fn watch(&self, room: &Room, site: &SiteId, own: Option<AgentId>) -> FloorWatch {
        let mut floors = self.0.lock();
        let pictures = if let Some(known) = floors.get(site) {
            known.subscribe()
        } else {
            let (tell, pictures) = watch::channel(Shared::default());
            floors.insert(site.clone(), tell);
            tokio::spawn(follow(self.clone(), room.clone(), site.clone()));
            pictures
        };
        FloorWatch { pictures, own, told: 0 }
    }

    /// Shows a picture. False: nobody looks, and the floor is forgotten.
    fn show(&self, site: &SiteId, picture: Option<Picture>) -> bool {
        let mut floors = self.0.lock();
        let Some(tell) = floors.get(site).filter(|tell| tell.receiver_count() > 0) else {
            floors.remove(site);
            return false;
        };
        if let Some(picture) = picture {
            tell.send_replace(Arc::new(picture));
        }
        true
    }

    fn latest(&self, site: &SiteId) -> Option<Shared> {
        self.0.lock().get(site).map(|tell| Arc::clone(&tell.borrow()))
    }
}

impl FloorWatch {
    /// What is new; at once the first time. None: the server is ending. Cancel-safe.
    pub(super) async fn next(&mut self) -> Option<AgentsBytes> {
        loop {
            let told = self.told;
            let picture = {
                let newer = self.pictures.wait_for(|picture| picture.number() > told).await.ok()?;
                Arc::clone(&newer)
            };
            let first = self.told == 0;
            let update = picture.since(self.told, self.own.as_ref());
            self.told = picture.number();
            // An agent hears nothing of the others' changes.
            if first || update.snapshot || !update.agents.is_empty() || !update.gone.is_empty() {
                return Some(update);
            }
        }
    }
}

async fn follow(floors: Floors, room: Room, site: SiteId) {
    let mut pace = tokio::time::interval(PACE);
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut looked: Option<(Position, Instant)> = None;
    loop {
        tokio::select! {
            biased;
            () = room.closing.cancelled() => break,
            _ = pace.tick() => {}
        }
        let end = room.engine.end();
        let due = looked.is_none_or(|(position, at)| position != end || at.elapsed() >= LOOK);
        let picture = match floors.latest(&site) {
            Some(before) if due => {
                looked = Some((end, Instant::now()));
                look(&room.engine, &site, before, end).await
            }
            _ => None,
        };
        if !floors.show(&site, picture) {
            return;
        }
    }
    floors.0.lock().remove(&site);
}

/// The next picture, if it differs.
async fn look(engine: &Arc<Engine>, site: &SiteId, before: Shared, end: Position) -> Option<Picture> {
    // An error means that folding has stopped, which the health service says; the page shows what was folded.
    let _ = engine.caught_up(end).await;
    let (engine, site) = (Arc::clone(engine), site.clone());
    let looking = move || before.next(engine.agents(&site, true).iter().map(encoded).collect(), end);
    match tokio::task::spawn_blocking(looking).await {
        Ok(picture) => picture,
        Err(error) => {
            tracing::error!(%error, "a look at the agents was cut off");
            None
        }
    }
}

/// An agent as bytes that are the same as long as it is; so without the position of the look.
fn encoded(view: &AgentView) -> (AgentId, Bytes) {
    let message = v1::AgentState { position: 0, ..agent_message(view) };
    (view.state.agent().clone(), message.encode_to_vec().into())
}
