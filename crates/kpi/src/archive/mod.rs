//! The figures as bytes: what rebuilding starts from once the log's first events are gone.
//!
//! Everything that a later fact or question needs, as protobuf (`proto/pegcount/store/v1/archive.proto`), which outlives
//! program versions. Fingerprints go as they are, so whoever restores must make them with the same seed. Not for
//! checking the bytes: their keeper does. Invariant: what is restored answers as what was archived does, and goes on alike.

mod books;
mod days;
mod definitions;
mod events;
mod facts;
mod units;

pub(crate) use books::TableRows;

use bytes::Bytes;
use pegcount_domain::{
    envelope::Position,
    ids::{Key, Name},
    time::Micros,
};
use pegcount_proto::stored;
use prost::Message;
use rustc_hash::FxHashMap;

use crate::{fact::Slot, kpi::Kpi, names::Id, site::Site};

/// The version of the form.
const FORM: u32 = 1;

/// Why bytes are no figures.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// No message of that kind.
    #[error("the archive's figures are no such message: {0}")]
    Undecodable(#[from] prost::DecodeError),
    /// A newer program made it.
    #[error("the archive's figures have form {found}; this program knows form {FORM}: use a newer program")]
    NewerForm {
        /// Its form.
        found: u32,
    },
    /// Something in it cannot be.
    #[error("the archive's figures are damaged: {0}")]
    Wrong(&'static str),
}

impl Kpi {
    /// Everything that later facts and questions need.
    pub fn archived(&self) -> Vec<u8> {
        let sites = self.sites.iter().map(archived_site).collect();
        let (position, seed) = (self.position.0, self.seed());
        let archive = stored::FiguresArchive { pegcount_figures: FORM, position, sites, seed };
        archive.encode_to_vec()
    }

    /// Figures as they were archived; the next event is the one after [`Self::position`].
    ///
    /// Errors: bytes that [`Self::archived`] of this program or an older one has not made.
    pub fn restored(bytes: &[u8]) -> Result<Self, ArchiveError> {
        let archive = stored::FiguresArchive::decode(bytes)?;
        if archive.pegcount_figures != FORM {
            return Err(ArchiveError::NewerForm { found: archive.pegcount_figures });
        }
        let mut kpi = Self::new();
        kpi.position = Position(archive.position);
        kpi.set_seed(archive.seed);
        for site in &archive.sites {
            let site = restored_site(site, archive.seed)?;
            kpi.slots.insert(site.key, kpi.sites.len());
            kpi.sites.push(site);
        }
        Ok(kpi)
    }
}

/// Where units come to lie in the archive's lists.
#[derive(Default)]
struct Places {
    agents: FxHashMap<Slot, u32>,
    contacts: FxHashMap<Slot, u32>,
    lines: FxHashMap<Slot, u32>,
    tickets: FxHashMap<Slot, u32>,
}

impl Places {
    fn of(site: &Site) -> Self {
        Self {
            agents: numbered(site.agents.iter().map(|(slot, _)| slot)),
            contacts: numbered(site.contacts.slots().into_iter()),
            lines: numbered(site.lines.slots().into_iter()),
            tickets: numbered(site.tickets.slots().into_iter()),
        }
    }
}

fn numbered(slots: impl Iterator<Item = Slot>) -> FxHashMap<Slot, u32> {
    slots.zip(0u32..).collect()
}

/// The place of a unit; nothing speaks of one that is not there.
fn place(places: &FxHashMap<Slot, u32>, slot: Slot) -> u32 {
    places.get(&slot).copied().unwrap_or(u32::MAX)
}

fn places(places: &FxHashMap<Slot, u32>, slots: &[Slot]) -> Vec<u32> {
    slots.iter().map(|slot| place(places, *slot)).collect()
}

/// How many units and names there are: what is restored speaks of no others.
#[derive(Clone, Copy)]
struct Counts {
    names: usize,
    agents: usize,
    contacts: usize,
    lines: usize,
    tickets: usize,
    classes: usize,
}

impl Counts {
    fn of(site: &stored::SiteFigures) -> Self {
        Self {
            names: site.names.len(),
            agents: site.agents.len(),
            contacts: site.contacts.len(),
            lines: site.lines.len(),
            tickets: site.tickets.len(),
            classes: site.classes.len(),
        }
    }

    fn name(self, number: u32) -> Result<Id, ArchiveError> {
        let known = usize::try_from(number).is_ok_and(|number| number <= self.names);
        known.then_some(Id(number)).ok_or(ArchiveError::Wrong("a name's number is beyond the last"))
    }

    /// An entry, or what a ticket is.
    fn name_or_class(self, number: u32) -> Result<Id, ArchiveError> {
        let is_class = usize::try_from(number).is_ok_and(|number| number <= self.classes);
        if is_class { Ok(Id(number)) } else { self.name(number) }
    }

    fn agent(self, place: u32) -> Result<Slot, ArchiveError> {
        slot(place, self.agents, "an agent's place is beyond the last")
    }

    fn contact(self, place: u32) -> Result<Slot, ArchiveError> {
        slot(place, self.contacts, "a contact's place is beyond the last")
    }

    fn line(self, place: u32) -> Result<Slot, ArchiveError> {
        slot(place, self.lines, "a customer line's place is beyond the last")
    }

    fn ticket(self, place: u32) -> Result<Slot, ArchiveError> {
        slot(place, self.tickets, "a ticket's place is beyond the last")
    }
}

fn slot(place: u32, count: usize, what: &'static str) -> Result<Slot, ArchiveError> {
    let slot = Slot(place);
    if slot.index() < count { Ok(slot) } else { Err(ArchiveError::Wrong(what)) }
}

fn key_bytes(key: Key) -> Bytes {
    Bytes::copy_from_slice(&key.0.to_be_bytes())
}

fn key_of(bytes: &[u8]) -> Result<Key, ArchiveError> {
    let wide = bytes.try_into().map(u128::from_be_bytes);
    wide.map(Key).map_err(|_| ArchiveError::Wrong("a fingerprint has not 16 bytes"))
}

fn archived_site(site: &Site) -> stored::SiteFigures {
    let at = Places::of(site);
    let named = |(key, text): &(Key, Option<Name>)| stored::KnownName {
        key: key_bytes(*key),
        text: text.as_ref().map(ToString::to_string).unwrap_or_default(),
    };
    let mut figures = stored::SiteFigures {
        key: key_bytes(site.key),
        name: site.name.as_ref().map(ToString::to_string).unwrap_or_default(),
        position: site.position().0,
        closed_before: site.closed_before.0,
        names: site.names.entries().iter().map(named).collect(),
        definitions: definitions::archived_definitions(site.reference.definitions()),
        corrections: site.corrections.iter().map(|one| books::archived_correction(&one)).collect(),
        ..stored::SiteFigures::default()
    };
    days::archive_zones(&site.reference, &mut figures);
    units::archive(site, &at, &mut figures);
    books::archive(&site.books, &mut figures);
    days::archive_standings(&site.books, &mut figures);
    figures
}

fn restored_site(figures: &stored::SiteFigures, seed: u64) -> Result<Site, ArchiveError> {
    let mut site = Site::new(key_of(&figures.key)?);
    site.name = Name::new(&figures.name).ok();
    site.stand_at(Position(figures.position));
    site.closed_before = Micros(figures.closed_before);
    // How late the latest fact was is not kept; any definition may touch something.
    site.last_seen = Micros::MAX;
    for name in &figures.names {
        let key = key_of(&name.key)?;
        site.names.id(key);
        if !name.text.is_empty() {
            site.names.tell(key, &name.text);
        }
    }
    site.know_words(seed);
    let counts = Counts::of(figures);
    for class in &figures.classes {
        site.classes.number(units::class_of(class, counts)?);
    }
    for definition in &figures.definitions {
        let event = definitions::restored_definition(definition)?;
        site.reference.apply(&event, &mut site.names);
    }
    days::restore_zones(&mut site.reference, figures);
    units::restore(&mut site, figures, counts)?;
    books::restore(&mut site.books, figures, counts)?;
    days::restore_standings(&mut site.books, figures, counts)?;
    for one in &figures.corrections {
        site.corrections.put_back(books::restored_correction(one)?);
    }
    site.take_up_days(figures.has_days);
    let mut untold = site.names.take_missing();
    untold.retain(|key| !site.names.is_told(*key));
    site.names.ask_for(untold);
    site.books.touch_span(Micros(i64::MIN), Micros(i64::MAX), Position(figures.position));
    site.look_near();
    site.look_near_tickets();
    site.latest = site.books.matured_to.max(site.books.last_effect);
    Ok(site)
}
