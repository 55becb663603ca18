//! What several targets need: secrets that no input knows, files for what is read from files, and
//! tokens.

pub mod connectors;

use std::hash::{BuildHasher, RandomState};
use std::path::PathBuf;
use std::sync::LazyLock;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use open_chat::invisible::{is_blank, is_dash, is_invisible};

/// A directory of this process, so that several can run at once.
pub static DIRECTORY: LazyLock<PathBuf> = LazyLock::new(|| {
    let directory = std::env::temp_dir().join(format!("open-chat-fuzz-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    directory
});

/// 64 hexadecimal digits that the fuzzer does not know.
pub fn random() -> String {
    (0..4_u8)
        .map(|part| format!("{:016x}", RandomState::new().hash_one(part)))
        .collect()
}

/// A JWT, signed by this.
pub fn token(header: &str, claims: &str, sign: impl FnOnce(&[u8]) -> Vec<u8>) -> String {
    let message = format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(header),
        URL_SAFE_NO_PAD.encode(claims)
    );
    let signature = URL_SAFE_NO_PAD.encode(sign(message.as_bytes()));
    format!("{message}.{signature}")
}

/// HMAC by SHA-256, or by another hash.
pub fn hs(algorithm: hmac::Algorithm, key: &[u8], message: &[u8]) -> Vec<u8> {
    let key = hmac::Key::new(algorithm, key);
    hmac::sign(&key, message).as_ref().to_vec()
}

/// A text that is changed in places: three bytes say where, how, and to what.
pub fn edited(text: &str, edits: &[u8]) -> String {
    let mut text = text.as_bytes().to_vec();
    for edit in edits.chunks_exact(3) {
        let at = (usize::from(edit[0]) << 2 | usize::from(edit[1] >> 6)) % (text.len() + 1);
        let byte = edit[2] & 0x7f;
        match edit[1] & 3 {
            0 if at < text.len() => text[at] = byte,
            1 => text.insert(at, byte),
            2 if at < text.len() => drop(text.remove(at)),
            _ => text.truncate(at),
        }
    }
    String::from_utf8(text).expect("ASCII stays ASCII")
}

/// A text as it looks: what is not seen is not there, and all spaces and dashes are the plain ones.
pub fn as_it_looks(text: &str) -> String {
    let mut plain = String::new();
    for c in text.chars().filter(|c| !is_invisible(*c)) {
        if c.is_ascii() {
            plain.push(c);
        } else if is_dash(c) {
            plain.push('-');
        } else if !is_blank(c) {
            plain.push(c);
        } else if !plain.is_empty() {
            // In front it would be a `+` that was not encoded.
            plain.push(' ');
        }
    }
    plain
}
