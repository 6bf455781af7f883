//! The figures in parts: what a start goes on from so that it need not fold all of history.
//!
//! Each part is the folds' own types in bincode, short enough to be compressed, checked and read on any thread. Not for
//! keeping: only the code that wrote parts can read them, and their keeper sees to that; what must outlive versions of the
//! program is [`crate::archive`]'s. The types derive what is written, so a field is forgotten only by saying `skip`.
//! Invariant: figures assembled from all their parts answer and go on as those did that were taken apart.

use bincode::{
    config::{Configuration, standard},
    serde::{decode_from_slice, encode_to_vec},
};
use pegcount_domain::{ids::Key, time::Micros};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{
    agent::{chapter::Chapter, unit::AgentUnit},
    cells::CellRows,
    kpi::Kpi,
    packed::Packed,
    site::{
        Site,
        resting::{Resting, Rests},
    },
};

const FORM: Configuration = standard();
/// A part ends with the unit that makes it hold so many facts, or so many contacts of lines.
const PART_FACTS: usize = 65_536;
/// Units that can rest in one part: some hundred bytes each.
const PART_RESTING: usize = 16_384;
/// Rows of cells in one part.
const PART_ROWS: usize = 32_768;

/// Why parts are no figures.
#[derive(Debug, thiserror::Error)]
pub enum PartError {
    /// It could not be written.
    #[error("a part of the figures cannot be written: {0}")]
    Unencodable(#[from] bincode::error::EncodeError),
    /// It is none, or another program's.
    #[error("a part of the figures cannot be read: {0}")]
    Undecodable(#[from] bincode::error::DecodeError),
    /// They are not all there, or not in their order.
    #[error("the parts of the figures do not fit together: {0}")]
    Misfit(&'static str),
}

/// What a part holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum What {
    Kpi,
    Site,
    Agents,
    Contacts,
    Lines,
    Tickets,
    Cells,
    /// Nothing follows: those before it are all.
    End,
}

/// A part that has been read.
#[derive(Debug)]
pub struct Part {
    site: usize,
    content: Content,
}

#[derive(Debug)]
enum Content {
    Kpi(Box<Kpi>),
    Site(Box<Site>),
    Agents(Vec<AgentUnit>),
    Contacts(Vec<(Key, Packed)>),
    Lines(Vec<(Key, Packed)>),
    Tickets(Vec<(Key, Packed)>),
    Cells(CellRows),
    End,
}

impl Part {
    /// Reads a part. Errors: bytes that [`Kpi::parts`] of the same code has not given.
    pub fn read(bytes: &[u8]) -> Result<Self, PartError> {
        let ((site, what), length): ((usize, What), usize) = decode_from_slice(bytes, FORM)?;
        let rest = bytes.get(length..).unwrap_or_default();
        let content = match what {
            What::Kpi => Content::Kpi(read(rest)?),
            What::Site => Content::Site(read(rest)?),
            What::Agents => Content::Agents(read(rest)?),
            What::Contacts => Content::Contacts(read(rest)?),
            What::Lines => Content::Lines(read(rest)?),
            What::Tickets => Content::Tickets(read(rest)?),
            What::Cells => Content::Cells(read(rest)?),
            What::End => Content::End,
        };
        Ok(Self { site, content })
    }
}

fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, PartError> {
    Ok(decode_from_slice(bytes, FORM)?.0)
}

impl Kpi {
    /// Gives `sink` everything that later facts and questions need, part by part, in the order that
    /// [`Self::assembled`] wants.
    ///
    /// Errors: the sink's, and [`PartError`] if a part cannot be written.
    pub fn parts<E: From<PartError>>(&self, mut sink: impl FnMut(Vec<u8>) -> Result<(), E>) -> Result<(), E> {
        let mut give = Giver(&mut sink);
        give.part(0, What::Kpi, self)?;
        for (number, site) in self.sites.iter().enumerate() {
            // All fields by name: whoever adds a list of units sees that it needs parts of its own.
            let Site {
                agents,
                contacts,
                lines,
                tickets,
                books,
                key: _,
                name: _,
                names: _,
                reference: _,
                open: _,
                corrections: _,
                closed_before: _,
                position: _,
                scratch: _,
                all_changed: _,
                latest: _,
                rewritten_at: _,
                near: _,
                near_tickets: _,
                near_owed: _,
                classes: _,
                last_seen: _,
                deferred_since: _,
                touch_limit: _,
                days_due: _,
                now: _,
            } = site;
            give.part(number, What::Site, site)?;
            let facts =
                |unit: &AgentUnit| unit.facts.len() + unit.chapters.iter().map(Chapter::len).sum::<usize>();
            give.units(number, What::Agents, &agents.list, facts)?;
            give.resting(number, What::Contacts, contacts)?;
            give.resting(number, What::Lines, lines)?;
            give.resting(number, What::Tickets, tickets)?;
            for rows in books.cells.parts(PART_ROWS) {
                give.part(number, What::Cells, &rows)?;
            }
        }
        give.part(0, What::End, &())
    }

    /// Figures put together of all their parts, in their order; the next event is the one after [`Self::position`].
    ///
    /// Errors: parts that are missing or in another order.
    pub fn assembled(parts: impl IntoIterator<Item = Part>) -> Result<Self, PartError> {
        let mut parts = parts.into_iter();
        let Some(Part { content: Content::Kpi(mut kpi), .. }) = parts.next() else {
            return Err(PartError::Misfit("they do not begin with the first"));
        };
        let mut loose: Vec<Loose> = Vec::new();
        for Part { site: number, content } in &mut parts {
            if let Content::Site(site) = content {
                if number != kpi.sites.len() {
                    return Err(PartError::Misfit("a site is missing"));
                }
                kpi.sites.push(*site);
                loose.push(Loose::default());
                continue;
            }
            if matches!(content, Content::End) {
                for (site, loose) in kpi.sites.iter_mut().zip(loose) {
                    loose.put_back(site);
                    // What changed when is not kept: whoever watches looks once at everything.
                    site.rewritten_at = site.position;
                    site.wake_open();
                    site.books.touch_span(Micros(i64::MIN), Micros(i64::MAX), site.position());
                }
                return Ok(*kpi);
            }
            let Some(loose) = loose.get_mut(number) else {
                return Err(PartError::Misfit("a site comes after its units"));
            };
            match content {
                Content::Agents(list) => loose.agents.extend(list),
                Content::Contacts(list) => loose.contacts.push(list),
                Content::Lines(list) => loose.lines.push(list),
                Content::Tickets(list) => loose.tickets.push(list),
                Content::Cells(rows) => loose.cells.push(rows),
                Content::Kpi(_) | Content::Site(_) | Content::End => {
                    return Err(PartError::Misfit("the first comes twice"));
                }
            }
        }
        Err(PartError::Misfit("the last is missing"))
    }
}

/// Units that rest, part by part, in their order.
type RestingParts = Vec<Vec<(Key, Packed)>>;

/// The parts of one site: how much room they need is known before the first is put back.
#[derive(Default)]
struct Loose {
    agents: Vec<AgentUnit>,
    contacts: RestingParts,
    lines: RestingParts,
    tickets: RestingParts,
    cells: Vec<CellRows>,
}

impl Loose {
    /// Contacts, of which there are as many as of all others together, on a thread of their own.
    fn put_back(self, site: &mut Site) {
        let Site { agents, contacts, lines, tickets, books, .. } = site;
        std::thread::scope(|scope| {
            scope.spawn(|| contacts.put_back_resting(self.contacts));
            agents.list.extend(self.agents);
            lines.put_back_resting(self.lines);
            tickets.put_back_resting(self.tickets);
            for rows in self.cells {
                books.cells.put_back(rows);
            }
        });
    }
}

struct Giver<'a, F>(&'a mut F);

impl<F> Giver<'_, F> {
    fn part<E>(&mut self, site: usize, what: What, content: &impl Serialize) -> Result<(), E>
    where
        E: From<PartError>,
        F: FnMut(Vec<u8>) -> Result<(), E>,
    {
        let bytes = encode_to_vec(((site, what), content), FORM).map_err(PartError::from)?;
        (self.0)(bytes)
    }

    /// Units that rest as they are, the others as if they did.
    fn resting<T: Rests, E>(&mut self, site: usize, what: What, units: &Resting<T>) -> Result<(), E>
    where
        E: From<PartError>,
        F: FnMut(Vec<u8>) -> Result<(), E>,
    {
        let mut all = units.packed();
        loop {
            let part: Vec<(Key, Packed)> = all.by_ref().take(PART_RESTING).collect();
            if part.is_empty() {
                return Ok(());
            }
            self.part(site, what, &part)?;
        }
    }

    fn units<T: Serialize, E>(
        &mut self,
        site: usize,
        what: What,
        list: &[T],
        weight: impl Fn(&T) -> usize,
    ) -> Result<(), E>
    where
        E: From<PartError>,
        F: FnMut(Vec<u8>) -> Result<(), E>,
    {
        let mut rest = list;
        while !rest.is_empty() {
            let mut held = 0;
            let fits = |unit: &&T| {
                let fits = held < PART_FACTS;
                held += weight(unit).max(1);
                fits
            };
            let count = rest.iter().take_while(fits).count();
            let (part, after) = rest.split_at(count);
            self.part(site, what, &part)?;
            rest = after;
        }
        Ok(())
    }
}
