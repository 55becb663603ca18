//! Unreserved characters of URLs.

/// Whether a text has only unreserved characters (RFC 3986, 2.3), so that percent-encoding and
/// decoding leave it unchanged. All bytes are checked: on a click's short values that is faster
/// than to stop early.
pub fn is_unreserved(text: &str) -> bool {
    let is_unreserved =
        |byte: u8| byte.is_ascii_alphanumeric() | matches!(byte, b'-' | b'.' | b'_' | b'~');
    text.bytes()
        .fold(true, |all, byte| all & is_unreserved(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unreserved_as_in_rfc_3986() {
        let unreserved = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
        assert!(is_unreserved(unreserved));
        for character in ('\0'..='\u{7ff}').filter(|one| !unreserved.contains(*one)) {
            assert!(!is_unreserved(&format!("a{character}")), "{character:?}");
        }
    }
}
