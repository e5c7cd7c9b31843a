//! An engine over a journal in memory and a view in a folder of its own, stepped by hand.

use std::{
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use tempfile::TempDir;
use tokio::sync::oneshot;

use crate::{
    domain::{
        command::{Command, Disposition},
        fact::Evidence as Read,
        order::Order,
        testing::parent,
        time::Time,
    },
    engine::{
        Answer, Ask, Clock, Engine, Error, Evidence, Fatal, Job,
        replies::{Outcome, WayBack},
    },
    hub::Hub,
    journal::{
        Appended, Attachment, Entry, Journal, Reader, Stored,
        memory::{Control, MemoryJournal},
    },
    record::{self, Actor, Record, Source, WebhookMeta, attachment},
    store::{Options, Store, Writer},
};

/// What another writer does between a decision and its append.
type Rival = Arc<Mutex<Option<Box<dyn FnOnce() + Send>>>>;

/// An engine and all it needs.
pub(crate) struct Bench {
    pub(crate) engine: Engine,
    pub(crate) store: Arc<Store>,
    pub(crate) hub: Arc<Hub>,
    /// Steers the engine's writes.
    pub(crate) control: Control,
    /// Another writer on the same log.
    pub(crate) journal: MemoryJournal,
    rival: Rival,
    writer: Writer,
    pub(crate) folder: TempDir,
}

/// A journal that lets somebody else go first.
struct Between(MemoryJournal, Rival);

impl Journal for Between {
    fn append(&mut self, entries: &[Entry]) -> Result<Vec<Appended>, crate::journal::Error> {
        let rival = self.1.lock().unwrap_or_else(PoisonError::into_inner).take();
        rival.into_iter().for_each(|rival| rival());
        self.0.append(entries)
    }

    fn reader(&self) -> Arc<dyn Reader> {
        self.0.reader()
    }
}

/// The one time of all benches.
pub(crate) const NOW: Time = Time::from_seconds(1000);

impl Bench {
    pub(crate) fn new() -> Self {
        Self::on(&MemoryJournal::new())
    }

    /// A writer of its own on a log, with a view of its own.
    pub(crate) fn on(journal: &MemoryJournal) -> Self {
        Self::open(journal, tempfile::tempdir().unwrap())
    }

    pub(crate) fn open(journal: &MemoryJournal, folder: TempDir) -> Self {
        Self::open_at(journal, folder, Arc::new(|| NOW))
    }

    /// The same with another clock.
    pub(crate) fn open_at(journal: &MemoryJournal, folder: TempDir, clock: Clock) -> Self {
        let own = journal.clone();
        let control = own.control();
        let (store, writer) = open_store(folder.path(), journal);
        let hub = Arc::new(Hub::new(own.reader(), crate::hub::RECENT_MAX));
        let rival = Rival::default();
        let between = Box::new(Between(own, Arc::clone(&rival)));
        let engine = Engine::new(between, Arc::clone(&store), Arc::clone(&hub), clock);
        Self { engine, store, hub, control, journal: journal.clone(), rival, writer, folder }
    }

    /// Ends in good order and starts again: another writer on the same log, the same view.
    pub(crate) fn restart(self) -> Self {
        let (folder, journal) = self.close();
        Self::open(&journal, folder)
    }

    /// Ends in good order, and leaves the view and the log.
    pub(crate) fn close(self) -> (TempDir, MemoryJournal) {
        let Self { engine, store, hub, journal, writer, folder, .. } = self;
        drop((engine, store, hub, writer));
        (folder, journal)
    }

    /// A folder with what a crash would leave of the view now.
    pub(crate) fn crashed_folder(&self) -> TempDir {
        let copy = tempfile::tempdir().unwrap();
        copy_files(self.folder.path(), copy.path());
        copy
    }

    /// Does something right before the next append.
    pub(crate) fn before_append(&self, rival: impl FnOnce() + Send + 'static) {
        *self.rival.lock().unwrap() = Some(Box::new(rival));
    }

    /// What was to be done before an append that did not happen.
    pub(crate) fn take_rival(&self) -> Option<Box<dyn FnOnce() + Send>> {
        self.rival.lock().unwrap().take()
    }

    /// One batch.
    pub(crate) fn step(
        &mut self,
        asks: impl IntoIterator<Item = Ask>,
    ) -> (Result<(), Fatal>, Vec<Result<Answer, Error>>) {
        let (mut jobs, answers): (Vec<Job>, Vec<_>) = asks.into_iter().map(job).unzip();
        let stepped = self.engine.step(&mut jobs);
        (stepped, answers.into_iter().map(received).collect())
    }

    /// A batch that the journal takes.
    pub(crate) fn run(
        &mut self,
        asks: impl IntoIterator<Item = Ask>,
    ) -> Vec<Result<Answer, Error>> {
        let (stepped, answers) = self.step(asks);
        stepped.unwrap();
        answers
    }

    /// One command that is accepted.
    pub(crate) fn accept(&mut self, command: &Command) -> Answer {
        self.run([ask(command)]).remove(0).unwrap()
    }

    pub(crate) fn order(&self, order: &str) -> Arc<Order> {
        self.store.find_order(&parent(order).key()).unwrap().unwrap()
    }

    /// Everything in the journal.
    pub(crate) fn records(&self) -> Vec<(Stored, Record)> {
        let stored = self.journal.reader().read(0, usize::MAX).unwrap();
        stored.into_iter().map(|s| (s.clone(), record::decode(&s.record).unwrap())).collect()
    }

    /// Proves that the view is what the journal gives.
    pub(crate) fn verify(&self) {
        self.store.verify(&*self.journal.reader(), |_| {}).unwrap();
    }
}

pub(crate) fn open_store(folder: &Path, journal: &MemoryJournal) -> (Arc<Store>, Writer) {
    let options = Options { cache_bytes: 4 * 1024 * 1024 };
    Store::open(folder, options, &*journal.reader(), |_| {}).unwrap()
}

pub(crate) fn copy_files(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            std::fs::create_dir_all(&target).unwrap();
            copy_files(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// A job for which the engine may read sled: nobody is there to fetch what it lacks.
pub(in crate::engine) fn job(ask: Ask) -> (Job, oneshot::Receiver<Outcome>) {
    let (caller, outcome) = oneshot::channel();
    let way = WayBack { caller, thread: None };
    (Job { ask: Box::new(ask), way, may_read: true }, outcome)
}

/// The answer as a handle gives it.
pub(in crate::engine) fn received(
    mut outcome: oneshot::Receiver<Outcome>,
) -> Result<Answer, Error> {
    match outcome.try_recv() {
        Ok(Outcome::Answered(answer, _)) => answer,
        Ok(Outcome::Lacks(_, lacking)) => panic!("it may read {lacking:?}"),
        Err(_) => Err(Error::Unavailable),
    }
}

/// A command as the edge asks it; evidence comes with a webhook.
pub(crate) fn ask(command: &Command) -> Ask {
    let Command::AcceptEvidence(accepted) = command else {
        let actor =
            Some(Actor { name: "test".to_owned(), key_id: "key_1".to_owned(), operator: None });
        return Ask::Order { command: command.clone(), source: Source::Intent, actor };
    };
    evidence(command, &accepted.evidence)
}

fn evidence(command: &Command, read: &Read) -> Ask {
    let body = Attachment { kind: attachment::BODY, bytes: Some(vec![1; 10].into()) };
    Ask::Evidence(Box::new(Evidence {
        command: command.clone(),
        webhook: WebhookMeta {
            account: read.account.clone(),
            event_id: "event".to_owned(),
            event_name: "name".to_owned(),
            body_sha256: [0; 32],
            disposition: Disposition::Applied,
            reading: read.id,
            headers: Vec::new(),
        },
        attachments: vec![body],
        source: Source::Webhook,
        actor: None,
    }))
}
