//! What is known of one customer's file.

use serde::{Deserialize, Serialize};

use crate::{
    customer::event::{CustomerEvent, ValueKind},
    envelope::Version,
    ids::{Name, ReasonCode},
    time::Micros,
};

/// A sealed value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptValue<N = Name> {
    /// By which the vault finds it.
    pub reference: N,
    /// What it is.
    pub kind: ValueKind,
    /// The version of the file that it came with.
    pub version: Version,
    /// When it was sealed.
    pub at: Micros,
    /// Who had it sealed.
    pub by: N,
}

/// Leave to read the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant<N = Name> {
    /// Whose.
    pub to: N,
    /// What for.
    pub purpose: ReasonCode<N>,
    /// Until before this instant.
    pub until: Micros,
    /// When it was given.
    pub at: Micros,
    /// By whom.
    pub by: N,
}

/// One customer's file; the default is that of a customer of whom nothing was written yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomerFile<N = Name> {
    /// How many events it has taken in.
    pub version: Version,
    /// What is sealed, the oldest first.
    pub values: Vec<KeptValue<N>>,
    /// The tier.
    pub tier: Option<N>,
    /// At most one for each principal; those that have ended may still stand here.
    pub grants: Vec<Grant<N>>,
    /// When it was erased, and by whom.
    pub erased: Option<(Micros, N)>,
    /// How often values were read.
    pub reads: u64,
}

impl<N> Default for CustomerFile<N> {
    fn default() -> Self {
        let (values, grants) = (Vec::new(), Vec::new());
        Self { version: Version(0), values, tier: None, grants, erased: None, reads: 0 }
    }
}

impl<N: Clone + Eq> CustomerFile<N> {
    /// Takes the next event in.
    pub fn apply(&mut self, event: &CustomerEvent<N>, at: Micros, by: &N) {
        self.version.0 += 1;
        let version = self.version;
        match event {
            CustomerEvent::Kept { values } => {
                let kept = |(reference, kind): &(N, ValueKind)| KeptValue {
                    reference: reference.clone(),
                    kind: *kind,
                    version,
                    at,
                    by: by.clone(),
                };
                self.values.extend(values.iter().map(kept));
            }
            CustomerEvent::Read { .. } => self.reads += 1,
            CustomerEvent::Tiered { tier } => self.tier = Some(tier.clone()),
            CustomerEvent::AccessGranted { to, purpose, until } => {
                self.grants.retain(|grant| grant.to != *to && grant.until > at);
                let (to, purpose, until) = (to.clone(), purpose.clone(), *until);
                self.grants.push(Grant { to, purpose, until, at, by: by.clone() });
            }
            CustomerEvent::AccessRevoked { to } => self.grants.retain(|grant| grant.to != *to),
            CustomerEvent::Erased { .. } => {
                self.grants.clear();
                self.erased.get_or_insert_with(|| (at, by.clone()));
            }
        }
    }

    /// The grant by which `who` may read the file at `now`; none if there is none.
    pub fn grant(&self, who: &N, now: Micros) -> Option<&Grant<N>> {
        self.grants.iter().find(|grant| grant.to == *who && now < grant.until)
    }

    /// Whether this value is in the file.
    pub fn holds(&self, reference: &N) -> bool {
        self.values.iter().any(|value| value.reference == *reference)
    }
}
