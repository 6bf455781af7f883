//! Lists of tickets: a page, and live.

use pegcount_domain::{
    envelope::Position,
    ids::{AgentId, CategoryId, CustomerId, Name, TeamId, TicketKind},
    ticketing::{Severity, Status as TicketStatus, Urgency},
    time::Micros,
};
use pegcount_engine::{
    TicketCursor, TicketFilter, TicketOrder, TicketUpdate, TicketWatch, options::TICKET_PAGE_MAX,
};
use pegcount_proto::v1;
use tonic::Status;

use super::{answered, asked};
use crate::{
    access::Caller,
    fields,
    services::{Answers, Room, page as pages},
    status,
};

/// How many tickets a page holds if nobody says.
const PAGE_USUAL: usize = 100;
/// The most values of one list of a filter.
const VALUES_MAX: usize = 100;

pub(super) fn page(
    room: &Room,
    caller: &Caller,
    request: &v1::ListTicketsRequest,
) -> Result<v1::ListTicketsResponse, Status> {
    let site = caller.site("site", &request.site)?;
    let filter = filter(caller, request.filter.as_ref())?;
    let order = match v1::TicketOrder::try_from(request.order) {
        Ok(v1::TicketOrder::Unspecified) => TicketOrder::Oldest,
        Ok(v1::TicketOrder::Newest) => TicketOrder::Newest,
        Ok(v1::TicketOrder::Due) => TicketOrder::Due,
        Err(_) => {
            return Err(status::invalid(
                "order",
                format!("is {}, which this server does not know", request.order),
            ));
        }
    };
    let ties = pages::Ties::new(room.engine.incarnation(), &(&site, &filter, order));
    let after = ties.place(&request.page_token, cursor)?;
    let limit = pages::size(request.page_size, PAGE_USUAL, TICKET_PAGE_MAX);
    let page = room.engine.list_tickets(&site, &filter, order, after, limit);
    Ok(v1::ListTicketsResponse {
        tickets: page.tickets.iter().map(|view| answered::ticket(view, page.as_of)).collect(),
        next_page_token: page.next.map(|next| ties.token(&cursor_bytes(next))).unwrap_or_default(),
        position: page.position.0,
        as_of_us: page.as_of.0,
    })
}

fn cursor_bytes(cursor: TicketCursor) -> Vec<u8> {
    [cursor.due.0.to_be_bytes(), cursor.opened.0.to_be_bytes()].concat()
}

fn cursor(bytes: &[u8]) -> Option<TicketCursor> {
    let (due, opened) = bytes.split_first_chunk::<8>()?;
    let opened: [u8; 8] = opened.try_into().ok()?;
    let (due, opened) = (Micros(i64::from_be_bytes(*due)), Position(u64::from_be_bytes(opened)));
    Some(TicketCursor { due, opened })
}

pub(super) fn watch(
    room: &Room,
    caller: Caller,
    request: &v1::WatchTicketsRequest,
) -> Result<Answers<v1::WatchTicketsResponse>, Status> {
    let site = caller.site("site", &request.site)?;
    let filter = filter(&caller, request.filter.as_ref())?;
    let watch = room.engine.watch_tickets(site, filter);
    let watching = Watching { watch, room: room.clone(), caller, over: false };
    Ok(Box::pin(futures_util::stream::unfold(watching, Watching::next)))
}

/// One subscriber of a list.
struct Watching {
    watch: TicketWatch,
    room: Room,
    caller: Caller,
    over: bool,
}

impl Watching {
    async fn next(mut self) -> Option<(Result<v1::WatchTicketsResponse, Status>, Self)> {
        if self.over {
            return None;
        }
        let update = tokio::select! {
            biased;
            () = self.room.closing.cancelled() => Err(status::shutting_down()),
            () = self.caller.expired() => Err(status::token_expired()),
            update = self.watch.next() => match update {
                Ok(Some(update)) => Ok(message(&update)),
                Ok(None) => Err(status::shutting_down()),
                Err(error) => Err(status::of(error)),
            },
        };
        self.over = update.is_err();
        Some((update, self))
    }
}

fn message(update: &TicketUpdate) -> v1::WatchTicketsResponse {
    v1::WatchTicketsResponse {
        whole: update.whole,
        tickets: update.tickets.iter().map(|view| answered::ticket(view, update.as_of)).collect(),
        gone: update.gone.iter().map(ToString::to_string).collect(),
        position: update.position.0,
        as_of_us: update.as_of.0,
    }
}

fn filter(caller: &Caller, filter: Option<&v1::TicketFilter>) -> Result<TicketFilter, Status> {
    let none = v1::TicketFilter::default();
    let filter = filter.unwrap_or(&none);
    let mut statuses = codes("filter.statuses", &filter.statuses, TicketStatus::from_code)?;
    if filter.open {
        let asked = statuses.clone();
        let open = TicketStatus::ALL.iter().copied().filter(|status| status.is_open());
        statuses = open.filter(|status| asked.is_empty() || asked.contains(status)).collect();
        if statuses.is_empty() {
            return Err(status::invalid(
                "filter.open",
                "is set beside statuses none of which is open; leave one of both out",
            ));
        }
    }
    Ok(TicketFilter {
        statuses,
        kinds: names("filter.kinds", &filter.kinds, TicketKind)?,
        categories: names("filter.categories", &filter.categories, CategoryId)?,
        severities: codes("filter.severities", &filter.severities, Severity::from_code)?,
        urgencies: codes("filter.urgencies", &filter.urgencies, Urgency::from_code)?,
        owners: names("filter.owners", &filter.owners, AgentId)?,
        groups: names("filter.groups", &filter.groups, TeamId)?,
        tiers: names("filter.tiers", &filter.tiers, |name| name)?,
        regions: names("filter.regions", &filter.regions, |name| name)?,
        channels: names("filter.channels", &filter.channels, |name| name)?,
        customer: fields::optional("filter.customer", &filter.customer)?.map(CustomerId),
        unowned: filter.unowned,
        visible_to: caller.own_agent().cloned(),
        due_before: filter.due_before_us.map(Micros),
        due_within: filter
            .due_within_us
            .map(|within| fields::duration("filter.due_within_us", within))
            .transpose()?,
        breached: filter.breached,
    })
}

fn few<T>(field: &str, values: &[T]) -> Result<(), Status> {
    if values.len() > VALUES_MAX {
        let reason = format!("holds {}; the limit is {VALUES_MAX}: ask several times", values.len());
        return Err(status::invalid(field, reason));
    }
    Ok(())
}

fn names<T>(field: &str, texts: &[String], wrap: impl Fn(Name) -> T) -> Result<Vec<T>, Status> {
    few(field, texts)?;
    texts.iter().map(|text| fields::name(field, text).map(&wrap)).collect()
}

fn codes<T>(field: &str, values: &[i32], from_code: impl Fn(u32) -> Option<T>) -> Result<Vec<T>, Status> {
    few(field, values)?;
    values.iter().map(|value| asked::required(field, *value, &from_code)).collect()
}
