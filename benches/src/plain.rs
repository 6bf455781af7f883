//! A plain file that calls go into, written and synced (fdatasync) in groups by one thread, each call answered after its
//! group's sync: what durability costs any service on this machine, with nothing decided, indexed or folded.

use std::{fs::File, io::Write, path::Path, thread};

use tokio::sync::{mpsc, oneshot};

use crate::Outcome;

/// The most that one group takes, calls.
const GROUP_MAX: usize = 1_024;

type Call = (Vec<u8>, oneshot::Sender<()>);

/// The file; its thread ends once nobody can write to it.
#[derive(Clone, Debug)]
pub struct PlainFile(mpsc::Sender<Call>);

impl PlainFile {
    /// Makes it.
    pub fn start(path: &Path) -> Outcome<Self> {
        let file = File::create(path)?;
        let (calls, waiting) = mpsc::channel(GROUP_MAX);
        thread::Builder::new().name("plain-file".to_owned()).spawn(move || write_groups(file, waiting))?;
        Ok(Self(calls))
    }

    /// Writes a call's bytes; true once they are synced.
    pub async fn write(&self, bytes: Vec<u8>) -> bool {
        let (answer, synced) = oneshot::channel();
        self.0.send((bytes, answer)).await.is_ok() && synced.await.is_ok()
    }
}

fn write_groups(mut file: File, mut waiting: mpsc::Receiver<Call>) {
    let mut group = Vec::new();
    while waiting.blocking_recv_many(&mut group, GROUP_MAX) > 0 {
        let bytes: Vec<u8> = group.iter().flat_map(|(bytes, _)| bytes.iter().copied()).collect();
        if file.write_all(&bytes).and_then(|()| file.sync_data()).is_err() {
            // Whoever waits is told by the answer that never comes.
            return;
        }
        for (_, answer) in group.drain(..) {
            // Whoever asked may have gone.
            let _ = answer.send(());
        }
    }
}
