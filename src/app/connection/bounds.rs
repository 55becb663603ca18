//! What a connection may do, and what a client is told that does more.

use std::time::Duration;

/// How long a head may take from its first byte on, and a new connection until then. A browser
/// sends it at once.
pub(super) const HEAD_TIME: Duration = Duration::from_secs(5);

/// A kept connection outlives the idle time of a proxy in front (nginx: 60 s), so that it is the
/// proxy that closes it, never this service under a request.
pub(super) const KEEP_ALIVE: Duration = Duration::from_secs(75);

/// How long an answer may wait for a client that does not read it, over all. The longest answers
/// have some 100 KB.
pub(super) const WRITE_TIME: Duration = Duration::from_secs(20);

/// How long a client that is refused may go on sending, so that it reads why before the connection
/// is reset.
pub(in crate::app) const LINGER: Duration = Duration::from_secs(1);

/// The longest head. Browsers and proxies send a tenth of it; much more than that are cookies.
pub(super) const MAX_HEAD: usize = 16 << 10;

/// Beyond the longest body that is read: what a body in chunks has around its data.
pub(super) const MAX_BODY: usize = crate::http::MAX_BODY + (4 << 10);

/// What a byte that is kept takes in memory, with the buffers that grow by doubling and the copies
/// that are made on its way (measured with half bodies, the worst of all: 3.2).
pub(super) const WEIGHT: usize = 3;

/// So much is every connection's own, and counts towards no budget.
pub(super) const FREE: usize = 4 << 10;

/// How much of the next request is looked at while one is in hand, to notice that the client has
/// gone.
pub(super) const LOOK_AHEAD: usize = 1 << 10;

/// An answer in the server's place. The length is the body's, which a test checks.
macro_rules! refusal {
    ($status:literal, $body:literal, $length:literal) => {
        concat!(
            "HTTP/1.1 ",
            $status,
            "\r\n",
            "content-length: ",
            $length,
            "\r\n",
            "content-type: text/plain; charset=utf-8\r\n",
            "cache-control: no-store\r\n",
            "referrer-policy: no-referrer\r\n",
            "x-content-type-options: nosniff\r\n",
            "x-robots-tag: noindex\r\n",
            "connection: close\r\n\r\n",
            $body
        )
        .as_bytes()
    };
}

pub(super) const HEAD_TOO_LARGE: &[u8] = refusal!(
    "431 Request Header Fields Too Large",
    "The request's head is over 16 KiB. Most often that is cookies: delete those of this site.\n",
    "90"
);

pub(super) const HEAD_TIMEOUT: &[u8] = refusal!(
    "408 Request Timeout",
    "The request's head has not come to its end within 5 seconds.\n",
    "61"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_says_how_long_it_is() {
        for refusal in [HEAD_TOO_LARGE, HEAD_TIMEOUT] {
            let text = std::str::from_utf8(refusal).unwrap();
            let (head, body) = text.split_once("\r\n\r\n").unwrap();
            let length = format!("\r\ncontent-length: {}\r\n", body.len());
            assert!(head.contains(&length), "{text}");
        }
    }
}
