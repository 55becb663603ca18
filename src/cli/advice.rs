//! Advice for errors of ChatHub: what the user of a shell can do about them.

use chathub::{BadAnswer, ErrorKind, NoConnection, Unreachable};

/// One or two sentences that follow the error's own.
pub(super) const fn advice(error: &ErrorKind) -> &'static str {
    match error {
        ErrorKind::CredentialsRejected => {
            "Check CHATHUB_LOGIN and CHATHUB_PASSWORD, or CHATHUB_API_KEY, or the files that …_FILE names: is it this company's, and still \
             valid? Correct it before trying again: accounts get locked."
        }
        ErrorKind::NotPermitted => {
            "The company's account has no right to this: an organization or an operator of another company, or an operator that is not \
             active. `open-chat operators list` shows what it may see."
        }
        ErrorKind::NotFound => {
            "`open-chat organizations list` and `open-chat operators list` show what there is."
        }
        ErrorKind::InvalidRequest { .. } => {
            "ChatHub does not want what was sent. Check ids, names and this machine's clock; `open-chat check` tries everything once."
        }
        ErrorKind::Throttled { .. } => {
            "Wait, then try again. If it happens often: lower CHATHUB_MAX_RATE, and look for what else uses the company's account."
        }
        ErrorKind::Overloaded => "CHATHUB_MAX_RATE is too low for this.",
        ErrorKind::Unavailable(Unreachable::NoConnection(cause)) => no_connection(*cause),
        ErrorKind::Unavailable(Unreachable::TokenRefused) => {
            "Something else logs in with the same account at the same time, and ChatHub ends the earlier token. Try again."
        }
        ErrorKind::Unavailable(Unreachable::Login(_)) => {
            "Something before ChatHub, a firewall perhaps, turns the login away. Ask SMSBAT's support whether this machine's address is let in."
        }
        ErrorKind::Unavailable(_) => {
            "ChatHub fails on its own side, or something before it does. Try again in a minute."
        }
        ErrorKind::TimedOut => {
            "Try again. If a list is long and the line slow, raise CHATHUB_ATTEMPT_TIMEOUT: a command waits thirty times as long."
        }
        ErrorKind::BadAnswer(BadAnswer::TokenNotValid) => {
            "ChatHub does not take a token that it has just made: tell SMSBAT's support."
        }
        ErrorKind::BadAnswer(BadAnswer::OtherOperator | BadAnswer::TokenEnded) => {
            "ChatHub makes tokens that nobody may use: look at this machine's clock, then tell SMSBAT's support."
        }
        ErrorKind::BadAnswer(BadAnswer::Page) => {
            "Something between this machine and ChatHub refuses, a firewall or a proxy: ask whoever runs it to let this through."
        }
        ErrorKind::BadAnswer(BadAnswer::Clocks) => "Set this machine's clock by NTP (timedatectl).",
        _ => {
            "Check CHATHUB_URL: something that is not ChatHub answers there, perhaps a proxy. ChatHub is at https://chatapi.smsbat.com."
        }
    }
}

/// Advice by the cause of a failed connection.
const fn no_connection(cause: NoConnection) -> &'static str {
    use NoConnection as Cause;
    match cause {
        Cause::NoSuchName => {
            "Check the name in CHATHUB_URL, and from this very machine: the name servers (DNS), and in Kubernetes whether a NetworkPolicy \
             lets DNS out."
        }
        Cause::Refused => {
            "Check host and port of CHATHUB_URL, and whether a firewall lets this machine out to it."
        }
        Cause::UntrustedCertificate => {
            "If the certificate is your company's own, or a firewall's that reads along: name its authority's certificates (PEM) in \
             SSL_CERT_FILE. Otherwise this is not ChatHub."
        }
        Cause::CertificateNotCurrent => {
            "Look at this machine's clock (timedatectl); if it is right, ChatHub's certificate must be renewed."
        }
        Cause::CertificateForAnotherName | Cause::BadCertificate => {
            "Check the name in CHATHUB_URL: something that is not ChatHub answers there, perhaps a proxy. ChatHub is at https://chatapi.smsbat.com."
        }
        Cause::NotTls | Cause::Tls => {
            "Check the port in CHATHUB_URL: https:// needs one that speaks TLS. A firewall that reads along can be the cause too."
        }
        Cause::NoCertificates => {
            "Install the package ca-certificates, or name a file with certificates (PEM) in SSL_CERT_FILE."
        }
        Cause::Proxy => "Check HTTPS_PROXY, and NO_PROXY for what needs no proxy.",
        _ => {
            "Check CHATHUB_URL, and from this very machine: the network, the firewall, HTTPS_PROXY."
        }
    }
}
