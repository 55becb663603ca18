//! Files that are read again when they change.
//!
//! A new file that cannot be used changes nothing: what was read before stays in force until the file is mended.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::{ArcSwap, Guard};
use aws_lc_rs::digest::{Context, Digest, SHA256};

use crate::secret::{Secret, SecretSource};

/// Reads files for somebody, and remembers what was in them.
pub struct Files(Context);

impl Files {
    fn new() -> Self {
        Self(Context::new(&SHA256))
    }

    /// The text of a file. The error is a sentence that names it.
    pub fn read(&mut self, path: &Path) -> Result<String, String> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| format!("the file {} cannot be used: {error}", path.display()))?;
        self.0.update(text.as_bytes());
        self.0.update(&[0]);
        Ok(text)
    }

    /// A secret as it is at this moment.
    pub fn secret(&mut self, source: &SecretSource) -> Result<Secret, String> {
        match source {
            SecretSource::Text(secret) => Ok(secret.clone()),
            SecretSource::File(path) => self.secret_at(path),
        }
    }

    /// The secret that is all of a file. The error is a sentence that names it.
    pub fn secret_at(&mut self, path: &Path) -> Result<Secret, String> {
        Secret::from_file(&self.read(path)?)
            .ok_or_else(|| format!("the file {} cannot be used: it is empty", path.display()))
    }

    fn digest(self) -> Digest {
        self.0.finish()
    }
}

type Source<T> = Box<dyn Fn(&mut Files) -> Result<T, String> + Send + Sync>;

/// Something that was read from files.
pub struct Reloading<T> {
    name: &'static str,
    current: ArcSwap<T>,
    source: Option<Source<T>>,
    last: Mutex<Last>,
}

#[derive(Default)]
struct Last {
    /// Of the files that are in force.
    digest: Option<Vec<u8>>,
    /// What is wrong with the newer ones, if anything.
    failure: Option<String>,
}

/// What a look at the files has brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Look {
    /// The same as before.
    Unchanged,
    /// New files are in force.
    Reloaded,
    /// New files cannot be used; the old ones stay in force. Said once for each failure.
    Failed(String),
}

/// A look, and what is true after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The setting that names the files.
    pub file: &'static str,
    /// What it has brought.
    pub look: Look,
    /// Whether newer files cannot be used.
    pub has_failed: bool,
}

impl<T> Reloading<T> {
    /// What needs no file, called `name` in what is said of it.
    pub fn fixed(name: &'static str, value: T) -> Self {
        Self {
            name,
            current: ArcSwap::from_pointee(value),
            source: None,
            last: Mutex::default(),
        }
    }

    /// Reads for the first time; an error here is final.
    pub fn load(
        name: &'static str,
        source: impl Fn(&mut Files) -> Result<T, String> + Send + Sync + 'static,
    ) -> Result<Self, String> {
        let mut files = Files::new();
        let value = source(&mut files)?;
        Ok(Self {
            name,
            current: ArcSwap::from_pointee(value),
            source: Some(Box::new(source)),
            last: Mutex::new(Last {
                digest: Some(files.digest().as_ref().to_vec()),
                failure: None,
            }),
        })
    }

    /// What is in force.
    pub fn get(&self) -> Guard<Arc<T>> {
        self.current.load()
    }

    /// Looks whether the files have changed. It reads them, so not on a click's way.
    pub fn look(&self) -> Report {
        Report {
            file: self.name,
            look: self.look_at_files(),
            has_failed: self.has_failed(),
        }
    }

    fn look_at_files(&self) -> Look {
        let Some(source) = &self.source else {
            return Look::Unchanged;
        };
        let mut files = Files::new();
        let read = source(&mut files);
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        match read {
            Ok(value) => {
                last.failure = None;
                let digest = Some(files.digest().as_ref().to_vec());
                if last.digest == digest {
                    return Look::Unchanged;
                }
                last.digest = digest;
                self.current.store(Arc::new(value));
                Look::Reloaded
            }
            Err(failure) if last.failure.as_ref() == Some(&failure) => Look::Unchanged,
            Err(failure) => {
                last.failure = Some(failure.clone());
                Look::Failed(failure)
            }
        }
    }

    fn has_failed(&self) -> bool {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.failure.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broken_file_keeps_the_old_one_in_force() {
        let path = std::env::temp_dir().join(format!("open-chat-reload-{}", std::process::id()));
        let write = |text: &str| std::fs::write(&path, text).unwrap();
        write("1");
        let file = path.clone();
        let number = Reloading::load("NUMBER_FILE", move |files| {
            let text = files.read(&file)?;
            text.trim().parse::<u8>().map_err(|_| "not a number".into())
        })
        .unwrap();
        assert_eq!(number.look().look, Look::Unchanged);
        write("2");
        assert_eq!((number.look().look, **number.get()), (Look::Reloaded, 2));
        write("two");
        assert_eq!(number.look().look, Look::Failed("not a number".into()));
        assert_eq!(number.look().look, Look::Unchanged, "said once");
        assert_eq!((number.look().has_failed, **number.get()), (true, 2));
        std::fs::remove_file(&path).unwrap();
        assert!(matches!(number.look().look, Look::Failed(_)));
        write("3");
        assert_eq!((number.look().look, **number.get()), (Look::Reloaded, 3));
        assert!(!number.look().has_failed);
        std::fs::remove_file(&path).unwrap();
    }
}
