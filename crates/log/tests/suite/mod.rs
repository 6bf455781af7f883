//! The conformance suite: what every implementation of [`EventLog`] must do. A test file gives a [`Subject`] to
//! [`conformance!`] and gets one test per rule.

#![allow(dead_code, reason = "not every test file uses every helper")]

pub mod appends;
pub mod consumers;
pub mod deliveries;
pub mod queries;
pub mod reads;
pub mod reopening;
pub mod retention;
pub mod sources;
pub mod streams;

use std::{pin::Pin, sync::Arc, time::Duration};

use futures_util::StreamExt;
use pegcount_domain::{
    envelope::{Position, SourceSeq, StreamKind, StreamName, Version},
    event::EventType,
    ids::{CommandId, Epoch, Name},
    time::Micros,
};
use pegcount_log::{
    Append, AppendError, Appended, Direction, EventLog, Expected, Filter, Frame, FrameEvent, NewEvent,
    SourceBatch, Subscription,
};
use smallvec::SmallVec;

/// An implementation under test.
pub trait Subject: Send + Sync {
    /// Opens the subject's log; again, once the one before has been dropped.
    fn open(&self) -> Arc<dyn EventLog>;
    /// Whether a log opened again holds what it held.
    fn keeps(&self) -> bool;
    /// Whatever is in the log that was opened last goes into segments, so that it can be dropped.
    fn seal(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;
}

/// One test per rule for the subject that the expression makes.
#[macro_export]
macro_rules! conformance {
    ($subject:expr => $($module:ident: $($rule:ident),+;)+) => {$($(
        #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
        async fn $rule() {
            let subject = $subject;
            $crate::suite::in_time($crate::suite::$module::$rule(&subject)).await;
        }
    )+)+};
    ($subject:expr) => {
        $crate::conformance! { $subject =>
            appends: positions_are_dense_over_the_whole_log, versions_are_dense_within_each_stream,
                everything_of_an_event_comes_back, no_stream_holds_only_once, an_exact_version_holds_only_while_it_is_the_last,
                of_many_who_expect_the_same_version_one_wins, expectations_see_the_appends_before_them_in_the_same_group,
                an_append_to_several_streams_is_all_or_nothing, an_empty_append_is_refused, too_much_is_refused_with_the_limit,
                recorded_at_never_goes_back, a_closed_log_refuses_and_still_reads;
            sources: the_first_seq_is_one_and_the_next_follows, a_repeat_is_dropped_and_answered,
                a_batch_that_begins_with_repeats_appends_the_rest, a_repeat_in_the_same_group_counts_once,
                a_repeat_with_other_content_is_refused, corrected_times_do_not_make_other_content, a_gap_is_refused,
                a_skip_uses_up_its_seqs, a_skip_repeated_later_is_a_repeat, a_skip_that_makes_no_sense_is_refused, epochs_and_sources_count_apart,
                sources_of_two_sites_count_apart, a_counted_batch_of_two_sites_is_refused,
                an_old_repeat_is_dropped_unseen, a_refused_append_uses_up_no_seq,
                an_append_of_repeats_alone_expects_nothing;
            reads: an_empty_log_reads_as_empty, a_read_gives_the_frame_that_holds_the_position,
                a_read_beyond_the_end_is_refused, a_subscription_starts_at_any_position,
                a_subscription_goes_from_history_to_live_without_gap_or_repeat, many_subscribers_see_the_same,
                a_slow_reader_holds_nobody_up, a_filter_passes_what_it_names;
            queries: what_passes_is_read_forward_and_backward_page_by_page, a_page_begins_at_any_position,
                a_page_at_the_end_is_empty_and_beyond_it_is_refused, a_page_looks_at_so_many_frames_and_says_where_to_go_on,
                a_kind_read_on_while_it_grows_has_no_gap, a_page_ends_where_history_was_dropped;
            deliveries: what_passes_comes_once_from_history_to_live, what_does_not_pass_is_told_and_not_handed_out,
                a_reader_that_comes_back_goes_on_where_it_was, a_slow_filtered_reader_holds_nobody_up,
                a_filtered_subscription_from_beyond_the_end_is_refused;
            consumers: what_is_not_confirmed_comes_again, a_new_consumer_begins_where_it_says,
                the_newest_connection_of_a_name_fences_the_older_off,
                a_consumer_is_told_only_of_what_passes_and_its_lag_falls_all_the_same, what_was_not_given_cannot_be_confirmed,
                everything_comes_at_least_once_however_often_a_consumer_comes_back, a_slow_consumer_holds_nobody_up,
                a_consumer_belongs_to_who_used_its_name_first, a_deleted_consumer_is_told_and_begins_anew,
                there_are_only_so_many_consumers, what_was_confirmed_is_known_after_reopening, a_closed_log_takes_no_consumer,
                a_consumer_whose_next_event_was_dropped_is_told;
            streams: a_stream_comes_in_pages_forward_and_backward, a_stream_is_read_from_any_version, an_unknown_stream_is_empty,
                only_that_streams_events_come, a_stream_read_on_while_it_grows_has_no_gap, a_stream_is_whole_after_reopening;
            reopening: reopening_keeps_everything, a_source_goes_on_after_reopening, sites_count_apart_after_reopening, expectations_hold_after_reopening,
                the_incarnation_stays, positions_and_times_go_on_after_reopening;
            retention: nothing_goes_unless_a_whole_segment_ends_by_then, what_is_dropped_is_gone_and_the_rest_is_as_it_was,
                an_archive_that_cannot_stand_for_what_goes_is_refused_and_nothing_goes,
                versions_and_expectations_hold_over_what_was_dropped, a_repeat_of_what_was_dropped_is_still_a_repeat,
                of_what_was_dropped_the_newest_seqs_are_compared,
                a_stream_that_is_partly_gone_begins_at_its_first_version_left,
                a_stream_that_is_wholly_gone_keeps_its_version, dropping_again_goes_on_from_what_is_left,
                everything_can_be_dropped, an_archive_comes_back_and_earlier_ones_while_they_serve,
                no_more_archives_are_kept_than_may_be, what_was_dropped_stays_dropped_after_reopening,
                a_reader_who_has_fallen_behind_is_told, appends_and_reads_go_on_while_history_is_dropped;
        }
    };
}

/// A test that hangs is a failure, not a wait.
pub async fn in_time(test: impl Future<Output = ()>) {
    tokio::time::timeout(Duration::from_mins(1), test).await.expect("the test hangs");
}

pub fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

pub fn stream(id: &str) -> StreamName {
    StreamName { site: name("site"), kind: StreamKind::Agent, id: name(id) }
}

/// An event to `id`'s stream; `content` makes it differ.
pub fn event(id: &str, content: u8) -> NewEvent {
    NewEvent {
        stream: stream(id),
        event_type: EventType::READY,
        schema_version: 1,
        occurred_at: Micros(1_000 + i64::from(content)),
        source_time: Micros(1_000 + i64::from(content)),
        actor: name("actor"),
        on_behalf_of: None,
        command_id: None,
        correlation: None,
        causation: None,
        names: SmallVec::from_iter([name("lunch"), name(id)]),
        payload: SmallVec::from_slice(&[content, 7]),
    }
}

pub fn events(id: &str, contents: impl IntoIterator<Item = u8>) -> Vec<NewEvent> {
    contents.into_iter().map(|content| event(id, content)).collect()
}

/// An event to the ticket `id`'s stream.
pub fn ticket(id: &str, content: u8) -> NewEvent {
    let stream = StreamName { kind: StreamKind::Ticket, ..stream(id) };
    NewEvent { stream, event_type: EventType::TICKET_OPENED, ..event(id, content) }
}

/// How many events each of [`fill_mixed`]'s appends has.
pub const MIXED_EVENTS: usize = 5;

/// Appends events of two kinds, two sites and three types; the tickets are in every fourth append only.
pub async fn fill_mixed(log: &dyn EventLog, contents: impl IntoIterator<Item = u8>) {
    for content in contents {
        let mut signed_in = event(&format!("s{}", content % 11), content);
        signed_in.event_type = EventType::SIGNED_IN;
        let fourth = content % 4 == 0;
        let rare = if fourth { ticket(&format!("t{}", content % 3), content) } else { event("b", content) };
        let mut mixed = vec![event("a", content), signed_in, rare, event("a", content)];
        mixed.extend(elsewhere(events("a", [content])));
        assert_eq!(mixed.len(), MIXED_EVENTS);
        append(log, plain(mixed)).await;
    }
}

/// Filters that pass all, some and none of [`fill_mixed`]'s events.
pub fn some_filters() -> Vec<Filter> {
    let kind = |kind| Filter { kind: Some(kind), ..Filter::default() };
    let types = |types: &[EventType]| Filter { types: SmallVec::from_slice(types), ..Filter::default() };
    vec![
        Filter::default(),
        kind(StreamKind::Agent),
        kind(StreamKind::Ticket),
        kind(StreamKind::Contact),
        Filter { site: Some(name("elsewhere")), ..kind(StreamKind::Agent) },
        Filter { site: Some(name("site")), id: Some(name("t1")), ..kind(StreamKind::Ticket) },
        types(&[EventType::SIGNED_IN]),
        types(&[EventType::TICKET_OPENED, EventType::SIGNED_IN]),
        Filter { kind: Some(StreamKind::Ticket), ..types(&[EventType::SIGNED_IN]) },
    ]
}

/// Those of `events` that pass.
pub fn passing(events: &[Seen], filter: &Filter) -> Vec<Seen> {
    let passes = |seen: &&Seen| {
        let stream = StreamName::parse(&seen.stream).unwrap();
        filter.site.as_ref().is_none_or(|site| site.as_str() == stream.site)
            && filter.kind.is_none_or(|kind| kind == stream.kind)
            && filter.id.as_ref().is_none_or(|id| id.as_str() == stream.id)
            && (filter.types.is_empty() || filter.types.contains(&seen.event_type))
    };
    events.iter().filter(passes).cloned().collect()
}

/// The same events at another site.
pub fn elsewhere(mut events: Vec<NewEvent>) -> Vec<NewEvent> {
    for event in &mut events {
        event.stream.site = name("elsewhere");
    }
    events
}

/// An append with no counter.
pub fn plain(events: Vec<NewEvent>) -> Append {
    Append { source: name("plain"), batch: None, skip_to: None, expected: SmallVec::new(), events }
}

/// An append that expects `expected` of `id`'s stream.
pub fn expecting(id: &str, expected: Expected, events: Vec<NewEvent>) -> Append {
    Append { expected: SmallVec::from_iter([(stream(id), expected)]), ..plain(events) }
}

/// An append of a source with a counter.
pub fn counted(source: &str, epoch: u128, first_seq: u64, events: Vec<NewEvent>) -> Append {
    let batch = Some(SourceBatch { epoch: Epoch(epoch), first_seq });
    Append { source: name(source), batch, ..plain(events) }
}

pub async fn append(log: &dyn EventLog, append: Append) -> Appended {
    log.append(append).await.unwrap()
}

pub async fn refused(log: &dyn EventLog, append: Append) -> AppendError {
    log.append(append).await.unwrap_err()
}

pub fn version(log: &dyn EventLog, id: &str) -> u64 {
    let Version(version) = log.version(&stream(id)).unwrap();
    version
}

pub fn mark(log: &dyn EventLog, source: &str, epoch: u128) -> Option<u64> {
    mark_at(log, "site", source, epoch)
}

pub fn mark_at(log: &dyn EventLog, site: &str, source: &str, epoch: u128) -> Option<u64> {
    log.source_mark(&name(site), &name(source), Epoch(epoch)).unwrap().map(|mark| mark.last_seq)
}

/// Everything that a log says of an event.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    pub position: u64,
    pub stream: String,
    pub version: u64,
    pub event_type: EventType,
    pub schema_version: u16,
    pub occurred_at: Micros,
    pub source_time: Micros,
    pub recorded_at: Micros,
    pub actor: String,
    pub on_behalf_of: Option<String>,
    pub source: String,
    pub source_seq: Option<SourceSeq>,
    pub seq_to: Option<u64>,
    pub command_id: Option<CommandId>,
    pub correlation: Option<u128>,
    pub causation: Option<Position>,
    pub names: Vec<String>,
    pub payload: Vec<u8>,
}

/// All events of a frame.
pub fn seen(frame: &Frame) -> Vec<Seen> {
    let seen: Vec<_> = frame.events().map(|event| seen_event(frame, &event)).collect();
    assert_eq!(seen.len(), frame.len());
    seen
}

/// An event of a frame.
pub fn seen_event(frame: &Frame, event: &FrameEvent<'_>) -> Seen {
    let envelope = &event.envelope;
    assert_eq!(frame.text(event.site), envelope.stream.site);
    assert_eq!(frame.text(event.id), envelope.stream.id);
    assert_eq!(frame.text(event.source), envelope.source);
    Seen {
        position: envelope.position.0,
        stream: envelope.stream.to_string(),
        version: envelope.version.0,
        event_type: envelope.event_type,
        schema_version: envelope.schema_version,
        occurred_at: envelope.occurred_at,
        source_time: envelope.source_time,
        recorded_at: envelope.recorded_at,
        actor: envelope.actor.to_owned(),
        on_behalf_of: envelope.on_behalf_of.map(str::to_owned),
        source: envelope.source.to_owned(),
        source_seq: envelope.source_seq,
        seq_to: event.seq_to,
        command_id: envelope.command_id,
        correlation: envelope.correlation,
        causation: envelope.causation,
        names: event.names.iter().map(|name| frame.text(*name).to_owned()).collect(),
        payload: envelope.payload.to_vec(),
    }
}

/// The next events of a subscription, at least `count`.
pub async fn take(subscription: &mut Subscription, count: usize) -> Vec<Seen> {
    let mut taken = Vec::new();
    while taken.len() < count {
        taken.extend(seen(&subscription.next().await.expect("no end").unwrap()));
    }
    taken
}

/// The whole stream of `id`, or what has not been dropped of it, page by page of at most `limit` events.
pub async fn whole_stream(log: &dyn EventLog, id: &str, direction: Direction, limit: usize) -> Vec<Seen> {
    let last = log.read_stream(&stream(id), Version(u64::MAX), Direction::Backward, 1).await.unwrap();
    let begin = if last.gone == Version(0) { Version(0) } else { Version(last.gone.0 + 1) };
    let from = if direction == Direction::Forward { begin } else { Version(u64::MAX) };
    let (mut events, mut next) = (Vec::new(), Some(from));
    while let Some(from) = next {
        let page = log.read_stream(&stream(id), from, direction, limit).await.unwrap();
        let got: Vec<_> = page.events().map(|(frame, event)| seen_event(frame, &event)).collect();
        assert!(got.len() <= limit && (page.next.is_none() || !got.is_empty()));
        events.extend(got);
        next = page.next;
    }
    events
}

/// Everything that has not been dropped, by subscription.
pub async fn kept(log: &dyn EventLog) -> Vec<Seen> {
    let first = log.first();
    let count = usize::try_from(log.end().0 + 1 - first.0).unwrap();
    let kept = take(&mut log.subscribe(first), count).await;
    assert_eq!(kept.len(), count);
    assert_dense(&kept, first.0);
    kept
}

/// The whole log, by subscription.
pub async fn all(log: &dyn EventLog) -> Vec<Seen> {
    let count = usize::try_from(log.end().0).unwrap();
    let all = take(&mut log.subscribe(Position::START), count).await;
    assert_eq!(all.len(), count);
    assert_dense(&all, 1);
    all
}

pub fn assert_dense(events: &[Seen], from: u64) {
    for (event, position) in events.iter().zip(from..) {
        assert_eq!(event.position, position, "positions are dense");
    }
}
