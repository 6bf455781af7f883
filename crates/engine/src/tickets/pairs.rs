//! Merge, split and link: one append over both streams, by both versions, or nothing.

use pegcount_domain::{
    envelope::Version,
    ids::{CustomerId, SiteId, TicketId},
    ticketing::{
        LinkKind, Opening, Pair, Side, TicketEvent, TicketRefusal, Visibility, decide_link, decide_merge,
        decide_split,
    },
};
use smallvec::smallvec;

use super::{OpenTicket, TicketAsker, no_ticket, refused, stream, told};
use crate::{
    boards::{Entry, SiteBoard},
    commands::{Carried, Decided, Write},
    engine::Engine,
    error::EngineError,
};

/// A ticket of two, and the version that the caller saw; none: any.
#[derive(Clone, Copy, Debug)]
pub struct OneTicket<'a> {
    /// Which.
    pub ticket: &'a TicketId,
    /// Its version.
    pub expected: Option<Version>,
}

impl Engine {
    /// `secondary` goes on in `primary`. The answer's version is the secondary's. Errors: as [`Self::ticket_command`]'s.
    pub async fn merge_tickets(
        &self,
        site: &SiteId,
        secondary: OneTicket<'_>,
        primary: OneTicket<'_>,
        asker: &TicketAsker<'_>,
    ) -> Result<Carried, EngineError> {
        self.pair(site, secondary, primary, asker, decide_merge).await
    }

    /// Ties `one` to `other`, which is `how` to it. The answer's version is that of `one`. Errors: as
    /// [`Self::ticket_command`]'s; a ticket that would become a part of itself.
    pub async fn link_tickets(
        &self,
        site: &SiteId,
        one: OneTicket<'_>,
        other: OneTicket<'_>,
        how: LinkKind,
        asker: &TicketAsker<'_>,
    ) -> Result<Carried, EngineError> {
        let done = self.pair(site, one, other, asker, |one, other| decide_link(one, other, how)).await?;
        // Read anew: of a tie that one of them had already, only the other was written to.
        let version = self.ticket(site, one.ticket)?.version;
        Ok(Carried { version, ..done })
    }

    /// A part of `whole` becomes a ticket of its own; what was written about it is sealed under the key of its customer, or of its
    /// own, and becomes its first note. The answer's version is that of `whole`. Errors: as
    /// [`Self::ticket_command`]'s and [`Self::open_ticket`]'s.
    pub async fn split_ticket(
        &self,
        site: &SiteId,
        whole: OneTicket<'_>,
        part: OpenTicket,
        asker: &TicketAsker<'_>,
    ) -> Result<Carried, EngineError> {
        let OpenTicket { ticket: new, mut opening, caller, description } = part;
        self.name_opening(site, &mut opening, caller).await?;
        let streams = [stream(site, whole.ticket), stream(site, &new)];
        let decide = || self.decided_split(site, whole, (&new, &opening));
        let note = match description {
            Some(text) => {
                self.caught_up(self.log.end()).await?;
                let done = self.carried_out(asker.command_id, &streams)?;
                // What would be refused is not sealed.
                let decided = if done.is_none() { Some(decide()?) } else { None };
                match decided {
                    Some(decided) => {
                        let customer = decided.customer.as_ref();
                        let reference = self.seal_text(site, &new, customer, text).await?;
                        Some(TicketEvent::Noted { visibility: Visibility::Internal, text: reference })
                    }
                    None => None,
                }
            }
            None => None,
        };
        self.guarded_command(&streams, &asker.asker(), || {
            let SplitDecided { mut pair, version, .. } = decide()?;
            pair.there.extend(note.clone());
            Ok(written(&streams, pair, (version, Version(0))))
        })
        .await
    }

    /// What comes of a split, on the whole as it is.
    fn decided_split(
        &self,
        site: &SiteId,
        whole: OneTicket<'_>,
        (new, opening): (&TicketId, &Opening),
    ) -> Result<SplitDecided, EngineError> {
        let boards = self.boards.state().read();
        let board = boards.site(site).ok_or_else(|| no_ticket(whole.ticket))?;
        if board.tickets.status(new).is_some() {
            return Err(EngineError::Exists { what: "ticket", id: new.to_string() });
        }
        let entry = entry_of(board, whole.ticket)?;
        let opening = inherited(opening, &entry);
        let customer = opening.customer().cloned();
        let pair = decide_split(&whole.side(&entry), new, opening);
        let pair = pair.map_err(|refusal| refused(whole.ticket, refusal))?;
        Ok(SplitDecided { pair, version: entry.ticket.version, customer })
    }

    async fn pair(
        &self,
        site: &SiteId,
        one: OneTicket<'_>,
        other: OneTicket<'_>,
        asker: &TicketAsker<'_>,
        decide: impl Fn(&Side<'_>, &Side<'_>) -> Result<Pair, TicketRefusal>,
    ) -> Result<Carried, EngineError> {
        let streams = [stream(site, one.ticket), stream(site, other.ticket)];
        self.guarded_command(&streams, &asker.asker(), || {
            let boards = self.boards.state().read();
            let board = boards.site(site).ok_or_else(|| no_ticket(one.ticket))?;
            let (here, there) = (entry_of(board, one.ticket)?, entry_of(board, other.ticket)?);
            let pair = decide(&one.side(&here), &other.side(&there));
            let pair = pair.map_err(|refusal| refused(one.ticket, refusal))?;
            no_circle(board, one.ticket, &pair)?;
            Ok(written(&streams, pair, (here.ticket.version, there.ticket.version)))
        })
        .await
    }
}

/// A split that the rules allow.
struct SplitDecided {
    pair: Pair,
    /// The version of the whole that it was decided on.
    version: Version,
    /// The part's customer.
    customer: Option<CustomerId>,
}

impl OneTicket<'_> {
    fn side<'a>(&'a self, entry: &'a Entry) -> Side<'a> {
        Side { id: self.ticket, ticket: &entry.ticket, expected: self.expected }
    }
}

fn entry_of(board: &SiteBoard, ticket: &TicketId) -> Result<Entry, EngineError> {
    board.tickets.entry(ticket).ok_or_else(|| no_ticket(ticket))
}

/// What a part does not say itself it has from the whole.
fn inherited(opening: &Opening, whole: &Entry) -> Opening {
    use pegcount_domain::ticketing::{Field, FieldValue};
    let mut opening = opening.clone();
    let says = |field| opening.set.iter().any(|value| value.field() == field);
    let customer = whole.ticket.facts.customer.clone().filter(|_| !says(Field::Customer));
    opening.set.extend(customer.map(FieldValue::Customer));
    opening.group = opening.group.or_else(|| whole.ticket.group.clone());
    opening
}

fn written(
    streams: &[pegcount_domain::envelope::StreamName; 2],
    pair: Pair,
    (here, there): (Version, Version),
) -> Decided {
    let [one, other] = streams.clone();
    let one = Write { stream: one, version: here, events: told(pair.here) };
    let other = Write { stream: other, version: there, events: told(pair.there) };
    Decided { writes: smallvec![one, other], pending: false }
}

/// The most parents above each other.
const DEPTH_MAX: usize = 100;

/// No ticket becomes a part of itself over several others: none of the new parent's own parents is the child.
fn no_circle(board: &SiteBoard, one: &TicketId, pair: &Pair) -> Result<(), EngineError> {
    let tie = pair.here.iter().find_map(|event| match event {
        TicketEvent::Linked { other, how: LinkKind::Parent } => Some((one, other)),
        TicketEvent::Linked { other, how: LinkKind::Child } => Some((other, one)),
        _ => None,
    });
    let Some((child, parent)) = tie else { return Ok(()) };
    let mut above = Some(parent.clone());
    for _ in 0..DEPTH_MAX {
        let Some(next) = above else { return Ok(()) };
        if next == *child {
            return Err(EngineError::Precondition(format!(
                "ticket {child} would become a part of itself: {parent} is a part of it already; unlink them first"
            )));
        }
        above = board.tickets.entry(&next).and_then(|entry| entry.ticket.parent().cloned());
    }
    Err(EngineError::Precondition(format!(
        "ticket {parent} has {DEPTH_MAX} parents above it, which is the limit: link {child} to one of those"
    )))
}
