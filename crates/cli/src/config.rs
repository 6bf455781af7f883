//! `pegcount config`: every limit and default, with its unit and its meaning.
//!
//! Invariant: every value is read from the constant or the default that the program works with.

use std::time::Duration;

use comfy_table::CellAlignment;
use pegcount_domain::customer::decide as customer;
use pegcount_domain::{
    allowance::REASONS_MAX,
    event::CHAT_SLOTS_MAX,
    formula::{FORMULA_WINDOW_MAX, Rules},
    ids::NAME_BYTES_MAX,
    time::Micros,
};
use pegcount_engine::{EngineOptions, LogStore, options as engine};
use pegcount_import::tickets::reader as tickets;
use pegcount_kpi::{
    correction::{CORRECTION_AGE_MAX, CORRECTION_GRACE, CORRECTIONS_MAX},
    query::{LAST_MAX, RANGE_MAX},
};
use pegcount_log::limits as log;
use pegcount_server::{Limits, options as server};
use serde::Serialize;
use serde_json::json;

use crate::{
    args::{ConfigArgs, DATA_DIR_DEFAULT, LISTEN_DEFAULT},
    error::CliError,
    output,
};

const HEAD: [&str; 5] = ["room", "name", "value", "unit", "meaning"];

/// One limit or default.
#[derive(Serialize)]
struct Limit {
    room: &'static str,
    name: &'static str,
    value: String,
    unit: &'static str,
    meaning: &'static str,
}

/// Prints all of them.
pub(crate) fn run(args: &ConfigArgs) -> Result<(), CliError> {
    let limits = all();
    let records =
        || limits.iter().map(|limit| [limit.room, limit.name, &limit.value, limit.unit, limit.meaning]);
    let table = || {
        let mut table = output::plain_table();
        table.set_header(HEAD).add_rows(records());
        if let Some(values) = table.column_mut(2) {
            values.set_cell_alignment(CellAlignment::Right);
        }
        output::shown(table)
    };
    output::list(args.format, table, &HEAD, records(), std::iter::once(json!(limits)))
}

fn all() -> Vec<Limit> {
    let mut limits = of_server();
    limits.extend(of_engine());
    limits.extend(of_folds());
    limits.extend(of_figures());
    limits.extend(of_log());
    limits.extend(of_formula());
    limits.extend(of_client());
    limits
}

fn of_server() -> Vec<Limit> {
    let limit = in_room("server");
    let over_all = Limits::default();
    vec![
        limit("data_dir", DATA_DIR_DEFAULT.to_owned(), "", "the folder, unless --data-dir names another"),
        limit("listen", LISTEN_DEFAULT.to_owned(), "", "where serve listens, unless --listen says otherwise"),
        limit("calls_max", over_all.calls_max.to_string(), "calls", "unary calls at once; more are shed"),
        limit(
            "streams_max",
            over_all.streams_max.to_string(),
            "streams",
            "lasting streams at once; more are shed",
        ),
        limit("call_timeout", seconds(over_all.call_timeout), "s", "the longest that a unary call may take"),
        limit("message_bytes_max", server::MESSAGE_BYTES_MAX.to_string(), "bytes", "the longest message"),
        limit(
            "streams_per_connection_max",
            server::STREAMS_PER_CONNECTION_MAX.to_string(),
            "streams",
            "HTTP/2 streams of one connection",
        ),
        limit(
            "batches_in_flight_max",
            server::BATCHES_IN_FLIGHT_MAX.to_string(),
            "batches",
            "batches of one fact stream on their way to the disk",
        ),
        limit(
            "answers_queued_max",
            server::ANSWERS_QUEUED_MAX.to_string(),
            "answers",
            "answers of one stream that wait for a slow client",
        ),
        limit(
            "consumer_batches_queued_max",
            server::CONSUMER_BATCHES_QUEUED_MAX.to_string(),
            "batches",
            "of one named consumer that wait for a slow client",
        ),
        limit(
            "explain_items_max",
            server::EXPLAIN_ITEMS_MAX.to_string(),
            "items",
            "in one page of an explanation",
        ),
        limit("rows_max", server::ROWS_MAX.to_string(), "rows", "of figures in one answer"),
        limit("pieces_max", server::PIECES_MAX.to_string(), "pieces", "that a range is cut into by time"),
        limit(
            "view_tables_max",
            server::VIEW_TABLES_MAX.to_string(),
            "tables",
            "of one view of the wallboard",
        ),
        limit(
            "updates_per_second_max",
            server::UPDATES_PER_SECOND_MAX.to_string(),
            "updates",
            "of a watch in a second",
        ),
        limit("filter_types_max", server::FILTER_TYPES_MAX.to_string(), "types", "in one filter of the log"),
        limit("anomalies_max", server::ANOMALIES_MAX.to_string(), "odd facts", "in one page of them"),
        limit("corrections_max", server::CORRECTIONS_MAX.to_string(), "corrections", "in one page of them"),
        limit(
            "hello_wait",
            seconds(server::HELLO_WAIT),
            "s",
            "a fact stream without hello is closed after it",
        ),
        limit(
            "keepalive_interval",
            seconds(server::KEEPALIVE_INTERVAL),
            "s",
            "a silent connection is pinged after it",
        ),
        limit(
            "keepalive_timeout",
            seconds(server::KEEPALIVE_TIMEOUT),
            "s",
            "an unanswered ping ends the connection",
        ),
    ]
}

fn of_engine() -> Vec<Limit> {
    let limit = in_room("engine");
    let options = EngineOptions::folder(".");
    let LogStore::Folder { cache_bytes, .. } = options.store;
    vec![
        limit("lease", micros(options.lease), "s", "a softphone silent for so long is lost"),
        limit("lost_grace", micros(options.lost_grace), "s", "a lost softphone is signed out after it"),
        limit("cache_bytes", cache_bytes.to_string(), "bytes", "the log's page cache (--cache-mib)"),
        limit("batch_facts_max", engine::BATCH_FACTS_MAX.to_string(), "facts", "in one batch"),
        limit(
            "import_records_max",
            engine::IMPORT_RECORDS_MAX.to_string(),
            "records",
            "in one message of an import",
        ),
        limit("customer_values_max", customer::VALUES_MAX.to_string(), "values", "sealed for one customer"),
        limit("customer_read_max", customer::READ_MAX.to_string(), "values", "read at once"),
        limit(
            "customer_grants_max",
            customer::GRANTS_MAX.to_string(),
            "grants",
            "of access to one customer's file",
        ),
        limit("customer_grant_max", micros(customer::GRANT_MAX), "s", "the longest that access is given for"),
        limit("record_facts_max", engine::RECORD_FACTS_MAX.to_string(), "facts", "in one imported record"),
        limit(
            "import_memory_bytes",
            tickets::MEMORY_BYTES.to_string(),
            "bytes",
            "of a tickets' file in memory; of a longer one the rest lies in temporary files meanwhile",
        ),
        limit(
            "import_row_bytes_max",
            tickets::ROW_BYTES_MAX.to_string(),
            "bytes",
            "in one row of a tickets' file",
        ),
        limit("import_ticket_rows_max", tickets::TICKET_ROWS_MAX.to_string(), "rows", "of one ticket"),
        limit(
            "retention_min",
            micros(pegcount_engine::RETENTION_MIN),
            "s",
            "history younger than this is never dropped",
        ),
        limit("definitions_max", engine::DEFINITIONS_MAX.to_string(), "definitions", "in one request"),
        limit(
            "log_page_events_max",
            engine::LOG_PAGE_EVENTS_MAX.to_string(),
            "events",
            "in one page of the log",
        ),
        limit(
            "item_events_max",
            engine::ITEM_EVENTS_MAX.to_string(),
            "events",
            "told behind one item of an explanation",
        ),
        limit(
            "command_memory",
            micros(engine::COMMAND_MEMORY),
            "s",
            "a command's answer is remembered for it",
        ),
        limit("name_bytes_max", NAME_BYTES_MAX.to_string(), "bytes", "the longest id or name"),
        limit("chat_slots_max", CHAT_SLOTS_MAX.to_string(), "chats", "at once that an agent is defined with"),
        limit("reasons_max", REASONS_MAX.to_string(), "reasons", "in one allowance, and of its meals"),
        limit(
            "caller_bytes_max",
            pegcount_proto::CALLER_BYTES_MAX.to_string(),
            "bytes",
            "the longest plain number or address",
        ),
        limit(
            "priority_max",
            pegcount_proto::PRIORITY_MAX.to_string(),
            "",
            "the highest priority of a contact",
        ),
    ]
}

/// What is made of the log beside the figures: checks, other folds, checkpoints.
fn of_folds() -> Vec<Limit> {
    let limit = in_room("engine");
    let checkpointing = EngineOptions::folder(".").checkpointing;
    vec![
        limit(
            "audit_every",
            micros(engine::AUDIT_EVERY),
            "s",
            "the figures are checked against the facts, at most so often",
        ),
        limit(
            "audit_facts_max",
            engine::AUDIT_FACTS_MAX.to_string(),
            "facts",
            "that the check keeps; older ones are let go of",
        ),
        limit(
            "reconcile_facts_max",
            engine::RECONCILE_FACTS_MAX.to_string(),
            "facts",
            "kept while a range is recounted",
        ),
        limit(
            "reconcile_differences_max",
            engine::RECONCILE_DIFFERENCES_MAX.to_string(),
            "differences",
            "told of a recounted range; more are counted only",
        ),
        limit(
            "folds_max",
            pegcount_engine::FOLDS_MAX.to_string(),
            "folds",
            "of what was known then, and as many by other formula versions, kept in memory however large",
        ),
        limit(
            "touched_facts_max",
            engine::TOUCHED_FACTS_MAX.to_string(),
            "facts",
            "a definition that touches units with more is taken in in the background",
        ),
        limit(
            "checkpoint_every_events",
            checkpointing.every_events.to_string(),
            "events",
            "a checkpoint is made after so many",
        ),
        limit(
            "checkpoint_every",
            seconds(checkpointing.every),
            "s",
            "and after so long, if anything has happened",
        ),
        limit(
            "checkpoint_stop_events",
            checkpointing.stop_events.to_string(),
            "events",
            "and at a clean stop, if so many came since the last",
        ),
        limit(
            "checkpoint_bytes_max",
            checkpointing.bytes_max.to_string(),
            "bytes",
            "that checkpoints take; the last two stay whatever they take",
        ),
    ]
}

fn of_figures() -> Vec<Limit> {
    let limit = in_room("figures");
    vec![
        limit("range_max", micros(RANGE_MAX), "s", "the longest range of a question"),
        limit("last_max", micros(LAST_MAX), "s", "the longest window that moves on with time (--last)"),
        limit(
            "correction_grace",
            micros(CORRECTION_GRACE),
            "s",
            "after its end an interval counts as closed",
        ),
        limit(
            "correction_age_max",
            micros(CORRECTION_AGE_MAX),
            "s",
            "a fact later than this lists no corrections",
        ),
        limit(
            "corrections_max",
            CORRECTIONS_MAX.to_string(),
            "corrections",
            "remembered of a site; the oldest go",
        ),
    ]
}

fn of_log() -> Vec<Limit> {
    let limit = in_room("log");
    vec![
        limit("frame_events_max", log::FRAME_EVENTS_MAX.to_string(), "events", "in one frame"),
        limit(
            "frame_bytes_max",
            log::FRAME_BYTES_MAX.to_string(),
            "bytes",
            "of one frame before compression",
        ),
        limit("event_bytes_max", log::EVENT_BYTES_MAX.to_string(), "bytes", "of one event with its texts"),
        limit("append_events_max", log::APPEND_EVENTS_MAX.to_string(), "events", "in one append"),
        limit("append_bytes_max", log::APPEND_BYTES_MAX.to_string(), "bytes", "of one append"),
        limit("group_bytes_max", log::GROUP_BYTES_MAX.to_string(), "bytes", "made durable by one sync"),
        limit("queue_bytes_max", log::QUEUE_BYTES_MAX.to_string(), "bytes", "waiting to be decided"),
        limit(
            "source_window_seqs",
            log::SOURCE_WINDOW_SEQS.to_string(),
            "seqs",
            "of a source compared by content when repeated",
        ),
        limit(
            "tail_bytes_max",
            log::TAIL_BYTES_MAX.to_string(),
            "bytes",
            "of newest frames kept for live readers",
        ),
        limit(
            "read_page_frames",
            log::READ_PAGE_FRAMES.to_string(),
            "frames",
            "looked at for one page of the log, whatever passes the filter",
        ),
        limit("consumers_max", log::CONSUMERS_MAX.to_string(), "consumers", "of the log that have a name"),
        limit(
            "confirms_written_every",
            seconds(log::CONFIRMS_WRITTEN_EVERY),
            "s",
            "what consumers confirm is written to disk",
        ),
        limit("segment_bytes", log::SEGMENT_BYTES.to_string(), "bytes", "of one segment of the store"),
        limit(
            "seal_bytes",
            log::SEAL_BYTES_DEFAULT.to_string(),
            "bytes",
            "of frames in the store, after which they are sealed into a file (--seal-size)",
        ),
        limit(
            "filter_bytes",
            log::FILTER_BYTES_DEFAULT.to_string(),
            "bytes",
            "of sealed streams' filters in memory",
        ),
        limit(
            "index_cache_bytes",
            log::INDEX_CACHE_BYTES_DEFAULT.to_string(),
            "bytes",
            "of sealed streams' index blocks in memory",
        ),
        limit("stream_page_frames", log::STREAM_PAGE_FRAMES.to_string(), "frames", "in one page of a stream"),
    ]
}

fn of_formula() -> Vec<Limit> {
    let limit = in_room("formula");
    let usual = Rules::default();
    vec![
        limit(
            "threshold",
            micros(usual.threshold),
            "s",
            "t of the service level, unless the formula or the queue says another",
        ),
        limit("short", micros(usual.short), "s", "an abandoned wait up to this is short, likewise"),
        limit("rings", micros(usual.rings), "s", "three rings, likewise"),
        limit(
            "short_handle",
            micros(usual.short_handle),
            "s",
            "a talk up to this is short, unless the formula says otherwise",
        ),
        limit("attempt_window", micros(usual.attempt_window), "s", "of first attempts, likewise"),
        limit("fcr_window", micros(usual.fcr_window), "s", "W: a resolution must hold for it, likewise"),
        limit("repeat_window", micros(usual.repeat_window), "s", "W of the repeat-contact form, likewise"),
        limit("window_max", micros(FORMULA_WINDOW_MAX), "s", "the longest that a formula may say"),
    ]
}

fn of_client() -> Vec<Limit> {
    let limit = in_room("client");
    vec![
        limit("fact_bytes_max", pegcount_client::FACT_BYTES_MAX.to_string(), "bytes", "of one fact"),
        limit("batch_bytes_max", pegcount_client::BATCH_BYTES_MAX.to_string(), "bytes", "of one batch"),
        limit(
            "in_flight_batches_max",
            pegcount_client::IN_FLIGHT_BATCHES_MAX.to_string(),
            "batches",
            "sent and not yet acknowledged",
        ),
        limit(
            "keep_acknowledged",
            seconds(pegcount_client::KEEP_ACKNOWLEDGED),
            "s",
            "acknowledged facts stay in the spool for it",
        ),
    ]
}

fn in_room(room: &'static str) -> impl Fn(&'static str, String, &'static str, &'static str) -> Limit {
    move |name, value, unit, meaning| Limit { room, name, value, unit, meaning }
}

fn seconds(length: Duration) -> String {
    crate::figures::exact::seconds(i64::try_from(length.as_micros()).unwrap_or(i64::MAX))
}

fn micros(length: Micros) -> String {
    crate::figures::exact::seconds(length.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_limit_has_a_name_of_its_own_a_value_and_a_meaning() {
        let limits = all();
        let mut names: Vec<_> = limits.iter().map(|limit| (limit.room, limit.name)).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), limits.len());
        assert!(limits.iter().all(|limit| !limit.value.is_empty() && !limit.meaning.is_empty()));
    }
}
