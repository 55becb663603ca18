//! The fast path for Ukrainian numbers: libphonenumber's answers, which a test checks, in a tenth
//! of the time.

use std::sync::atomic::{AtomicU8, Ordering};

use arrayvec::ArrayString;

use super::{MAX_E164, Region};

/// The nine digits after the country code of a Ukrainian number, in the forms that almost all CRMs
/// store: `+380501234567`, `380501234567` (a space may stand for the `+`), and `0501234567`.
pub(super) fn national_digits(text: &str, default_region: Region) -> Option<&str> {
    const DIGITS: usize = 9;
    let is_at_home = default_region == Region::UA;
    let head = match text.as_bytes() {
        [b'+' | b' ', b'3', b'8', b'0', ..] => 4,
        [b'3', b'8', b'0', ..] if is_at_home => 3,
        [b'0', ..] if is_at_home => 1,
        _ => return None,
    };
    let national = &text[head..];
    // A further 0 could be a trunk prefix, which does not belong to the number.
    let is_plain = national.len() == DIGITS && !national.starts_with('0');
    (is_plain && national.bytes().all(|byte| byte.is_ascii_digit())).then_some(national)
}

/// The number with its country code, if libphonenumber accepts it.
pub(super) fn e164(national: &str) -> Option<ArrayString<MAX_E164>> {
    let mut e164 = ArrayString::from("+380").ok()?;
    e164.try_push_str(national).ok()?;
    is_valid(national).then_some(e164)
}

/// Whether libphonenumber accepts a Ukrainian number of nine digits. In its numbering plan the
/// first four digits decide, so it is called once for each four.
fn is_valid(national: &str) -> bool {
    static KNOWN: [AtomicU8; 10_000] = [const { AtomicU8::new(UNKNOWN) }; 10_000];
    const UNKNOWN: u8 = 0;
    const INVALID: u8 = 1;
    const VALID: u8 = 2;
    let number = national
        .bytes()
        .fold(0, |number, digit| number * 10 + u64::from(digit - b'0'));
    let Some(known) = usize::try_from(number / 100_000)
        .ok()
        .and_then(|head| KNOWN.get(head))
    else {
        return false;
    };
    if known.load(Ordering::Relaxed) == UNKNOWN {
        let is_valid = libphonenumber_accepts(number);
        known.store(if is_valid { VALID } else { INVALID }, Ordering::Relaxed);
    }
    known.load(Ordering::Relaxed) == VALID
}

fn libphonenumber_accepts(national: u64) -> bool {
    let number = rlibphonenumber::PhoneNumber {
        country_code: 380,
        national_number: national,
        ..Default::default()
    };
    number.is_valid()
}

#[cfg(test)]
mod tests {
    use super::super::PhoneNumber;
    use super::*;

    #[test]
    fn the_fast_path_agrees_with_libphonenumber() {
        let poland = Region::parse("PL").unwrap();
        let mut random = fastrand::Rng::with_seed(380);
        let (mut fast, mut valid) = (0, 0);
        for _ in 0..4000 {
            let digits = 8 + random.usize(..3);
            let national: String = (0..digits).map(|_| random.char('0'..='9')).collect();
            for head in ["+380", " 380", "380", "0", "+3800", "00", ""] {
                let text = format!("{head}{national}");
                for region in [Region::UA, poland] {
                    fast += usize::from(national_digits(&text, region).is_some());
                    let phone = PhoneNumber::parse(&text, region);
                    valid += usize::from(phone.is_ok());
                    assert_eq!(
                        phone,
                        PhoneNumber::parse_any(&text, region),
                        "{text:?} in {region}"
                    );
                }
            }
        }
        assert!(fast > 4000 && valid > 1000, "{fast} {valid}");
    }

    #[test]
    fn four_digits_decide() {
        let mut random = fastrand::Rng::with_seed(380);
        for head in 1000..10_000 {
            // A fifth digit that decided would show here.
            for fifth in 0..10 {
                let number = head * 100_000 + fifth * 10_000 + random.u64(..10_000);
                let national = number.to_string();
                assert_eq!(is_valid(&national), libphonenumber_accepts(number));
            }
        }
    }
}
