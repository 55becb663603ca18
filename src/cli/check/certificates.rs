//! The file of certificates that `SSL_CERT_FILE` names in place of the system's: without one that can
//! be read, nothing is reached by https, and the error of a connection does not say so.

use std::path::Path;

use super::findings::{Findings, Outcome};
use crate::files;

const VARIABLE: &str = "SSL_CERT_FILE";

/// All the world's authorities are a quarter of a megabyte.
const LARGEST: u64 = 16 << 20;

impl Findings {
    pub(super) fn certificates(&mut self) {
        let Some(path) = std::env::var_os(VARIABLE).filter(|path| !path.is_empty()) else {
            return;
        };
        let path = Path::new(&path);
        let problem = match files::bytes_in_time(path, LARGEST) {
            Err(error) => format!("cannot be used: {error}"),
            Ok(bytes) if !has_certificate(&bytes) => "has no certificate in PEM".into(),
            Ok(_) => return self.note("certificates", Outcome::Ok, "those of SSL_CERT_FILE"),
        };
        self.advise(
            "certificates",
            Outcome::Failed,
            format!("{VARIABLE}: the file {} {problem}", path.display()),
            "Name a bundle of certificates in PEM, which begin with -----BEGIN CERTIFICATE-----, or take the variable away: then the system's are used.",
        );
    }
}

fn has_certificate(bytes: &[u8]) -> bool {
    String::from_utf8_lossy(bytes)
        .lines()
        .any(|line| line.trim_end() == "-----BEGIN CERTIFICATE-----")
}
