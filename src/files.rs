//! Reads the files that settings name: regular files of a bounded length, in a bounded time.
//!
//! A path may lead anywhere: to a pipe, to a device, to a mount whose server is gone. None of these
//! may block a start or fill the memory. This module knows nothing of the content of a file.

use std::fs::{File, Metadata};
use std::io::{self, Read as _};
use std::path::Path;
use std::sync::mpsc::sync_channel;
use std::thread;
use std::time::{Duration, SystemTime};

/// The maximum length of a file of keys and of a secret, in bytes: that of a Kubernetes Secret.
pub const MAX_KEYS: u64 = 1 << 20;

/// The maximum length of an operator map, in bytes: some 400,000 agents.
pub const MAX_MAP: u64 = 16 << 20;

/// How long a start waits for a file.
const TIMEOUT: Duration = Duration::from_secs(10);

/// A file with younger time stamps may change again without a change of them: the resolution of
/// file systems is two seconds at worst.
const SETTLE_TIME: Duration = Duration::from_secs(3);

/// The problem with a file that cannot be read in time.
pub const NO_ANSWER: &str = "it does not answer";

/// Identifies a version of a file without reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    length: u64,
    modified: Option<SystemTime>,
    /// Device, inode, and the time of the last change of content or metadata, which no program can
    /// set back. Zeros where the system has none of these.
    identity: [i64; 4],
}

/// A file's text and its version.
pub struct Content {
    /// The text, without a byte order mark.
    pub text: String,
    /// The version. `None` where the file is so young that it may change again under the same
    /// stamp.
    pub stamp: Option<Stamp>,
}

/// Reads a file of at most `limit` bytes; `None` where it still has the stamp `known`. Blocks for
/// as long as the file system does.
pub fn read(path: &Path, limit: u64, known: Option<Stamp>) -> io::Result<Option<Content>> {
    let before = regular(&std::fs::metadata(path)?, limit)?;
    if known == Some(before) {
        return Ok(None);
    }
    let now = SystemTime::now();
    let bytes = contents(path, limit)?;
    let text = String::from_utf8(bytes).map_err(|_| io::Error::other("it is not UTF-8"))?;
    let text = match text.strip_prefix('\u{feff}') {
        Some(text) => text.to_owned(),
        None => text,
    };
    Ok(Some(Content {
        text,
        stamp: Some(before).filter(|stamp| stamp.is_settled(now)),
    }))
}

/// Reads a file of at most `limit` bytes, with a start's timeout.
pub fn read_in_time(path: &Path, limit: u64) -> io::Result<String> {
    let path = path.to_owned();
    in_time(move || {
        let content = read(&path, limit, None)?;
        Ok(content.map(|content| content.text).unwrap_or_default())
    })
}

/// The same for a binary file.
pub fn bytes_in_time(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let path = path.to_owned();
    in_time(move || {
        regular(&std::fs::metadata(&path)?, limit)?;
        contents(&path, limit)
    })
}

/// The sentence for a file that cannot be used.
pub fn unusable(path: &Path, why: impl std::fmt::Display) -> String {
    format!("the file {} cannot be used: {why}", path.display())
}

/// Runs in a thread of its own, which is abandoned where it does not return.
fn in_time<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    let (sender, receiver) = sync_channel(1);
    thread::Builder::new().name("file".into()).spawn(move || {
        // The receiver is gone after the timeout.
        let _ = sender.send(work());
    })?;
    receiver
        .recv_timeout(TIMEOUT)
        .unwrap_or_else(|_| Err(io::Error::new(io::ErrorKind::TimedOut, NO_ANSWER)))
}

fn contents(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let file = File::open(path)?;
    // The path may lead to another file by now.
    regular(&file.metadata()?, limit)?;
    let mut bytes = Vec::new();
    file.take(limit + 1).read_to_end(&mut bytes)?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > limit {
        return Err(too_long(limit));
    }
    Ok(bytes)
}

/// Only a regular file has an end and can be read again.
fn regular(metadata: &Metadata, limit: u64) -> io::Result<Stamp> {
    if !metadata.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    if metadata.len() > limit {
        return Err(too_long(limit));
    }
    Ok(Stamp {
        length: metadata.len(),
        modified: metadata.modified().ok(),
        identity: identity(metadata),
    })
}

fn too_long(limit: u64) -> io::Error {
    let kibibytes = limit >> 10;
    io::Error::other(if kibibytes < 1 << 10 {
        format!("it is over {kibibytes} KiB long")
    } else {
        format!("it is over {} MiB long", kibibytes >> 10)
    })
}

impl Stamp {
    /// Whether a later change would change the stamp: all times are long enough ago. A time in the
    /// future, set by another machine's clock, never is.
    fn is_settled(&self, now: SystemTime) -> bool {
        let [_, _, seconds, nanoseconds] = self.identity;
        let changed = u64::try_from(seconds).ok().and_then(|seconds| {
            let nanoseconds = u32::try_from(nanoseconds).ok()?;
            SystemTime::UNIX_EPOCH.checked_add(Duration::new(seconds, nanoseconds))
        });
        let is_old = |moment: Option<SystemTime>| {
            let age = moment.and_then(|moment| now.duration_since(moment).ok());
            age.is_some_and(|age| age > SETTLE_TIME)
        };
        is_old(self.modified) && is_old(changed)
    }
}

#[cfg(unix)]
fn identity(metadata: &Metadata) -> [i64; 4] {
    use std::os::unix::fs::MetadataExt as _;
    [
        metadata.dev().cast_signed(),
        metadata.ino().cast_signed(),
        metadata.ctime(),
        metadata.ctime_nsec(),
    ]
}

#[cfg(not(unix))]
fn identity(_: &Metadata) -> [i64; 4] {
    [0; 4]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str, bytes: &[u8]) -> std::path::PathBuf {
        let name = format!("open-chat-files-{}-{name}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }

    #[test]
    fn a_text_is_read_up_to_its_limit_and_without_a_byte_order_mark() {
        let path = file("text", b"\xef\xbb\xbfcanary");
        assert_eq!(read_in_time(&path, 9).unwrap(), "canary");
        let too_long = read_in_time(&path, 8).unwrap_err();
        assert_eq!(too_long.to_string(), "it is over 0 KiB long");
        std::fs::write(&path, b"\xff").unwrap();
        let no_text = read_in_time(&path, 9).unwrap_err();
        assert_eq!(no_text.to_string(), "it is not UTF-8");
        assert_eq!(bytes_in_time(&path, 9).unwrap(), b"\xff");
        std::fs::remove_file(&path).unwrap();
        let gone = read_in_time(&path, 9).unwrap_err();
        assert_eq!(gone.kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn a_known_version_is_not_read_and_a_young_one_is_never_known() {
        let path = file("version", b"one");
        assert!(read(&path, 9, None).unwrap().unwrap().stamp.is_none());
        let stamp = regular(&std::fs::metadata(&path).unwrap(), MAX_KEYS).unwrap();
        assert!(read(&path, 9, Some(stamp)).unwrap().is_none());
        let now = SystemTime::now();
        let second = Duration::from_secs(1);
        assert!(!stamp.is_settled(now));
        assert!(stamp.is_settled(now + 10 * second));
        assert!(!stamp.is_settled(now - 10 * second), "in the future");
        std::fs::write(&path, b"three").unwrap();
        assert!(read(&path, 9, Some(stamp)).unwrap().is_some());
        std::fs::remove_file(&path).unwrap();
    }

    #[test]
    fn only_a_regular_file_is_read() {
        for path in ["/dev/zero", "/dev/null", "/"] {
            let error = read_in_time(Path::new(path), 9).unwrap_err();
            assert_eq!(error.to_string(), "it is not a regular file", "{path}");
        }
    }
}
