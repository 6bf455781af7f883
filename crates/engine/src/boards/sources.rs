//! Sources as the log knows them: whose they are, and which of them are one agent's softphone.
//!
//! Invariant: an owner is the actor of the source's first event with a counter, for good.

use pegcount_domain::{
    envelope::{Envelope, StreamKind},
    ids::{AgentId, Name, SiteId, SourceId},
};
use rustc_hash::FxHashMap;

/// Whom a source speaks of.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Speaks {
    /// So far of nobody (its facts were refused).
    Nobody,
    /// Of one agent only: it is that agent's softphone.
    Of(AgentId),
    /// Of several: a gateway or an exchange, which holds no lease.
    Widely,
}

#[derive(Clone, Debug)]
struct Source {
    owner: Name,
    speaks: Speaks,
}

/// All sources that keep a counter.
#[derive(Debug, Default)]
pub(crate) struct SourceBook(FxHashMap<(SiteId, SourceId), Source>);

impl SourceBook {
    pub(crate) fn note(&mut self, site: &SiteId, envelope: &Envelope<'_>) {
        let (Ok(source), Ok(owner)) = (Name::new(envelope.source), Name::new(envelope.actor)) else { return };
        let key = (site.clone(), SourceId(source));
        let entry = self.0.entry(key).or_insert_with(|| Source { owner, speaks: Speaks::Nobody });
        match (&entry.speaks, envelope.stream.kind) {
            (Speaks::Widely, _) | (_, StreamKind::Quarantine) => {}
            (Speaks::Of(agent), StreamKind::Agent) if agent.as_str() == envelope.stream.id => {}
            (Speaks::Nobody, StreamKind::Agent) => {
                entry.speaks = AgentId::new(envelope.stream.id).map_or(Speaks::Widely, Speaks::Of);
            }
            _ => entry.speaks = Speaks::Widely,
        }
    }

    pub(crate) fn owner(&self, site: &SiteId, source: &SourceId) -> Option<Name> {
        self.0.get(&(site.clone(), source.clone())).map(|source| source.owner.clone())
    }

    /// The agents that have a softphone of their own.
    pub(crate) fn softphones(&self) -> impl Iterator<Item = (&SiteId, &AgentId)> {
        self.0.iter().filter_map(|((site, _), source)| match &source.speaks {
            Speaks::Of(agent) => Some((site, agent)),
            Speaks::Nobody | Speaks::Widely => None,
        })
    }
}
