//! Reads contacts: from the board while they are there, from the log when they have left memory.

use pegcount_domain::{
    envelope::{StreamKind, StreamName, Version},
    ids::{ContactId, SiteId},
};
use pegcount_log::Direction;

use crate::{
    boards::{ContactEntry, ContactView},
    engine::Engine,
    error::EngineError,
    recorded::named_event,
};

/// The most open contacts in one answer.
pub const OPEN_CONTACTS_MAX: usize = 1_000;
/// Events of a contact that are read at once; few have as many.
const READ_EVENTS: usize = 500;

impl Engine {
    /// One contact as it is now. One that has left memory is folded from its events in the log.
    ///
    /// Errors: [`EngineError::NotFound`], the log's.
    pub async fn contact(&self, site: &SiteId, contact: &ContactId) -> Result<ContactView, EngineError> {
        {
            let boards = self.boards.state().read();
            let entry = boards.site(site).and_then(|board| board.contacts.get(contact));
            if let Some(entry) = entry.filter(|entry| entry.is_whole()) {
                return Ok(entry.view(site, contact, boards.position()));
            }
        }
        self.contact_from_log(site, contact).await
    }

    /// The contacts that have not ended, the oldest first, at most [`OPEN_CONTACTS_MAX`].
    pub fn open_contacts(&self, site: &SiteId) -> Vec<ContactView> {
        let boards = self.boards.state().read();
        let Some(board) = boards.site(site) else { return Vec::new() };
        let view =
            |(contact, entry): (&ContactId, &ContactEntry)| entry.view(site, contact, boards.position());
        let mut open: Vec<_> = board.contacts.open().map(view).filter(|view| view.state.is_open()).collect();
        open.sort_by(|a, b| (a.state.started, &a.state.contact).cmp(&(b.state.started, &b.state.contact)));
        open.truncate(OPEN_CONTACTS_MAX);
        open
    }

    async fn contact_from_log(&self, site: &SiteId, contact: &ContactId) -> Result<ContactView, EngineError> {
        let stream = StreamName { site: site.0.clone(), kind: StreamKind::Contact, id: contact.0.clone() };
        // What comes meanwhile is left out: the view says up to where it holds.
        let end = self.log.end();
        let mut entry = ContactEntry::default();
        let mut next = Some(Version(1));
        while let Some(from) = next {
            let page = self.log.read_stream(&stream, from, Direction::Forward, READ_EVENTS).await?;
            for (frame, event) in page.events().filter(|(_, event)| event.envelope.position <= end) {
                let position = event.envelope.position.0;
                let named =
                    named_event(frame, &event).map_err(|source| EngineError::Decode { position, source })?;
                entry.insert(&event.envelope, &named);
            }
            next = page.next;
        }
        if entry.version() == Version(0) {
            return Err(EngineError::NotFound { what: "contact", id: contact.to_string() });
        }
        Ok(entry.view(site, contact, end))
    }
}
