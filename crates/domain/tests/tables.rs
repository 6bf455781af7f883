//! The transition tables in ARCHITECTURE.md are those that the program uses.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "tests"
)]

use std::{env, fs, path::Path};

use pegcount_domain::{
    agent,
    ticketing::{self, Action, Move, Status, transition},
};

/// The page holds `table` between its markers; with `PEGCOUNT_BLESS` set it is written there.
fn the_page_shows(table: &str, begin: &str, end: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../ARCHITECTURE.md");
    let page = fs::read_to_string(&path).unwrap();
    let (before, rest) = page.split_once(begin).expect("the page has a begin marker");
    let (shown, after) = rest.split_once(end).expect("the page has an end marker");
    let printed = format!("\n\n{table}\n");
    if env::var_os("PEGCOUNT_BLESS").is_some() {
        fs::write(&path, format!("{before}{begin}{printed}{end}{after}")).unwrap();
        return;
    }
    assert!(
        shown == printed,
        "the table has changed: run these tests one by one with PEGCOUNT_BLESS=1 to write it anew"
    );
}

#[test]
fn the_page_shows_the_agents_table_that_the_program_uses() {
    use agent::table::{BEGIN, END, markdown};
    the_page_shows(&markdown(), BEGIN, END);
}

#[test]
fn the_page_shows_the_tickets_table_that_the_program_uses() {
    use ticketing::table::{BEGIN, END, markdown};
    the_page_shows(&markdown(), BEGIN, END);
}

#[test]
fn nothing_leads_out_of_cancelled_and_merged_and_every_status_can_be_reached() {
    let mut reached = vec![Status::New];
    let mut next = 0;
    while let Some(from) = reached.get(next).copied() {
        next += 1;
        for action in Action::ALL {
            match transition(from, *action) {
                Move::To(to) if !reached.contains(&to) => reached.push(to),
                Move::No(_) => {}
                _ => assert!(!from.is_over(), "{from:?} {action:?}"),
            }
        }
    }
    assert_eq!(reached.len(), Status::ALL.len());
}
