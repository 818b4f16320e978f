//! The thread that changes the metadata: what has gathered becomes one transaction, and is answered when that is durable.

use std::io;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, PoisonError};
use std::thread::JoinHandle;

use tokio::sync::oneshot;

use super::Kept;
use super::tables::Changes;
use crate::refusal::Refusal;

/// Changes of one transaction at most: as many as a disk's sync takes anyway, and few enough to answer the first soon.
const CHANGES_MAX: usize = 512;

/// Says what became of a change, once it is known whether its transaction is durable.
type Answer = Box<dyn FnOnce(Result<(), Refusal>) + Send>;
/// Makes a change, and says whether the tables can no longer be trusted.
type Job = Box<dyn FnOnce(&mut Changes<'_>) -> (Answer, bool) + Send>;

pub(super) struct Writer {
    /// None once it ends.
    jobs: Option<Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub(super) fn start(kept: Arc<Kept>) -> Result<Writer, io::Error> {
        let (jobs, incoming) = channel();
        let thread = std::thread::Builder::new().name("s3-writer".to_owned()).spawn(move || run(&kept, &incoming))?;
        Ok(Writer { jobs: Some(jobs), thread: Some(thread) })
    }

    pub(super) async fn change<T: Send + 'static>(
        &self,
        change: impl FnOnce(&mut Changes<'_>) -> Result<T, Refusal> + Send + 'static,
    ) -> Result<T, Refusal> {
        let (tell, told) = oneshot::channel();
        let job: Job = Box::new(move |tables| {
            let made = change(tables);
            let spoilt = made.as_ref().is_err_and(Refusal::is_broken);
            let answer: Answer = Box::new(move |durable| {
                // Nobody listens when the client has gone; the change stays.
                let _ = tell.send(durable.and(made));
            });
            (answer, spoilt)
        });
        let gone = || Refusal::broken("the writer has ended");
        self.jobs.as_ref().ok_or_else(gone)?.send(job).map_err(|_| gone())?;
        told.await.map_err(|_| gone())?
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread that writes S3's metadata panicked");
        }
    }
}

fn run(kept: &Kept, jobs: &Receiver<Job>) {
    while let Ok(first) = jobs.recv() {
        let mut gathered = vec![first];
        gathered.extend(jobs.try_iter().take(CHANGES_MAX - 1));
        let mut answers = Vec::with_capacity(gathered.len());
        match commit(kept, gathered, &mut answers) {
            Ok(freed) => {
                kept.let_go(&freed);
                answers.into_iter().for_each(|answer| answer(Ok(())));
            }
            Err(failure) => {
                tracing::error!(%failure, "S3's metadata could not be written");
                if let Err(error) = kept.reopen() {
                    tracing::error!(%error, "S3's metadata cannot be opened again");
                }
                answers.into_iter().for_each(|answer| answer(Err(failure.clone())));
            }
        }
    }
}

/// Makes the changes in one transaction. Those that were not reached are answered by being dropped.
fn commit(kept: &Kept, jobs: Vec<Job>, answers: &mut Vec<Answer>) -> Result<Vec<u64>, Refusal> {
    if kept.is_broken() {
        kept.reopen().map_err(Refusal::broken)?;
    }
    let database = kept.database.read().unwrap_or_else(PoisonError::into_inner);
    let database = database.as_ref().ok_or_else(|| Refusal::broken("the database failed"))?;
    let transaction = database.begin_write()?;
    let mut tables = Changes::open(&transaction)?;
    let mut spoilt = false;
    for job in jobs {
        let (answer, spoils) = job(&mut tables);
        spoilt |= spoils;
        answers.push(answer);
    }
    let freed = std::mem::take(&mut tables.freed);
    drop(tables);
    if spoilt {
        transaction.abort()?;
        return Err(Refusal::broken("a change could not be written"));
    }
    transaction.commit()?;
    Ok(freed)
}
