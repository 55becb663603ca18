//! Invitations and cookies at given moments.

use std::time::Duration;

use chrono::{DateTime, Utc};
use rstest::rstest;

use super::keys::Kind;
use super::*;
use crate::access::{AuthConfig, Authenticator, Denied};
use crate::secret::Secret;
use chathub::OperatorId;

const SECRET: &str = "canary-device-secret-of-more-than-32-bytes";
const OLD_SECRET: &str = "canary-older-device-secret-of-32-bytes-too";

const NOW: i64 = 1_800_000_000;
const DAY: i64 = 24 * 60 * 60;
const TTL: Duration = Duration::from_hours(90 * 24);

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(seconds, 0).unwrap()
}

fn keys() -> DeviceKeys {
    DeviceKeys::parse(SECRET).unwrap()
}

/// A password that is one of them would open chats too, so it stops the start.
#[test]
fn each_line_of_device_secret_is_a_key_and_nothing_else_is() {
    let lines = Secret::new(format!("{SECRET}\n{OLD_SECRET}"));
    let authenticator = Authenticator::new(AuthConfig {
        device_secret: Some(lines.into()),
        ..AuthConfig::default()
    });
    let authenticator = authenticator.unwrap();
    let is_key = |secret: &str| authenticator.is_device_key(&Secret::new(secret));
    assert!(is_key(SECRET) && is_key(OLD_SECRET));
    assert!(!is_key("canary-password"));
}

/// A cookie's claims: invited and signed at these moments, and good for 90 days.
fn pairing(invited_at: i64, iat: i64) -> Pairing {
    Pairing {
        device: DeviceId::random().unwrap(),
        operator: OperatorId(101),
        invited_at,
        iat,
        exp: iat + 90 * DAY,
        key: None,
    }
}

fn cookie(pairing: &Pairing) -> String {
    let signed = keys().sign(Kind::Cookie, 0, pairing).unwrap();
    signed.expose().to_owned()
}

#[test]
fn an_invitation_is_good_until_it_expires() {
    let keys = keys();
    let hour = Duration::from_hours(1);
    let invitation = keys.invite(OperatorId(101), hour, Some("odoo"), at(NOW));
    let invitation = invitation.unwrap();
    assert_eq!(invitation.expires_at, at(NOW + 3600));
    let check = |now| keys.check_invitation(invitation.text.expose(), at(now));
    let pairing = check(NOW + 3599).unwrap();
    assert_eq!(pairing.device, invitation.id);
    assert_eq!(
        (pairing.operator, pairing.key.as_deref()),
        (OperatorId(101), Some("odoo"))
    );
    assert_eq!(check(NOW + 3600), Err(Denied::InvitationExpired));
    assert!(check(NOW - 60).is_ok(), "clocks of replicas differ");
    assert_eq!(check(NOW - 61), Err(Denied::InvitationInvalid));
}

#[rstest]
#[case::a_week(7 * 24 * 3600, true)]
#[case::longer(7 * 24 * 3600 + 1, false)]
#[case::a_second(1, true)]
#[case::nothing(0, false)]
fn an_invitation_lives_for_a_week_at_most(#[case] ttl: u64, #[case] is_made: bool) {
    let ttl = Duration::from_secs(ttl);
    let invitation = keys().invite(OperatorId(101), ttl, None, at(NOW));
    assert_eq!(invitation.err(), (!is_made).then_some(InviteError::Ttl));
}

/// One that claims more, signed by a version of this service that allowed it.
#[test]
fn an_invitation_that_claims_more_than_a_week_ends_after_one() {
    let keys = keys();
    let text = keys.sign(Kind::Invitation, 0, &pairing(NOW, NOW)).unwrap();
    let check = |now| keys.check_invitation(text.expose(), at(now)).err();
    assert_eq!(check(NOW + 7 * DAY - 1), None);
    assert_eq!(check(NOW + 7 * DAY), Some(Denied::InvitationExpired));
}

#[rstest]
#[case::signed_now(NOW, NOW, NOW, true)]
#[case::by_a_replica_whose_clock_is_ahead(NOW + 60, NOW + 60, NOW, true)]
#[case::signed_ahead(NOW + 61, NOW + 61, NOW, false)]
#[case::signed_before_it_was_invited(NOW, NOW - 1, NOW, false)]
#[case::its_last_second(NOW, NOW, NOW + 90 * DAY - 1, true)]
#[case::over(NOW, NOW, NOW + 90 * DAY, false)]
#[case::its_399th_day(NOW, NOW + 360 * DAY, NOW + 400 * DAY - 1, true)]
#[case::its_400th_day(NOW, NOW + 360 * DAY, NOW + 400 * DAY, false)]
fn a_cookie_is_in_force(
    #[case] invited_at: i64,
    #[case] iat: i64,
    #[case] now: i64,
    #[case] is_in_force: bool,
) {
    let cookie = cookie(&pairing(invited_at, iat));
    let checked = keys().check_cookie(cookie.as_bytes(), TTL, at(now));
    assert_eq!(checked.is_ok(), is_in_force);
}

#[test]
fn a_shorter_setting_ends_cookies_that_were_signed_for_longer() {
    let cookie = cookie(&pairing(NOW, NOW));
    let check = |now| keys().check_cookie(cookie.as_bytes(), Duration::from_hours(24), at(now));
    assert!(check(NOW + DAY - 1).is_ok());
    assert_eq!(check(NOW + DAY).err(), Some(Denied::DeviceEnded));
}

#[rstest]
#[case::two_thirds_over(NOW, NOW, NOW + 60 * DAY, Some(90 * DAY))]
#[case::a_second_sooner(NOW, NOW, NOW + 60 * DAY - 1, None)]
#[case::its_last_second(NOW, NOW, NOW + 90 * DAY - 1, Some(90 * DAY))]
#[case::up_to_the_400th_day(NOW, NOW + 300 * DAY, NOW + 380 * DAY, Some(20 * DAY))]
#[case::no_further(NOW, NOW + 350 * DAY, NOW + 399 * DAY, None)]
fn a_cookie_is_renewed(
    #[case] invited_at: i64,
    #[case] iat: i64,
    #[case] now: i64,
    #[case] max_age: Option<i64>,
) {
    let keys = keys();
    let old = pairing(invited_at, iat);
    let renewed = keys.renewed((&old, 0), TTL, at(now));
    let seconds = |cookie: &SignedCookie| i64::try_from(cookie.max_age.as_secs()).unwrap();
    assert_eq!(renewed.as_ref().map(seconds), max_age);
    if let Some(renewed) = renewed {
        let value = renewed.value.expose().as_bytes();
        let (new, _) = keys.check_cookie(value, TTL, at(now)).unwrap();
        assert_eq!((new.device, new.operator), (old.device, old.operator));
        assert_eq!((new.invited_at, new.iat), (invited_at, now));
    }
}

/// A line that is taken out takes all with it that it has signed, renewed or not.
#[test]
fn a_cookie_is_renewed_under_its_own_line() {
    let both = DeviceKeys::parse(&format!("{SECRET}\n{OLD_SECRET}")).unwrap();
    let old_line = DeviceKeys::parse(OLD_SECRET).unwrap();
    let pairing = pairing(NOW, NOW);
    let cookie = old_line.sign(Kind::Cookie, 0, &pairing).unwrap();
    let now = at(NOW + 89 * DAY);
    let (verified, line) = both
        .check_cookie(cookie.expose().as_bytes(), TTL, now)
        .unwrap();
    assert_eq!(line, 1);
    let renewed = both.renewed((&verified, line), TTL, now).unwrap();
    let value = renewed.value.expose().as_bytes();
    assert!(old_line.check_cookie(value, TTL, now).is_ok());
    let checked = keys().check_cookie(value, TTL, now);
    assert_eq!(checked.err(), Some(Denied::DeviceEnded));
}

#[test]
fn an_invitation_is_no_cookie_and_a_cookie_is_no_invitation() {
    let keys = keys();
    let pairing = pairing(NOW, NOW);
    let signed = |kind| keys.sign(kind, 0, &pairing).unwrap();
    let invitation = signed(Kind::Invitation);
    let as_cookie = keys.check_cookie(invitation.expose().as_bytes(), TTL, at(NOW));
    assert_eq!(as_cookie.err(), Some(Denied::DeviceEnded));
    let cookie = signed(Kind::Cookie);
    let as_invitation = keys.check_invitation(cookie.expose(), at(NOW));
    assert_eq!(as_invitation.err(), Some(Denied::InvitationInvalid));
}

/// No answer takes longer than the length of a text, however long the text.
#[rstest]
#[case::as_long_as_may_be(580, 1024, true)]
#[case::longer(581, 1025, false)]
fn a_text_that_is_longer_than_any_of_ours_is_not_looked_at(
    #[case] name: usize,
    #[case] length: usize,
    #[case] is_taken: bool,
) {
    let pairing = Pairing {
        key: Some("k".repeat(name)),
        ..pairing(NOW, NOW)
    };
    let cookie = cookie(&pairing);
    assert_eq!(cookie.len(), length);
    let checked = keys().check_cookie(cookie.as_bytes(), TTL, at(NOW));
    assert_eq!(checked.is_ok(), is_taken);
}

/// 1600000000 is in 2020: by the machine's clock both have expired.
#[test]
fn the_moment_that_is_asked_about_decides_and_not_the_machine_s_clock() {
    const THEN: i64 = 1_600_000_000;
    let hour = Duration::from_hours(1);
    let invitation = keys().invite(OperatorId(101), hour, None, at(THEN));
    let text = invitation.unwrap().text;
    let check = |now| keys().check_invitation(text.expose(), at(now)).err();
    assert_eq!(check(THEN + 3599), None);
    assert_eq!(check(THEN + 3600), Some(Denied::InvitationExpired));
    let cookie = cookie(&pairing(THEN, THEN));
    let checked = keys().check_cookie(cookie.as_bytes(), TTL, at(THEN));
    assert!(checked.is_ok());
}

/// A replica that renews, or pairs, may have a clock that is behind the inviting one's.
#[test]
fn a_cookie_is_never_signed_before_its_invitation() {
    let keys = keys();
    let pairing = pairing(NOW, NOW);
    let cookie = keys.signed_cookie(&pairing, 0, TTL, at(NOW - 30)).unwrap();
    let value = cookie.value.expose().as_bytes();
    let (new, _) = keys.check_cookie(value, TTL, at(NOW - 30)).unwrap();
    assert_eq!((new.invited_at, new.iat), (NOW, NOW));
}

/// Replicas of two versions take each other's cookies. Computed by Python's `hmac`, after RFC 5869.
#[test]
fn the_keys_are_derived_as_ever() {
    use crate::access::derived_key::derive;
    use crate::secret::Secret;
    let key =
        |purpose| hex::encode(derive(purpose, &Secret::new(SECRET), &Secret::new("")).unwrap());
    assert_eq!(
        key("open-chat device invitation 1"),
        "c54252ec1feaf000a60e3acb0749fd9ccce637f3bd9c92a9aaafa3880ea0201b"
    );
    assert_eq!(
        key("open-chat device cookie 1"),
        "96e91d9fe8bf763007c374b2578712b09b7340b0cacea4efd1c7ed51c6421f93"
    );
}

#[rstest]
#[case::by_device("device = \"DEVICE\"", true)]
#[case::another_device("device = \"00000000000000000000000000000000\"", false)]
#[case::by_operator("operator = 101", true)]
#[case::another_operator("operator = 102", false)]
#[case::by_key("key = \"odoo\"", true)]
#[case::another_key("key = \"erp\"", false)]
#[case::invited_before("before = 2027-01-15T08:00:01Z", true)]
#[case::invited_then("before = 2027-01-15T08:00:00Z", false)]
#[case::in_another_time_zone("before = 2027-01-15T10:00:01+02:00", true)]
#[case::in_quotation_marks("before = \"2027-01-15T08:00:01Z\"", true)]
#[case::all_fit("operator = 101\nkey = \"odoo\"\nbefore = 2028-01-01T00:00:00Z", true)]
#[case::one_does_not("operator = 101\nkey = \"erp\"", false)]
fn an_entry_ends_what_all_of_it_fits(#[case] entry: &str, #[case] is_ended: bool) {
    // 1800000000 is 2027-01-15T08:00:00Z; it was renewed since.
    let pairing = Pairing {
        key: Some("odoo".into()),
        ..pairing(NOW, NOW + 80 * DAY)
    };
    let entry = entry.replace("DEVICE", pairing.device.as_str());
    let file = format!("[[revoked]]\noperator = 7\n[[revoked]]\n{entry}\n");
    assert_eq!(
        Revocations::parse(&file).unwrap().contain(&pairing),
        is_ended
    );
}

#[test]
fn a_key_ends_nothing_that_no_key_has_invited() {
    let revocations = Revocations::parse("[[revoked]]\nkey = \"odoo\"").unwrap();
    assert!(!revocations.contain(&pairing(NOW, NOW)));
}

#[rstest]
#[case::nothing_in_it("[[revoked]]\noperator = 1\n[[revoked]]\n", "entry 2 says nothing")]
#[case::an_unknown_word("[[revoked]]\noperators = 1", "see line 2: unknown field `operators`")]
#[case::another_table("[[revoke]]\noperator = 1", "see line 1: unknown field `revoke`")]
#[case::half_a_device("[[revoked]]\ndevice = \"7f3a\"", "see line 2: a device is 32")]
#[case::no_time_zone(
    "[[revoked]]\nbefore = 2026-11-25T00:00:00",
    "see line 2: a moment has a"
)]
#[case::a_day(
    "[[revoked]]\nbefore = 2026-11-25",
    "see line 2: a moment has a time zone"
)]
#[case::no_toml("revoked", "see line 1: ")]
fn an_entry_that_cannot_be_understood_is_an_error(#[case] file: &str, #[case] problem: &str) {
    let error = Revocations::parse(file).unwrap_err();
    assert!(error.starts_with(problem), "{error}");
}

#[test]
fn an_empty_file_ends_nothing() {
    assert!(!Revocations::parse("").unwrap().contain(&pairing(NOW, NOW)));
}
