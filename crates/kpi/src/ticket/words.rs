//! What a ticket is, in words, for whoever asks why a figure is what it is.
//!
//! Invariant: what is not known is not said.

use crate::{
    cells::Dims,
    names::{Id, Names},
    ticket::Classes,
};

/// What the ticket behind a count is, as one line; nothing if nothing is known of it.
pub(crate) fn of_ticket(dims: &Dims, classes: &Classes, names: &Names) -> Option<String> {
    let class = classes.get(dims.entry);
    let known = [
        ("kind", class.kind),
        ("category", class.category),
        ("group", Id(dims.detail.0)),
        ("tier", class.tier),
        ("region", class.region),
        ("channel", class.channel),
    ];
    let told = known.into_iter().filter_map(|(what, id)| Some(format!("{what} `{}`", names.text(id)?)));
    let line = told.collect::<Vec<_>>().join(", ");
    (!line.is_empty()).then_some(line)
}
