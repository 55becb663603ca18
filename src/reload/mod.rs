//! Values that are reloaded when their files change.
//!
//! A changed file is applied once two polls in a row have read the same, so that a half-written one
//! never is. A file that cannot be used changes nothing: the value before stays in force until the
//! file is repaired. A file that can be read and has no key in it is applied: the last key must be
//! as easy to revoke as any other.

mod files;

use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::{ArcSwap, Guard};
use parking_lot::Mutex;

pub use self::files::Files;

/// How long a file must be stable to be applied; a little less than the time between two polls.
const SETTLE_TIME: Duration = Duration::from_millis(900);

type Source<T> = Box<dyn Fn(&mut Files) -> Result<T, String> + Send + Sync>;

/// Tells what is missing in a value that accepts no caller, in a sentence.
type Missing<T> = Box<dyn Fn(&T) -> Option<String> + Send + Sync>;

/// A value that is read from files.
pub struct Reloadable<T> {
    name: &'static str,
    current: ArcSwap<T>,
    reader: Option<Reader<T>>,
}

struct Reader<T> {
    source: Source<T>,
    missing: Missing<T>,
    state: Mutex<State<T>>,
}

struct State<T> {
    files: Files,
    /// The version of the files that were read last.
    version: u64,
    /// The digest of the files in force.
    digest: Vec<u8>,
    /// What is wrong with newer files, if anything.
    error: Option<String>,
    /// What is missing in the value in force.
    missing: Option<String>,
    candidate: Option<Candidate<T>>,
}

/// Files that were read once, and must read the same in a second poll.
struct Candidate<T> {
    read_at: Instant,
    digest: Vec<u8>,
    error: Option<String>,
    /// `None` where the files cannot be used.
    value: Option<T>,
}

/// The outcome of a poll.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PollOutcome {
    /// Nothing has changed.
    Unchanged,
    /// New files are in force.
    Reloaded,
    /// New files are in force, and accept no caller.
    Emptied(String),
    /// New files cannot be used; the old ones stay in force. Reported once for each failure.
    Failed(String),
}

/// A poll's outcome, and the state after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The setting that names the files.
    pub file: &'static str,
    /// What has changed.
    pub outcome: PollOutcome,
    /// Whether newer files cannot be used, or those in force accept no caller.
    pub has_failed: bool,
}

impl<T> Reloadable<T> {
    /// A value without a file, called `name` in reports.
    pub fn fixed(name: &'static str, value: T) -> Self {
        Self {
            name,
            current: ArcSwap::from_pointee(value),
            reader: None,
        }
    }

    /// Reads the value for the first time; an error here is final.
    pub fn load(
        name: &'static str,
        source: impl Fn(&mut Files) -> Result<T, String> + Send + Sync + 'static,
    ) -> Result<Self, String> {
        Self::load_from(Files::new(), name, Box::new(source), Box::new(|_| None))
    }

    /// Reads keys for the first time. `missing` tells what is missing in a value that accepts no
    /// caller: a start refuses such a value, but a file that is emptied later is applied.
    pub fn load_keys(
        name: &'static str,
        source: impl Fn(&mut Files) -> Result<T, String> + Send + Sync + 'static,
        missing: impl Fn(&T) -> Option<String> + Send + Sync + 'static,
    ) -> Result<Self, String> {
        let loaded = Self::load_map(name, source, missing)?;
        let reader = loaded.reader.as_ref();
        let missing = reader.and_then(|reader| (reader.missing)(&loaded.get()));
        missing.map_or(Ok(loaded), Err)
    }

    /// The same for a value that a start can do without.
    pub fn load_map(
        name: &'static str,
        source: impl Fn(&mut Files) -> Result<T, String> + Send + Sync + 'static,
        missing: impl Fn(&T) -> Option<String> + Send + Sync + 'static,
    ) -> Result<Self, String> {
        Self::load_from(Files::new(), name, Box::new(source), Box::new(missing))
    }

    fn load_from(
        mut files: Files,
        name: &'static str,
        source: Source<T>,
        missing: Missing<T>,
    ) -> Result<Self, String> {
        let value = source(&mut files)?;
        let read = files.finish();
        let state = State {
            files,
            version: read.as_ref().map_or(0, |read| read.version),
            digest: read.map(|read| read.digest).unwrap_or_default(),
            error: None,
            missing: None,
            candidate: None,
        };
        Ok(Self {
            name,
            current: ArcSwap::from_pointee(value),
            reader: Some(Reader {
                source,
                missing,
                state: Mutex::new(state),
            }),
        })
    }

    /// The value in force.
    pub fn get(&self) -> Guard<Arc<T>> {
        self.current.load()
    }

    /// Polls the files for changes. It may block for a moment, so no request may call it.
    pub fn poll(&self) -> Report {
        self.poll_at(Instant::now())
    }

    fn poll_at(&self, now: Instant) -> Report {
        let (outcome, has_failed) = match &self.reader {
            None => (PollOutcome::Unchanged, false),
            Some(reader) => {
                let mut state = reader.state.lock();
                let outcome = match reader.stable_candidate(&mut state, now) {
                    Some(candidate) => self.apply(reader, &mut state, candidate),
                    None => PollOutcome::Unchanged,
                };
                (outcome, state.error.is_some() || state.missing.is_some())
            }
        };
        Report {
            file: self.name,
            outcome,
            has_failed,
        }
    }

    /// Puts in force what was read twice.
    fn apply(
        &self,
        reader: &Reader<T>,
        state: &mut State<T>,
        candidate: Candidate<T>,
    ) -> PollOutcome {
        let is_new_error = state.error != candidate.error;
        let failed = candidate.error.clone().filter(|_| is_new_error);
        state.error = candidate.error;
        let outcome = failed.map_or(PollOutcome::Unchanged, PollOutcome::Failed);
        let Some(value) = candidate.value else {
            return outcome;
        };
        if state.digest == candidate.digest {
            return outcome;
        }
        state.digest = candidate.digest;
        // What a start could do without is not reported later on either.
        let was_accepted = state.missing.is_none() && (reader.missing)(&self.get()).is_some();
        state.missing = (reader.missing)(&value).filter(|_| !was_accepted);
        self.current.store(Arc::new(value));
        match (state.missing.clone(), outcome) {
            (Some(missing), _) => PollOutcome::Emptied(missing),
            (None, PollOutcome::Unchanged) => PollOutcome::Reloaded,
            (None, failed) => failed,
        }
    }
}

impl<T> Reader<T> {
    /// What reads the same as a poll ago, if it is new.
    fn stable_candidate(&self, state: &mut State<T>, now: Instant) -> Option<Candidate<T>> {
        if state.files.poll() != state.version {
            self.read(state, now);
            return None;
        }
        if state.files.is_reading() {
            return None;
        }
        state
            .candidate
            .take_if(|candidate| now.saturating_duration_since(candidate.read_at) >= SETTLE_TIME)
    }

    fn read(&self, state: &mut State<T>, now: Instant) {
        state.files.begin();
        let read = (self.source)(&mut state.files);
        // Where a file could not be read in time, the next poll tries again.
        let Some(files) = state.files.finish() else {
            return;
        };
        state.version = files.version;
        let (value, error) = match read {
            Ok(value) => (Some(value), files.error),
            // A file that is gone matters more than what was wrong with its content.
            Err(error) => (None, files.error.or(Some(error))),
        };
        let is_in_force = value.is_some() && files.digest == state.digest;
        let is_known = is_in_force && error == state.error;
        state.candidate = (!is_known).then_some(Candidate {
            read_at: now,
            digest: files.digest,
            error,
            value,
        });
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::files::tests::FakeDisk;
    use super::*;

    /// A list of numbers, one a line, and polls of it that are a second apart.
    struct Scenario {
        disk: FakeDisk,
        numbers: Reloadable<Vec<u8>>,
        now: Instant,
    }

    impl Scenario {
        /// Begins with the file `1`.
        fn new() -> Self {
            let disk = FakeDisk::default();
            disk.write("a", "1");
            let source = |files: &mut Files| {
                let text = files.read(Path::new("a"))?;
                let numbers = text.lines().map(str::parse).collect::<Result<_, _>>();
                numbers.map_err(|_| "not a number".to_owned())
            };
            let missing = |numbers: &Vec<u8>| numbers.is_empty().then(|| "no number".to_owned());
            let (source, missing) = (Box::new(source), Box::new(missing));
            let numbers = Reloadable::load_from(disk.files(), "NUMBERS_FILE", source, missing);
            Self {
                disk,
                numbers: numbers.unwrap(),
                now: Instant::now(),
            }
        }

        fn write(&self, text: &str) {
            self.disk.write("a", text);
        }

        fn fail(&self, error: &str) {
            self.disk.fail("a", error);
        }

        /// One poll that has read the file as it is now, which may take a busy machine several.
        fn poll(&mut self) -> Report {
            self.now += Duration::from_secs(1);
            let before = self.disk.reads();
            loop {
                let report = self.numbers.poll_at(self.now);
                let is_read = self.numbers.reader.as_ref().is_none_or(|reader| {
                    let state = reader.state.lock();
                    self.disk.reads() > before && !state.files.is_reading()
                });
                if is_read {
                    return report;
                }
            }
        }

        fn expect(&mut self, outcome: &PollOutcome, has_failed: bool, in_force: &[u8]) {
            let report = self.poll();
            assert_eq!((&report.outcome, report.has_failed), (outcome, has_failed));
            assert_eq!(**self.numbers.get(), in_force);
        }
    }

    #[test]
    fn a_changed_file_is_applied_once_two_polls_have_read_the_same() {
        let mut scenario = Scenario::new();
        scenario.expect(&PollOutcome::Unchanged, false, &[1]);
        // Half of it, a little more, all of it.
        for text in ["2", "2\n3", "2\n3\n4"] {
            scenario.write(text);
            scenario.expect(&PollOutcome::Unchanged, false, &[1]);
        }
        scenario.expect(&PollOutcome::Reloaded, false, &[2, 3, 4]);
        scenario.expect(&PollOutcome::Unchanged, false, &[2, 3, 4]);
        // Two polls in quick succession are not enough.
        scenario.write("5");
        scenario.expect(&PollOutcome::Unchanged, false, &[2, 3, 4]);
        scenario.now -= Duration::from_millis(999);
        scenario.expect(&PollOutcome::Unchanged, false, &[2, 3, 4]);
        scenario.expect(&PollOutcome::Reloaded, false, &[5]);
        // A change that is undone before it is applied changes nothing.
        scenario.write("6");
        scenario.expect(&PollOutcome::Unchanged, false, &[5]);
        scenario.write("5");
        scenario.expect(&PollOutcome::Unchanged, false, &[5]);
        scenario.expect(&PollOutcome::Unchanged, false, &[5]);
    }

    #[test]
    fn a_broken_file_keeps_the_old_one_in_force() {
        let mut scenario = Scenario::new();
        scenario.write("two");
        scenario.expect(&PollOutcome::Unchanged, false, &[1]);
        scenario.expect(&PollOutcome::Failed("not a number".into()), true, &[1]);
        scenario.expect(&PollOutcome::Unchanged, true, &[1]);
        scenario.fail("gone");
        scenario.expect(&PollOutcome::Unchanged, true, &[1]);
        scenario.expect(&PollOutcome::Failed("gone".into()), true, &[1]);
        scenario.expect(&PollOutcome::Unchanged, true, &[1]);
        scenario.write("3");
        scenario.expect(&PollOutcome::Unchanged, true, &[1]);
        scenario.expect(&PollOutcome::Reloaded, false, &[3]);
        scenario.fail("gone");
        scenario.expect(&PollOutcome::Unchanged, false, &[3]);
        scenario.expect(&PollOutcome::Failed("gone".into()), true, &[3]);
        scenario.write("3");
        scenario.expect(&PollOutcome::Unchanged, true, &[3]);
        scenario.expect(&PollOutcome::Unchanged, false, &[3]);
    }

    #[test]
    fn an_emptied_file_is_applied_and_reported() {
        let mut scenario = Scenario::new();
        scenario.write("");
        scenario.expect(&PollOutcome::Unchanged, false, &[1]);
        scenario.expect(&PollOutcome::Emptied("no number".into()), true, &[]);
        scenario.expect(&PollOutcome::Unchanged, true, &[]);
        scenario.write("2");
        scenario.expect(&PollOutcome::Unchanged, true, &[]);
        scenario.expect(&PollOutcome::Reloaded, false, &[2]);
    }

    #[test]
    fn a_start_requires_keys_and_no_map() {
        let missing = |(): &()| Some("there is no key".to_owned());
        let keys = Reloadable::load_keys("KEYS_FILE", |_| Ok(()), missing);
        assert_eq!(keys.err().as_deref(), Some("there is no key"));
        let map = Reloadable::load_map("MAP_FILE", |_| Ok(()), missing).unwrap();
        assert!(!map.poll().has_failed);
    }

    #[test]
    fn a_value_without_a_file_never_changes() {
        let fixed = Reloadable::fixed("MAP_FILE", 7);
        let report = fixed.poll();
        assert_eq!((report.outcome, **fixed.get()), (PollOutcome::Unchanged, 7));
    }
}
