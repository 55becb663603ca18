//! Paired browsers, by the first letter. `r`: any text is no invitation and no cookie. `e`: an
//! invitation or a cookie with changes is none. `h`: the headers `Cookie` of a browser, a line
//! each, in which `~` is a good cookie. `q`: the query of `/pair`, in which `~` is a good
//! invitation. `s`: signed with a key, as an invitation or a cookie, by a header and, in a further
//! line, claims; `@` is now, `^` an hour ago, `$` in ten days.
#![no_main]

use std::sync::LazyLock;
use std::time::Duration;

use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use aws_lc_rs::hmac::{HMAC_SHA256, HMAC_SHA384};
use chathub::OperatorId;
use chrono::Utc;
use libfuzzer_sys::fuzz_target;
use open_chat::access::{
    AuthConfig, Authenticator, Caller, Credentials, DeviceCookie, Mode, Pairing,
};
use open_chat::http::fuzzing::{device_cookies, single_field};
use open_chat::operators::OperatorSelection;
use open_chat::secret::Secret;
use open_chat_fuzz::{DIRECTORY, edited, hs, random, token};
use serde_json::Value;

const DAY: i64 = 24 * 60 * 60;
const TTL: i64 = 90 * DAY;
const MAX_AGE: i64 = 400 * DAY;
const MAX_INVITATION: i64 = 7 * DAY;
const LEEWAY: i64 = 60;
/// The clock advances between the service's reading and ours.
const SLACK: i64 = 5;
const LONGEST: usize = 1024;

const COOKIE: &str = "open-chat device cookie 1";
const INVITATION: &str = "open-chat device invitation 1";

/// Ended by the company: a device, an operator, a key's invitations.
const REVOKED: &str = r#"
[[revoked]]
device = "00000000000000000000000000000000"
[[revoked]]
operator = 666
[[revoked]]
operator = 667
before = 2020-01-01T00:00:00Z
[[revoked]]
key = "odoo"
before = "2021-01-01T00:00:00+02:00"
"#;

struct Devices {
    authenticator: Authenticator,
    /// The lines of `DEVICE_SECRET`, and one that is none of them.
    secrets: [String; 3],
    /// For 101, by nobody's key, and for 102, by `odoo`.
    invitations: [String; 2],
    cookies: [String; 2],
}

static DEVICES: LazyLock<Devices> = LazyLock::new(|| {
    let secrets = [random(), random(), random()];
    let file = |name: &str, text: &str| {
        let file = DIRECTORY.join(name);
        std::fs::write(&file, text).unwrap();
        file
    };
    let key = |name: &str, more: &str| {
        format!(
            "[[key]]\nname = \"{name}\"\nsha256 = \"{}\"\n{more}\n",
            random()
        )
    };
    let keys = [
        key("odoo", "pair = true\noperators = [102, 103]"),
        key("other", "operators = [102]"),
    ];
    let authenticator = Authenticator::new(AuthConfig {
        modes: vec![Mode::Device, Mode::Key],
        api_keys_file: Some(file("api-keys.toml", &keys.concat())),
        device_secret: Some(Secret::new(format!("{}\n{}\n", secrets[0], secrets[1])).into()),
        device_ttl: Duration::from_secs(TTL as u64),
        devices_revoked_file: Some(file("revoked.toml", REVOKED)),
        ..AuthConfig::default()
    })
    .unwrap();
    let invite = |operator, by| {
        let invitation = authenticator.invite(OperatorId(operator), Duration::from_hours(1), by);
        invitation.unwrap().text.expose().to_owned()
    };
    let invitations = [invite(101, None), invite(102, Some("odoo"))];
    let cookies = invitations.each_ref().map(|text| {
        let pairing = authenticator.check_invitation(text).unwrap();
        authenticator
            .pair(&pairing)
            .unwrap()
            .value
            .expose()
            .to_owned()
    });
    Devices {
        authenticator,
        secrets,
        invitations,
        cookies,
    }
});

fuzz_target!(|input: &[u8]| {
    match input {
        [b'r', text @ ..] => arbitrary(text),
        [b'e', mix, edits @ ..] => changed(*mix, edits),
        [b'h', lines @ ..] => in_headers(lines),
        [b'q', query @ ..] => in_query(query),
        [b's', by, how, text @ ..] => {
            let text = str::from_utf8(text).ok();
            if let Some((header, claims)) = text.and_then(|text| text.split_once('\n')) {
                signed(usize::from(*by), usize::from(*how), header, claims);
            }
        }
        _ => {}
    }
});

fn cookie(value: &[u8]) -> DeviceCookie<'_> {
    DeviceCookie::One {
        value,
        may_renew: true,
    }
}

fn check_cookie(value: &[u8]) -> Option<Pairing> {
    DEVICES.authenticator.check_device(cookie(value)).ok()
}

fn arbitrary(text: &[u8]) {
    assert_eq!(check_cookie(text), None);
    let credentials = Credentials {
        device: cookie(text),
        operator: Some("101"),
        ..Credentials::default()
    };
    assert!(DEVICES.authenticator.authenticate(&credentials).is_err());
    if let Ok(text) = str::from_utf8(text) {
        assert!(DEVICES.authenticator.check_invitation(text).is_err());
    }
}

/// The parts of good ones put together anew, and then changed in places.
fn changed(mix: u8, edits: &[u8]) {
    let Devices {
        authenticator,
        invitations,
        cookies,
        ..
    } = &*DEVICES;
    let good = [&invitations[0], &invitations[1], &cookies[0], &cookies[1]];
    let part = |at: usize| {
        let from = usize::from(mix >> (2 * at) & 3);
        good[from].split('.').nth(at).unwrap_or_default()
    };
    let text = edited(&[part(0), part(1), part(2)].join("."), edits);
    let is_invitation = authenticator.check_invitation(&text).is_ok();
    assert_eq!(is_invitation, invitations.contains(&text), "{text}");
    let is_cookie = check_cookie(text.as_bytes()).is_some();
    assert_eq!(is_cookie, cookies.contains(&text), "{text}");
}

/// A text with each `~` replaced.
fn filled(text: &[u8], with: &str) -> Vec<u8> {
    let parts: Vec<&[u8]> = text.split(|byte| *byte == b'~').collect();
    parts.join(with.as_bytes())
}

/// Of what a browser shows, the one cookie that was issued is good, byte for byte.
fn in_headers(lines: &[u8]) {
    const NAME: &str = "__Host-open-chat-device";
    let good = &DEVICES.cookies[0];
    let lines = filled(lines, good);
    let headers: Vec<&[u8]> = lines.split(|byte| *byte == b'\n').collect();
    let Some(found) = device_cookies(&headers) else {
        return;
    };
    for value in &found {
        assert_eq!(check_cookie(value).is_some(), value == good.as_bytes());
    }
    // Where nothing but the plain form stands there, it is found.
    let plain = format!("{NAME}={good}");
    let is_plain = |piece: &[u8]| piece.trim_ascii() == plain.as_bytes();
    for header in &headers {
        if header.split(|byte| *byte == b';').any(is_plain) {
            assert!(found.iter().any(|value| value == good.as_bytes()));
        }
    }
}

/// What `/pair` takes for an invitation is the one that was issued, and stands there once.
fn in_query(query: &[u8]) {
    let good = &DEVICES.invitations[0];
    let query = filled(query, good);
    let Ok(Some(text)) = single_field(&query, "invitation") else {
        return;
    };
    // The page trims it.
    let is_good = DEVICES.authenticator.check_invitation(text.trim()).is_ok();
    assert_eq!(is_good, text.trim() == good, "{text}");
    let more = [&query[..], b"&invitation=a"].concat();
    assert!(single_field(&more, "invitation").is_err());
}

fn key(purpose: &'static str, secret: &str) -> [u8; 32] {
    let mut key = [0; 32];
    let salt = Salt::new(HKDF_SHA256, b"");
    let extracted = salt.extract(secret.as_bytes());
    let info = [purpose.as_bytes()];
    let expanded = extracted.expand(&info, HKDF_SHA256).unwrap();
    expanded.fill(&mut key).unwrap();
    key
}

fn signed(by: usize, how: usize, header: &str, claims: &str) {
    // This service alone signs them, and signs no list, which serde would read as well.
    if claims.trim_start().starts_with('[') {
        return;
    }
    let Devices {
        authenticator,
        secrets,
        ..
    } = &*DEVICES;
    let now = Utc::now().timestamp();
    let claims = claims
        .replace('@', &now.to_string())
        .replace('^', &(now - 3600).to_string())
        .replace('$', &(now + 10 * DAY).to_string());
    let by = by % secrets.len();
    let purposes = [COOKIE, INVITATION, "open-chat widget ticket 2"];
    let purpose = purposes[how % purposes.len()];
    let algorithms = [HMAC_SHA256, HMAC_SHA384];
    let algorithm = how / purposes.len() % algorithms.len();
    let sign = |message: &[u8]| {
        let key = key(purpose, &secrets[by]);
        hs(algorithms[algorithm], &key, message)
    };
    let text = token(header, &claims, sign);
    let is_right = by < 2 && algorithm == 0 && text.len() <= LONGEST;

    let as_cookie = check_cookie(text.as_bytes());
    let as_invitation = authenticator.check_invitation(&text).ok();
    let ends = |claims: &Claims| match purpose {
        COOKIE => (claims.exp.min(claims.iat + TTL)).min(claims.invited_at.saturating_add(MAX_AGE)),
        _ => claims.exp.min(claims.iat + MAX_INVITATION),
    };
    let read = Claims::read(&claims).filter(|_| is_right && purpose != purposes[2]);
    let is_good = |slack: i64| {
        let read = read.as_ref();
        read.is_some_and(|claims| claims.is_in_force(ends(claims), now, slack))
    };
    for (kind, pairing) in [(COOKIE, &as_cookie), (INVITATION, &as_invitation)] {
        let Some(pairing) = pairing else {
            continue;
        };
        assert_eq!(kind, purpose);
        assert!(is_good(SLACK), "{claims}");
        let read = read.as_ref().unwrap();
        assert_eq!(pairing.device.as_str(), read.device);
        assert_eq!(pairing.operator, OperatorId(read.operator));
        let header: Value = serde_json::from_str(header).expect("a header in JSON");
        assert_eq!(header["alg"], "HS256");
    }
    let is_canonical = serde_json::from_str(&claims)
        .is_ok_and(|value: Value| value.to_string() == claims && header == "{\"alg\":\"HS256\"}");
    if is_canonical && is_good(-SLACK) {
        assert!(as_cookie.is_some() || as_invitation.is_some(), "{claims}");
    }
    if let (Some(pairing), Some(read)) = (as_cookie, &read) {
        check_click(&text, &pairing, read, now);
    }
}

/// A click with the cookie opens this operator's chats, and renews the cookie by what it says.
fn check_click(text: &str, pairing: &Pairing, read: &Claims, now: i64) {
    let authenticator = &DEVICES.authenticator;
    let credentials = Credentials {
        device: cookie(text.as_bytes()),
        ..Credentials::default()
    };
    let auth = authenticator
        .authenticate(&credentials)
        .expect("it is good");
    assert_eq!(auth.caller, Caller::Device(pairing.device));
    let operator = OperatorSelection::Operator(pairing.operator);
    // The key that has invited may act for these alone.
    let is_open = read.key.is_none() || [102, 103].contains(&read.operator);
    let resolved = authenticator.resolve_operator(&auth.requested, None);
    assert_eq!(resolved.ok(), Some(operator).filter(|_| is_open));
    let elsewhere = Credentials {
        operator: Some("999"),
        ..credentials
    };
    let other = authenticator.authenticate(&elsewhere).expect("it is good");
    let other = authenticator.resolve_operator(&other.requested, None);
    assert!(other.is_err() || is_open && pairing.operator == OperatorId(999));

    let latest = read.invited_at.saturating_add(MAX_AGE);
    let ends = read.exp.min(read.iat + TTL).min(latest);
    let Some(renewed) = auth.renewed_cookie else {
        let is_due = ends - now <= TTL / 3 - SLACK && ends + SLACK < latest;
        assert!(!is_due, "it is not renewed");
        return;
    };
    let until = now + renewed.max_age.as_secs() as i64;
    assert!(until <= latest + SLACK && until <= now + TTL + SLACK && until + SLACK > ends);
    let again = check_cookie(renewed.value.expose().as_bytes()).expect("a renewed cookie is good");
    assert_eq!(
        (again.device, again.operator),
        (pairing.device, pairing.operator)
    );
    let safe = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    assert!(renewed.value.expose().bytes().all(safe));
    assert!(!format!("{renewed:?}").contains(renewed.value.expose()));
}

/// The claims, read once more.
struct Claims {
    device: String,
    operator: u64,
    invited_at: i64,
    iat: i64,
    exp: i64,
    key: Option<String>,
}

impl Claims {
    fn read(claims: &str) -> Option<Self> {
        const NAMES: [&str; 6] = ["device", "operator", "invited_at", "iat", "exp", "key"];
        let claims: Value = serde_json::from_str(claims).ok()?;
        let mut names = claims.as_object()?.keys();
        let is_known = names.all(|name| NAMES.contains(&name.as_str()));
        let key = match &claims["key"] {
            Value::Null => None,
            key => Some(key.as_str()?.to_owned()),
        };
        let read = Self {
            device: claims["device"].as_str()?.to_owned(),
            operator: claims["operator"].as_u64()?,
            invited_at: claims["invited_at"].as_i64()?,
            iat: claims["iat"].as_i64()?,
            exp: claims["exp"].as_i64()?,
            key,
        };
        let is_digit = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
        let is_id = read.device.len() == 32 && read.device.chars().all(is_digit);
        // Sums of times that no clock has had.
        let is_time = (-DAY * 366 * 3000..DAY * 366 * 9000).contains(&read.iat);
        (is_known && is_id && is_time).then_some(read)
    }

    fn is_in_force(&self, ends: i64, now: i64, slack: i64) -> bool {
        // 2020-01-01, and 2021-01-01 in Kyiv's winter.
        let (new_year, next) = (1_577_836_800, 1_609_452_000);
        let is_revoked = self.device == "0".repeat(32)
            || self.operator == 666
            || self.operator == 667 && self.invited_at < new_year
            || self.key.as_deref() == Some("odoo") && self.invited_at < next;
        let may_invite = matches!(self.key.as_deref(), None | Some("odoo"));
        !is_revoked
            && may_invite
            && self.invited_at <= self.iat
            && self.iat <= now + LEEWAY + slack
            && now < ends + slack
    }
}
