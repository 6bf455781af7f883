//! What has changed since somebody asked, for whoever keeps figures up to date ([`crate::live`]).
//!
//! Nothing is noted while nobody does. Invariant: what is not noted has not changed.

use crate::{
    agent::standing::Standing, cells::Contribution, contact::fold::Crossing, fact::Slot, site::Site,
};

/// Beyond so many, whoever follows does better to look at everything anew.
const NOTED_MAX: usize = 1 << 20;

/// Changes of the books.
#[derive(Debug, Default)]
pub(crate) struct Feed {
    /// What was added to cells, and taken away.
    pub(crate) cells: Vec<Contribution>,
    /// The same for visits that waited across the end of an interval.
    pub(crate) crossings: Vec<(Crossing, i64)>,
    /// The same for agents that were signed in at the end of an interval.
    pub(crate) standings: Vec<(Standing, i64)>,
}

/// What has changed.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    pub(crate) books: Feed,
    pub(crate) agents: Vec<Slot>,
    pub(crate) contacts: Vec<Slot>,
    pub(crate) lines: Vec<Slot>,
    /// More than can be said.
    pub(crate) everything: bool,
}

impl Site {
    /// Notes changes from now on; those that were noted are forgotten.
    pub(crate) fn follow(&mut self) {
        self.books.feed = Some(Box::default());
        self.agents.touched = Some(Vec::new());
        self.contacts.touched = Some(Vec::new());
        self.lines.touched = Some(Vec::new());
        self.all_changed = false;
    }

    /// Notes nothing any more.
    pub(crate) fn unfollow(&mut self) {
        self.books.feed = None;
        self.agents.touched = None;
        self.contacts.touched = None;
        self.lines.touched = None;
    }

    /// What has changed since the last call; nothing if nobody follows.
    pub(crate) fn take_changes(&mut self) -> Changes {
        let books = self.books.feed.as_mut().map(|feed| std::mem::take(&mut **feed)).unwrap_or_default();
        Changes {
            books,
            agents: taken(&mut self.agents.touched),
            contacts: taken(&mut self.contacts.touched),
            lines: taken(&mut self.lines.touched),
            everything: std::mem::take(&mut self.all_changed),
        }
    }

    /// Keeps what is noted from growing without end.
    pub(crate) fn bound_changes(&mut self) {
        let Some(feed) = &self.books.feed else { return };
        let lists = [&self.agents.touched, &self.contacts.touched, &self.lines.touched];
        let units = lists.into_iter().flatten().map(Vec::len).sum::<usize>();
        if feed.cells.len() + feed.crossings.len() + feed.standings.len() + units > NOTED_MAX {
            self.follow();
            self.all_changed = true;
        }
    }
}

fn taken(touched: &mut Option<Vec<Slot>>) -> Vec<Slot> {
    let mut touched = touched.as_mut().map(std::mem::take).unwrap_or_default();
    touched.sort_unstable();
    touched.dedup();
    touched
}
