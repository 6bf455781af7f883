//! Ticket commands, durable, of clients that wait for each answer: beside single calls to a service that throws them away, to one that
//! writes each to a plain file first, which no log can pass, and beside durable single calls that bring facts. The sides take turns in
//! short rounds.

use std::time::Duration;

use pegcount_benches::{
    Outcome,
    measure::{Rounds, float, median, median_ratio, processor_seconds, spread},
    serve::{EmptyService, Pegcount},
    single::SingleCalls,
    table::{Line, per_second},
    writer::{Writer, drive},
};
use pegcount_proto::v1::{self, ticket_command_request as asked, ticket_service_client::TicketServiceClient};
use tonic::{
    Request,
    metadata::{Ascii, MetadataValue},
    transport::{Channel, Endpoint},
};

const CLIENTS: usize = 64;
/// How long each side has in a round.
const TURN: Duration = Duration::from_secs(2);
/// The goal: of what a service that throws everything away reaches.
const GOAL: f64 = 0.7;

pub(crate) async fn compared() -> Outcome<Vec<Line>> {
    let dir = tempfile::tempdir()?;
    let empty = EmptyService::start().await?;
    let plain = EmptyService::on_file(&dir.path().join("plain")).await?;
    let pegcount = Pegcount::start(&dir.path().join("data")).await?;
    let mut to_plain = SingleCalls::connect(&plain.endpoint, "", CLIENTS).await?;
    let mut to_empty = SingleCalls::connect(&empty.endpoint, "", CLIENTS).await?;
    let mut facts = SingleCalls::connect(&pegcount.endpoint, &pegcount.token, CLIENTS).await?;
    let mut commands = Commands::connect(&pegcount, CLIENTS).await?;
    let (mut thrown, mut filed) = (Side::default(), Side::default());
    let (mut stored, mut commanded) = (Side::default(), Side::default());
    let mut rounds = Rounds::begin();
    while rounds.another() {
        thrown.turn(&mut to_empty, &pegcount).await?;
        filed.turn(&mut to_plain, &pegcount).await?;
        stored.turn(&mut facts, &pegcount).await?;
        commanded.turn(&mut commands, &pegcount).await?;
    }
    pegcount.stop().await?;
    let value = |side: &Side| {
        let rate = per_second(median(&side.rates));
        format!("{rate} ({}), {:.0} us of processors each", spread(&side.rates, 0), median(&side.micros))
    };
    Ok(vec![
        Line::plain("rounds", rounds.done().to_string()),
        Line::plain("a service that throws each call away", value(&thrown)),
        Line::plain("a service that writes each call to a plain file, one fdatasync a group", value(&filed)),
        Line::plain("durable single calls that bring a fact", value(&stored)),
        Line::plain("durable ticket commands, each decided on the ticket as it is", value(&commanded)),
        Line::with_goal(
            "ticket commands to calls that are thrown away",
            median_ratio(&commanded.rates, &thrown.rates),
            2,
            GOAL,
        ),
        Line::plain(
            "that of the plain file, which no log can pass",
            format!("{:.2}", median_ratio(&filed.rates, &thrown.rates)),
        ),
        Line::plain(
            "ticket commands to the plain file's",
            format!("{:.2}", median_ratio(&commanded.rates, &filed.rates)),
        ),
        Line::plain(
            "durable facts to calls that are thrown away",
            format!("{:.2}", median_ratio(&stored.rates, &thrown.rates)),
        ),
        Line::plain(
            "ticket commands to durable facts",
            format!("{:.2}", median_ratio(&commanded.rates, &stored.rates)),
        ),
    ])
}

/// What one side reached in each round, and what a call took of the processors, clients and folds included.
#[derive(Default)]
struct Side {
    rates: Vec<f64>,
    micros: Vec<f64>,
}

impl Side {
    async fn turn<W: Writer>(&mut self, writers: &mut Vec<W>, pegcount: &Pegcount) -> Outcome<()> {
        let before = processor_seconds();
        let (given_back, rate) = drive(std::mem::take(writers), 1, TURN).await?;
        *writers = given_back;
        pegcount.caught_up().await?;
        self.rates.push(rate.per_second());
        self.micros.push((processor_seconds() - before) * 1e6 / float(rate.facts));
        Ok(())
    }
}

/// A client that takes one ticket after the other from its opening to its end.
struct Commands {
    client: TicketServiceClient<Channel>,
    bearer: MetadataValue<Ascii>,
    name: String,
    ticket: u64,
    step: usize,
}

impl Commands {
    async fn connect(pegcount: &Pegcount, count: usize) -> Outcome<Vec<Self>> {
        let mut clients = Vec::with_capacity(count);
        for number in 0..count {
            let channel = Endpoint::new(pegcount.endpoint.clone())?.connect().await?;
            clients.push(Self {
                client: TicketServiceClient::new(channel),
                bearer: format!("Bearer {}", pegcount.token).parse()?,
                name: format!("desk-{number}"),
                ticket: 0,
                step: 0,
            });
        }
        Ok(clients)
    }

    fn request<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        request.metadata_mut().insert("authorization", self.bearer.clone());
        request
    }

    fn id(&self) -> String {
        format!("{}-{}", self.name, self.ticket)
    }

    async fn open(&mut self) -> Outcome<()> {
        let facts = v1::TicketFacts { channel: "phone".to_owned(), ..v1::TicketFacts::default() };
        let ticket = v1::NewTicket {
            ticket: self.id(),
            kind: "repair".to_owned(),
            receiver: self.name.clone(),
            group: "north".to_owned(),
            facts: Some(facts),
            ..v1::NewTicket::default()
        };
        let open = v1::OpenTicketRequest {
            site: "bench".to_owned(),
            ticket: Some(ticket),
            command_id: command_id(),
        };
        let request = self.request(open);
        self.client.open_ticket(request).await?;
        Ok(())
    }
}

/// What is asked for after the opening, one after the other.
fn steps(owner: &str) -> [asked::Command; 7] {
    use asked::Command;
    let set = v1::TicketFacts { category: "pipes".to_owned(), ..v1::TicketFacts::default() };
    let region = v1::TicketFacts { region: "lake".to_owned(), ..v1::TicketFacts::default() };
    let way = v1::TicketWay { kind: v1::TicketWayKind::Alone.into(), ..v1::TicketWay::default() };
    [
        Command::Accept(asked::Accept { owner: owner.to_owned() }),
        Command::Classify(set),
        Command::StartWork(v1::Nothing {}),
        Command::Attach(asked::Attach { kind: "photo".to_owned(), reference: "p_1".to_owned() }),
        Command::Edit(region),
        Command::Resolve(asked::Resolve { way: Some(way), ..asked::Resolve::default() }),
        Command::Close(asked::Close::default()),
    ]
}

fn command_id() -> bytes::Bytes {
    uuid::Uuid::new_v4().as_bytes().to_vec().into()
}

impl Writer for Commands {
    async fn write(&mut self, count: usize) -> Outcome<()> {
        for _ in 0..count {
            let command = self.step.checked_sub(1).and_then(|step| steps(&self.name).into_iter().nth(step));
            match command {
                None => {
                    self.ticket += 1;
                    self.step = 0;
                    self.open().await?;
                }
                Some(command) => {
                    let request = self.request(v1::TicketCommandRequest {
                        site: "bench".to_owned(),
                        ticket: self.id(),
                        expected_version: 0,
                        command_id: command_id(),
                        text: String::new(),
                        command: Some(command),
                    });
                    self.client.command_ticket(request).await?;
                }
            }
            self.step += 1;
        }
        Ok(())
    }
}
