//! English.

pub(super) mod details;

use super::{Advice, Words};
use crate::http::problem::detail::Exception;
use crate::http::problem::kind::Kind;

pub(super) const WORDS: Words = Words {
    lang: "en",
    what_to_do: "What to do",
    logged_in_as: "You are logged in as",
    for_the_administrator: "For the administrator",
    problem: "Problem",
    request: "request",
    quote: "If you ask for help, quote this:",
    help: "Help:",
    try_again: "Try again",
    wait_a_moment: WAIT,
    wait: "Try again in {} s.",
    back_to_crm: "Back to the CRM",
    by_hand: "Open the chat and log in by hand",
    by_hand_note: "If you cannot wait, open the chat and log in there with your own password.",
    crawler_title: "A chat for an operator",
    crawler: "This link opens a client's chat in ChatHub for the agent who follows it. There is nothing to preview.",
    confirm_title: "Open the chat?",
    confirm: "This link opens a client's chat in ChatHub. Press the button to open it.",
    confirm_button: "Open the chat",
};

const REPORT: &str = "Tell your CRM's administrator, and send this page along. Clicking again will not help until the button is corrected.";
const BACK: &str = "Go back to the CRM, reload the page there, and click the button again.";
const FROM_THE_CRM: &str = "Open the chat with its button in the CRM, not from a link that was saved or forwarded. If it was the \
                            button, tell your CRM's administrator.";
const WAIT: &str = "Wait a moment, then try again.";

/// What happened and what to do, by kind.
#[allow(clippy::too_many_lines, reason = "a table")]
pub(super) const fn advice(kind: Kind) -> Advice {
    let (happened, to_do) = match kind {
        Kind::OperatorMissing => (
            "The button's link does not say which operator's chat panel to open.",
            REPORT,
        ),
        Kind::TargetMissing => (
            "The button's link came without the client's phone, and without a chat.",
            "Check that the client has a phone in the CRM, then click the button again. If it is there, tell your CRM's administrator.",
        ),
        Kind::PhoneInvalid => (
            "The phone in the link cannot be read as a valid number.",
            "Correct the client's phone in the CRM: one number with its country code, such as +380501234567. Then click the button again.",
        ),
        Kind::SourceInvalid => (
            "The button's link names a channel that ChatHub does not have.",
            REPORT,
        ),
        Kind::SenderMissing => (
            "The button's link names a channel, and nobody has said under which name the company writes there.",
            REPORT,
        ),
        Kind::ParameterInvalid => ("A value in the button's link is damaged.", REPORT),
        Kind::ParameterRepeated => ("The button's link says the same thing twice.", REPORT),
        Kind::PlaceholderUnfilled => (
            "Where the client's data should be, the link still has the template's own words.",
            "Check that the client's card in the CRM is filled in and saved, then click the button again. If this page comes back, tell \
             your CRM's administrator.",
        ),
        Kind::PassMissing => (
            "The link lacks the signed pass that is needed here.",
            FROM_THE_CRM,
        ),
        Kind::PassInvalid => (
            "The link's signed pass is not one that is accepted here.",
            FROM_THE_CRM,
        ),
        Kind::PassExpired => (
            "The link was made for a short time, and that time is over.",
            BACK,
        ),
        Kind::IdentityMissing => (
            "Your company login did not arrive here.",
            "Log in to your company's portal, then try again. If you are logged in, tell the administrator.",
        ),
        Kind::ApiKeyInvalid => (
            "This address is for programs that show a key, and there was no valid one.",
            "If a button in the CRM has brought you here, tell your CRM's administrator.",
        ),
        Kind::OperatorNotAllowed => (
            "You may not open this operator's chat panel.",
            "If you should be able to, ask the administrator to allow it.",
        ),
        Kind::OperatorInactive => (
            "The operator is switched off or deleted in ChatHub.",
            "Ask whoever administers ChatHub in your company to activate the operator. It takes effect after a minute.",
        ),
        Kind::IdentityUnknown => (
            "You are logged in, but no operator in ChatHub belongs to this login.",
            "Is this another account than your own? Log out of the company's login, and log in as yourself. If it is yours, ask the \
             administrator to add it, and send this page along.",
        ),
        Kind::PassMismatch => (
            "The link's values do not agree with its signed pass.",
            FROM_THE_CRM,
        ),
        Kind::PassUsed => (
            "This link opens a chat once, and it has been opened already.",
            BACK,
        ),
        Kind::NetworkNotAllowed => (
            "Chats are opened from the company's own networks only.",
            "Connect to the company's network or VPN, then try again.",
        ),
        Kind::NotANavigation => (
            "The link was loaded by a program or by another page, not by a click.",
            "Click the button in the CRM, or open the link itself.",
        ),
        Kind::OperatorUnknown => (
            "ChatHub has no operator of the name or number in the link.",
            REPORT,
        ),
        Kind::NotFound => (
            "This address leads nowhere.",
            "Check the address, or go back to the CRM and click the button there.",
        ),
        Kind::MethodNotAllowed => (
            "This address was called in a way that it is not made for.",
            BACK,
        ),
        Kind::OperatorAmbiguous => (
            "Several operators in ChatHub have the name in the link, so it is not clear whose panel to open.",
            REPORT,
        ),
        Kind::QueryTooLong => ("The link is longer than any button's.", REPORT),
        Kind::HostNotAllowed => (
            "The chat panel was asked for under a name that is not known to be its own.",
            "Tell the administrator, and send this page along.",
        ),
        Kind::RateLimited => (
            "Too many chats have been opened, or tried, in a short time.",
            WAIT,
        ),
        Kind::ChathubBadAnswer => (
            "Your click was right, but ChatHub's answer could not be understood.",
            "Try again. If this page comes back, tell the administrator.",
        ),
        Kind::ChathubUnavailable => (
            "Your click was right, but ChatHub is not available at this moment.",
            WAIT,
        ),
        Kind::ChathubThrottled => (
            "Your click was right, but ChatHub is asked too often at this moment.",
            WAIT,
        ),
        Kind::CredentialsRejected => (
            "Your click was right, but ChatHub does not accept the company's credentials.",
            "Tell the administrator at once: until they are corrected, chats open by hand only.",
        ),
        Kind::Overloaded => (
            "Your click was right, but too many others are waiting at this moment.",
            WAIT,
        ),
        Kind::ChathubTimeout => (
            "Your click was right, but ChatHub takes too long to answer.",
            WAIT,
        ),
    };
    Advice {
        title: kind.title(),
        happened,
        to_do,
    }
}

/// What happened and what to do where the kind's words do not fit.
pub(super) const fn of_exception(exception: Exception) -> (&'static str, &'static str) {
    match exception {
        Exception::EncodedTwice => (
            "The button's link is written in a way that makes the phone unreadable. The client's phone may be right.",
            REPORT,
        ),
        Exception::PhoneIsAWord => (
            "Where the client's phone should be, the link has a word.",
            "If the client's card in the CRM has no phone, or this word for one, write the phone there and click the button again. \
             Tell your CRM's administrator otherwise, and send this page along.",
        ),
        Exception::AutoIsOff => (
            "The button's link leaves open whose chat panel opens, and that is not set up here.",
            REPORT,
        ),
        Exception::DirectoryUnread => (
            "Your click was right, but operators cannot be found by name here: ChatHub does not list them.",
            "Tell the administrator, and send this page along. Buttons that name the operator by number go on working.",
        ),
        Exception::OnceUnknown => (
            "Your click was right, but it cannot be checked at this moment whether this link was used already.",
            WAIT,
        ),
        Exception::Clocks => (
            "Your click was right, but this service's clock does not agree with ChatHub's.",
            "Tell the administrator, and send this page along. Clicking again will not help until the clock is right.",
        ),
    }
}
