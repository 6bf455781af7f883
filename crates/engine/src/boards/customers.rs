//! Customers' files as they are now: of those of whom something was written.

use pegcount_domain::{
    customer::{CustomerEvent, CustomerFile},
    envelope::{Envelope, Position},
    ids::{CustomerId, Name, SiteId},
};
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

/// One customer's file as it is now.
#[derive(Clone, Debug)]
pub struct CustomerView {
    /// Its site.
    pub site: SiteId,
    /// The surrogate.
    pub customer: CustomerId,
    /// What is in it.
    pub file: CustomerFile,
    /// The log position up to which this has been folded.
    pub position: Position,
}

/// The customers of one site who have a file.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Customers(FxHashMap<CustomerId, CustomerFile>);

impl Customers {
    pub(crate) fn insert(&mut self, customer: CustomerId, envelope: &Envelope<'_>, event: &CustomerEvent) {
        // An actor was checked when the event was written.
        let Ok(by) = Name::new(envelope.actor) else { return };
        self.0.entry(customer).or_default().apply(event, envelope.occurred_at, &by);
    }

    pub(crate) fn file(&self, customer: &CustomerId) -> Option<&CustomerFile> {
        self.0.get(customer)
    }

    /// Those that were erased, and their files.
    pub(crate) fn erased(&self) -> impl Iterator<Item = (&CustomerId, &CustomerFile)> {
        self.0.iter().filter(|(_, file)| file.erased.is_some())
    }
}
