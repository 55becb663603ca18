//! The thread that writes the log, behind a bounded queue.
//!
//! Owns how many lines wait and which are lost. A full queue drops lines; it never delays a click.

use std::io::{self, BufWriter, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use parking_lot::Mutex;
use tracing_appender::non_blocking::{ErrorCounter, NonBlocking, NonBlockingBuilder, WorkerGuard};

/// How many lines wait to be written, at most; some 60 MB if all of them are long.
const QUEUE: usize = 128_000;

/// How long the thread lets lines gather before it looks for more. While it does, a click does not
/// have to wake it, which costs more than to format a line. A killed process loses them.
const GATHER: Duration = Duration::from_millis(50);

/// The running thread. Dropping it writes what is queued.
pub(super) struct LogWriter {
    guard: Mutex<Option<WorkerGuard>>,
    /// Lines that the queue had no room for.
    overflow: ErrorCounter,
    /// Lines that the output refused.
    refused: Arc<AtomicU64>,
}

impl LogWriter {
    /// Starts the thread. Each write to the queue must be a whole line.
    pub(super) fn start(output: impl Write + Send + 'static) -> (NonBlocking, Self) {
        let refused = Arc::<AtomicU64>::default();
        let lines = WholeLines::new(output, Arc::clone(&refused));
        let (queue, guard) = NonBlockingBuilder::default()
            .buffered_lines_limit(QUEUE)
            .lossy(true)
            .thread_name("log")
            .finish(BufWriter::new(lines));
        let writer = Self {
            guard: Mutex::new(Some(guard)),
            overflow: queue.error_counter(),
            refused,
        };
        (queue, writer)
    }

    /// How many lines were lost.
    pub(super) fn dropped(&self) -> u64 {
        let overflow = u64::try_from(self.overflow.dropped_lines()).unwrap_or(u64::MAX);
        overflow.saturating_add(self.refused.load(Ordering::Relaxed))
    }

    /// Writes what is queued, and waits for it up to a second.
    pub(super) fn end(&self) {
        drop(self.guard.lock().take());
    }
}

/// An output that never appends a line to a part of another, and counts the lines that are lost.
/// By hand, because tracing-appender ignores what an output refuses, such as a full disk.
struct WholeLines<W> {
    output: W,
    /// The output took a part of a line, and refused the rest.
    is_within_line: bool,
    refused: Arc<AtomicU64>,
}

impl<W: Write> WholeLines<W> {
    const fn new(output: W, refused: Arc<AtomicU64>) -> Self {
        Self {
            output,
            is_within_line: false,
            refused,
        }
    }

    /// Writes what the output takes of these whole lines. Returns how many are lost. An earlier
    /// part of a line is ended first, and its rest is not written: in the meantime the file may
    /// have been truncated or replaced.
    fn write_lines(&mut self, lines: &[u8]) -> u64 {
        if self.is_within_line {
            self.is_within_line = !self.write_some(b"\n").is_empty();
        }
        if self.is_within_line {
            return count(lines);
        }
        let rest = self.write_some(lines);
        let written = &lines[..lines.len() - rest.len()];
        self.is_within_line = written.last().is_some_and(|byte| *byte != b'\n');
        // A line that lacks only its end gets it with the next line.
        let is_complete = self.is_within_line && rest.starts_with(b"\n");
        count(rest) - u64::from(is_complete)
    }

    /// Writes what the output takes. Returns the rest.
    fn write_some<'a>(&mut self, mut bytes: &'a [u8]) -> &'a [u8] {
        while !bytes.is_empty() {
            match self.output.write(bytes) {
                Ok(written) if written > 0 => bytes = &bytes[written.min(bytes.len())..],
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                _ => break,
            }
        }
        bytes
    }
}

impl<W: Write> Write for WholeLines<W> {
    /// Never fails: a lost line is counted, and not tried again.
    fn write(&mut self, lines: &[u8]) -> io::Result<usize> {
        let lost = self.write_lines(lines);
        self.refused.fetch_add(lost, Ordering::Relaxed);
        Ok(lines.len())
    }

    /// The thread calls it when the queue is empty.
    fn flush(&mut self) -> io::Result<()> {
        let _ = self.output.flush();
        thread::sleep(GATHER);
        Ok(())
    }
}

/// How many lines end here.
fn count(bytes: &[u8]) -> u64 {
    bytes.split(|byte| *byte == b'\n').skip(1).count() as u64
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    /// A disk that can be read, and takes only so many bytes.
    #[derive(Clone)]
    struct Disk(Arc<Mutex<Vec<u8>>>, usize);

    impl Disk {
        fn text(&self) -> String {
            String::from_utf8(self.0.lock().clone()).unwrap()
        }
    }

    impl Write for Disk {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let mut written = self.0.lock();
            let room = self.1.saturating_sub(written.len()).min(bytes.len());
            written.extend_from_slice(&bytes[..room]);
            Ok(room)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// Waits until it is so, however slow the machine is.
    fn wait_until(is_so: impl Fn() -> bool) {
        let deadline = Instant::now() + Duration::from_mins(5);
        while !is_so() {
            assert!(Instant::now() < deadline);
            thread::sleep(Duration::from_millis(1));
        }
    }

    #[test]
    fn many_threads_lose_no_line_and_the_end_writes_the_last() {
        let disk = Disk(Arc::default(), usize::MAX);
        let (queue, writer) = LogWriter::start(disk.clone());
        thread::scope(|scope| {
            for thread in 0..4 {
                let mut queue = queue.clone();
                scope.spawn(move || {
                    for line in 0..5000 {
                        let line = format!("{thread} {line}\n");
                        queue.write_all(line.as_bytes()).unwrap();
                    }
                });
            }
        });
        writer.end();
        wait_until(|| disk.text().lines().count() == 20_000);
        let text = disk.text();
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
        let (mut queue, _writer) = LogWriter::start(disk.clone());
        for lines in 1..=3 {
            queue.write_all(b"line\n").unwrap();
            wait_until(|| disk.text().lines().count() == lines);
        }
    }

    #[test]
    fn lines_that_a_full_disk_refuses_are_counted() {
        let (mut queue, writer) = LogWriter::start(Disk(Arc::default(), 12));
        for _ in 0..5 {
            queue.write_all(b"line\n").unwrap();
        }
        wait_until(|| writer.dropped() == 3);
    }

    #[test]
    fn a_line_is_never_appended_to_a_part_of_another() {
        for room in 0..=25 {
            let disk = Disk(Arc::default(), room);
            let mut output = WholeLines::new(disk.clone(), Arc::default());
            let mut lost = output.write_lines(b"one 1\ntwo 2\n");
            lost += output.write_lines(b"three\n");
            // The disk is cleaned up.
            output.output.1 = usize::MAX;
            lost += output.write_lines(b"four 4\nfive 5\n");
            let written = disk.text();
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
