//! The customer service: files, sealed values, erasing, and the vault's backup.
//!
//! Invariant: what is plain goes from the request to the engine and from the engine to the answer, and into no log line.

use std::{
    fs::{self, File},
    io::{self, Read},
};

use pegcount_domain::{
    customer::{Reader, ValueKind},
    ids::{AgentId, CustomerId, Name, ReasonCode, SiteId},
    time::Micros,
};
use pegcount_engine::{Carried, CustomerView, EngineError, ValuesToKeep, VaultCopy};
use pegcount_proto::{CALLER_BYTES_MAX, v1};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};

use super::{Answers, Room, timeline};
use crate::{
    access::{Action, Caller},
    fields, status,
};

/// The most numbers and addresses in one call.
const KNOWN_BY_MAX: usize = 100;
/// The most values in one call: as many as a file holds.
const VALUES_MAX: usize = pegcount_domain::customer::decide::VALUES_MAX;
/// Bytes in a part of a file of the vault.
const PART_BYTES: usize = 256 * 1024;
/// Parts that are read ahead of who takes them.
const PARTS_AHEAD: usize = 4;

type Answer = Result<Response<v1::CustomerResponse>, Status>;

#[tonic::async_trait]
impl v1::customer_service_server::CustomerService for Room {
    type BackUpVaultStream = Answers<v1::VaultPart>;

    async fn find_customer(
        &self,
        request: Request<v1::FindCustomerRequest>,
    ) -> Result<Response<v1::CustomerFile>, Status> {
        let caller = self.access.admit(request.metadata(), Action::FindCustomers)?;
        let request = request.into_inner();
        let site = caller.site("site", &request.site)?;
        check_known_by("known_by", &request.known_by)?;
        let view = self.engine.find_customer(&site, &request.known_by).map_err(status::of)?;
        Ok(Response::new(self.file_message(view)))
    }

    async fn get_customer(
        &self,
        request: Request<v1::GetCustomerRequest>,
    ) -> Result<Response<v1::CustomerFile>, Status> {
        let caller = self.access.admit(request.metadata(), Action::FindCustomers)?;
        let request = request.into_inner();
        let (site, customer) = named(&caller, &request.site, &request.customer)?;
        let view = self.engine.customer(&site, &customer).map_err(status::of)?;
        Ok(Response::new(self.file_message(view)))
    }

    async fn keep_values(
        &self,
        request: Request<v1::KeepValuesRequest>,
    ) -> Result<Response<v1::KeepValuesResponse>, Status> {
        let caller = self.access.admit(request.metadata(), Action::KeepCustomerData)?;
        let request = request.into_inner();
        let site = caller.site("site", &request.site)?;
        let command_id = fields::command_id(&request.command_id)?;
        let keep = to_keep(request.values, request.known_by)?;
        let customer = match (request.customer.as_str(), keep.known_by.first()) {
            ("", None) => return Err(status::invalid("customer", "is missing; give it, or `known_by`")),
            ("", Some(known_by)) => {
                self.engine.customer_by(&site, known_by.clone()).await.map_err(status::of)?
            }
            (customer, _) => fields::name("customer", customer).map(CustomerId)?,
        };
        let kept = self.engine.keep_values(&site, &customer, keep, caller.actor(), command_id).await;
        let (done, references) = kept.map_err(status::of)?;
        Ok(Response::new(v1::KeepValuesResponse {
            customer: customer.to_string(),
            references: references.iter().map(ToString::to_string).collect(),
            version: done.version.0,
        }))
    }

    async fn read_values(
        &self,
        request: Request<v1::ReadValuesRequest>,
    ) -> Result<Response<v1::ReadValuesResponse>, Status> {
        let caller = self.access.admit(request.metadata(), Action::ReadCustomerData)?;
        let request = request.into_inner();
        let (site, customer) = named(&caller, &request.site, &request.customer)?;
        let command_id = fields::command_id(&request.command_id)?;
        let purpose = fields::name("purpose", &request.purpose).map(ReasonCode)?;
        let name = |(index, text): (usize, &String)| fields::name(&format!("references[{index}]"), text);
        let values = request.references.iter().enumerate().map(name).collect::<Result<Vec<Name>, _>>()?;
        let reader = self.reader(&caller, &site, &customer);
        let read = self.engine.read_values(&site, &customer, values, purpose, reader, command_id).await;
        let values = read.map_err(status::of)?.into_iter().map(|value| v1::ReadValue {
            reference: value.reference.to_string(),
            kind: kind_message(value.kind).into(),
            text: value.plain,
        });
        Ok(Response::new(v1::ReadValuesResponse { values: values.collect() }))
    }

    async fn get_timeline(
        &self,
        request: Request<v1::GetTimelineRequest>,
    ) -> Result<Response<v1::GetTimelineResponse>, Status> {
        let caller = self.access.admit(request.metadata(), Action::ReadCustomerData)?;
        timeline::page(self, &caller, request.into_inner()).await.map(Response::new)
    }

    async fn set_tier(&self, request: Request<v1::SetTierRequest>) -> Answer {
        let caller = self.access.admit(request.metadata(), Action::SetCustomerTier)?;
        let request = request.into_inner();
        let (site, customer) = named(&caller, &request.site, &request.customer)?;
        let command_id = fields::command_id(&request.command_id)?;
        let tier = fields::name("tier", &request.tier)?;
        answered(self.engine.set_tier(&site, &customer, tier, caller.actor(), command_id).await)
    }

    async fn grant_access(&self, request: Request<v1::GrantAccessRequest>) -> Answer {
        let caller = self.access.admit(request.metadata(), Action::GovernCustomerData)?;
        let request = request.into_inner();
        let (site, customer) = named(&caller, &request.site, &request.customer)?;
        let command_id = fields::command_id(&request.command_id)?;
        let to = fields::name("to", &request.to)?;
        let purpose = fields::name("purpose", &request.purpose).map(ReasonCode)?;
        let grant = (to, purpose, Micros(request.until_us));
        answered(self.engine.grant_access(&site, &customer, grant, caller.actor(), command_id).await)
    }

    async fn revoke_access(&self, request: Request<v1::RevokeAccessRequest>) -> Answer {
        let caller = self.access.admit(request.metadata(), Action::GovernCustomerData)?;
        let request = request.into_inner();
        let (site, customer) = named(&caller, &request.site, &request.customer)?;
        let command_id = fields::command_id(&request.command_id)?;
        let to = fields::name("to", &request.to)?;
        answered(self.engine.revoke_access(&site, &customer, to, caller.actor(), command_id).await)
    }

    async fn erase_customer(&self, request: Request<v1::EraseCustomerRequest>) -> Answer {
        let caller = self.access.admit(request.metadata(), Action::GovernCustomerData)?;
        let request = request.into_inner();
        let (site, customer) = named(&caller, &request.site, &request.customer)?;
        let command_id = fields::command_id(&request.command_id)?;
        let reason = fields::name("reason", &request.reason).map(ReasonCode)?;
        answered(self.engine.erase_customer(&site, &customer, reason, caller.actor(), command_id).await)
    }

    async fn back_up_vault(
        &self,
        request: Request<v1::BackUpVaultRequest>,
    ) -> Result<Response<Self::BackUpVaultStream>, Status> {
        let caller = self.access.admit(request.metadata(), Action::BackUpVault)?;
        if let Some(site) = caller.only_site() {
            let message = format!("the vault is of all sites; the token of {} is for {site}", caller.actor());
            return Err(status::denied("SITE", message));
        }
        let copy = self.engine.copy_vault().await.map_err(status::of)?;
        let (sender, receiver) = mpsc::channel(PARTS_AHEAD);
        tokio::task::spawn_blocking(move || {
            if let Err(error) = send_parts(&copy, &sender) {
                let message = format!("reading the vault's copy: {error}");
                // Whoever asked may have gone.
                let _ = sender.blocking_send(Err(Status::unavailable(message)));
            }
        });
        Ok(Response::new(Box::pin(ReceiverStream::new(receiver))))
    }
}

/// Sends every file of the copy; stops when nobody takes the parts any more.
fn send_parts(copy: &VaultCopy, sender: &mpsc::Sender<Result<v1::VaultPart, Status>>) -> io::Result<()> {
    let mut paths =
        fs::read_dir(copy.dir())?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    paths.sort();
    for path in paths {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let mut file = File::open(&path)?;
        loop {
            let mut bytes = Vec::with_capacity(PART_BYTES);
            if Read::by_ref(&mut file).take(PART_BYTES as u64).read_to_end(&mut bytes)? == 0 {
                break;
            }
            if sender.blocking_send(Ok(v1::VaultPart { file: name.clone(), bytes: bytes.into() })).is_err() {
                return Ok(());
            }
        }
    }
    Ok(())
}

impl Room {
    /// Who reads, and by what right.
    pub(super) fn reader<'c>(&self, caller: &'c Caller, site: &SiteId, customer: &CustomerId) -> Reader<'c> {
        let answers = |agent: &AgentId| self.engine.answers_for(site, agent, customer);
        Reader {
            name: caller.actor(),
            is_steward: caller.is_data_steward(),
            answers_for_ticket: caller.as_owner().is_some_and(|agent| answers(&agent)),
        }
    }

    fn file_message(&self, view: CustomerView) -> v1::CustomerFile {
        let now = self.engine.clock().now();
        let file = view.file;
        let value = |value: &pegcount_domain::customer::KeptValue| v1::SealedValue {
            reference: value.reference.to_string(),
            kind: kind_message(value.kind).into(),
            at_us: value.at.0,
            by: value.by.to_string(),
        };
        let grant = |grant: &pegcount_domain::customer::Grant| v1::AccessGrant {
            to: grant.to.to_string(),
            purpose: grant.purpose.to_string(),
            until_us: grant.until.0,
            at_us: grant.at.0,
            by: grant.by.to_string(),
        };
        v1::CustomerFile {
            site: view.site.to_string(),
            customer: view.customer.to_string(),
            values: file.values.iter().map(value).collect(),
            tier: file.tier.as_ref().map(ToString::to_string).unwrap_or_default(),
            grants: file.grants.iter().filter(|grant| now < grant.until).map(grant).collect(),
            erased_us: file.erased.as_ref().map(|(at, _)| at.0),
            erased_by: file.erased.map(|(_, by)| by.to_string()).unwrap_or_default(),
            reads: file.reads,
            version: file.version.0,
        }
    }
}

pub(super) fn named(caller: &Caller, site: &str, customer: &str) -> Result<(SiteId, CustomerId), Status> {
    let site = caller.site("site", site)?;
    Ok((site, fields::name("customer", customer).map(CustomerId)?))
}

fn check_known_by(field: &str, text: &str) -> Result<(), Status> {
    if text.trim().is_empty() {
        return Err(status::invalid(field, "is blank; give a number or an address"));
    }
    if text.len() > CALLER_BYTES_MAX {
        let reason = format!("has {} bytes; the limit is {CALLER_BYTES_MAX}", text.len());
        return Err(status::invalid(field, reason));
    }
    Ok(())
}

fn to_keep(values: Vec<v1::PlainValue>, known_by: Vec<String>) -> Result<ValuesToKeep, Status> {
    for (what, actual, limit) in
        [("values", values.len(), VALUES_MAX), ("known_by", known_by.len(), KNOWN_BY_MAX)]
    {
        if actual > limit {
            return Err(status::invalid(
                what,
                format!("holds {actual}; the limit is {limit}: send them in parts"),
            ));
        }
    }
    for (index, text) in known_by.iter().enumerate() {
        check_known_by(&format!("known_by[{index}]"), text)?;
    }
    let value = |(index, value): (usize, v1::PlainValue)| {
        let kind = u32::try_from(value.kind).ok().and_then(ValueKind::from_code);
        let missing =
            || status::invalid(&format!("values[{index}].kind"), "is missing; say what the value is");
        Ok((kind.ok_or_else(missing)?, value.text))
    };
    let values = values.into_iter().enumerate().map(value).collect::<Result<Vec<_>, Status>>()?;
    Ok(ValuesToKeep { values, known_by })
}

fn kind_message(kind: ValueKind) -> v1::ValueKind {
    match kind {
        ValueKind::Name => v1::ValueKind::Name,
        ValueKind::Contact => v1::ValueKind::Contact,
        ValueKind::Place => v1::ValueKind::Place,
        ValueKind::Text => v1::ValueKind::Text,
    }
}

fn answered(done: Result<Carried, EngineError>) -> Answer {
    let done = done.map_err(status::of)?;
    Ok(Response::new(v1::CustomerResponse { position: done.position.0, version: done.version.0 }))
}
