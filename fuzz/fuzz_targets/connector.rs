//! A request of a CRM, by the first letter: `k` Kommo, `z` Zendesk, `h` HubSpot, `p` Pipedrive, `t`
//! the ticket of a page, `b` a button in Bitrix24. The next two bytes say who has signed it, and
//! how. It is let through where what is read here once more proves it, and nowhere else.
#![no_main]

use std::sync::LazyLock;

use aws_lc_rs::hmac::{HMAC_SHA256, HMAC_SHA384, HMAC_SHA512};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use libfuzzer_sys::fuzz_target;
use open_chat::access::{AuthConfig, Authenticator};
use open_chat::connect::bitrix24::{Shown, ShownButton};
use open_chat::connect::pipedrive::ShownPanel;
use open_chat::connect::{HubspotRequest, ProvenAgent, Refusal, Ticket, Vendor};
use open_chat::phone::{PhoneNumber, Region};
use open_chat::secret::Secret;
use open_chat_fuzz::connectors::{INSTALLATIONS, Installations, rs256};
use open_chat_fuzz::{hs, token};
use percent_encoding::percent_decode_str;
use serde_json::Value;
use url::Url;

const NOW: i64 = 1_800_000_000;
const LEEWAY: i64 = 60;
const HOUR: i64 = 3600;
const LONGEST: usize = 4096;
const CANARY: &str = "canary-shown-token";

fuzz_target!(|input: &[u8]| {
    let [vendor, by, how, text @ ..] = input else {
        return;
    };
    let Ok(text) = str::from_utf8(text) else {
        return;
    };
    let lines: Vec<&str> = text.split('\n').collect();
    let line = |at: usize| lines.get(at).copied().unwrap_or_default();
    let (by, how) = (usize::from(*by), usize::from(*how));
    match vendor {
        b'k' => kommo(by, how, line(0), line(1)),
        b'z' => zendesk(by, how, line(0), line(1), lines.get(2).copied()),
        b'h' => hubspot(by, line(0), line(1), line(2)),
        b'p' => pipedrive(by, how, line(0), line(1), [line(2), line(3)]),
        b't' => ticket(by, how, line(0), line(1)),
        b'b' => bitrix24(&lines),
        _ => {}
    }
});

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(NOW, 0).unwrap()
}

/// The claims, where they and the header are in the one spelling that this prints: what they say
/// is let through then. JSON has spellings that a reader may refuse, such as a name twice.
fn canonical(header: &str, claims: &str) -> Option<Value> {
    let value: Value = serde_json::from_str(claims).ok()?;
    let is_plain = value.to_string() == claims && claims.len() < LONGEST / 2;
    let header: Value = serde_json::from_str(header).ok().filter(|_| is_plain)?;
    let is_plain = header.as_object()?.keys().all(|name| name == "alg");
    is_plain.then_some(value)
}

fn algorithm(header: &str) -> Option<String> {
    let header: Value = serde_json::from_str(header).ok()?;
    header["alg"].as_str().map(str::to_owned)
}

/// An id is a number above 0, or its digits in the one spelling.
fn id(value: &Value) -> Option<u64> {
    let id = match value {
        Value::String(text) => text
            .parse()
            .ok()
            .filter(|id: &u64| id.to_string() == *text)?,
        value => value.as_u64()?,
    };
    (id > 0).then_some(id)
}

/// Whether `exp`, `iat` and `nbf` are in order.
fn is_of_now(claims: &Value) -> bool {
    let time = |name: &str| match &claims[name] {
        Value::Null => Some(None),
        value => value.as_i64().map(Some),
    };
    let (Some(Some(exp)), Some(iat), Some(nbf)) = (time("exp"), time("iat"), time("nbf")) else {
        return false;
    };
    let latest = NOW + LEEWAY;
    let begins = iat.unwrap_or(NOW).max(nbf.unwrap_or(NOW));
    exp > NOW && exp <= latest + HOUR && begins <= latest
}

/// A request is let through where `expected` says so, as that agent.
fn check(
    outcome: Result<ProvenAgent, Refusal>,
    expected: Option<(&str, u64)>,
    is_canonical: bool,
) -> Option<ProvenAgent> {
    match outcome {
        Ok(agent) => {
            let of = (&*agent.installation, agent.vendor_user_id);
            assert_eq!(Some(of), expected, "{agent:?}");
            assert!(agent.proven_at == now());
            Some(agent)
        }
        Err(refusal) => {
            assert!(expected.is_none() || !is_canonical, "{refusal:?}");
            // What is shown of it is one of a few texts.
            let shown = format!("{refusal} {refusal:?}");
            assert!(shown.len() < 200 && !shown.contains("canary"), "{shown}");
            None
        }
    }
}

/// The signature of a secret, by an algorithm of this number; and whether it is HS256.
fn signed(header: &str, claims: &str, secret: &str, how: usize) -> (String, bool) {
    let algorithms = [HMAC_SHA256, HMAC_SHA384, HMAC_SHA512];
    let how = how % algorithms.len();
    let sign = |message: &[u8]| hs(algorithms[how], secret.as_bytes(), message);
    (token(header, claims, sign), how == 0)
}

/// The secrets that a token may be signed with. The first two are those of the vendor.
fn secrets(ours: &[String; 2]) -> Vec<&str> {
    let all = &*INSTALLATIONS;
    let others = [&all.kommo, &all.hubspot, &all.pipedrive];
    let others = others.into_iter().flatten().map(String::as_str);
    let others = others.filter(|secret| !ours.iter().any(|own| own == secret));
    let ours = ours.iter().map(String::as_str);
    ours.chain(others).chain([""]).collect()
}

fn kommo(by: usize, how: usize, header: &str, claims: &str) {
    let Installations {
        connectors, kommo, ..
    } = &*INSTALLATIONS;
    let secrets = secrets(kommo);
    let by = by % secrets.len();
    let (token, is_right) = signed(header, claims, secrets[by], how);
    let service = Url::parse("https://chat.example:8443/desk").unwrap();
    let phone = |text| PhoneNumber::parse(text, Region::UA).unwrap();
    let [one, other] = ["+380501234567", "+380671234567"].map(phone);
    let prove = |phone| connectors.prove_kommo(Some(&token), &service, phone, now());
    let expected = || {
        let claims: Value = serde_json::from_str(claims).ok()?;
        let host = ["acme.kommo.com", "other.kommo.com"].get(by)?;
        let is = |name: &str, origin: &str| {
            let text = claims[name].as_str();
            text == Some(origin) || text == Some(&format!("{origin}/"))
        };
        let is_for_us = is("aud", "https://chat.example:8443") || is("aud", "https://chat.example");
        let account = id(&claims["account_id"])?;
        let is_right = is_right
            && is("iss", &format!("https://{host}"))
            && is_for_us
            && is_of_now(&claims)
            && claims["jti"].as_str().is_some_and(|jti| !jti.is_empty())
            && (by == 0 || account == 7);
        let user = id(&claims["user_id"])?;
        is_right.then_some((*host, user))
    };
    let is_canonical = canonical(header, claims).is_some();
    let expected = expected().filter(|_| algorithm(header).as_deref() == Some("HS256"));
    if let Some(agent) = check(prove(&one), expected, is_canonical) {
        // Once for a phone: for the same one it is the same use, and for another it is another.
        let once = |agent: ProvenAgent| agent.one_time_use.map(|once| once.fingerprint());
        let first = once(agent);
        assert_eq!(prove(&one).map(once), Ok(first.clone()));
        assert_ne!(prove(&other).map(once), Ok(first));
    }
}

fn zendesk(by: usize, how: usize, header: &str, claims: &str, page: Option<&str>) {
    let all = &*INSTALLATIONS;
    let hosts = ["acme.zendesk.com", "other.zendesk.com"];
    let by = by % 3;
    let is_right = how == 0 && by < 2;
    let sign = |message: &[u8]| match all.zendesk.get(by).filter(|_| how == 0) {
        Some(key) => rs256(key, message),
        // What anyone could sign, or the account's own public key as a secret.
        None => hs(HMAC_SHA256, &[0; 32][..how.min(32)], message),
    };
    let token = token(header, claims, sign);
    let expected = || {
        let claims: Value = serde_json::from_str(claims).ok()?;
        let host = *hosts.get(by)?;
        let origin = format!("https://{host}");
        let numbered = |name: &str, kind: &str| {
            let text = claims[name].as_str()?;
            let digits = text.strip_suffix(".json")?.rsplit('/').next()?;
            let number = id(&Value::from(digits))?;
            (text == format!("{origin}/api/v2/{kind}/{number}.json")).then_some(number)
        };
        let issuer = claims["iss"].as_str()?;
        let installation = numbered("aud", "apps/installations")?;
        let subject = Some(&claims["sub"]).filter(|sub| sub.is_string());
        let user = subject.and_then(id).or_else(|| numbered("sub", "users"))?;
        let is_right = is_right
            && (issuer == host || issuer == origin)
            && is_of_now(&claims)
            && (claims["jti"].is_null() || claims["jti"].is_string())
            && (by == 0 || installation == 9)
            && page.is_none_or(|page| page == origin);
        is_right.then_some((host, user))
    };
    let expected = expected().filter(|_| algorithm(header).as_deref() == Some("RS256"));
    let outcome = all.connectors.prove_zendesk(Some(&token), page, now());
    check(outcome, expected, canonical(header, claims).is_some());
}

fn pipedrive(by: usize, how: usize, header: &str, claims: &str, [company, user]: [&str; 2]) {
    let Installations {
        connectors,
        pipedrive,
        ..
    } = &*INSTALLATIONS;
    let secrets = secrets(pipedrive);
    let by = by % secrets.len();
    let (token, is_right) = signed(header, claims, secrets[by], how);
    let shown = ShownPanel {
        token: Some(Secret::new(token.as_str())),
        company: Some(company.into()),
        user: Some(user.into()),
    };
    assert!(!format!("{shown:?}").contains(&token));
    let expected = || {
        let claims: Value = serde_json::from_str(claims).ok()?;
        let claims = Value::Object(claims.as_object()?.clone());
        let time = |name: &str| match &claims[name] {
            Value::Null => Some(None),
            value => value.as_i64().map(Some),
        };
        let (exp, iat) = (time("exp")?, time("iat")?);
        let ends = exp.or(iat.map(|iat| iat.saturating_add(300)))?;
        let times = serde_json::json!({"exp": ends, "iat": iat});
        let user = id(&claims["userId"]).filter(|id| id.to_string() == user)?;
        let company = id(&claims["companyId"]).filter(|id| id.to_string() == company)?;
        let is_right = is_right && is_of_now(&times);
        let installation = ["1", "2"]
            .get(by)
            .filter(|of| **of == company.to_string())?;
        is_right.then_some((*installation, user))
    };
    let expected = expected().filter(|_| algorithm(header).as_deref() == Some("HS256"));
    let outcome = connectors.prove_pipedrive(&shown, now());
    check(outcome, expected, canonical(header, claims).is_some());
}

/// The twelve characters that HubSpot may sign as they are.
fn with_plain(text: &str) -> String {
    const PLAIN: [(&str, &str); 12] = [
        ("3A", ":"),
        ("2F", "/"),
        ("3F", "?"),
        ("40", "@"),
        ("21", "!"),
        ("24", "$"),
        ("27", "'"),
        ("28", "("),
        ("29", ")"),
        ("2A", "*"),
        ("2C", ","),
        ("3B", ";"),
    ];
    PLAIN.iter().fold(text.to_owned(), |text, (hex, plain)| {
        let (upper, lower) = (format!("%{hex}"), format!("%{}", hex.to_lowercase()));
        let mixed = format!("%{}{}", &hex[..1], hex[1..].to_lowercase());
        text.replace(&upper, plain)
            .replace(&lower, plain)
            .replace(&mixed, plain)
    })
}

/// A request with the signature of another one, or of itself where there is no other.
fn hubspot(by: usize, query: &str, timestamp: &str, signed: &str) {
    let Installations {
        connectors,
        hubspot,
        ..
    } = &*INSTALLATIONS;
    let secrets = secrets(hubspot);
    let by = by % secrets.len();
    let address = "https://chat.example/connect/hubspot";
    let signed = if signed.is_empty() { query } else { signed };
    let text = format!("GET{address}?{signed}{timestamp}");
    let signature = STANDARD.encode(hs(HMAC_SHA256, secrets[by].as_bytes(), text.as_bytes()));
    let request = HubspotRequest {
        address,
        query,
        signature: Some(&signature),
        timestamp: Some(timestamp),
    };
    let outcome = connectors.prove_hubspot(request, now());

    let decoded = |text: &str| {
        let text = text.replace('+', " ");
        percent_decode_str(&text).decode_utf8_lossy().into_owned()
    };
    let pairs: Vec<(String, String)> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (decoded(name).trim().to_ascii_lowercase(), decoded(value)))
        .collect();
    // Each is there once, and behind all that a card has written.
    let only = |name: &str| {
        let mut found = pairs
            .iter()
            .enumerate()
            .filter(|(_, (known, _))| known == name);
        let (at, (_, value)) = found.next()?;
        (found.next().is_none() && at + 4 >= pairs.len()).then_some(value.as_str())
    };
    let number = |name: &str| id(&Value::from(only(name)?));
    let portals = [("12345", 12345), ("54321", 54321)];
    let expected = || {
        let (installation, portal) = *portals.get(by)?;
        let (user, email) = (number("userid")?, only("useremail")?);
        let sent = timestamp.parse::<i64>().ok()?;
        let age = (NOW * 1000).checked_sub(sent)?;
        let is_signed = signed == query || {
            let sent = with_plain(&format!("{address}?{query}{timestamp}"));
            sent == format!("{address}?{signed}{timestamp}")
        };
        let is_right = is_signed
            && number("portalid") == Some(portal)
            && number("appid") == Some(9)
            && (-60_000..=300_000).contains(&age);
        is_right.then_some((installation, user, email))
    };
    let expected = expected();
    let agent = check(outcome, expected.map(|(of, user, _)| (of, user)), true);
    if let (Some(agent), Some((_, _, email))) = (agent, expected) {
        assert_eq!(agent.email.as_deref().unwrap_or_default(), email);
    }
}

struct Pages {
    authenticator: Authenticator,
    stranger: Authenticator,
}

static PAGES: LazyLock<Pages> = LazyLock::new(|| {
    let of = |credential: String| {
        Authenticator::new(AuthConfig {
            chathub_credential: Some(Secret::new(credential).into()),
            ..AuthConfig::default()
        })
        .unwrap()
    };
    Pages {
        authenticator: of(open_chat_fuzz::random()),
        stranger: of(open_chat_fuzz::random()),
    }
});

/// A ticket that is sealed by this service or another, for this purpose or another, with the secret
/// of an account of Kommo's; its first line is the key's id.
fn ticket(by: usize, how: usize, key_id: &str, claims: &str) {
    let Installations {
        connectors, kommo, ..
    } = &*INSTALLATIONS;
    // This service alone signs them, and signs no list, which serde would read as well.
    let claims = serde_json::from_str::<Value>(claims).ok();
    let Some(claims) = claims.filter(Value::is_object) else {
        return;
    };
    let pages = &*PAGES;
    let (sealer, purpose) = match how {
        0 => (&pages.authenticator, "open-chat connector ticket 1"),
        1 => (&pages.stranger, "open-chat connector ticket 1"),
        _ => (&pages.authenticator, "open-chat widget ticket 2"),
    };
    let by = by % 3;
    let unknown = open_chat_fuzz::random();
    let vouching = Secret::new(kommo.get(by).unwrap_or(&unknown).as_str());
    let Some(sealed) = sealer.seal(purpose, &vouching, key_id, &claims) else {
        return;
    };
    let verify =
        |vendor, text: &str| Ticket::verify(text, vendor, connectors, &pages.authenticator, now());
    for other in [
        Vendor::Zendesk,
        Vendor::Hubspot,
        Vendor::Pipedrive,
        Vendor::Bitrix24,
    ] {
        assert!(verify(other, sealed.expose()).is_err(), "{other:?}");
    }
    let hosts = ["acme.kommo.com", "other.kommo.com"];
    let is_text = |name: &str| claims[name].is_null() || claims[name].is_string();
    let phones = claims["phones"].as_array();
    let expected = || {
        const NAMES: &str =
            "connector installation user email proven_at iat exp phones source from";
        let host = *hosts.get(by).filter(|_| how == 0)?;
        let names = claims.as_object()?.keys();
        let is_known = |name: &String| NAMES.split(' ').any(|known| known == name);
        let time = |name: &str| claims[name].as_i64();
        let (proven, iat, exp) = (time("proven_at")?, time("iat")?, time("exp")?);
        let ends = iat
            .saturating_add(HOUR)
            .min(proven.saturating_add(12 * HOUR));
        let phones_are_texts = phones.is_none_or(|all| all.iter().all(Value::is_string));
        let is_right = names.into_iter().all(is_known)
            && claims["connector"] == "kommo"
            && claims["installation"] == host
            && key_id.split_once(' ').is_some_and(|(_, of)| of == host)
            && ["email", "source", "from"].into_iter().all(is_text)
            && (claims["phones"].is_null() || phones.is_some_and(|_| phones_are_texts))
            && exp > NOW
            && NOW < proven.saturating_add(12 * HOUR)
            && iat <= NOW + LEEWAY
            && exp <= ends;
        Some((host, claims["user"].as_u64()?)).filter(|_| is_right)
    };
    let expected = expected();
    let ticket = match verify(Vendor::Kommo, sealed.expose()) {
        Ok(ticket) => ticket,
        Err(unproven) => return assert_eq!(expected, None, "{unproven:?}"),
    };
    let agent = ticket.agent(Vendor::Kommo);
    let of = (&*agent.installation, agent.vendor_user_id);
    assert_eq!(Some(of), expected);
    let shown = "+380501234567";
    let is_shown = phones.is_none_or(|all| all.iter().any(|phone| phone == shown));
    let phone = PhoneNumber::parse(shown, Region::UA).unwrap();
    assert_eq!(ticket.check_phone(&phone).is_ok(), is_shown);

    let section = connectors.section(Vendor::Kommo, of.0).unwrap();
    let renewed = ticket.renewed(now());
    let end = (NOW + HOUR).min(agent.proven_at.timestamp().saturating_add(12 * HOUR));
    assert_eq!(renewed.left(now()), u64::try_from(end - NOW).unwrap_or(0));
    if let Some(again) = renewed.sign(section, &pages.authenticator) {
        assert_eq!(verify(Vendor::Kommo, again.expose()), Ok(renewed));
    }
}

/// What a button shows: both `DOMAIN`s, the token, the application's token, the placement and its
/// options. A `-` is none.
fn bitrix24(lines: &[&str]) {
    let Installations {
        connectors,
        application_token,
        ..
    } = &*INSTALLATIONS;
    let line = |at: usize| lines.get(at).copied().filter(|line| *line != "-");
    let known = line(3).map(|token| token.replace('~', application_token));
    let domains: Vec<String> = [0, 1]
        .into_iter()
        .filter_map(line)
        .map(Into::into)
        .collect();
    let token = line(2).map(|token| format!("{token}{CANARY}"));
    let shown = ShownButton {
        shown: Shown {
            domains: domains.clone(),
            token: token.clone().map(Secret::new),
            application_token: known.clone().map(Secret::new),
        },
        placement: line(4).map(Into::into),
        placement_options: line(5).map(Into::into),
    };
    let debug = format!("{:?}", shown.shown);
    assert!(!debug.contains(CANARY) && !debug.contains(application_token.as_str()));

    let plain = |domain: &String| {
        let domain = domain.to_ascii_lowercase();
        domain.strip_suffix('.').unwrap_or(&domain).to_owned()
    };
    let is = |host: &str| !domains.is_empty() && domains.iter().all(|one| plain(one) == host);
    let portal = is("acme.bitrix24.com")
        || is("127.0.0.1:8080") && known.as_ref() == Some(application_token);
    let is_token = token.is_some_and(|token| {
        token.len() <= 1024
            && token
                .chars()
                .all(|c| c.is_ascii() && c > ' ' && c != '\x7f')
    });
    let record = || {
        let (kind, place) = line(4)?.strip_prefix("CRM_")?.split_once('_')?;
        let options: Value = serde_json::from_str(line(5)?).ok()?;
        let is_known = ["CONTACT", "LEAD", "DEAL", "COMPANY"].contains(&kind)
            && ["DETAIL_TOOLBAR", "LIST_MENU"].contains(&place);
        id(&options["ID"]).filter(|_| is_known)
    };
    let expected = portal && is_token && record().is_some();
    match connectors.bitrix24_button(&shown) {
        Ok(_) => assert!(expected, "{debug}"),
        Err(refusal) => {
            let is_canonical = line(5).and_then(|text| canonical("{}", text)).is_some();
            assert!(!expected || !is_canonical, "{refusal:?} of {debug}");
        }
    }
}
