//! Checks the certificates that `SSL_CERT_FILE` and `SSL_CERT_DIR` name.
//!
//! The TLS library reads them itself, and reports only that there are none. This check names the
//! variable and what is wrong with its file.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use rustls::RootCertStore;
use rustls_native_certs::load_certs_from_paths;

use super::{EnvParser, Reported};
use crate::files;

const FILE: &str = "SSL_CERT_FILE";
const DIRECTORY: &str = "SSL_CERT_DIR";

/// The longest file, in bytes: some hundred times as long as a system's own.
const MAX_FILE: u64 = 32 << 20;

/// The variables that the parser keeps for [`check`]. To the library an empty one is set.
pub(super) const VARIABLES: [&str; 2] = [FILE, DIRECTORY];

/// A variable that is set must lead to a usable certificate.
pub(super) fn check(parser: &mut EnvParser) -> Result<(), Reported> {
    if let Some(path) = parser.certificates.remove(FILE) {
        return of_file(Path::new(&path)).map_err(|problem| parser.problem(FILE, problem));
    }
    match parser.certificates.remove(DIRECTORY) {
        Some(paths) if !paths.is_empty() => {
            of_directories(&paths).map_err(|problem| parser.problem(DIRECTORY, problem))
        }
        _ => Ok(()),
    }
}

fn of_file(path: &Path) -> Result<(), String> {
    if path.as_os_str().is_empty() {
        return Err("is set and empty: unset it, or name a file of certificates (PEM)".into());
    }
    let bytes = files::bytes_in_time(path, MAX_FILE).map_err(|why| files::unusable(path, why))?;
    if are_usable(Some(path), None) {
        return Ok(());
    }
    let why = match bytes.as_slice() {
        [0xef, 0xbb, 0xbf, ..] => {
            "it begins with a byte order mark: save it as UTF-8 without one".into()
        }
        [0x30, ..] => format!(
            "it is a certificate in DER, and PEM is needed: openssl x509 -inform der -in {} -out certificate.pem",
            path.display()
        ),
        _ => "there is no certificate (PEM) in it".into(),
    };
    Err(files::unusable(path, why))
}

fn of_directories(paths: &OsString) -> Result<(), String> {
    let is_usable = |path: PathBuf| are_usable(None, Some(&path));
    if std::env::split_paths(paths).any(is_usable) {
        return Ok(());
    }
    Err(format!(
        "there is no certificate (PEM) in {}",
        Path::new(paths).display()
    ))
}

/// Whether the TLS library finds a certificate there that it can use.
fn are_usable(file: Option<&Path>, directory: Option<&Path>) -> bool {
    let found = load_certs_from_paths(file, directory).certs;
    let (usable, _) = RootCertStore::empty().add_parsable_certificates(found);
    usable > 0
}
