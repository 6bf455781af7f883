//! Sources as the log knows them: whose they are, and which of them are one agent's softphone.
//!
//! Invariant: an owner is the actor of the source's first event with a counter, for good.

use pegcount_domain::{
    envelope::{Envelope, StreamKind},
    ids::{AgentId, Name, NameError, SiteId, SourceId},
};
use pegcount_proto::stored;
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

/// Whom a source speaks of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Speaks {
    /// So far of nobody (its facts were refused).
    Nobody,
    /// Of one agent only: it is that agent's softphone.
    Of(AgentId),
    /// Of several: a gateway or an exchange, which holds no lease.
    Widely,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Source {
    owner: Name,
    speaks: Speaks,
}

/// All sources that keep a counter.
#[derive(Debug, Default, Serialize, Deserialize)]
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

    /// All of them, for an archive.
    pub(crate) fn kept(&self) -> Vec<stored::KeptSource> {
        let kept = self.0.iter().map(|((site, name), source)| {
            let (speaks, agent) = match &source.speaks {
                Speaks::Nobody => (0, String::new()),
                Speaks::Of(agent) => (1, agent.to_string()),
                Speaks::Widely => (2, String::new()),
            };
            let (site, source, owner) = (site.to_string(), name.0.to_string(), source.owner.to_string());
            stored::KeptSource { site, source, owner, speaks, agent }
        });
        let mut kept: Vec<_> = kept.collect();
        kept.sort_by(|a, b| (&a.site, &a.source).cmp(&(&b.site, &b.source)));
        kept
    }

    /// Takes them back out of an archive.
    pub(crate) fn take_back(&mut self, kept: &[stored::KeptSource]) -> Result<(), NameError> {
        for one in kept {
            let speaks = match one.speaks {
                0 => Speaks::Nobody,
                1 => Speaks::Of(AgentId::new(&one.agent)?),
                _ => Speaks::Widely,
            };
            let key = (SiteId::new(&one.site)?, SourceId(Name::new(&one.source)?));
            self.0.insert(key, Source { owner: Name::new(&one.owner)?, speaks });
        }
        Ok(())
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
