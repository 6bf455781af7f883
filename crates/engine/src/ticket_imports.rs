//! Whole histories of tickets of other systems, idempotent by the ticket's id.
//!
//! A record becomes one stream. What happened to the ticket here meanwhile (alerts, commands) lies between its facts and counts for
//! nothing: a record that grew is held against what came by import, and what is missing is appended, in its order, by the version that
//! was looked at. What was written is sealed first, of what is appended alone.
//!
//! Invariant: what a stream has of its record is in it once; whatever the record does not have is never appended to.

use std::{borrow::Cow, sync::Arc};

use pegcount_domain::{
    customer::ValueKind,
    envelope::{StreamName, Version},
    event::Event,
    ids::{CustomerId, Name, SiteId, SourceId, TicketId},
    ticketing::{
        FieldValue, TicketEvent, TicketFact, TicketRecord,
        told::{NOT_TOLD, UNSEALED},
    },
    time::{Micros, Shown},
};
use pegcount_log::{Append, AppendError, Direction, Expected, NewEvent, PendingAppend};
use smallvec::smallvec;

use crate::{
    engine::{Engine, blocked},
    error::EngineError,
    ingest::new_event,
    options::{EARLIEST, RECORD_FACTS_MAX},
    recorded::named_event,
    source::ENGINE_SOURCE,
    texts::own_identity,
    tickets::stream,
};

/// Events of a ticket that are read at once.
const READ_EVENTS: usize = 500;
/// How often a record is looked at anew because its ticket changed in between.
const LOOKS_MAX: usize = 8;

/// What became of the records.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImportedTickets {
    /// New ones.
    pub added: u64,
    /// Those that were there already, whole.
    pub present: u64,
    /// Those that had grown.
    pub grown: u64,
    /// Events appended.
    pub events: u64,
    /// Texts sealed.
    pub sealed: u64,
    /// Those that were refused, with reasons.
    pub refusals: Vec<(TicketId, String)>,
}

/// What is to be appended of a record.
struct Plan {
    record: TicketRecord,
    stream: StreamName,
    /// The version that was looked at; 0: there is no such stream.
    known: Version,
    /// Which of the record's facts, in order.
    missing: Vec<usize>,
}

/// How a record stands to its stream.
enum Stand {
    Whole,
    Refused(String),
    Lacks(Version, Vec<usize>),
}

impl Engine {
    /// Imports tickets; returns when they are durable. Errors: the log's and the vault's; a record that is wrong in itself, or that
    /// contradicts what is stored, is a refusal among the counts.
    pub async fn import_tickets(
        &self,
        site: &SiteId,
        source: &SourceId,
        actor: &Name,
        records: Vec<TicketRecord>,
    ) -> Result<ImportedTickets, EngineError> {
        if source.0.as_str() == ENGINE_SOURCE {
            return Err(EngineError::invalid("source", "is the engine's own name; give the other system's"));
        }
        let mut done = ImportedTickets::default();
        let mut left = self.with_callers(site, records).await?;
        for _ in 0..LOOKS_MAX {
            let plans = self.plan(site, left, &mut done).await?;
            left = self.append_plans(site, (source, actor), plans, &mut done).await?;
            if left.is_empty() {
                return Ok(done);
            }
        }
        let reason = format!("changed {LOOKS_MAX} times while it was looked at; import it again");
        done.refusals.extend(left.into_iter().map(|record| (record.ticket, reason.clone())));
        Ok(done)
    }

    /// Puts surrogates where callers were.
    async fn with_callers(
        &self,
        site: &SiteId,
        mut records: Vec<TicketRecord>,
    ) -> Result<Vec<TicketRecord>, EngineError> {
        let callers = records.iter_mut().enumerate();
        let callers = callers.filter_map(|(index, record)| Some((index, record.caller.take()?))).collect();
        for (index, customer) in self.name_customers(site, callers).await? {
            let first = records.get_mut(index).and_then(|record| record.facts.first_mut());
            if let Some(TicketEvent::Opened(opening)) = first.map(|fact| &mut fact.event) {
                opening.set.push(FieldValue::Customer(customer));
            }
        }
        Ok(records)
    }

    async fn plan(
        &self,
        site: &SiteId,
        records: Vec<TicketRecord>,
        done: &mut ImportedTickets,
    ) -> Result<Vec<Plan>, EngineError> {
        let mut plans = Vec::with_capacity(records.len());
        let mut looked = false;
        for record in records {
            if let Some(reason) = unfit(&record) {
                done.refusals.push((record.ticket, reason));
                continue;
            }
            let stream = stream(site, &record.ticket);
            if self.log.version(&stream)? == Version(0) {
                let missing = (0..record.facts.len()).collect();
                plans.push(Plan { record, stream, known: Version(0), missing });
                continue;
            }
            if !looked {
                // How much of a stream came by import is for the boards to say.
                self.caught_up(self.log.end()).await?;
                looked = true;
            }
            match self.stand(site, &stream, &record).await? {
                Stand::Whole => done.present += 1,
                Stand::Refused(reason) => done.refusals.push((record.ticket, reason)),
                Stand::Lacks(known, missing) => plans.push(Plan { record, stream, known, missing }),
            }
        }
        Ok(plans)
    }

    async fn stand(
        &self,
        site: &SiteId,
        stream: &StreamName,
        record: &TicketRecord,
    ) -> Result<Stand, EngineError> {
        let imported = {
            let boards = self.boards.state().read();
            boards.site(site).and_then(|board| board.tickets.imported(&record.ticket))
        };
        match imported {
            Some(0) => {
                let reason = "was opened here, not imported; give the records of the other system other ids";
                return Ok(Stand::Refused(reason.to_owned()));
            }
            Some(count) if usize::try_from(count).is_ok_and(|count| count >= record.facts.len()) => {
                return Ok(Stand::Whole);
            }
            Some(_) => {}
            // Over and put away, and its history dropped: what is left of it tells no more.
            None => return Ok(Stand::Whole),
        }
        let (stored, known) = self.imported_facts(stream).await?;
        Ok(match missing(&stored, &record.facts) {
            Ok(missing) if missing.is_empty() => Stand::Whole,
            Ok(missing) => Stand::Lacks(known, missing),
            Err(reason) => Stand::Refused(reason),
        })
    }

    /// What of a stream came by import, and the stream's version.
    async fn imported_facts(
        &self,
        stream: &StreamName,
    ) -> Result<(Vec<(Micros, TicketEvent)>, Version), EngineError> {
        let (mut stored, mut known) = (Vec::new(), Version(0));
        let mut next = Some(Version(1));
        while let Some(from) = next {
            let page = self.log.read_stream(stream, from, Direction::Forward, READ_EVENTS).await?;
            for (frame, event) in page.events() {
                let envelope = &event.envelope;
                known = envelope.version;
                if envelope.source == ENGINE_SOURCE {
                    continue;
                }
                let named = named_event(frame, &event)
                    .map_err(|source| EngineError::Decode { position: envelope.position.0, source })?;
                if let Event::Ticket(event) = named {
                    // As the record told it: one of the future counts as having happened when it was written.
                    stored.push((envelope.source_time, event));
                }
            }
            next = page.next;
        }
        Ok((stored, known))
    }

    /// Appends what is missing; gives back the records whose tickets changed in between.
    async fn append_plans(
        &self,
        site: &SiteId,
        (source, actor): (&SourceId, &Name),
        plans: Vec<Plan>,
        done: &mut ImportedTickets,
    ) -> Result<Vec<TicketRecord>, EngineError> {
        let plans = self.sealed(site, plans, done).await?;
        let mut pending: Vec<(Plan, PendingAppend)> = Vec::with_capacity(plans.len());
        for (plan, references) in plans {
            let append = plan.append(source, actor, references);
            pending.push((plan, self.log.submit(append).await?));
        }
        let mut left = Vec::new();
        for (plan, pending) in pending {
            match pending.await {
                Ok(written) => {
                    done.events += u64::try_from(written.written).unwrap_or(u64::MAX);
                    let grew = plan.known > Version(0);
                    done.added += u64::from(!grew);
                    done.grown += u64::from(grew);
                }
                Err(AppendError::WrongVersion { .. }) => left.push(plan.record),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(left)
    }

    /// Seals the texts of what is to be appended, all in one; each plan with its references, in the order of its texts. Whose customer
    /// was erased is refused.
    async fn sealed(
        &self,
        site: &SiteId,
        plans: Vec<Plan>,
        done: &mut ImportedTickets,
    ) -> Result<Vec<(Plan, Vec<Name>)>, EngineError> {
        if plans.iter().all(|plan| plan.texts().next().is_none()) {
            return Ok(plans.into_iter().map(|plan| (plan, Vec::new())).collect());
        }
        let (vault, site) = (Arc::clone(&self.vault), site.clone());
        let (plans, refused, sealed) = blocked(move || {
            let mut holders = Vec::with_capacity(plans.len());
            let own = plans.iter().filter(|plan| plan.customer().is_none() && plan.texts().next().is_some());
            let own: Vec<String> = own.map(|plan| own_identity(&plan.record.ticket)).collect();
            let mut own = vault.surrogates(&site, &own)?.into_iter();
            let (mut kept, mut refused) = (Vec::with_capacity(plans.len()), Vec::new());
            for plan in plans {
                if plan.texts().next().is_none() {
                    kept.push(plan);
                    holders.push(None);
                    continue;
                }
                let Some(holder) = plan.customer().cloned().or_else(|| own.next()) else { continue };
                if vault.erased_at(&holder).is_some() || !vault.knows(&holder) {
                    let reason = format!("has texts of {holder}, who was erased or is not known here");
                    refused.push((plan.record.ticket, reason));
                    continue;
                }
                kept.push(plan);
                holders.push(Some(holder));
            }
            let values = kept.iter().zip(&holders).flat_map(|(plan, holder)| {
                let of = |holder| plan.texts().map(move |text| (holder, ValueKind::Text, text));
                holder.iter().flat_map(of)
            });
            let references = vault.seal_of_several(&values.collect::<Vec<_>>())?;
            let sealed = references.len();
            let mut references = references.into_iter();
            let with = |plan: Plan| {
                let count = plan.texts().count();
                (plan, references.by_ref().take(count).collect())
            };
            Ok((kept.into_iter().map(with).collect(), refused, sealed))
        })
        .await?;
        done.refusals.extend(refused);
        done.sealed += u64::try_from(sealed).unwrap_or(u64::MAX);
        Ok(plans)
    }
}

impl Plan {
    fn facts(&self) -> impl Iterator<Item = &TicketFact> {
        self.missing.iter().filter_map(|index| self.record.facts.get(*index))
    }

    fn texts(&self) -> impl Iterator<Item = &str> {
        self.facts().filter_map(|fact| fact.text.as_deref())
    }

    fn customer(&self) -> Option<&CustomerId> {
        match self.record.facts.first().map(|fact| &fact.event) {
            Some(TicketEvent::Opened(opening)) => opening.customer(),
            _ => None,
        }
    }

    fn append(&self, source: &SourceId, actor: &Name, references: Vec<Name>) -> Append {
        let mut references = references.into_iter();
        let event = |fact: &TicketFact| -> NewEvent {
            let mut event = fact.event.clone();
            if let (Some(_), Some(place)) = (&fact.text, event.reference_mut()) {
                *place = references.next().unwrap_or(NOT_TOLD);
            }
            let event = Event::Ticket(event);
            let mut new = new_event(self.stream.clone(), &event, fact.at, fact.at, actor.clone());
            new.on_behalf_of = fact.agent.as_ref().map(|agent| agent.0.clone());
            new
        };
        let events = self.facts().map(event).collect();
        let expected =
            if self.known == Version(0) { Expected::NoStream } else { Expected::Version(self.known) };
        Append {
            source: source.0.clone(),
            batch: None,
            skip_to: None,
            expected: smallvec![(self.stream.clone(), expected)],
            events,
        }
    }
}

/// Which facts of a record its stream does not have, or what the stream has and the record does not.
fn missing(stored: &[(Micros, TicketEvent)], facts: &[TicketFact]) -> Result<Vec<usize>, String> {
    let mut missing: Vec<usize> = (0..facts.len()).collect();
    for (at, event) in stored {
        let same = |index: &usize| facts.get(*index).is_some_and(|fact| is_same((*at, event), fact));
        match missing.iter().position(same) {
            Some(found) => {
                missing.remove(found);
            }
            None => {
                return Err(format!(
                    "does not hold what was imported of it before: {} at {}; it lost rows, or is read by another map",
                    event.event_type().name(),
                    Shown(*at)
                ));
            }
        }
    }
    // The ticket is open; what its opening says otherwise now comes too late.
    missing
        .retain(|index| !matches!(facts.get(*index).map(|fact| &fact.event), Some(TicketEvent::Opened(_))));
    Ok(missing)
}

/// Whether a stored event is a fact, but for its reference.
fn is_same((at, stored): (Micros, &TicketEvent), fact: &TicketFact) -> bool {
    match (stored, &fact.event) {
        // A row that came late may have made another beginning of it.
        (TicketEvent::Opened(_), TicketEvent::Opened(_)) => true,
        (stored, told) => at == fact.at && unsealed(stored) == unsealed(told),
    }
}

fn unsealed(event: &TicketEvent) -> Cow<'_, TicketEvent> {
    let mut bare = event.clone();
    match bare.reference_mut() {
        Some(place) => {
            *place = UNSEALED;
            Cow::Owned(bare)
        }
        None => Cow::Borrowed(event),
    }
}

fn unfit(record: &TicketRecord) -> Option<String> {
    let facts = &record.facts;
    let opens = matches!(facts.first().map(|fact| &fact.event), Some(TicketEvent::Opened(_)));
    if !opens {
        return Some("does not begin with its opening".to_owned());
    }
    if facts.len() > RECORD_FACTS_MAX {
        return Some(format!("holds {} facts; the limit is {RECORD_FACTS_MAX}", facts.len()));
    }
    let early = facts.iter().find(|fact| fact.at < EARLIEST)?;
    Some(format!("has a fact at {}, before 1980", Shown(early.at)))
}
