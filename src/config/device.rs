//! Paired browsers: their keys, how long a pairing lives, and the file that ends pairings.

use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use super::{AccessConfig, EnvParser, RedisConfig, Reported, Variable, duration};
use crate::access::{AuthConfig, Mode};
use crate::secret::SecretSource;
use chathub::HttpsUrl;

pub(super) const VARIABLES: &[Variable] = &[
    Variable::without_default("DEVICES_REVOKED_FILE"),
    Variable::secret("DEVICE_SECRET"),
    // An agent who comes back from a long leave still has it; a browser that is used renews it.
    Variable::with_default("DEVICE_TTL", "90d"),
];

/// Browsers keep no cookie for longer than 400 days.
const TTL: RangeInclusive<Duration> = Duration::from_hours(1)..=Duration::from_hours(400 * 24);

/// The settings of paired browsers.
pub(super) struct DeviceConfig {
    pub(super) secret: Option<SecretSource>,
    pub(super) ttl: Duration,
    pub(super) revoked_file: Option<PathBuf>,
}

impl DeviceConfig {
    pub(super) fn parse(parser: &mut EnvParser) -> Result<Self, Reported> {
        let secret = parser.secret("DEVICE_SECRET");
        let ttl = parser.required("DEVICE_TTL", |text| {
            duration(text).and_then(|ttl| {
                let is_allowed = TTL.contains(&ttl);
                is_allowed.then_some(ttl).ok_or("must be from 1h to 400d")
            })
        });
        Ok(Self {
            secret: secret?,
            ttl: ttl?,
            revoked_file: parser.path("DEVICES_REVOKED_FILE"),
        })
    }
}

/// Checks that paired browsers have what they need: a key, and an origin that is this service's
/// alone, because the cookie is for all of it.
pub(super) fn check(parser: &mut EnvParser, settings: &AuthConfig) -> Result<(), Reported> {
    if !settings.modes.contains(&Mode::Device) {
        return Ok(());
    }
    let key = if settings.device_secret.is_some() {
        Ok(())
    } else {
        let problem = "must be set for ACCESS=device, with 32 bytes or more: `openssl rand -base64 32` makes one";
        Err(parser.problem("DEVICE_SECRET", problem))
    };
    let public = match parser.text("PUBLIC_URL").map(str::trim) {
        None => Some("must be set for ACCESS=device: invitations lead there"),
        Some(url) => not_an_origin(url),
    };
    match public {
        Some(problem) => Err(parser.problem("PUBLIC_URL", problem)),
        None => key,
    }
}

/// Checks that no key of paired browsers is Redis' password as well, which all who look after Redis
/// know.
pub(super) fn check_redis(
    parser: &mut EnvParser,
    access: &AccessConfig,
    redis: &RedisConfig,
) -> Result<(), Reported> {
    let password = redis.password();
    if password.is_some_and(|password| access.authenticator.is_device_key(&password)) {
        let problem =
            "has a key that is also the password in REDIS_URL: make one for this purpose alone";
        return Err(parser.problem("DEVICE_SECRET", problem));
    }
    Ok(())
}

/// What is wrong with a URL that can be read and is no origin. One that cannot be read is reported
/// elsewhere.
fn not_an_origin(url: &str) -> Option<&'static str> {
    let url = HttpsUrl::parse(url).ok()?;
    let url = url.as_url();
    (url.path() != "/" || url.query().is_some()).then_some(
        "must have no path and no query with ACCESS=device: a paired browser's cookie goes to the whole host, and whatever else lives there would get it",
    )
}
