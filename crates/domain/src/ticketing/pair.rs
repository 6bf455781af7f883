//! Commands that concern two tickets: merge, split, link. Their events are appended to both streams at once, or to none.

use std::fmt;

use crate::{
    envelope::Version,
    ids::{Name, TicketId},
    ticketing::{
        decide::{check_table, check_version, decide_open, limit},
        event::{Opening, TicketEvent},
        refusal::TicketRefusal,
        state::{LINKS_MAX, Ticket},
        words::{Action, LinkKind},
    },
};

/// A ticket, and what the command was decided on.
#[derive(Clone, Copy, Debug)]
pub struct Side<'a, N = Name> {
    /// Its id.
    pub id: &'a TicketId<N>,
    /// As it stands.
    pub ticket: &'a Ticket<N>,
    /// The version that the command expects; none: any.
    pub expected: Option<Version>,
}

/// The events for both streams.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair<N = Name> {
    /// For the first ticket.
    pub here: Vec<TicketEvent<N>>,
    /// For the second.
    pub there: Vec<TicketEvent<N>>,
}

/// `secondary` goes on in `primary`, which takes its contacts over. `here` is for the secondary.
pub fn decide_merge<N: Clone + Eq + fmt::Display>(
    secondary: &Side<'_, N>,
    primary: &Side<'_, N>,
) -> Result<Pair<N>, TicketRefusal> {
    distinct(secondary.id, primary.id, "merged into")?;
    secondary.check(Action::Merge)?;
    primary.check(Action::Absorb).map_err(|refusal| primary.other(refusal))?;
    let known = &primary.ticket.contacts;
    let new = secondary.ticket.contacts.iter().filter(|contact| !known.contains(contact)).cloned();
    let contacts: Vec<_> = new.map(|contact| TicketEvent::ContactAdded { contact }).collect();
    limit("contacts", known.len() + contacts.len(), LINKS_MAX).map_err(|refusal| primary.other(refusal))?;
    let mut there = vec![TicketEvent::Absorbed { other: secondary.id.clone() }];
    there.extend(contacts);
    Ok(Pair { here: vec![TicketEvent::Merged { into: primary.id.clone() }], there })
}

/// A part of `whole` becomes the ticket `new`, which begins as `opening` says.
pub fn decide_split<N: Clone + Eq + fmt::Display>(
    whole: &Side<'_, N>,
    new: &TicketId<N>,
    opening: Opening<N>,
) -> Result<Pair<N>, TicketRefusal> {
    distinct(whole.id, new, "split into")?;
    whole.check(Action::Split)?;
    whole.check_link(new, LinkKind::SplitInto)?;
    let there = decide_open(Opening { split_from: Some(whole.id.clone()), ..opening })?;
    Ok(Pair { here: vec![TicketEvent::Linked { other: new.clone(), how: LinkKind::SplitInto }], there })
}

/// Ties `one` to `other`, which is `how` to it: its parent, its child, or related. Nothing happens if it is so already. That no
/// ticket becomes a part of itself over several others is for whoever knows them all.
pub fn decide_link<N: Clone + Eq + fmt::Display>(
    one: &Side<'_, N>,
    other: &Side<'_, N>,
    how: LinkKind,
) -> Result<Pair<N>, TicketRefusal> {
    distinct(one.id, other.id, how.word())?;
    one.check(Action::Link)?;
    other.check(Action::Link).map_err(|refusal| other.other(refusal))?;
    let here = one.tie(other, how)?;
    let there = other.tie(one, how.inverse()).map_err(|refusal| other.other(refusal))?;
    Ok(Pair { here, there })
}

fn distinct<N: Eq + fmt::Display>(
    one: &TicketId<N>,
    other: &TicketId<N>,
    what: &'static str,
) -> Result<(), TicketRefusal> {
    if one == other {
        return Err(TicketRefusal::Itself { ticket: one.to_string(), what });
    }
    Ok(())
}

impl<N: Clone + Eq + fmt::Display> Side<'_, N> {
    fn check(&self, action: Action) -> Result<(), TicketRefusal> {
        check_version(self.ticket, self.expected)?;
        check_table(self.ticket, action)
    }

    fn other(&self, refusal: TicketRefusal) -> TicketRefusal {
        TicketRefusal::Other { ticket: self.id.to_string(), refusal: Box::new(refusal) }
    }

    fn check_link(&self, other: &TicketId<N>, how: LinkKind) -> Result<(), TicketRefusal> {
        if let Some(known) = self.ticket.link_to(other) {
            return Err(TicketRefusal::LinkedOtherwise { other: other.to_string(), how: known });
        }
        if let Some(parent) = self.ticket.parent().filter(|_| how == LinkKind::Parent) {
            return Err(TicketRefusal::HasParent { child: self.id.to_string(), parent: parent.to_string() });
        }
        limit("links", self.ticket.links.len() + 1, LINKS_MAX)
    }

    fn tie(&self, other: &Side<'_, N>, how: LinkKind) -> Result<Vec<TicketEvent<N>>, TicketRefusal> {
        if self.ticket.link_to(other.id) == Some(how) {
            return Ok(Vec::new());
        }
        self.check_link(other.id, how)?;
        Ok(vec![TicketEvent::Linked { other: other.id.clone(), how }])
    }
}
