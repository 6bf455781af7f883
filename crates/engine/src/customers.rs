//! Customers' files: found by a number, filled with sealed values, read by those who may, erased.
//!
//! What is plain goes into the vault and never further: the log gets references. Not for who may ask for what: the server
//! checks roles.
//!
//! Invariants: a value is durable in the vault before the event that names it; whoever reads values stands in the log before getting
//! them; an erasure stands in the log before the vault carries it out, and whatever the vault lacks of that is carried out at the next start.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use pegcount_domain::{
    customer::{
        CustomerEvent, CustomerFile, CustomerRefusal, Reader, ValueKind, decide_erase, decide_grant,
        decide_keep, decide_read, decide_revoke, decide_tier,
    },
    envelope::{StreamKind, StreamName, Version},
    event::Event,
    ids::{CommandId, CustomerId, Name, ReasonCode, SiteId},
    time::Micros,
};
use pegcount_vault::{Unsealed, Vault};

use crate::{
    boards::CustomerView,
    commands::{Asker, Carried, Decided, refused},
    engine::{Engine, blocked},
    error::EngineError,
    texts::own_identity,
};

/// Values of one customer that are to be sealed.
#[derive(Clone, Debug, Default)]
pub struct ValuesToKeep {
    /// Each with what it is, plain.
    pub values: Vec<(ValueKind, String)>,
    /// Numbers and addresses by which the customer is known from now on, plain.
    pub known_by: Vec<String>,
}

/// A value that was read.
#[derive(Clone, PartialEq, Eq)]
pub struct ReadValue {
    /// Its reference.
    pub reference: Name,
    /// What it is.
    pub kind: ValueKind,
    /// The value, plain.
    pub plain: String,
}

/// What copies of the vault are called, in a server's folder.
const COPY: &str = "vault.copy-";

/// A copy of the vault.
#[derive(Debug)]
pub struct VaultCopy {
    dir: PathBuf,
}

impl VaultCopy {
    /// Where its files are.
    pub fn dir(&self) -> &Path {
        &self.dir
    }
}

impl Drop for VaultCopy {
    fn drop(&mut self) {
        remove_copy(&self.dir);
    }
}

/// Removes copies that a crash has left in a server's folder.
pub(crate) fn remove_copies(dir: &Path) {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    let is_copy = |entry: &fs::DirEntry| entry.file_name().to_string_lossy().starts_with(COPY);
    entries.filter(is_copy).for_each(|entry| remove_copy(&entry.path()));
}

fn remove_copy(dir: &Path) {
    if let Err(error) = fs::remove_dir_all(dir)
        && error.kind() != io::ErrorKind::NotFound
    {
        tracing::warn!(path = %dir.display(), %error, "a copy of the vault stays; the next start removes it");
    }
}

/// What is asked for, on a customer's file as it is.
pub(crate) type Decision<'a> =
    dyn Fn(&CustomerFile) -> Result<Option<CustomerEvent>, CustomerRefusal> + Send + Sync + 'a;

impl Engine {
    /// The customer who is known by a number or an address, plain. Errors: [`EngineError::NotFound`], the vault's.
    pub fn find_customer(&self, site: &SiteId, plain: &str) -> Result<CustomerView, EngineError> {
        // What was looked for is personal, and no answer says it again.
        let missing = || EngineError::NotFound { what: "customer known by this", id: "value".to_owned() };
        let customer = self.vault.find(site, plain)?.ok_or_else(missing)?;
        Ok(self.file_of(site, &customer))
    }

    /// One customer's file as it is now; empty if nothing was written of the customer yet.
    ///
    /// Errors: [`EngineError::NotFound`], if the vault has never given the surrogate.
    pub fn customer(&self, site: &SiteId, customer: &CustomerId) -> Result<CustomerView, EngineError> {
        let view = self.file_of(site, customer);
        if view.file.version > Version(0) || self.vault.knows(customer) {
            return Ok(view);
        }
        Err(EngineError::NotFound { what: "customer", id: customer.to_string() })
    }

    /// The customer who is known by `plain`, and becomes one if nobody is.
    pub async fn customer_by(&self, site: &SiteId, plain: String) -> Result<CustomerId, EngineError> {
        let named = self.name_customer(site, plain).await?;
        named.ok_or_else(|| EngineError::invalid("known_by", "is blank; give a number or an address"))
    }

    /// Seals values; gives their references, in order.
    ///
    /// Errors: [`EngineError::Precondition`] (erased, too many), the vault's (blank, too long, somebody else's number).
    pub async fn keep_values(
        &self,
        site: &SiteId,
        customer: &CustomerId,
        keep: ValuesToKeep,
        actor: &Name,
        command_id: CommandId,
    ) -> Result<(Carried, Vec<Name>), EngineError> {
        let stream = stream(site, customer);
        self.caught_up(self.log.end()).await?;
        let references = if self.carried_out(command_id, std::slice::from_ref(&stream))?.is_some() {
            // Sealed before; the answer gives the same references.
            Vec::new()
        } else {
            self.check_room(site, customer, keep.values.len())?;
            self.seal(site, customer, keep).await?
        };
        let decide = |file: &CustomerFile| decide_keep(file, &references);
        let done = self.customer_command(site, customer, &decide, actor, command_id).await?;
        let file = self.file_of(site, customer).file;
        let kept = file.values.into_iter().filter(|value| value.version == done.version);
        Ok((done, kept.map(|value| value.reference).collect()))
    }

    /// Reads sealed values; who did and what for stands in the log from then on.
    ///
    /// Errors: [`EngineError::Precondition`] (no access, erased, not in the file), the vault's.
    pub async fn read_values(
        &self,
        site: &SiteId,
        customer: &CustomerId,
        values: Vec<Name>,
        purpose: ReasonCode,
        reader: Reader<'_>,
        command_id: CommandId,
    ) -> Result<Vec<ReadValue>, EngineError> {
        let clock = &self.clock;
        let decide = |file: &CustomerFile| decide_read(file, reader, &values, &purpose, clock.now());
        self.customer_command(site, customer, &decide, reader.name, command_id).await?;
        // A repeat of the command gets them again only while they may be read.
        decide(&self.file_of(site, customer).file).map_err(refused)?;
        let (vault, values) = (Arc::clone(&self.vault), values.clone());
        blocked(move || {
            let read = |reference: Name| {
                let Unsealed { kind, plain, .. } = vault.unseal(&reference)?;
                Ok(ReadValue { reference, kind, plain })
            };
            values.into_iter().map(read).collect()
        })
        .await
    }

    /// Sets the customer's tier.
    pub async fn set_tier(
        &self,
        site: &SiteId,
        customer: &CustomerId,
        tier: Name,
        actor: &Name,
        command_id: CommandId,
    ) -> Result<Carried, EngineError> {
        let decide = |file: &CustomerFile| decide_tier(file, tier.clone());
        self.customer_command(site, customer, &decide, actor, command_id).await
    }

    /// Lets `to` read the file until before `until`.
    pub async fn grant_access(
        &self,
        site: &SiteId,
        customer: &CustomerId,
        (to, purpose, until): (Name, ReasonCode, Micros),
        actor: &Name,
        command_id: CommandId,
    ) -> Result<Carried, EngineError> {
        let decide =
            |file: &CustomerFile| decide_grant(file, to.clone(), purpose.clone(), until, self.clock.now());
        self.customer_command(site, customer, &decide, actor, command_id).await
    }

    /// Ends what [`Engine::grant_access`] gave `to`.
    pub async fn revoke_access(
        &self,
        site: &SiteId,
        customer: &CustomerId,
        to: Name,
        actor: &Name,
        command_id: CommandId,
    ) -> Result<Carried, EngineError> {
        let decide = |file: &CustomerFile| decide_revoke(file, to.clone(), self.clock.now());
        self.customer_command(site, customer, &decide, actor, command_id).await
    }

    /// Erases a customer for good: the event first, then the vault's keys and hashes. Done when this returns.
    pub async fn erase_customer(
        &self,
        site: &SiteId,
        customer: &CustomerId,
        reason: ReasonCode,
        actor: &Name,
        command_id: CommandId,
    ) -> Result<Carried, EngineError> {
        let decide = |file: &CustomerFile| Ok(decide_erase(file, reason.clone()));
        // What was written of the customer's tickets before they had a customer goes first: a repeat after a crash finds the rest.
        for (own, number) in self.own_keys(site, customer)?.into_iter().zip(1..) {
            let command_id = CommandId(command_id.0.wrapping_add(number));
            self.customer_command(site, &own, &decide, actor, command_id).await?;
        }
        let done = self.customer_command(site, customer, &decide, actor, command_id).await?;
        self.carry_out_erasures().await?;
        Ok(done)
    }

    /// The keys of their own that a customer's tickets have.
    fn own_keys(&self, site: &SiteId, customer: &CustomerId) -> Result<Vec<CustomerId>, EngineError> {
        let tickets = {
            let boards = self.boards.state().read();
            boards.site(site).map(|board| board.tickets.of_customer(customer)).unwrap_or_default()
        };
        let own = tickets.iter().map(|(_, _, ticket)| self.vault.find(site, &own_identity(ticket)));
        Ok(own.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
    }

    /// A copy of the vault as it is at one moment, without its master key, beside the vault; it goes when it is dropped.
    pub async fn copy_vault(&self) -> Result<VaultCopy, EngineError> {
        let (vault, dir) =
            (Arc::clone(&self.vault), self.dir.join(format!("{COPY}{}", uuid::Uuid::new_v4().simple())));
        blocked(move || {
            let copy = VaultCopy { dir };
            vault.back_up(&copy.dir)?;
            Ok(copy)
        })
        .await
    }

    /// Erases in the vault whoever was erased in the log and not there: after a crash between the two, or when the vault was
    /// restored from before. How many those were.
    pub(crate) async fn carry_out_erasures(&self) -> Result<usize, EngineError> {
        let due: Vec<(CustomerId, Micros)> = {
            let boards = self.boards.state().read();
            let erased = boards.erased_customers();
            erased.filter(|(customer, _)| self.vault.erased_at(customer).is_none()).collect()
        };
        if due.is_empty() {
            return Ok(0);
        }
        let vault: Arc<Vault> = Arc::clone(&self.vault);
        blocked(move || {
            for (customer, at) in &due {
                vault.erase(std::slice::from_ref(customer), *at)?;
            }
            Ok(due.len())
        })
        .await
    }

    pub(crate) async fn customer_command(
        &self,
        site: &SiteId,
        customer: &CustomerId,
        decide: &Decision<'_>,
        actor: &Name,
        command_id: CommandId,
    ) -> Result<Carried, EngineError> {
        let asker = Asker { actor, on_behalf_of: None, command_id };
        let stream = stream(site, customer);
        self.command(std::slice::from_ref(&stream), &asker, || {
            let file = self.customer(site, customer)?.file;
            let event = decide(&file).map_err(refused)?;
            let events = event.map(Event::Customer).into_iter().collect();
            Ok(Decided::on(stream.clone(), file.version, events))
        })
        .await
    }

    /// Nothing is sealed that the file would not take.
    fn check_room(&self, site: &SiteId, customer: &CustomerId, values: usize) -> Result<(), EngineError> {
        let file = self.customer(site, customer)?.file;
        let as_if = vec![(customer.0.clone(), ValueKind::Text); values];
        decide_keep(&file, &as_if).map(|_| ()).map_err(refused)
    }

    async fn seal(
        &self,
        site: &SiteId,
        customer: &CustomerId,
        keep: ValuesToKeep,
    ) -> Result<Vec<(Name, ValueKind)>, EngineError> {
        let (vault, site, customer) = (Arc::clone(&self.vault), site.clone(), customer.clone());
        blocked(move || {
            vault.also_known_by(&site, &customer, &keep.known_by)?;
            let values: Vec<(ValueKind, &str)> =
                keep.values.iter().map(|(kind, plain)| (*kind, plain.as_str())).collect();
            let references = vault.seal(&customer, &values)?;
            Ok(references.into_iter().zip(values.into_iter().map(|(kind, _)| kind)).collect())
        })
        .await
    }

    fn file_of(&self, site: &SiteId, customer: &CustomerId) -> CustomerView {
        let boards = self.boards.state().read();
        let file = boards.site(site).and_then(|board| board.customers.file(customer)).cloned();
        let (site, customer, position) = (site.clone(), customer.clone(), boards.position());
        CustomerView { site, customer, file: file.unwrap_or_default(), position }
    }
}

pub(crate) fn stream(site: &SiteId, customer: &CustomerId) -> StreamName {
    StreamName { site: site.0.clone(), kind: StreamKind::Customer, id: customer.0.clone() }
}
