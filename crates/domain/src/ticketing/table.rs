//! The ticket's transition table as ARCHITECTURE.md shows it.
//!
//! Printed by asking [`transition`] about every status and action, so that the page and the program cannot differ; a test holds
//! the page to it.

use std::fmt::Write as _;

use crate::ticketing::{
    transition::{Move, Why, transition},
    words::{Action, Status},
};

/// The line before the table in ARCHITECTURE.md.
pub const BEGIN: &str = "<!-- ticket-table:begin -->";
/// The line after it.
pub const END: &str = "<!-- ticket-table:end -->";

/// The whole section, in Markdown, without the marker lines.
pub fn markdown() -> String {
    let mut page = String::from(
        "A cell says how the ticket stands afterwards; `·` changes nothing about that; a number in brackets says that the \
         action is refused, for the reason listed at the end.\n\n",
    );
    let statuses = Status::ALL;
    line(&mut page, "action", statuses.iter().map(|status| status.word().to_owned()));
    line(&mut page, "---", statuses.iter().map(|_| "---".to_owned()));
    for action in Action::ALL.iter().filter(|action| **action != Action::Open) {
        line(&mut page, action.word(), statuses.iter().map(|status| cell(*status, *action)));
    }
    page.push_str("\n**Reasons**\n\n");
    for (index, why) in Why::ALL.iter().enumerate() {
        // Writing into a String cannot fail.
        let _ = writeln!(page, "{}. {why}", index + 1);
    }
    page
}

fn line(page: &mut String, first: &str, cells: impl Iterator<Item = String>) {
    page.push_str("| ");
    page.push_str(first);
    for cell in cells {
        page.push_str(" | ");
        page.push_str(&cell);
    }
    page.push_str(" |\n");
}

fn cell(status: Status, action: Action) -> String {
    match transition(status, action) {
        Move::To(to) => to.word().to_owned(),
        Move::Back => "as before".to_owned(),
        Move::Stay => "·".to_owned(),
        Move::No(why) => format!("({})", Why::ALL.iter().take_while(|other| **other != why).count() + 1),
    }
}
