//! Why a connection could not be made: an error of a network library → one of a closed set of
//! causes.
//!
//! A library's own message may contain a URL, and with it a password. A cause contains nothing of
//! the kind, so it can be logged, shown and compared.

use std::error::Error;
use std::io::{self, ErrorKind};
use std::sync::Arc;

use rustls::{CertificateError, InvalidMessage};

/// How a library may keep an error that it returns more than once.
type Shared = Arc<dyn Error + Send + Sync>;

/// Why a connection could not be made. `Display` completes "no connection: …".
#[derive(Clone, Copy, Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum NoConnection {
    /// The name leads to no address. A name server that does not answer looks the same.
    #[error("no such name, or no name server that answers")]
    NoSuchName,
    /// Nothing listens there, or a firewall says no.
    #[error("the connection was refused")]
    Refused,
    /// There is no route to the address.
    #[error("no route to the address")]
    NoRoute,
    /// It took longer than it may.
    #[error("no answer in time")]
    TimedOut,
    /// No authority that this machine trusts has signed the certificate.
    #[error("the certificate is signed by no authority that this machine trusts")]
    UntrustedCertificate,
    /// The certificate has expired, or is not valid yet.
    #[error("the certificate has expired or is not valid yet")]
    CertificateNotCurrent,
    /// The certificate is for another name.
    #[error("the certificate is for another name")]
    CertificateForAnotherName,
    /// The certificate is wrong in some other way.
    #[error("the certificate is not acceptable")]
    BadCertificate,
    /// Something answers, but not in TLS.
    #[error("what answers there does not speak TLS")]
    NotTls,
    /// Both sides could not agree on TLS, or the other side wants a certificate of ours.
    #[error("the TLS handshake failed")]
    Tls,
    /// This machine has no certificates to check another by.
    #[error("there are no certificates of authorities on this machine")]
    NoCertificates,
    /// The proxy on the way cannot be reached, or does not let the connection through.
    #[error("the proxy cannot be reached or refuses")]
    Proxy,
    /// The connection was closed as soon as it was made.
    #[error("the connection was closed at once")]
    Closed,
    /// Something else.
    #[error("it could not be made")]
    Other,
}

impl NoConnection {
    /// The cause of an error, looked for in the error and all of its sources.
    pub fn of(error: &(dyn Error + 'static)) -> Self {
        let mut cause = Self::Other;
        for error in chain(error) {
            // The type is private to hyper-util; all of its texts begin so. What lies below it is
            // about the proxy as well.
            if error.to_string().starts_with("tunnel error") {
                return Self::Proxy;
            }
            if let Some(tls) = error.downcast_ref::<rustls::Error>() {
                return of_tls(tls);
            }
            if let Some(io) = error.downcast_ref::<io::Error>()
                && let Some(found) = of_io(io)
            {
                cause = found;
            }
        }
        cause
    }

    /// Whether TLS has failed, rather than the way there.
    pub const fn is_about_tls(self) -> bool {
        matches!(
            self,
            Self::UntrustedCertificate
                | Self::CertificateNotCurrent
                | Self::CertificateForAnotherName
                | Self::BadCertificate
                | Self::NotTls
                | Self::Tls
                | Self::NoCertificates
        )
    }
}

/// An error and its sources. What an I/O error or an `Arc` wraps is not its source, but the wrapped
/// error's source is.
fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| {
        let wrapped = error
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref);
        match (wrapped, error.downcast_ref::<Shared>()) {
            (Some(wrapped), _) => Some(wrapped as &(dyn Error + 'static)),
            (None, Some(shared)) => Some(&**shared),
            (None, None) => error.source(),
        }
    })
}

fn of_io(error: &io::Error) -> Option<NoConnection> {
    Some(match error.kind() {
        ErrorKind::ConnectionRefused => NoConnection::Refused,
        ErrorKind::HostUnreachable
        | ErrorKind::NetworkUnreachable
        | ErrorKind::NetworkDown
        | ErrorKind::AddrNotAvailable => NoConnection::NoRoute,
        ErrorKind::TimedOut => NoConnection::TimedOut,
        ErrorKind::ConnectionReset
        | ErrorKind::ConnectionAborted
        | ErrorKind::BrokenPipe
        | ErrorKind::UnexpectedEof => NoConnection::Closed,
        // The standard library has no kind of its own for this, but always the same words.
        _ if error.to_string().starts_with("failed to lookup address") => NoConnection::NoSuchName,
        _ => return None,
    })
}

const fn of_tls(error: &rustls::Error) -> NoConnection {
    match error {
        rustls::Error::InvalidCertificate(certificate) => match certificate {
            CertificateError::UnknownIssuer => NoConnection::UntrustedCertificate,
            CertificateError::Expired
            | CertificateError::ExpiredContext { .. }
            | CertificateError::NotValidYet
            | CertificateError::NotValidYetContext { .. } => NoConnection::CertificateNotCurrent,
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                NoConnection::CertificateForAnotherName
            }
            _ => NoConnection::BadCertificate,
        },
        rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType) => NoConnection::NotTls,
        _ => NoConnection::Tls,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_is_found_however_deep_it_lies() {
        let expired = rustls::Error::InvalidCertificate(CertificateError::Expired);
        let plain = rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType);
        let lookup = "failed to lookup address information: canary.example";
        for (error, cause) in [
            (
                io::Error::other(io::Error::new(ErrorKind::InvalidData, expired)),
                NoConnection::CertificateNotCurrent,
            ),
            (
                io::Error::new(ErrorKind::InvalidData, plain),
                NoConnection::NotTls,
            ),
            (ErrorKind::ConnectionRefused.into(), NoConnection::Refused),
            (
                io::Error::other(Arc::new(io::Error::from(ErrorKind::HostUnreachable)) as Shared),
                NoConnection::NoRoute,
            ),
            (io::Error::other(lookup), NoConnection::NoSuchName),
            (
                io::Error::other("tunnel error: unsuccessful"),
                NoConnection::Proxy,
            ),
            (io::Error::other("canary"), NoConnection::Other),
        ] {
            assert_eq!(NoConnection::of(&error), cause, "{error:?}");
            assert!(!cause.to_string().contains("canary"));
        }
    }
}
