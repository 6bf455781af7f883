//! The ticket desk: carries out ticket steps through the ticket service.
//!
//! Invariant: the steps of all tickets of one topic go out one after the other, each until it is carried out or refused; a step
//! that is sent twice has the same command id.

use std::{sync::Arc, time::Duration};

use pegcount_client::{Api, AuthorizedChannel, Exchange};
use pegcount_domain::ids::SiteId;
use pegcount_proto::v1::{
    MergeTicketsRequest, OpenTicketRequest, TicketAt, TicketCommandRequest,
    ticket_service_client::TicketServiceClient,
};
use tokio::{
    sync::mpsc,
    task::JoinSet,
    time::{Instant, sleep, timeout_at},
};
use tonic::{Code, Status};

use crate::centre::{TicketAction, TicketStep};

/// Steps of different tickets that may be on their way at once.
const CLERKS: usize = 8;
/// How long to wait before a step is tried again, real time.
const PAUSE: Duration = Duration::from_millis(200);

type Client = TicketServiceClient<AuthorizedChannel>;

pub(super) struct Desk {
    trays: Vec<mpsc::UnboundedSender<TicketStep>>,
    clerks: JoinSet<u64>,
}

impl Desk {
    pub(super) fn open(api: &Api, site: &SiteId, exchange: &Arc<Exchange>) -> Self {
        let mut clerks = JoinSet::new();
        let trays = (0..CLERKS)
            .map(|_| {
                let (tray, steps) = mpsc::unbounded_channel();
                clerks.spawn(clerk(api.tickets(), site.clone(), Arc::clone(exchange), steps));
                tray
            })
            .collect();
        Self { trays, clerks }
    }

    /// Hands a step to the clerk who has the topic.
    pub(super) fn take(&self, step: TicketStep) {
        let sum: usize = step.topic.bytes().map(usize::from).sum();
        if let Some(tray) = self.trays.get(sum % CLERKS) {
            // The clerks work until the trays are gone.
            let _ = tray.send(step);
        }
    }

    /// Waits until every step is carried out, at most so long. Says how many were refused.
    pub(super) async fn close(&mut self, at_most: Duration) -> u64 {
        self.trays.clear();
        let deadline = Instant::now() + at_most;
        let mut refused = 0;
        loop {
            match timeout_at(deadline, self.clerks.join_next()).await {
                Ok(Some(clerk)) => refused += clerk.unwrap_or_default(),
                Ok(None) => return refused,
                Err(_) => {
                    tracing::warn!("not every ticket step is carried out in time");
                    self.clerks.shutdown().await;
                    return refused;
                }
            }
        }
    }
}

async fn clerk(
    mut client: Client,
    site: SiteId,
    exchange: Arc<Exchange>,
    mut steps: mpsc::UnboundedReceiver<TicketStep>,
) -> u64 {
    let mut refused = 0;
    while let Some(step) = steps.recv().await {
        if matches!(step.action, TicketAction::Open(_)) {
            // So that the server knows the contact, and by it the customer. A stopped source cannot help it.
            let _ = exchange.source().flush().await;
        }
        while let Err(status) = carry_out(&mut client, &site, &step).await {
            if !matches!(
                status.code(),
                Code::Unavailable | Code::ResourceExhausted | Code::Unknown | Code::Cancelled
            ) {
                tracing::warn!(ticket = step.ticket, action = ?step.action, %status, "a ticket step is refused");
                refused += 1;
                break;
            }
            sleep(PAUSE).await;
        }
    }
    refused
}

async fn carry_out(client: &mut Client, site: &SiteId, step: &TicketStep) -> Result<(), Status> {
    let site = site.to_string();
    let command_id = step.command.to_be_bytes().to_vec().into();
    let at = |ticket: &str| Some(TicketAt { ticket: ticket.to_owned(), expected_version: 0 });
    let answer = match &step.action {
        TicketAction::Open(ticket) => {
            let request = OpenTicketRequest { site, ticket: Some((**ticket).clone()), command_id };
            client.open_ticket(request).await
        }
        TicketAction::Do(command) => {
            let (ticket, command) = (step.ticket.clone(), Some((**command).clone()));
            let (expected_version, text) = (0, String::new());
            let request = TicketCommandRequest { site, ticket, expected_version, command_id, text, command };
            client.command_ticket(request).await
        }
        TicketAction::Merge { into } => {
            let (secondary, primary) = (at(&step.ticket), at(into));
            client.merge_tickets(MergeTicketsRequest { site, secondary, primary, command_id }).await
        }
    };
    answer.map(drop)
}
