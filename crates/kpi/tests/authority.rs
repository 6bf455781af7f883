//! Softphone and exchange report one leg: who is believed, and where they differ.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "tests"
)]

mod support;

use pegcount_domain::{
    authority::{AuthorityDefinition, LegField, Reporter},
    envelope::StreamKind,
    event::{Event, LegStep, Party},
    ids::{Name, SiteId},
    time::Micros,
};
use pegcount_kpi::AnomalyKind;
use support::{Centre, ended, secs, t};

/// The exchange has the conversation end a minute earlier than the softphone.
fn centre() -> (Centre, u64) {
    let mut centre = Centre::new();
    centre.sign_in("ann", "9");
    centre.switch("ann", "9:10", "c", "sales", LegStep::Answered);
    centre.phone("ann", "9:10:01", "c", "sales", LegStep::Answered);
    centre.switch("ann", "9:15", "c", "sales", ended());
    let differs = centre.phone("ann", "9:16", "c", "sales", ended());
    centre.sign_out("ann", "12");
    (centre, differs)
}

fn believe(centre: &mut Centre, believed: &[(LegField, Reporter)], valid_from: Micros) {
    let event = Event::AuthorityDefined(AuthorityDefinition { believed: believed.to_vec(), valid_from });
    centre.record(StreamKind::Definition, "all", t("13"), event);
}

fn differing(centre: &Centre) -> Vec<u64> {
    let site = SiteId(Name::new("north").unwrap());
    let odd = centre.kpi.anomalies(&site).into_iter();
    odd.filter(|odd| odd.kind == AnomalyKind::ReportsDiffer).map(|odd| odd.position.0).collect()
}

#[test]
fn the_exchange_is_believed_for_the_end_and_the_softphones_other_report_is_listed() {
    let (centre, differs) = centre();
    assert_eq!(centre.amount("9", "10", "talk_time"), secs(300));
    assert_eq!(differing(&centre), [differs], "two answers a second apart are the same");
}

#[test]
fn a_site_may_believe_the_softphone_field_by_field_and_a_definition_may_reach_back() {
    let (mut centre, _) = centre();
    believe(&mut centre, &[(LegField::Ended, Reporter::Softphone)], t("9:30"));
    assert_eq!(centre.amount("9", "10", "talk_time"), secs(300), "the leg began before");
    believe(&mut centre, &[(LegField::Ended, Reporter::Softphone)], t("9"));
    assert_eq!(centre.amount("9", "10", "talk_time"), secs(360));
    assert_eq!(differing(&centre), [4], "now it is the exchange that differs");
    let both = [(LegField::Ended, Reporter::Softphone), (LegField::Answered, Reporter::Softphone)];
    believe(&mut centre, &both, t("9"));
    assert_eq!(centre.amount("9", "10", "talk_time"), secs(359));
}

#[test]
fn a_report_that_says_less_is_no_difference_and_one_that_says_otherwise_is() {
    let mut centre = Centre::new();
    centre.sign_in("ann", "9");
    for (contact, by, differs) in [("a", None, 0), ("b", Some(Party::Agent), 1)] {
        centre.switch("ann", "9:10", contact, "sales", LegStep::Answered);
        centre.phone("ann", "9:10", contact, "sales", LegStep::Answered);
        centre.switch("ann", "9:15", contact, "sales", ended());
        let end = LegStep::Ended { by, after_call_expected: false };
        centre.phone("ann", "9:15", contact, "sales", end);
        assert_eq!(differing(&centre).len(), differs, "{contact}");
    }
    assert_eq!(centre.amount("9", "10", "ended_by_agent"), 0);
}

#[test]
fn a_softphone_that_tells_of_the_end_and_the_work_a_moment_before_the_exchange_is_not_odd() {
    let told = |softphone_ends: bool| {
        let mut centre = Centre::new();
        centre.sign_in("ann", "9");
        centre.switch("ann", "9:10", "c", "sales", LegStep::Answered);
        centre.phone("ann", "9:10", "c", "sales", LegStep::Answered);
        if softphone_ends {
            centre.phone("ann", "9:14:59", "c", "sales", ended());
        }
        centre.phone("ann", "9:14:59", "c", "sales", LegStep::AfterCallStarted);
        centre.switch("ann", "9:15", "c", "sales", ended());
        centre.phone("ann", "9:16", "c", "sales", LegStep::AfterCallEnded);
        centre.sign_out("ann", "12");
        let odd = centre.kpi.anomalies(&SiteId(Name::new("north").unwrap()));
        (odd.len(), centre.amount("9", "10", "talk_time"))
    };
    assert_eq!(told(true), (0, secs(299)), "work ends the conversation");
    assert_eq!(told(false), (1, secs(299)), "work with no end before it is");
}

#[test]
fn after_call_work_may_be_the_exchanges_to_tell() {
    let mut centre = Centre::new();
    believe(&mut centre, &[(LegField::AfterCall, Reporter::Exchange)], Micros(0));
    centre.sign_in("ann", "9");
    centre.switch("ann", "9:10", "c", "sales", LegStep::Answered);
    centre.switch("ann", "9:15", "c", "sales", support::ended_into_work());
    centre.phone("ann", "9:15", "c", "sales", ended());
    centre.switch("ann", "9:16", "c", "sales", LegStep::AfterCallEnded);
    centre.phone("ann", "9:20", "c", "sales", LegStep::AfterCallEnded);
    assert_eq!(centre.amount("9", "10", "handle_acw"), secs(60));
}
