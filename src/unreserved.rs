//! Characters that stand for themselves in a URL.

/// Whether a text is nothing but unreserved characters (RFC 3986, 2.3), so that escaping leaves it
/// as it is, and so does reading it back. All bytes are looked at, because on a click's short
/// values that is faster than to stop at one.
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
    fn as_the_rfc_has_it() {
        let unreserved = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
        assert!(is_unreserved(unreserved));
        for character in ('\0'..='\u{7ff}').filter(|one| !unreserved.contains(*one)) {
            assert!(!is_unreserved(&format!("a{character}")), "{character:?}");
        }
    }
}
