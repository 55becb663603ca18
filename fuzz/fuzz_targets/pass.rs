//! A pass, by the first letter of the input. `r`: any text is refused. `e`: a valid pass with
//! changes is refused. `s`: signed with a key, by a choice of key and algorithm, a header, and in a
//! further line the claims; `@` is a moment in the future, `^` one in the past.
#![no_main]

use std::sync::LazyLock;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chathub::OperatorId;
use chrono::Utc;
use jsonwebtoken::crypto::sign;
use jsonwebtoken::{Algorithm, EncodingKey};
use libfuzzer_sys::fuzz_target;
use open_chat::access::{
    AuthConfig, AuthContext, Authenticator, Caller, Credentials, Mode, NewPass, PassConstraints,
    PassKeySources,
};
use open_chat::operators::OperatorSelection;
use open_chat::parameter;
use open_chat::secret::Secret;
use open_chat_fuzz::{edited as changed, random};
use serde_json::Value;

const MAX_TTL: Duration = Duration::from_hours(24);
const LEEWAY: i64 = 60;
/// The clock advances between the service's reading and ours.
const SLACK: i64 = 5;

/// Public keys, whose private halves no longer exist.
const PUBLIC: [(&str, &str, &str); 3] = [
    ("es", "ES256", include_str!("es256.pem")),
    ("ed", "EdDSA", include_str!("eddsa.pem")),
    ("rs", "RS256", include_str!("rs256.pem")),
];

struct Authenticators {
    /// Accepts passes and API keys.
    passes: Authenticator,
    /// Accepts the identities of a proxy that knows a secret.
    proxies: Authenticator,
    /// What the keys `PASS_SECRET`, `one` (HS256, for operator 101) and `two` (HS512, with an
    /// issuer) sign with.
    secrets: [String; 3],
    /// A valid pass for 101 that is bound to a phone, and one for 102 that is not.
    good: [String; 2],
}

static AUTHENTICATORS: LazyLock<Authenticators> = LazyLock::new(|| {
    let secrets = [random(), random(), random()];
    let directory = std::env::temp_dir().join(format!("open-chat-fuzz-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let mut keys = format!(
        "[[key]]\nid = \"one\"\nalgorithm = \"HS256\"\nsecret = \"{}\"\noperators = [101]\n\
         [[key]]\nid = \"two\"\nalgorithm = \"HS512\"\nsecret = \"{}\"\nissuer = \"crm.example\"\n",
        secrets[1], secrets[2]
    );
    for (id, algorithm, pem) in PUBLIC {
        let file = directory.join(id);
        std::fs::write(&file, pem).unwrap();
        keys += &format!(
            "[[key]]\nid = \"{id}\"\nalgorithm = \"{algorithm}\"\npublic_key_file = {file:?}\n"
        );
    }
    let pass_keys = directory.join("pass-keys.toml");
    std::fs::write(&pass_keys, keys).unwrap();
    let api_keys = directory.join("api-keys.toml");
    let api_key = "[[key]]\nname = \"nobody\"\nsha256 = \"".to_owned() + &random() + "\"\n";
    std::fs::write(&api_keys, api_key).unwrap();
    let passes = Authenticator::new(AuthConfig {
        modes: vec![Mode::Pass, Mode::Key],
        pass_keys: Some(PassKeySources {
            secret: Some(Secret::new(secrets[0].as_str()).into()),
            file: Some(pass_keys),
            max_ttl: MAX_TTL,
        }),
        api_keys_file: Some(api_keys),
        ..AuthConfig::default()
    })
    .unwrap();
    let proxies = Authenticator::new(AuthConfig {
        modes: vec![Mode::Sso],
        sso_proxy_secret: Some(Secret::new(random()).into()),
        ..AuthConfig::default()
    })
    .unwrap();
    std::fs::remove_dir_all(&directory).unwrap();
    let mint = |operator: &str, phone: Option<&str>| {
        let new = NewPass {
            operator: operator.into(),
            constraints: PassConstraints {
                phone: phone.map(str::to_owned),
                ..PassConstraints::default()
            },
            ttl: MAX_TTL,
            one_time: false,
        };
        passes.mint(&new).unwrap().0
    };
    let good = [mint("101", Some("+380501234567")), mint("102", None)];
    Authenticators {
        passes,
        proxies,
        secrets,
        good,
    }
});

fuzz_target!(|input: &[u8]| {
    match input {
        [b'r', text @ ..] => str::from_utf8(text).into_iter().for_each(arbitrary),
        [b'e', mix, edits @ ..] => edited(*mix, edits),
        [b's', key, algorithm, text @ ..] => {
            let text = str::from_utf8(text).ok();
            if let Some((header, claims)) = text.and_then(|text| text.split_once('\n')) {
                signed(*key, *algorithm, header, claims);
            }
        }
        _ => {}
    }
});

fn credentials(pass: &str) -> Credentials<'_> {
    Credentials {
        pass: Some(pass),
        ..Credentials::default()
    }
}

fn arbitrary(text: &str) {
    let authenticators = &*AUTHENTICATORS;
    assert!(
        authenticators
            .passes
            .authenticate(&credentials(text))
            .is_err()
    );
    for is_from_proxy in [false, true] {
        let credentials = Credentials {
            is_from_proxy,
            bearer: Some(text),
            identity: Some(text),
            proxy_secret: Some(text),
            operator: Some("101"),
            ..Credentials::default()
        };
        assert!(authenticators.passes.authenticate(&credentials).is_err());
        assert!(authenticators.proxies.authenticate(&credentials).is_err());
    }
}

/// The parts of two good passes put together anew, and then changed in places.
fn edited(mix: u8, edits: &[u8]) {
    let authenticators = &*AUTHENTICATORS;
    let parts = authenticators.good.each_ref().map(|pass| {
        let parts: Vec<&str> = pass.split('.').collect();
        parts
    });
    let pass = (0..3)
        .map(|at| parts[usize::from(mix >> at & 1)][at])
        .collect::<Vec<_>>()
        .join(".");
    let pass = changed(&pass, edits);
    let outcome = authenticators.passes.authenticate(&credentials(&pass));
    match authenticators.good.iter().position(|good| *good == pass) {
        Some(which) => {
            let auth = outcome.expect("a valid pass stays valid");
            let operator = [101, 102][which];
            assert_eq!(
                authenticators
                    .passes
                    .resolve_operator(&auth.requested, None),
                Ok(OperatorSelection::Operator(OperatorId(operator)))
            );
            assert_eq!(auth.constraints.phone.is_some(), which == 0);
        }
        None => assert!(outcome.is_err(), "accepted: {pass}"),
    }
}

fn signed(key: u8, algorithm: u8, header: &str, claims: &str) {
    let authenticators = &*AUTHENTICATORS;
    let now = Utc::now().timestamp();
    let claims = claims
        .replace('@', &(now + 600).to_string())
        .replace('^', &(now - 600).to_string());
    let algorithm =
        [Algorithm::HS256, Algorithm::HS384, Algorithm::HS512][usize::from(algorithm) % 3];
    let known = authenticators.secrets.iter().map(String::as_str);
    let wrong = PUBLIC
        .iter()
        .flat_map(|(_, _, pem)| [*pem, pem.trim_end()])
        .chain([""]);
    let keys: Vec<&str> = known.chain(wrong).collect();
    let key = usize::from(key) % keys.len();
    let message = format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(header),
        URL_SAFE_NO_PAD.encode(&claims)
    );
    let encoding = EncodingKey::from_secret(keys[key].as_bytes());
    let Ok(signature) = sign(message.as_bytes(), &encoding, algorithm) else {
        return;
    };
    let pass = format!("{message}.{signature}");

    // Twice: the cache must not change the outcome.
    let outcomes = [(); 2].map(|()| authenticators.passes.authenticate(&credentials(&pass)));
    if let [Ok(first), Ok(second)] = &outcomes {
        assert_eq!(
            (&first.caller, &first.constraints, &first.one_time_use),
            (&second.caller, &second.constraints, &second.one_time_use)
        );
    }
    let [Ok(auth), Ok(_)] = &outcomes else {
        assert!(outcomes.iter().all(Result::is_err));
        return;
    };
    let (id, expected) = [
        ("PASS_SECRET", Algorithm::HS256),
        ("one", Algorithm::HS256),
        ("two", Algorithm::HS512),
    ][key..]
        .first()
        .expect("a public key signs nothing");
    assert_eq!(auth.caller, Caller::Pass((*id).to_owned()));
    assert_eq!(algorithm, *expected);
    check_context(auth, id, header, &claims, now);

    // The URL cannot make it a pass for another operator.
    let elsewhere = Credentials {
        operator: Some("999"),
        ..credentials(&pass)
    };
    let auth = authenticators
        .passes
        .authenticate(&elsewhere)
        .expect("it was valid before");
    if let Ok(selection) = authenticators
        .passes
        .resolve_operator(&auth.requested, None)
    {
        assert!(
            claims.contains("999"),
            "{selection:?} by a pass for another operator"
        );
        assert_eq!(selection, OperatorSelection::Operator(OperatorId(999)));
    }
}

/// The context repeats the claims, which are read here once more.
fn check_context(auth: &AuthContext<'_>, id: &str, header: &str, claims: &str, now: i64) {
    let header: Value = serde_json::from_str(header).expect("a header in JSON");
    let expected = if id == "two" { "HS512" } else { "HS256" };
    assert_eq!(header["alg"], expected);
    assert!(header["kid"].is_null() || header["kid"] == id);
    assert!(header["crit"].is_null());

    let claims: Value = serde_json::from_str(claims).expect("claims in JSON");
    assert!(claims.get("aud").is_none(), "no key here has an audience");
    let exp = claims["exp"].as_f64().expect("exp is a number") as i64;
    let latest = now + MAX_TTL.as_secs() as i64 + LEEWAY + SLACK;
    assert!(
        now < exp + 1 && exp <= latest,
        "ends at {exp}, now is {now}"
    );
    for name in ["iat", "nbf"] {
        let begins = claims[name].as_f64().map_or(0, |begins| begins as i64);
        assert!(
            begins <= now + LEEWAY + SLACK,
            "{name} is {begins}, now is {now}"
        );
    }
    if id == "two" {
        let issuer = &claims["iss"];
        assert!(
            issuer == "crm.example"
                || issuer
                    .as_array()
                    .is_some_and(|all| all.iter().any(|one| one == "crm.example"))
        );
    }
    let text = |name: &str| match &claims[name] {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    };
    // A value that stands for no value fixes none; JSON's own `false` reads like the word.
    let fixed = |name: &str| text(name).filter(|text| !parameter::is_absent(text));
    let constraints = PassConstraints {
        phone: fixed("phone"),
        source: fixed("source"),
        from: fixed("from"),
        chat_raw_id: fixed("chat_raw_id"),
    };
    assert_eq!(auth.constraints, constraints);
    assert_eq!(auth.one_time_use.is_some(), !claims["jti"].is_null());

    let sub = text("sub").expect("a pass names its operator");
    if let Ok(OperatorSelection::Operator(operator)) = AUTHENTICATORS
        .passes
        .resolve_operator(&auth.requested, None)
    {
        assert_eq!(operator.to_string(), sub.trim());
        assert!(id != "one" || operator == OperatorId(101));
    }
}
