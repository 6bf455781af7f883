//! Small numbers for the keys that figures are cut by, and their texts as far as told.
//!
//! Not for contacts, legs, visits: they never name a row, so their texts never come here and memory stays bounded
//! by the number of agents, teams, queues and entries. Invariant: number 0 is "none".

use pegcount_domain::ids::{Key, Name};
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

/// A dimension's value: an agent, team, queue or entry of one site; 0 is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct Id(pub(crate) u32);

impl Id {
    /// Nobody, nothing.
    pub(crate) const NONE: Self = Self(0);
}

/// The dimension values of one site.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Names {
    ids: FxHashMap<Key, Id>,
    entries: Vec<(Key, Option<Name>)>,
    texts: FxHashMap<Name, Id>,
    missing: Vec<Key>,
}

impl Names {
    /// The number of `key`, given now if it has none.
    pub(crate) fn id(&mut self, key: Key) -> Id {
        if let Some(id) = self.ids.get(&key) {
            return *id;
        }
        // Four thousand million names of one site do not fit into memory; "none" is then the harmless answer.
        let Ok(next) = u32::try_from(self.entries.len() + 1) else { return Id::NONE };
        self.entries.push((key, None));
        self.missing.push(key);
        self.ids.insert(key, Id(next));
        Id(next)
    }

    /// The number of a key whose text is known; nobody is asked for it.
    pub(crate) fn learn(&mut self, key: Key, text: &str) -> Id {
        let is_new = !self.ids.contains_key(&key);
        let id = self.id(key);
        if is_new {
            self.missing.pop();
        }
        self.tell(key, text);
        id
    }

    /// The number of `key`, if it has one.
    pub(crate) fn find(&self, key: Key) -> Option<Id> {
        self.ids.get(&key).copied()
    }

    /// The number of the value with this text, if both are known.
    pub(crate) fn find_text(&self, text: &str) -> Option<Id> {
        self.texts.get(text).copied()
    }

    /// The text behind a number; the key in hexadecimal digits as long as nobody told the text.
    pub(crate) fn text(&self, id: Id) -> Option<Name> {
        let (key, name) = self.entry(id)?;
        name.clone().or_else(|| Name::new(&format!("{:032x}", key.0)).ok())
    }

    /// Learns a text; ignores keys that are nobody's dimension.
    pub(crate) fn tell(&mut self, key: Key, text: &str) {
        let Some(id) = self.ids.get(&key) else { return };
        let Some(index) = usize::try_from(id.0).ok().and_then(|n| n.checked_sub(1)) else { return };
        if let Some((_, name)) = self.entries.get_mut(index)
            && name.is_none()
        {
            *name = Name::new(text).ok();
            self.texts.extend(name.clone().map(|name| (name, *id)));
        }
    }

    /// All keys in the order of their numbers, with their texts.
    pub(crate) fn entries(&self) -> &[(Key, Option<Name>)] {
        &self.entries
    }

    /// Whether the text behind a key is known.
    pub(crate) fn is_told(&self, key: Key) -> bool {
        self.find(key).and_then(|id| self.entry(id)).is_some_and(|(_, name)| name.is_some())
    }

    /// Gives these keys once more when asked what is missing.
    pub(crate) fn ask_for(&mut self, keys: Vec<Key>) {
        self.missing = keys;
    }

    /// The keys numbered since the last call.
    pub(crate) fn take_missing(&mut self) -> Vec<Key> {
        std::mem::take(&mut self.missing)
    }

    fn entry(&self, id: Id) -> Option<&(Key, Option<Name>)> {
        self.entries.get(usize::try_from(id.0).ok()?.checked_sub(1)?)
    }
}
