//! Files that are read again when they change.
//!
//! A changed file counts once two looks in a row have read the same, so that none counts that is
//! only half written. One that cannot be used changes nothing: what was read before stays in force
//! until the file is mended. One that can be read and has no key in it counts: the last key must be
//! as easy to take away as any other.

mod files;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use arc_swap::{ArcSwap, Guard};

pub use self::files::Files;

/// How long a file must have read the same to count; a little less than the time between two looks.
const SETTLES: Duration = Duration::from_millis(900);

type Source<T> = Box<dyn Fn(&mut Files) -> Result<T, String> + Send + Sync>;

/// What is missing in a value that lets nobody in, in a sentence.
type Missing<T> = Box<dyn Fn(&T) -> Option<String> + Send + Sync>;

/// Something that was read from files.
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
    /// What is known of the files that were read last.
    version: u64,
    /// Of the files that are in force.
    digest: Vec<u8>,
    /// What is wrong with the newer ones, if anything.
    trouble: Option<String>,
    /// What the value in force lacks.
    lack: Option<String>,
    candidate: Option<Candidate<T>>,
}

/// What was read once, and has to be read once more.
struct Candidate<T> {
    since: Instant,
    digest: Vec<u8>,
    trouble: Option<String>,
    /// Nothing where the files cannot be used.
    value: Option<T>,
}

/// What a look at the files has brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PollOutcome {
    /// The same as before.
    Unchanged,
    /// New files are in force.
    Reloaded,
    /// New files are in force, and let nobody in.
    Emptied(String),
    /// New files cannot be used; the old ones stay in force. Said once for each failure.
    Failed(String),
}

/// A look, and what is true after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The setting that names the files.
    pub file: &'static str,
    /// What it has brought.
    pub look: PollOutcome,
    /// Whether newer files cannot be used, or those in force let nobody in.
    pub has_failed: bool,
}

impl<T> Reloadable<T> {
    /// What needs no file, called `name` in what is said of it.
    pub fn fixed(name: &'static str, value: T) -> Self {
        Self {
            name,
            current: ArcSwap::from_pointee(value),
            reader: None,
        }
    }

    /// Reads for the first time; an error here is final.
    pub fn load(
        name: &'static str,
        source: impl Fn(&mut Files) -> Result<T, String> + Send + Sync + 'static,
    ) -> Result<Self, String> {
        Self::load_from(Files::new(), name, Box::new(source), Box::new(|_| None))
    }

    /// Reads keys for the first time. `missing` says what a value lacks that lets nobody in: no
    /// start takes such a value, but a file that is emptied later counts.
    pub fn load_keys(
        name: &'static str,
        source: impl Fn(&mut Files) -> Result<T, String> + Send + Sync + 'static,
        missing: impl Fn(&T) -> Option<String> + Send + Sync + 'static,
    ) -> Result<Self, String> {
        let loaded = Self::load_map(name, source, missing)?;
        match loaded
            .reader
            .as_ref()
            .map(|reader| (reader.missing)(&loaded.get()))
        {
            Some(Some(lack)) => Err(lack),
            _ => Ok(loaded),
        }
    }

    /// The same for what a start may do without.
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
        let made = files.end();
        let state = State {
            files,
            version: made.as_ref().map_or(0, |made| made.version),
            digest: made.map(|made| made.digest).unwrap_or_default(),
            trouble: None,
            lack: None,
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

    /// What is in force.
    pub fn get(&self) -> Guard<Arc<T>> {
        self.current.load()
    }

    /// Looks whether the files have changed. It may wait a moment, so not on a click's way.
    pub fn poll(&self) -> Report {
        self.look_at(Instant::now())
    }

    fn look_at(&self, now: Instant) -> Report {
        let (look, has_failed) = match &self.reader {
            None => (PollOutcome::Unchanged, false),
            Some(reader) => {
                let mut state = reader.state();
                let look = match reader.settled(&mut state, now) {
                    Some(candidate) => self.take(reader, &mut state, candidate),
                    None => PollOutcome::Unchanged,
                };
                (look, state.trouble.is_some() || state.lack.is_some())
            }
        };
        Report {
            file: self.name,
            look,
            has_failed,
        }
    }

    /// Takes in what has been read twice.
    fn take(
        &self,
        reader: &Reader<T>,
        state: &mut State<T>,
        candidate: Candidate<T>,
    ) -> PollOutcome {
        let mut look = PollOutcome::Unchanged;
        if let Some(trouble) = candidate.trouble.clone()
            && state.trouble != candidate.trouble
        {
            look = PollOutcome::Failed(trouble);
        }
        state.trouble = candidate.trouble;
        let Some(value) = candidate.value else {
            return look;
        };
        if state.digest != candidate.digest {
            state.digest = candidate.digest;
            // What a start has done without is missed no more than then.
            let was_accepted = state.lack.is_none() && (reader.missing)(&self.get()).is_some();
            state.lack = (reader.missing)(&value).filter(|_| !was_accepted);
            self.current.store(Arc::new(value));
            look = match state.lack.clone() {
                Some(lack) => PollOutcome::Emptied(lack),
                None if look == PollOutcome::Unchanged => PollOutcome::Reloaded,
                None => look,
            };
        }
        look
    }
}

impl<T> Reader<T> {
    /// What was read now as a look ago, if that is anything new.
    fn settled(&self, state: &mut State<T>, now: Instant) -> Option<Candidate<T>> {
        if state.files.poll() != state.version {
            self.read(state, now);
            return None;
        }
        if state.files.is_waiting() {
            return None;
        }
        state
            .candidate
            .take_if(|candidate| now.saturating_duration_since(candidate.since) >= SETTLES)
    }

    fn read(&self, state: &mut State<T>, now: Instant) {
        state.files.begin();
        let read = (self.source)(&mut state.files);
        // Where a file has not been read yet, the next look tries again.
        let Some(made) = state.files.end() else {
            return;
        };
        state.version = made.version;
        let (value, trouble) = match read {
            Ok(value) => (Some(value), made.trouble),
            // Of a file that is gone, what was wrong with it before is of no interest.
            Err(problem) => (None, made.trouble.or(Some(problem))),
        };
        let is_in_force = value.is_some() && made.digest == state.digest;
        let is_known = is_in_force && trouble == state.trouble;
        state.candidate = (!is_known).then_some(Candidate {
            since: now,
            digest: made.digest,
            trouble,
            value,
        });
    }

    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::files::tests::Shelf;
    use super::*;

    /// A list of numbers, one a line.
    fn numbers(shelf: &Shelf) -> Reloadable<Vec<u8>> {
        let source = |files: &mut Files| {
            let text = files.read(Path::new("a"))?;
            let numbers = text.lines().map(str::parse);
            numbers
                .collect::<Result<_, _>>()
                .map_err(|_| "not a number".to_owned())
        };
        let missing = |numbers: &Vec<u8>| numbers.is_empty().then(|| "no number".to_owned());
        Reloadable::load_from(
            shelf.files(),
            "NUMBERS_FILE",
            Box::new(source),
            Box::new(missing),
        )
        .unwrap()
    }

    /// Looks a second apart, until the file has been read at least so often as a look takes on a
    /// busy machine: what the looks have brought, the dull ones left out.
    struct Looks<'a> {
        numbers: &'a Reloadable<Vec<u8>>,
        shelf: &'a Shelf,
        now: Instant,
    }

    impl Looks<'_> {
        /// One look that has read the file as it is now.
        fn one(&mut self) -> Report {
            self.now += Duration::from_secs(1);
            let before = self.shelf.reads();
            loop {
                let report = self.numbers.look_at(self.now);
                let is_read = self.numbers.reader.as_ref().is_none_or(|reader| {
                    let state = reader.state();
                    self.shelf.reads() > before && !state.files.is_waiting()
                });
                if is_read {
                    return report;
                }
            }
        }

        fn brings(&mut self, look: &PollOutcome, has_failed: bool, in_force: &[u8]) {
            let report = self.one();
            assert_eq!((&report.look, report.has_failed), (look, has_failed));
            assert_eq!(**self.numbers.get(), in_force);
        }
    }

    #[test]
    fn a_changed_file_counts_once_two_looks_have_read_the_same() {
        let shelf = Shelf::default();
        shelf.write("a", "1");
        let numbers = numbers(&shelf);
        let (shelf, now) = (&shelf, Instant::now());
        let mut looks = Looks {
            numbers: &numbers,
            shelf,
            now,
        };
        looks.brings(&PollOutcome::Unchanged, false, &[1]);
        // Half of it, a little more, all of it.
        for text in ["2", "2\n3", "2\n3\n4"] {
            shelf.write("a", text);
            looks.brings(&PollOutcome::Unchanged, false, &[1]);
        }
        looks.brings(&PollOutcome::Reloaded, false, &[2, 3, 4]);
        looks.brings(&PollOutcome::Unchanged, false, &[2, 3, 4]);
        // Two looks that follow on each other's heels are not two.
        shelf.write("a", "5");
        looks.brings(&PollOutcome::Unchanged, false, &[2, 3, 4]);
        looks.now -= Duration::from_millis(999);
        looks.brings(&PollOutcome::Unchanged, false, &[2, 3, 4]);
        looks.brings(&PollOutcome::Reloaded, false, &[5]);
        // What is back before it counted has changed nothing.
        shelf.write("a", "6");
        looks.brings(&PollOutcome::Unchanged, false, &[5]);
        shelf.write("a", "5");
        looks.brings(&PollOutcome::Unchanged, false, &[5]);
        looks.brings(&PollOutcome::Unchanged, false, &[5]);
    }

    #[test]
    fn a_broken_file_keeps_the_old_one_in_force() {
        let shelf = Shelf::default();
        shelf.write("a", "1");
        let numbers = numbers(&shelf);
        let (shelf, now) = (&shelf, Instant::now());
        let mut looks = Looks {
            numbers: &numbers,
            shelf,
            now,
        };
        shelf.write("a", "two");
        looks.brings(&PollOutcome::Unchanged, false, &[1]);
        looks.brings(&PollOutcome::Failed("not a number".into()), true, &[1]);
        looks.brings(&PollOutcome::Unchanged, true, &[1]);
        shelf.fail("a", "gone");
        looks.brings(&PollOutcome::Unchanged, true, &[1]);
        looks.brings(&PollOutcome::Failed("gone".into()), true, &[1]);
        looks.brings(&PollOutcome::Unchanged, true, &[1]);
        shelf.write("a", "3");
        looks.brings(&PollOutcome::Unchanged, true, &[1]);
        looks.brings(&PollOutcome::Reloaded, false, &[3]);
        shelf.fail("a", "gone");
        looks.brings(&PollOutcome::Unchanged, false, &[3]);
        looks.brings(&PollOutcome::Failed("gone".into()), true, &[3]);
        shelf.write("a", "3");
        looks.brings(&PollOutcome::Unchanged, true, &[3]);
        looks.brings(&PollOutcome::Unchanged, false, &[3]);
    }

    #[test]
    fn a_file_with_nothing_in_it_counts_and_is_told_of() {
        let shelf = Shelf::default();
        shelf.write("a", "1");
        let numbers = numbers(&shelf);
        let (shelf, now) = (&shelf, Instant::now());
        let mut looks = Looks {
            numbers: &numbers,
            shelf,
            now,
        };
        shelf.write("a", "");
        looks.brings(&PollOutcome::Unchanged, false, &[1]);
        looks.brings(&PollOutcome::Emptied("no number".into()), true, &[]);
        looks.brings(&PollOutcome::Unchanged, true, &[]);
        shelf.write("a", "2");
        looks.brings(&PollOutcome::Unchanged, true, &[]);
        looks.brings(&PollOutcome::Reloaded, false, &[2]);
    }

    #[test]
    fn a_start_does_without_a_map_and_not_without_a_key() {
        let missing = |(): &()| Some("there is no key".to_owned());
        let keys = Reloadable::load_keys("KEYS_FILE", |_| Ok(()), missing);
        assert_eq!(keys.err().as_deref(), Some("there is no key"));
        let map = Reloadable::load_map("MAP_FILE", |_| Ok(()), missing).unwrap();
        assert!(!map.poll().has_failed);
    }

    #[test]
    fn a_value_that_needs_no_file_never_changes() {
        let fixed = Reloadable::fixed("MAP_FILE", 7);
        let report = fixed.poll();
        assert_eq!((report.look, **fixed.get()), (PollOutcome::Unchanged, 7));
    }
}
