//! `Cookie`, a header a line: the cookie of a paired browser is found by its very bytes, whatever
//! other cookies a sibling host has set beside it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use open_chat::http::fuzzing::device_cookies;

const NAME: &[u8] = b"__Host-open-chat-device";

fuzz_target!(|input: &[u8]| {
    let headers: Vec<&[u8]> = input.split(|byte| *byte == b'\n').collect();
    let Some(found) = device_cookies(&headers) else {
        return;
    };
    assert_eq!(found, written(input));
    for value in &found {
        check_value(value);
    }
    check_order(&headers, &found);
    check_neighbours(&headers, &found);
});

/// What stands behind each name and its `=`, byte for byte.
fn written(input: &[u8]) -> Vec<Vec<u8>> {
    const SPACES: [char; 2] = [' ', '\t'];
    // A character a byte.
    let text: String = input.iter().copied().map(char::from).collect();
    let name = str::from_utf8(NAME).unwrap();
    let value = |pair: &str| {
        let rest = pair.trim_start_matches(SPACES).strip_prefix(name)?;
        let value = rest.trim_start_matches(SPACES).strip_prefix('=')?;
        let value = value.trim_matches(SPACES).chars();
        Some(value.map(|c| c as u8).collect())
    };
    text.split([';', '\n']).filter_map(value).collect()
}

/// A value is a part of the header, less the spaces around it; and alone it is the same.
fn check_value(value: &[u8]) {
    assert!(!value.contains(&b';'));
    let ends = [value.first(), value.last()];
    assert!(!ends.contains(&Some(&b' ')) && !ends.contains(&Some(&b'\t')));
    let alone = [NAME, b"=", value].concat();
    assert_eq!(device_cookies(&[&alone]), Some(vec![value.to_vec()]));
}

/// Headers are read one after the other, each for itself.
fn check_order(headers: &[&[u8]], found: &[Vec<u8>]) {
    let apart = headers
        .iter()
        .filter_map(|header| device_cookies(&[header]));
    assert_eq!(apart.flatten().collect::<Vec<_>>(), found);
}

/// What stands beside it is nothing to it: others' cookies, and those that another parser would
/// take for this one.
fn check_neighbours(headers: &[&[u8]], found: &[Vec<u8>]) {
    let others: [&[u8]; 5] = [
        b"a=b",
        b"%5F_Host-open-chat-device=a",
        b"x__Host-open-chat-device=a",
        b"__host-open-chat-device=a",
        b"\xe2\x80\x80__Host-open-chat-device=a",
    ];
    for other in others {
        let around = |header: &&[u8]| [other, b"; ", *header, b";", other].concat();
        let headers: Vec<_> = headers.iter().map(around).collect();
        let headers: Vec<_> = headers.iter().map(Vec::as_slice).collect();
        assert_eq!(device_cookies(&headers).as_deref(), Some(found));
    }
}
