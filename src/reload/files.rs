//! A cache of files, and the reading of those that have changed.
//!
//! Each file is read in a thread of its own, with a timeout: a file that hangs keeps the content
//! that was read before and blocks no other file, and it has one thread however often it is polled.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use aws_lc_rs::digest::{Context, SHA256};

use crate::files::{self, Content, MAX_KEYS, MAX_MAP, NO_ANSWER, Stamp, unusable};
use crate::secret::{Secret, SecretSource};

/// How long a poll waits for the files that it reads; the next poll finds the others.
const POLL_TIMEOUT: Duration = Duration::from_millis(100);

/// How long the first reading waits, which needs all files.
const START_TIMEOUT: Duration = Duration::from_secs(10);

/// After this time without an answer a file is reported to hang.
const HANG_TIMEOUT: Duration = Duration::from_secs(5);

/// A file is read again after this time, even if its stamp has not changed.
const REREAD_INTERVAL: Duration = Duration::from_mins(1);

type Read = Result<Option<Content>, String>;

/// Reads one file of at most this length, unless it still has this stamp.
type ReadFile = Arc<dyn Fn(&Path, u64, Option<Stamp>) -> Read + Send + Sync>;

/// The files that a value is read from.
pub struct Files {
    read_file: ReadFile,
    cached: HashMap<PathBuf, CachedFile>,
    timeout: Duration,
    /// Counts the changes of any file.
    version: u64,
    digest: Context,
    error: Option<String>,
    is_incomplete: bool,
}

#[derive(Default)]
struct CachedFile {
    limit: u64,
    /// The content that was read last. A secret, because most of them are.
    text: Option<Secret>,
    stamp: Option<Stamp>,
    read_at: Option<Instant>,
    /// What is wrong with the file since then.
    error: Option<String>,
    reading: Option<(Instant, Receiver<Read>)>,
    is_in_use: bool,
}

impl Files {
    pub(super) fn new() -> Self {
        Self::with(Arc::new(|path, limit, known| {
            files::read(path, limit, known).map_err(|error| unusable(path, error))
        }))
    }

    fn with(read_file: ReadFile) -> Self {
        Self {
            read_file,
            cached: HashMap::new(),
            timeout: START_TIMEOUT,
            version: 0,
            digest: Context::new(&SHA256),
            error: None,
            is_incomplete: false,
        }
    }

    /// The text of a file of keys. The error is a sentence that names the file.
    pub fn read(&mut self, path: &Path) -> Result<String, String> {
        self.text(path, MAX_KEYS)
    }

    /// The text of an operator map, which may be long.
    pub fn read_map(&mut self, path: &Path) -> Result<String, String> {
        self.text(path, MAX_MAP)
    }

    /// A secret as it is now.
    pub fn secret(&mut self, source: &SecretSource) -> Result<Secret, String> {
        match source {
            SecretSource::Text(secret) => Ok(secret.clone()),
            SecretSource::File(file) => {
                let secret = self.secret_at(file.path())?;
                secret.ok_or_else(|| unusable(file.path(), "it is empty"))
            }
        }
    }

    /// The secret that is the whole content of a file; `None` where the file is empty.
    pub fn secret_at(&mut self, path: &Path) -> Result<Option<Secret>, String> {
        Ok(Secret::from_file(&self.read(path)?))
    }

    fn text(&mut self, path: &Path, limit: u64) -> Result<String, String> {
        let file = self.cached.entry(path.to_owned()).or_default();
        file.limit = limit;
        file.is_in_use = true;
        if file.text.is_none() && file.error.is_none() {
            file.start_reading(&self.read_file, path);
            self.version += u64::from(file.receive(path, self.timeout));
        }
        self.error = self.error.take().or_else(|| file.error.clone());
        let Some(text) = &file.text else {
            self.is_incomplete |= file.error.is_none();
            let error = file.error.clone();
            return Err(error.unwrap_or_else(|| unusable(path, NO_ANSWER)));
        };
        self.digest.update(text.expose().as_bytes());
        self.digest.update(&[0xff]);
        Ok(text.expose().to_owned())
    }

    /// Reads the files that have changed. Returns a version that changes with any of them.
    pub(super) fn poll(&mut self) -> u64 {
        self.timeout = POLL_TIMEOUT;
        for (path, file) in &mut self.cached {
            file.start_reading(&self.read_file, path);
        }
        let deadline = Instant::now() + POLL_TIMEOUT;
        for (path, file) in &mut self.cached {
            let left = deadline.saturating_duration_since(Instant::now());
            self.version += u64::from(file.receive(path, left));
        }
        self.version
    }

    /// Whether a file is being read that may still answer in time.
    pub(super) fn is_reading(&self) -> bool {
        let mut readings = self
            .cached
            .values()
            .filter_map(|file| file.reading.as_ref());
        readings.any(|(began, _)| began.elapsed() <= HANG_TIMEOUT)
    }

    /// Begins to record which files a value is read from.
    pub(super) fn begin(&mut self) {
        self.digest = Context::new(&SHA256);
        self.error = None;
        self.is_incomplete = false;
        for file in self.cached.values_mut() {
            file.is_in_use = false;
        }
    }

    /// What the value was read from. `None` where a file could not be read in time.
    pub(super) fn finish(&mut self) -> Option<FilesRead> {
        // A file that hangs keeps its thread, and must not get another if it is named again.
        self.cached
            .retain(|_, file| file.is_in_use || file.reading.is_some());
        (!self.is_incomplete).then(|| FilesRead {
            version: self.version,
            digest: self.digest.clone().finish().as_ref().to_vec(),
            error: self.error.clone(),
        })
    }
}

/// The files that a value was read from.
pub(super) struct FilesRead {
    pub(super) version: u64,
    pub(super) digest: Vec<u8>,
    /// What is wrong with one of the files, whose older content was used.
    pub(super) error: Option<String>,
}

impl CachedFile {
    /// Starts to read the file in a thread, unless one is still reading it.
    fn start_reading(&mut self, read_file: &ReadFile, path: &Path) {
        if self.reading.is_some() {
            return;
        }
        let is_due = self.read_at.is_none_or(|at| at.elapsed() > REREAD_INTERVAL);
        let known = self.stamp.filter(|_| !is_due);
        let (sender, receiver) = sync_channel(1);
        let (read_file, path, limit) = (Arc::clone(read_file), path.to_owned(), self.limit);
        let thread = thread::Builder::new().name("file".into());
        // Where no thread can be started, the sender is dropped with the closure.
        let _ = thread.spawn(move || sender.send(read_file(&path, limit, known)));
        self.reading = Some((Instant::now(), receiver));
    }

    /// Receives what the thread has read, if it comes in time; returns whether it is new.
    fn receive(&mut self, path: &Path, timeout: Duration) -> bool {
        let Some((began, receiver)) = &self.reading else {
            return false;
        };
        let hangs = began.elapsed() > HANG_TIMEOUT;
        let timeout = if hangs { Duration::ZERO } else { timeout };
        let read = match receiver.recv_timeout(timeout) {
            Ok(read) => read,
            Err(RecvTimeoutError::Disconnected) => Err(unusable(path, "it cannot be read")),
            Err(RecvTimeoutError::Timeout) => {
                return hangs && self.failed(unusable(path, NO_ANSWER));
            }
        };
        self.reading = None;
        match read {
            // The file has not changed.
            Ok(None) => self.error.take().is_some(),
            Ok(Some(content)) => self.succeeded(content),
            Err(error) => {
                self.stamp = None;
                self.failed(error)
            }
        }
    }

    fn succeeded(&mut self, content: Content) -> bool {
        self.stamp = content.stamp;
        self.read_at = Some(Instant::now());
        let text = Some(Secret::new(content.text));
        let is_new = self.text != text;
        self.text = text;
        self.error.take().is_some() || is_new
    }

    fn failed(&mut self, error: String) -> bool {
        let error = Some(error);
        let is_new = self.error != error;
        self.error = error;
        is_new
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::{Condvar, Mutex};

    use super::*;

    /// Files in memory, which can hang, and a count of the reads.
    #[derive(Clone, Default)]
    pub(in crate::reload) struct FakeDisk(Arc<Inner>);

    #[derive(Default)]
    struct Inner {
        texts: Mutex<HashMap<PathBuf, Option<Result<String, String>>>>,
        changed: Condvar,
        reads: AtomicUsize,
    }

    impl FakeDisk {
        pub(in crate::reload) fn write(&self, path: &str, text: &str) {
            self.put(path, Some(Ok(text.into())));
        }

        pub(in crate::reload) fn fail(&self, path: &str, error: &str) {
            self.put(path, Some(Err(error.into())));
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
            Files::with(Arc::new(move |path, _, _| {
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

    /// Polls until something has changed. A busy machine may take its time to read.
    fn poll_until_changed(files: &mut Files, from: u64) -> u64 {
        loop {
            let version = files.poll();
            if version != from {
                return version;
            }
        }
    }

    #[test]
    fn a_file_that_hangs_has_one_thread_and_blocks_no_other() {
        let disk = FakeDisk::default();
        disk.write("a", "a1");
        disk.write("b", "b1");
        let mut files = disk.files();
        assert_eq!(files.read(Path::new("a")).as_deref(), Ok("a1"));
        assert_eq!(files.read(Path::new("b")).as_deref(), Ok("b1"));
        let before = files.poll();
        disk.hang("a");
        // The reads that were in flight.
        files.poll();
        files.poll();
        disk.write("b", "b2");
        poll_until_changed(&mut files, before);
        assert_eq!(files.read(Path::new("b")).as_deref(), Ok("b2"));
        assert_eq!(files.read(Path::new("a")).as_deref(), Ok("a1"));
        let (began, _) = files.cached[Path::new("a")].reading.as_ref().unwrap();
        let began = *began;
        for _ in 0..10 {
            files.poll();
        }
        let (still, _) = files.cached[Path::new("a")].reading.as_ref().unwrap();
        assert_eq!(*still, began, "it is not read a second time");
        disk.write("a", "a2");
        let before = files.version;
        poll_until_changed(&mut files, before);
        assert_eq!(files.read(Path::new("a")).as_deref(), Ok("a2"));
    }

    #[test]
    fn the_last_content_is_used_while_a_file_cannot_be_read() {
        let disk = FakeDisk::default();
        disk.write("a", "a1");
        let mut files = disk.files();
        files.read(Path::new("a")).unwrap();
        let before = files.poll();
        disk.fail("a", "gone");
        let version = poll_until_changed(&mut files, before);
        files.begin();
        assert_eq!(files.read(Path::new("a")).as_deref(), Ok("a1"));
        let read = files.finish().unwrap();
        assert_eq!(read.error.as_deref(), Some("gone"));
        assert_eq!(read.version, version);
        // A file that was never read has no last content.
        disk.fail("b", "none");
        assert_eq!(files.read(Path::new("b")), Err("none".into()));
    }
}
