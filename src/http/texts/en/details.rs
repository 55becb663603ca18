//! The details in English, which problems show to programs too.

use std::borrow::Cow;

use chathub::{BadAnswer, Unreachable};

use crate::access::Denied;
use crate::http::detail::Detail;
use crate::http::identity::ShownIdentity;
use crate::rate_limit::Limit;
use crate::source::UnknownSource;

/// The detail's words.
pub(in crate::http::texts) fn detail(detail: &Detail) -> Cow<'_, str> {
    match detail {
        Detail::English(text) => Cow::Borrowed(text),
        Detail::Denied(denied) => Cow::Borrowed(of_denied(*denied)),
        Detail::NetworkNotAllowed(client) => format!(
            "The request came from `{client}`, which is in none of ALLOWED_NETWORKS. If that is a proxy's address, name the proxy in \
             TRUSTED_PROXIES, and have it set `X-Forwarded-For`."
        )
        .into(),
        Detail::IdentityUnknown(identity) => of_identity(identity).into(),
        Detail::HostNotAllowed => Cow::Borrowed(
            "With ACCESS=open the widget answers only under an IP address, `localhost`, or the host of PUBLIC_URL: a page of another \
             name could be an attacker's, led here by DNS. Set PUBLIC_URL to the address that this was asked for, such as \
             https://chat.example.",
        ),
        Detail::Limited(limit) => Cow::Borrowed(of_limit(*limit)),
        Detail::ChatHub(error) => Cow::Borrowed(of_chathub(error)),
        Detail::Phone(error) => error.to_string().into(),
        Detail::PhoneIsAWord => Cow::Borrowed(
            "The phone is a word without a digit. If the client's card has no such word, the CRM writes it for an empty field, or for one that \
             does not exist: leave `phone` out of the link then.",
        ),
        Detail::Source => UnknownSource.to_string().into(),
        Detail::NoSender(source) => format!(
            "The link names the source {source} without a sender: add `from=` with the alpha name, or have SENDERS set for this source."
        )
        .into(),
        Detail::Repeated(name) => format!("The parameter `{name}` is given twice; give it once.").into(),
        Detail::Unfilled(name) => format!(
            "The parameter `{name}` is still a template: the CRM did not put the client's value in its place. \
             Check how this CRM writes placeholders, and that the field exists."
        )
        .into(),
        Detail::EncodedTwice(name) => format!(
            "The parameter `{name}` was percent-encoded twice: encode it once in a link (a space is `%20`, not `%2520`), and not at all \
             in JSON or in a pass."
        )
        .into(),
        Detail::Control(name) => {
            format!("The parameter `{name}` contains a control character, such as a line break.").into()
        }
        Detail::NotEncoded(name) => format!(
            "The {} is not properly percent-encoded: after each `%` two hexadecimal digits belong, and a `%` itself is `%25`.",
            parameter(*name)
        )
        .into(),
        Detail::NotUtf8(name) => format!("The {} is not UTF-8 text.", parameter(*name)).into(),
        Detail::AliasAstray => Cow::Borrowed(
            "The operator map has the name that is given here, and what it stands for there is no operator of the company, or \
             several. Correct its line in OPERATOR_MAP_FILE; `open-chat check` lists all lines that lead nowhere.",
        ),
        Detail::DirectoryUnread => Cow::Borrowed(
            "ChatHub does not let the company's login or key list its operators, so nobody is known by name. Use operators' ids, or \
             have whoever runs this service correct it.",
        ),
        Detail::OnceUnknown => {
            Cow::Borrowed("One-time links cannot be checked at this moment. Try again in a moment.")
        }
        Detail::NoTarget => Cow::Borrowed(
            "The link does not say which client: add `phone=` with the client's phone, or `chat_raw_id=`. \
             If they are there, the client has no phone in the CRM.",
        ),
        Detail::TooLong => Cow::Borrowed("The query of this link is over 4 KiB long."),
        Detail::HasBody => Cow::Borrowed("This request has a body, which following a link never has."),
        Detail::NotAClick => Cow::Borrowed(
            "This was not a click: a browser looked ahead, or a page loaded the link as a part of itself. Open the link itself.",
        ),
        Detail::ForeignConfirmation => Cow::Borrowed(
            "Only the button on this service's own page opens the chat. A page of another site has tried to press it.",
        ),
        Detail::Nothing => {
            Cow::Borrowed("There is nothing at this address. The chat button's address ends in /open-chat.")
        }
        Detail::OtherMethod => Cow::Borrowed(
            "This address takes another method: a link is opened with GET, POST /links makes one.",
        ),
    }
}

fn of_identity(identity: &ShownIdentity) -> String {
    let who = identity.text();
    let to_do = identity.map_line().map_or_else(
        || "Add it to OPERATOR_MAP_FILE; it is shortened here, and whole in the log as `caller`.".to_owned(),
        |line| {
            format!(
                "Add this line to OPERATOR_MAP_FILE, with the operator's ChatHub id in place of 101: `{line}`. If it has one \
                 already, no operator is called as that line says."
            )
        },
    );
    format!(
        "The login in front of this service says that this is `{who}`, which leads to no operator. {to_do}"
    )
}

fn parameter(name: Option<&str>) -> Cow<'static, str> {
    name.map_or(Cow::Borrowed("name of a parameter"), |name| {
        format!("parameter `{name}`").into()
    })
}

/// In words that help those who belong here and nobody else.
const fn of_denied(denied: Denied) -> &'static str {
    match denied {
        Denied::PassMissing => {
            "The link has no `pass=`: the CRM must sign one, or the link must come from POST /links."
        }
        Denied::PassInvalid => {
            "The pass is not one that this service takes: check the key and its id, the algorithm, that `exp` is not further \
             ahead than the key allows, and that a pass with an `aud` has a key with this `audience`."
        }
        Denied::PassExpired => {
            "The pass's `exp` is past. Have it signed when the page is shown or the button is clicked, and for long enough: by `ttl` of \
             POST /links or `--ttl` of the commands, at most the key's `max_ttl` or PASS_MAX_TTL. If all links end too soon, compare \
             the CRM's clock with this service's."
        }
        Denied::PassMismatch => {
            "The link's parameters say something else than its pass. Leave out what the pass fixes, or make them agree."
        }
        Denied::PassUsed => {
            "The pass has a `jti`, as `once` makes one, so it opens one chat. Have a new one signed for each click, or leave `jti` and \
             `once` out. If nobody has opened it, a program may have followed the link: CONFIRM=always puts a button before it."
        }
        Denied::IdentityMissing => {
            "The proxy in front of this service names no agent. Log in there, and try again."
        }
        Denied::IdentityUnknown => {
            "The identity that the proxy names leads to no operator: add it to OPERATOR_MAP_FILE."
        }
        Denied::ApiKeyInvalid => "A valid API key belongs in the header `Authorization: Bearer`.",
        Denied::OperatorMissing => {
            "The link does not say whose chat panel to open: add `operator=` with the operator's ChatHub id or name."
        }
        Denied::OperatorUnknown => {
            "The operator that is named is neither an alias of the operator map, nor a ChatHub id, which is a number such as 101, nor \
             the whole name of an operator of the company. A name that is new in ChatHub counts after a minute."
        }
        Denied::OperatorAmbiguous => {
            "Several operators have this name. Name the operator by the ChatHub id."
        }
        Denied::OperatorInactive => {
            "The operator is inactive or deleted in ChatHub. Whoever administers ChatHub can activate the operator; that counts after \
             a minute."
        }
        Denied::AutoIsOff => {
            "The link leaves the choice of the operator open, with `auto:`, and OPERATOR_AUTO is off here."
        }
        Denied::DirectoryNeeded => "ChatHub's operators are not known yet. Try again in a moment.",
        Denied::OperatorNotAllowed => {
            "The caller may not open this operator's panel, or there is no such operator."
        }
        Denied::NetworkNotAllowed => "Chats are opened from the company's own networks only.",
    }
}

const fn of_limit(limit: Limit) -> &'static str {
    match limit {
        Limit::Operator => {
            "This operator has opened too many chats in a short time. Wait a moment and try again."
        }
        Limit::Client => {
            "Too many chats have been opened from this network in a short time. Wait a moment and try again."
        }
        Limit::Refused => {
            "Too many attempts from this network have been refused. Wait a moment and try again."
        }
    }
}

const fn of_chathub(error: &chathub::ErrorKind) -> &'static str {
    use chathub::ErrorKind as E;
    match error {
        E::CredentialsRejected => {
            "ChatHub does not accept the company's login, password or key. Whoever runs this service must correct it."
        }
        E::NotPermitted => {
            "ChatHub does not let this company open this operator's panel: the operator may be inactive, deleted or of \
             another company."
        }
        // Which of the two an unknown operator gets is not documented.
        E::NotFound | E::InvalidRequest { .. } => {
            "ChatHub knows no operator with this id. Check the link's `operator`."
        }
        E::Throttled { .. } => "ChatHub asks to slow down. Wait a moment and try again.",
        E::Overloaded => {
            "More clicks are waiting for ChatHub than it can be asked for in time. Try again in a moment."
        }
        E::Unavailable(Unreachable::NoConnection(_)) => {
            "ChatHub cannot be reached. Try again in a moment."
        }
        E::Unavailable(_) => "ChatHub has a problem of its own. Try again in a moment.",
        E::TimedOut => "ChatHub does not answer in time. Try again in a moment.",
        E::BadAnswer(BadAnswer::Page) => {
            "Something in front of ChatHub, such as a firewall, has refused the request in its place. Try again; if it stays so, whoever \
             runs this service should look at what stands between."
        }
        E::BadAnswer(BadAnswer::Clocks) => {
            "ChatHub's clock and this service's differ by more than a day. Whoever runs this service must set the clock."
        }
        _ => {
            "ChatHub's answer could not be understood. Try again; if it stays so, whoever runs this service should look \
             at CHATHUB_URL."
        }
    }
}
