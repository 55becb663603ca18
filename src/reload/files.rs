//! What was last read of each file, and the reading of those that have changed.
//!
//! Each file is read in a thread of its own, and nobody waits long for one: a file that hangs is
//! left behind alone, with what was read of it before, and has one thread however often it is
//! looked at.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use aws_lc_rs::digest::{Context, SHA256};

use crate::files::{self, Content, KEYS, MAP, NO_ANSWER, Stamp, unusable};
use crate::secret::{Secret, SecretSource};

/// How long a look waits for the files that it has begun to read; the next one finds the others.
const GRACE: Duration = Duration::from_millis(100);

/// How long the first reading waits, which must have all of them.
const PATIENCE: Duration = Duration::from_secs(10);

/// A file that has not answered for so long is said to hang.
const HANGS: Duration = Duration::from_secs(5);

/// So often a file is read even where nothing tells that it has changed.
const READ_ANYWAY: Duration = Duration::from_mins(1);

type Read = Result<Option<Content>, String>;

/// Reads one file, unless it is still of this version.
type Disk = Arc<dyn Fn(&Path, u64, Option<Stamp>) -> Read + Send + Sync>;

/// Hands out files' texts, and remembers what was in them.
pub struct Files {
    disk: Disk,
    known: HashMap<PathBuf, OneFile>,
    patience: Duration,
    /// Counts the changes in what is known of any file.
    version: u64,
    digest: Context,
    trouble: Option<String>,
    is_incomplete: bool,
}

struct OneFile {
    limit: u64,
    /// What was last read. A secret, because most of these are.
    text: Option<Secret>,
    stamp: Option<Stamp>,
    read_at: Option<Instant>,
    /// What is wrong with the file since.
    trouble: Option<String>,
    reading: Option<(Instant, Receiver<Read>)>,
    is_in_use: bool,
}

impl Files {
    pub(super) fn new() -> Self {
        Self::on(Arc::new(|path, limit, known| {
            files::read(path, limit, known).map_err(|error| unusable(path, error))
        }))
    }

    fn on(disk: Disk) -> Self {
        Self {
            disk,
            known: HashMap::new(),
            patience: PATIENCE,
            version: 0,
            digest: Context::new(&SHA256),
            trouble: None,
            is_incomplete: false,
        }
    }

    /// The text of a file of keys. The error is a sentence that names the file.
    pub fn read(&mut self, path: &Path) -> Result<String, String> {
        self.text(path, KEYS)
    }

    /// The text of a file that may be long.
    pub fn read_map(&mut self, path: &Path) -> Result<String, String> {
        self.text(path, MAP)
    }

    /// A secret as it is at this moment.
    pub fn secret(&mut self, source: &SecretSource) -> Result<Secret, String> {
        match source {
            SecretSource::Text(secret) => Ok(secret.clone()),
            SecretSource::File(file) => {
                let secret = self.secret_at(file.path())?;
                secret.ok_or_else(|| unusable(file.path(), "it is empty"))
            }
        }
    }

    /// The secret that is all of a file; `None` where nothing is in it.
    pub fn secret_at(&mut self, path: &Path) -> Result<Option<Secret>, String> {
        Ok(Secret::from_file(&self.read(path)?))
    }

    fn text(&mut self, path: &Path, limit: u64) -> Result<String, String> {
        let file = self.known.entry(path.to_owned()).or_default();
        file.limit = limit;
        file.is_in_use = true;
        if file.text.is_none() && file.trouble.is_none() {
            file.begin(&self.disk, path);
            self.version += u64::from(file.take(path, self.patience));
        }
        self.trouble = self.trouble.take().or_else(|| file.trouble.clone());
        let Some(text) = &file.text else {
            self.is_incomplete |= file.trouble.is_none();
            let trouble = file.trouble.clone();
            return Err(trouble.unwrap_or_else(|| unusable(path, NO_ANSWER)));
        };
        self.digest.update(text.expose().as_bytes());
        self.digest.update(&[0xff]);
        Ok(text.expose().to_owned())
    }

    /// Finds out which files have changed. The answer changes with what is known of them.
    pub(super) fn poll(&mut self) -> u64 {
        self.patience = GRACE;
        for (path, file) in &mut self.known {
            file.begin(&self.disk, path);
        }
        let deadline = Instant::now() + GRACE;
        for (path, file) in &mut self.known {
            let left = deadline.saturating_duration_since(Instant::now());
            self.version += u64::from(file.take(path, left));
        }
        self.version
    }

    /// Whether a file is still being read that may yet answer in time.
    pub(super) fn is_waiting(&self) -> bool {
        let mut readings = self.known.values().filter_map(|file| file.reading.as_ref());
        readings.any(|(began, _)| began.elapsed() <= HANGS)
    }

    /// Begins to note which files a value is made of.
    pub(super) fn begin(&mut self) {
        self.digest = Context::new(&SHA256);
        self.trouble = None;
        self.is_incomplete = false;
        for file in self.known.values_mut() {
            file.is_in_use = false;
        }
    }

    /// What the value was made of. `None`: a file has not been read yet.
    pub(super) fn end(&mut self) -> Option<Made> {
        // One that hangs keeps its thread, and must not get another should it be named again.
        self.known
            .retain(|_, file| file.is_in_use || file.reading.is_some());
        (!self.is_incomplete).then(|| Made {
            version: self.version,
            digest: self.digest.clone().finish().as_ref().to_vec(),
            trouble: self.trouble.clone(),
        })
    }
}

/// What a value was made of.
pub(super) struct Made {
    pub(super) version: u64,
    pub(super) digest: Vec<u8>,
    /// What is wrong with one of the files, of which something older was taken.
    pub(super) trouble: Option<String>,
}

impl Default for OneFile {
    fn default() -> Self {
        Self {
            limit: KEYS,
            text: None,
            stamp: None,
            read_at: None,
            trouble: None,
            reading: None,
            is_in_use: true,
        }
    }
}

impl OneFile {
    /// Has the file read, unless that is still going on.
    fn begin(&mut self, disk: &Disk, path: &Path) {
        if self.reading.is_some() {
            return;
        }
        let is_due = self.read_at.is_none_or(|at| at.elapsed() > READ_ANYWAY);
        let known = self.stamp.filter(|_| !is_due);
        let (sender, receiver) = sync_channel(1);
        let (disk, path, limit) = (Arc::clone(disk), path.to_owned(), self.limit);
        let thread = thread::Builder::new().name("file".into());
        // Where there is no thread to be had, the sender is gone with the closure.
        let _ = thread.spawn(move || sender.send(disk(&path, limit, known)));
        self.reading = Some((Instant::now(), receiver));
    }

    /// Takes what was read, if it comes in time. Says whether it is anything new.
    fn take(&mut self, path: &Path, patience: Duration) -> bool {
        let Some((began, receiver)) = &self.reading else {
            return false;
        };
        let hangs = began.elapsed() > HANGS;
        let patience = if hangs { Duration::ZERO } else { patience };
        let read = match receiver.recv_timeout(patience) {
            Ok(read) => read,
            Err(RecvTimeoutError::Disconnected) => Err(unusable(path, "it cannot be read")),
            Err(RecvTimeoutError::Timeout) => {
                return hangs && self.fails(unusable(path, NO_ANSWER));
            }
        };
        self.reading = None;
        match read {
            // It is the version that was read last.
            Ok(None) => self.trouble.take().is_some(),
            Ok(Some(content)) => self.has(content),
            Err(trouble) => {
                self.stamp = None;
                self.fails(trouble)
            }
        }
    }

    fn has(&mut self, content: Content) -> bool {
        self.stamp = content.stamp;
        self.read_at = Some(Instant::now());
        let text = Some(Secret::new(content.text));
        let is_new = self.text != text;
        self.text = text;
        self.trouble.take().is_some() || is_new
    }

    fn fails(&mut self, trouble: String) -> bool {
        let trouble = Some(trouble);
        let is_new = self.trouble != trouble;
        self.trouble = trouble;
        is_new
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::{Condvar, Mutex};

    use super::*;

    /// Files in memory, which may hang, and count how often they were read.
    #[derive(Clone, Default)]
    pub(in crate::reload) struct Shelf(Arc<Inner>);

    #[derive(Default)]
    struct Inner {
        texts: Mutex<HashMap<PathBuf, Option<Result<String, String>>>>,
        changed: Condvar,
        reads: AtomicUsize,
    }

    impl Shelf {
        pub(in crate::reload) fn write(&self, path: &str, text: &str) {
            self.put(path, Some(Ok(text.into())));
        }

        pub(in crate::reload) fn fail(&self, path: &str, trouble: &str) {
            self.put(path, Some(Err(trouble.into())));
        }

        pub(in crate::reload) fn hang(&self, path: &str) {
            self.put(path, None);
        }

        fn put(&self, path: &str, text: Option<Result<String, String>>) {
            self.0.texts.lock().unwrap().insert(path.into(), text);
            self.0.changed.notify_all();
        }

        pub(in crate::reload) fn reads(&self) -> usize {
            self.0.reads.load(Ordering::SeqCst)
        }

        pub(in crate::reload) fn files(&self) -> Files {
            let inner = Arc::clone(&self.0);
            Files::on(Arc::new(move |path, _, _| {
                inner.reads.fetch_add(1, Ordering::SeqCst);
                let mut texts = inner.texts.lock().unwrap();
                loop {
                    match texts.get(path).unwrap() {
                        Some(text) => {
                            let content = |text: String| Content { text, stamp: None };
                            return text.clone().map(|text| Some(content(text)));
                        }
                        None => texts = inner.changed.wait(texts).unwrap(),
                    }
                }
            }))
        }
    }

    /// Looks until it is told of something new. A busy machine may take its time to read.
    fn changes(files: &mut Files, from: u64) -> u64 {
        loop {
            let version = files.poll();
            if version != from {
                return version;
            }
        }
    }

    #[test]
    fn a_file_that_hangs_has_one_thread_and_holds_up_no_other() {
        let shelf = Shelf::default();
        shelf.write("a", "a1");
        shelf.write("b", "b1");
        let mut files = shelf.files();
        assert_eq!(files.read(Path::new("a")).as_deref(), Ok("a1"));
        assert_eq!(files.read(Path::new("b")).as_deref(), Ok("b1"));
        let before = files.poll();
        shelf.hang("a");
        // The readings that were on their way.
        files.poll();
        files.poll();
        shelf.write("b", "b2");
        changes(&mut files, before);
        assert_eq!(files.read(Path::new("b")).as_deref(), Ok("b2"));
        assert_eq!(files.read(Path::new("a")).as_deref(), Ok("a1"));
        let (began, _) = files.known[Path::new("a")].reading.as_ref().unwrap();
        let began = *began;
        for _ in 0..10 {
            files.poll();
        }
        let (still, _) = files.known[Path::new("a")].reading.as_ref().unwrap();
        assert_eq!(*still, began, "it is not read a second time");
        shelf.write("a", "a2");
        let before = files.version;
        changes(&mut files, before);
        assert_eq!(files.read(Path::new("a")).as_deref(), Ok("a2"));
    }

    #[test]
    fn what_was_read_last_holds_while_a_file_cannot_be_read() {
        let shelf = Shelf::default();
        shelf.write("a", "a1");
        let mut files = shelf.files();
        files.read(Path::new("a")).unwrap();
        let before = files.poll();
        shelf.fail("a", "gone");
        let version = changes(&mut files, before);
        files.begin();
        assert_eq!(files.read(Path::new("a")).as_deref(), Ok("a1"));
        let made = files.end().unwrap();
        assert_eq!(made.trouble.as_deref(), Some("gone"));
        assert_eq!(made.version, version);
        // One that was never read has nothing that could hold.
        shelf.fail("b", "none");
        assert_eq!(files.read(Path::new("b")), Err("none".into()));
    }
}
