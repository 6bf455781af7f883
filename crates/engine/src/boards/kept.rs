//! What boards know of events that are gone, apart from those that are kept.
//!
//! Invariant: what goes out comes back the same.

use pegcount_domain::{
    envelope::Position,
    ids::{ContactId, Name, NameError, QueueId, SiteId, TicketId},
    ticketing::Status,
};
use pegcount_proto::stored;

use super::Boards;

impl Boards {
    /// Whether a contact has not ended.
    pub(crate) fn has_open_contact(&self, site: &str, contact: &str) -> bool {
        let (Ok(site), Ok(contact)) = (SiteId::new(site), ContactId::new(contact)) else { return false };
        self.sites.get(&site).is_some_and(|board| board.contacts.is_open(&contact))
    }

    /// Whether a ticket is not closed, cancelled or merged.
    pub(crate) fn has_open_ticket(&self, site: &str, ticket: &str) -> bool {
        let (Ok(site), Ok(ticket)) = (SiteId::new(site), TicketId::new(ticket)) else { return false };
        let board = self.sites.get(&site);
        board
            .and_then(|board| board.tickets.status(&ticket))
            .is_some_and(|status| status != Status::Closed && !status.is_over())
    }

    /// What stays of them in an archive.
    pub(crate) fn kept(&self) -> stored::EngineArchive {
        let mut sites: Vec<stored::KeptSite> = self
            .sites
            .iter()
            .map(|(site, board)| {
                let mut queues_seen: Vec<String> =
                    board.queues_seen.iter().map(ToString::to_string).collect();
                queues_seen.sort();
                let mut corrections: Vec<_> = board
                    .contacts
                    .corrected()
                    .map(|(contact, corrections)| stored::KeptCorrections {
                        contact: contact.to_string(),
                        corrections,
                    })
                    .collect();
                corrections.sort_by(|a, b| a.contact.cmp(&b.contact));
                stored::KeptSite { site: site.to_string(), queues_seen, corrections }
            })
            .collect();
        sites.sort_by(|a, b| a.site.cmp(&b.site));
        stored::EngineArchive { sources: self.sources.kept(), sites, ..stored::EngineArchive::default() }
    }

    /// Takes that back, after the events that are kept, and goes on after `position`.
    pub(crate) fn go_on_from(
        &mut self,
        archive: &stored::EngineArchive,
        position: Position,
    ) -> Result<(), NameError> {
        self.sources.take_back(&archive.sources)?;
        for kept in &archive.sites {
            let board = self.sites.entry(SiteId::new(&kept.site)?).or_default();
            for queue in &kept.queues_seen {
                board.queues_seen.insert(QueueId(Name::new(queue)?));
            }
            for one in &kept.corrections {
                board.contacts.set_corrections(ContactId::new(&one.contact)?, one.corrections);
            }
        }
        self.position = position;
        Ok(())
    }
}
