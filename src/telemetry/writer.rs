//! The thread that writes the log, and the queues in front of it.
//!
//! Each thread that answers clicks has a queue to itself, so it waits for no other, and wakes
//! nobody for a line: the writer looks at all queues a few times a second, and writes what has
//! gathered there in one go. A queue that is full loses lines; it never holds a click up.

use std::io::{self, Write};
use std::mem;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread::{self, Thread};
use std::time::Duration;

/// Lines that wait to be written, at most, over all queues; some 50 MB when every one of them is a
/// long one.
const WAITING: usize = 128_000;

/// How long lines gather. So much is lost where the process is killed.
const GATHER: Duration = Duration::from_millis(50);

/// So many bytes are worth writing at once, and still in the processor's cache.
const ENOUGH: usize = 64 << 10;

/// What a rush has left behind beyond this is given back.
const MOST_KEPT: usize = 4 * ENOUGH;

/// How long the end of the process waits for a disk that does not take the last lines.
#[cfg(not(test))]
const LAST_LINES: Duration = Duration::from_secs(1);

/// The tests' disks take everything, however busy the machine is.
#[cfg(test)]
const LAST_LINES: Duration = Duration::from_mins(5);

/// The running writer.
#[derive(Clone)]
pub(super) struct Writer(Arc<Shared>);

struct Shared {
    queues: Mutex<Vec<Arc<Queued>>>,
    /// How many queues there are, to be read without a lock.
    sharers: AtomicUsize,
    thread: Thread,
    /// Nothing is queued, and the writer sleeps until somebody wakes it.
    is_asleep: AtomicBool,
    is_ending: AtomicBool,
    dropped: AtomicU64,
}

/// The lines of one queue.
#[derive(Default)]
struct Queued(Mutex<Lines>);

#[derive(Default)]
struct Lines {
    bytes: Vec<u8>,
    count: usize,
    /// Lines that the writer has taken and not written yet.
    in_hand: usize,
}

impl Writer {
    /// Starts the thread. Its end comes with [`Ending`].
    pub(super) fn start(output: impl Write + Send + 'static) -> (Self, Ending) {
        let (handle, shared) = mpsc::channel::<Arc<Shared>>();
        let (end, ended) = mpsc::channel();
        let thread = thread::spawn(move || {
            if let Ok(shared) = shared.recv() {
                shared.run(output);
            }
            drop(end);
        });
        let shared = Arc::new(Shared {
            queues: Mutex::default(),
            sharers: AtomicUsize::new(0),
            thread: thread.thread().clone(),
            is_asleep: AtomicBool::new(false),
            is_ending: AtomicBool::new(false),
            dropped: AtomicU64::new(0),
        });
        // The thread waits for exactly this.
        let _ = handle.send(Arc::clone(&shared));
        let ending = Ending {
            shared: Arc::clone(&shared),
            ended: Mutex::new(ended),
        };
        (Self(shared), ending)
    }

    /// One more queue.
    pub(super) fn queue(&self) -> Queue {
        let queued = Arc::<Queued>::default();
        let mut all = self.0.queues();
        all.push(Arc::clone(&queued));
        self.0.sharers.store(all.len(), Ordering::Relaxed);
        Queue {
            queued,
            shared: Arc::clone(&self.0),
        }
    }

    /// How many lines were lost.
    pub(super) fn dropped(&self) -> u64 {
        self.0.dropped.load(Ordering::Relaxed)
    }
}

/// Where lines wait for the writer.
#[derive(Clone)]
pub(super) struct Queue {
    queued: Arc<Queued>,
    shared: Arc<Shared>,
}

impl Queue {
    /// Takes whole lines in, each with its line end, or loses them.
    pub(super) fn push(&self, line: &[u8]) {
        let room = WAITING / self.shared.sharers.load(Ordering::Relaxed).max(1);
        let mut lines = self.queued.lines();
        if lines.count + lines.in_hand >= room {
            drop(lines);
            self.shared.dropped.fetch_add(1, Ordering::Relaxed);
            return;
        }
        let before = lines.bytes.len();
        lines.bytes.extend_from_slice(line);
        lines.count += 1;
        drop(lines);
        let is_enough = before < ENOUGH && before + line.len() >= ENOUGH;
        self.shared.wake_if(is_enough);
    }
}

/// A line that is not a request's: rare, and formatted in one piece.
impl Write for Queue {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.push(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Shared {
    fn run(&self, output: impl Write) {
        let mut output = LinesOnly::new(output);
        let mut queues = Vec::new();
        let mut batch = Vec::new();
        loop {
            let is_ending = self.is_ending.load(Ordering::SeqCst);
            self.look_at_queues(&mut queues);
            let mut has_found = false;
            for queued in &queues {
                has_found |= self.write_one(queued, &mut batch, &mut output);
            }
            queues.clear();
            if has_found {
                output.flush();
            }
            match (has_found, is_ending) {
                (true, _) => thread::park_timeout(GATHER),
                (false, true) => return,
                (false, false) => self.sleep(),
            }
        }
    }

    /// The queues that there are, less those that nobody writes to any more.
    fn look_at_queues(&self, into: &mut Vec<Arc<Queued>>) {
        let mut queues = self.queues();
        queues.retain(|queued| Arc::strong_count(queued) > 1 || !queued.lines().is_empty());
        self.sharers.store(queues.len(), Ordering::Relaxed);
        into.extend(queues.iter().cloned());
    }

    /// Writes all that one queue has; whether that was anything. What an output refuses is lost,
    /// and counted.
    fn write_one(
        &self,
        queued: &Queued,
        batch: &mut Vec<u8>,
        output: &mut LinesOnly<impl Write>,
    ) -> bool {
        queued.lines().hand_over(batch);
        let has_found = !batch.is_empty();
        if has_found {
            let lost = output.write(batch);
            self.dropped.fetch_add(lost, Ordering::Relaxed);
            queued.lines().in_hand = 0;
            batch.clear();
            batch.shrink_to(MOST_KEPT);
        }
        has_found
    }

    /// Sleeps until there is a line, then lets more gather.
    fn sleep(&self) {
        self.is_asleep.store(true, Ordering::SeqCst);
        // Whoever came before this finds nobody asleep, so it is looked once more.
        let is_idle = self.queues().iter().all(|q| q.lines().is_empty());
        if is_idle && !self.is_ending.load(Ordering::SeqCst) {
            while self.is_asleep.load(Ordering::SeqCst) {
                thread::park();
            }
        }
        self.is_asleep.store(false, Ordering::SeqCst);
        if !self.is_ending.load(Ordering::SeqCst) {
            thread::park_timeout(GATHER);
        }
    }

    fn wake_if(&self, is_enough: bool) {
        let was_asleep =
            self.is_asleep.load(Ordering::SeqCst) && self.is_asleep.swap(false, Ordering::SeqCst);
        if was_asleep || is_enough {
            self.thread.unpark();
        }
    }

    fn queues(&self) -> MutexGuard<'_, Vec<Arc<Queued>>> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queued {
    fn lines(&self) -> MutexGuard<'_, Lines> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lines {
    fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Changes places with an empty batch, so that neither is ever copied.
    fn hand_over(&mut self, batch: &mut Vec<u8>) {
        mem::swap(&mut self.bytes, batch);
        self.in_hand = mem::take(&mut self.count);
    }
}

/// An output that a line is never written onto the half of another.
struct LinesOnly<W> {
    output: W,
    /// The output took a part of a line, and refused the rest.
    is_within_a_line: bool,
}

impl<W: Write> LinesOnly<W> {
    const fn new(output: W) -> Self {
        Self {
            output,
            is_within_a_line: false,
        }
    }

    /// Writes what can be written of these whole lines; how many could not. What was left of an
    /// earlier one is counted already, so it is ended first: the rest of it may come after the file
    /// was cut or replaced, and would spoil another place.
    fn write(&mut self, lines: &[u8]) -> u64 {
        if self.is_within_a_line {
            self.is_within_a_line = !self.written(b"\n").is_empty();
        }
        if self.is_within_a_line {
            return count(lines);
        }
        let lost = self.written(lines);
        let written = &lines[..lines.len() - lost.len()];
        self.is_within_a_line = written.last().is_some_and(|byte| *byte != b'\n');
        // A line that lacks nothing but its end gets that with the next one.
        let is_there = self.is_within_a_line && lost.starts_with(b"\n");
        count(lost) - u64::from(is_there)
    }

    /// Writes what the output takes; the rest.
    fn written<'a>(&mut self, mut bytes: &'a [u8]) -> &'a [u8] {
        while !bytes.is_empty() {
            match self.output.write(bytes) {
                Ok(written) if written > 0 => bytes = &bytes[written.min(bytes.len())..],
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                _ => break,
            }
        }
        bytes
    }

    fn flush(&mut self) {
        let _ = self.output.flush();
    }
}

/// How many lines end here.
fn count(bytes: &[u8]) -> u64 {
    bytes.split(|byte| *byte == b'\n').skip(1).count() as u64
}

/// Writes the last lines when it is dropped, or told to.
pub(super) struct Ending {
    shared: Arc<Shared>,
    ended: Mutex<mpsc::Receiver<()>>,
}

impl Ending {
    /// Has everything written that is queued, and waits for it.
    pub(super) fn now(&self) {
        self.shared.is_ending.store(true, Ordering::SeqCst);
        self.shared.is_asleep.store(false, Ordering::SeqCst);
        self.shared.thread.unpark();
        let ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        // The other end is only ever dropped.
        let _ = ended.recv_timeout(LAST_LINES);
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        self.now();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A disk that can be looked at, and takes only so many bytes.
    #[derive(Clone)]
    struct Disk(Arc<Mutex<Vec<u8>>>, usize);

    impl Write for Disk {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let mut written = self.0.lock().unwrap();
            let room = self.1.saturating_sub(written.len()).min(bytes.len());
            written.extend_from_slice(&bytes[..room]);
            Ok(room)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn nothing_is_lost_between_many_threads_and_the_end() {
        let disk = Disk(Arc::default(), usize::MAX);
        let (writer, ending) = Writer::start(disk.clone());
        thread::scope(|scope| {
            for thread in 0..4 {
                let queue = writer.queue();
                scope.spawn(move || {
                    for line in 0..5000 {
                        queue.push(format!("{thread} {line}\n").as_bytes());
                    }
                });
            }
        });
        drop(ending);
        let text = String::from_utf8(disk.0.lock().unwrap().clone()).unwrap();
        for thread in 0..4 {
            let own = text.lines().filter_map(|line| line.split_once(' '));
            let own = own.filter(|(who, _)| *who == thread.to_string());
            assert!(
                own.map(|(_, line)| line.parse::<u32>().unwrap())
                    .eq(0..5000)
            );
        }
        assert_eq!(writer.dropped(), 0);
    }

    #[test]
    fn a_line_is_written_although_no_other_follows() {
        let disk = Disk(Arc::default(), usize::MAX);
        let (writer, _ending) = Writer::start(disk.clone());
        let queue = writer.queue();
        for line in 1..=3 {
            queue.push(b"line\n");
            let deadline = std::time::Instant::now() + Duration::from_mins(5);
            while disk.0.lock().unwrap().len() < 5 * line {
                assert!(std::time::Instant::now() < deadline);
                thread::sleep(Duration::from_millis(1));
            }
        }
    }

    #[test]
    fn what_a_full_disk_refuses_is_counted() {
        let (writer, ending) = Writer::start(Disk(Arc::default(), 12));
        let queue = writer.queue();
        for _ in 0..5 {
            queue.push(b"line\n");
        }
        drop(ending);
        assert_eq!(writer.dropped(), 3);
    }

    #[test]
    fn a_line_never_goes_onto_the_half_of_another() {
        for room in 0..=25 {
            let disk = Disk(Arc::default(), room);
            let mut output = LinesOnly::new(disk.clone());
            let mut lost = output.write(b"one 1\ntwo 2\n");
            lost += output.write(b"three\n");
            // Somebody makes room.
            output.output.1 = usize::MAX;
            lost += output.write(b"four 4\nfive 5\n");
            let written = String::from_utf8(disk.0.lock().unwrap().clone()).unwrap();
            assert!(written.ends_with("four 4\nfive 5\n"), "{room}: {written}");
            let whole = ["one 1", "two 2", "three", "four 4", "five 5"];
            let are_whole = written.lines().filter(|line| whole.contains(line)).count();
            assert_eq!(are_whole as u64 + lost, 5, "{room}: {written}");
            for line in written.lines() {
                let is_a_beginning = whole.iter().any(|one| one.starts_with(line));
                assert!(is_a_beginning, "{room}: {written}");
            }
        }
    }
}
