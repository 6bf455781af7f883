//! Reads contacts: from the board while they are there, from the log when they have left memory.

use pegcount_domain::{
    envelope::{Position, StreamKind, StreamName, Version},
    ids::{ContactId, SiteId},
};
use pegcount_log::Filter;
use smallvec::SmallVec;

use crate::{
    boards::{ContactEntry, ContactView},
    engine::Engine,
    error::EngineError,
    recorded::named_event,
};

/// The most open contacts in one answer.
pub const OPEN_CONTACTS_MAX: usize = 1_000;

impl Engine {
    /// One contact as it is now. One that has left memory is folded from the log, which reads all of it.
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
        let missing = || EngineError::NotFound { what: "contact", id: contact.to_string() };
        let stream = StreamName { site: site.0.clone(), kind: StreamKind::Contact, id: contact.0.clone() };
        let whole = self.log.version(&stream)?;
        if whole == Version(0) {
            return Err(missing());
        }
        let filter = Filter {
            site: Some(site.0.clone()),
            kind: Some(StreamKind::Contact),
            id: Some(contact.0.clone()),
            types: SmallVec::new(),
        };
        let mut entry = ContactEntry::default();
        let mut next = Position::START.next();
        let mut last = Position::START;
        while entry.version() < whole
            && let Some(frame) = self.log.read(next).await?
        {
            for event in frame.events().filter(|event| filter.passes(&event.envelope)) {
                let position = event.envelope.position;
                let named = named_event(&frame, &event)
                    .map_err(|source| EngineError::Decode { position: position.0, source })?;
                entry.insert(&event.envelope, named);
            }
            last = frame.last();
            next = last.next();
        }
        if entry.version() == Version(0) {
            return Err(missing());
        }
        Ok(entry.view(site, contact, last))
    }
}
