//! How a query cuts figures into rows: by which dimensions, under which attribution, and what its filters let through.
//!
//! Invariant: what is about the same dimensions is in the same row.

use pegcount_domain::ids::{AgentId, QueueId};
use smallvec::SmallVec;

use crate::{
    cells::{Attribution, Dims},
    measure::Sheet,
    names::Id,
    query::{Dimension, Query},
    site::Site,
    ticket::class::{CHANNEL_NAMED, Class},
};

/// The dimensions of a row apart from time, in the order asked.
pub(crate) type Keys = SmallVec<[u32; 4]>;

/// Which rows a query has, and what goes into them.
pub(crate) struct Cut {
    dimensions: SmallVec<[Dimension; 4]>,
    queues: Option<Vec<Id>>,
    agents: Option<Vec<Id>>,
    /// What tickets are, in the order of their numbers from 1, if rows are cut by anything of it.
    classes: Vec<Class>,
}

impl Cut {
    /// Of a query; names that nobody has told yet are nobody's.
    pub(crate) fn of(query: &Query, site: Option<&Site>) -> Self {
        let ids = |texts: Vec<&str>| -> Option<Vec<Id>> {
            let find = |text: &str| site.and_then(|site| site.names.find_text(text));
            (!texts.is_empty()).then(|| texts.into_iter().filter_map(find).collect())
        };
        let asks = |cut: &Dimension| query.by.contains(cut);
        let asks = CLASSED.iter().any(asks);
        Self {
            classes: site.filter(|_| asks).map_or_else(Vec::new, |site| site.classes.all().to_vec()),
            dimensions: query.by.iter().copied().filter(|dimension| !dimension.is_time()).collect(),
            queues: ids(query.queues.iter().map(QueueId::as_str).collect()),
            agents: ids(query.agents.iter().map(AgentId::as_str).collect()),
        }
    }

    /// The row of what is about these; none if the filters keep it out.
    #[inline]
    pub(crate) fn keys(&self, dims: &Dims) -> Option<Keys> {
        let among = |filter: &Option<Vec<Id>>, id| filter.as_ref().is_none_or(|ids| ids.contains(&id));
        (among(&self.queues, dims.queue) && among(&self.agents, dims.agent))
            .then(|| self.dimensions.iter().map(|cut| key(*cut, dims, &self.classes)).collect())
    }
}

/// The attribution under which a query for `asked` reads a sheet.
pub(crate) fn attribution(sheet: Sheet, asked: Attribution) -> Attribution {
    match (sheet, asked) {
        (Sheet::Visit, any) => any,
        // A wait's own event is its end, as a handle's is.
        (Sheet::Wait | Sheet::Handle | Sheet::Transfer, Attribution::Start) => Attribution::Start,
        _ => Attribution::Event,
    }
}

/// Dimensions of what a ticket is.
const CLASSED: [Dimension; 5] =
    [Dimension::Kind, Dimension::Category, Dimension::Tier, Dimension::Region, Dimension::Channel];

/// In a row's key for a channel: the rest is the number of its name, instead of a medium's code.
const NAMED: u32 = 1 << 31;

pub(crate) fn key(cut: Dimension, dims: &Dims, classes: &[Class]) -> u32 {
    let class = || {
        let place = usize::try_from(dims.entry.0).ok().and_then(|number| number.checked_sub(1));
        place.and_then(|place| classes.get(place)).copied().unwrap_or_default()
    };
    match cut {
        Dimension::Kind => class().kind.0,
        Dimension::Category => class().category.0,
        Dimension::Tier => class().tier.0,
        Dimension::Region => class().region.0,
        Dimension::Channel if dims.channel == CHANNEL_NAMED => class().channel.0 | NAMED,
        Dimension::Queue => dims.queue.0,
        Dimension::Agent => dims.agent.0,
        Dimension::Team => dims.team.0,
        Dimension::Entry => dims.entry.0,
        Dimension::Channel => u32::from(dims.channel),
        Dimension::Direction => u32::from(dims.direction),
        Dimension::Priority => u32::from(dims.priority),
        Dimension::Reason | Dimension::Cause | Dimension::Group => dims.detail.0,
        Dimension::Interval15
        | Dimension::Interval30
        | Dimension::Hour
        | Dimension::Day
        | Dimension::Week
        | Dimension::Month => 0,
    }
}

/// The number of the name of a channel that is no medium's.
pub(crate) const fn channel_name(key: u32) -> Option<Id> {
    if key & NAMED != 0 { Some(Id(key & !NAMED)) } else { None }
}

/// What a sheet can be cut by.
pub(crate) const fn dimensions(sheet: Sheet) -> &'static [Dimension] {
    use Dimension::{
        Agent, Category, Cause, Channel, Direction, Entry, Group, Kind, Priority, Queue, Reason, Region,
        Team, Tier,
    };
    match sheet {
        Sheet::Visit | Sheet::Wait => &[Queue, Entry, Channel, Direction, Priority],
        Sheet::Clock | Sheet::Day => &[Agent, Team],
        Sheet::Away => &[Agent, Team, Reason],
        Sheet::Transfer => &[Agent, Team, Queue, Channel, Direction, Reason],
        Sheet::Failure => &[Agent, Team, Queue, Channel, Cause],
        Sheet::Leg | Sheet::Handle => &[Agent, Team, Queue, Channel, Direction],
        Sheet::Ticket | Sheet::Target | Sheet::Backlog | Sheet::Took => {
            &[Agent, Team, Queue, Group, Kind, Category, Tier, Region, Channel]
        }
        Sheet::Line => &[Agent, Team, Queue, Channel],
    }
}
