//! Names apart from payloads: an event's texts become ordinals on the way in, whatever the reader likes on the way out.
//!
//! Invariant: ordinal 0 is "absent"; ordinal n is the n-th name of the event's list.

use pegcount_domain::ids::Name;
use smallvec::SmallVec;

/// The names of one event, in the order of their ordinals.
pub type Names = SmallVec<[Name; 6]>;

/// Gives names their ordinals; an equal name keeps its first one.
#[derive(Debug, Default)]
pub(crate) struct NameList(pub(crate) Names);

impl NameList {
    pub(crate) fn ordinal(&mut self, name: &Name) -> u32 {
        let index = self.0.iter().position(|known| known == name).unwrap_or_else(|| {
            self.0.push(name.clone());
            self.0.len() - 1
        });
        u32::try_from(index + 1).unwrap_or(u32::MAX)
    }

    pub(crate) fn optional(&mut self, name: Option<&Name>) -> u32 {
        name.map_or(0, |name| self.ordinal(name))
    }
}
