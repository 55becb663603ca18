//! The texts of one language, as its TOML file has them. It does not know when each is shown.
//!
//! The texts borrow from the file, which is compiled in. A file with a key too many or too few is
//! not read, and a test fails.

use std::collections::HashMap;

use serde::Deserialize;

use crate::access::Denied;
use crate::connect::Unproven;
use crate::integrations::CrmOriginFault;
use crate::rate_limit::Limit;

/// Declares a struct of texts: one for each key of a TOML table, no more and no fewer.
macro_rules! texts {
    ($(#[$doc:meta])* $name:ident: $($key:ident)+) => {
        $(#[$doc])*
        #[derive(Debug, Default, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub(crate) struct $name {
            $(pub(crate) $key: &'static str,)+
        }
    };
}

/// Declares the texts of an enum, one for each variant.
macro_rules! texts_by {
    ($(#[$doc:meta])* $name:ident for $enum:ident: $($variant:ident $key:ident)+) => {
        texts! { $(#[$doc])* $name: $($key)+ }

        impl $name {
            pub(super) const fn of(&self, of: $enum) -> &'static str {
                match of { $($enum::$variant => self.$key,)+ }
            }
        }
    };
}

/// All texts of a language.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, bound(deserialize = "'de: 'static"))]
pub(super) struct Texts {
    pub(super) words: Words,
    pub(super) handler: HandlerTexts,
    pub(super) steps: Steps,
    /// By the kind's name.
    pub(super) kinds: HashMap<&'static str, Advice>,
    pub(super) exceptions: Exceptions,
    pub(super) details: DetailTexts,
    pub(super) denied: DeniedTexts,
    pub(super) limits: LimitTexts,
    pub(super) chathub: ChatHubTexts,
    pub(super) phone: PhoneTexts,
    pub(super) pairing: PairingWords,
    pub(super) crm_page: CrmPageWords,
    pub(super) unproven: UnprovenTexts,
    pub(super) crm: CrmTexts,
    pub(super) crm_origins: CrmOriginTexts,
    pub(super) extension: ExtensionTexts,
    pub(super) demo: DemoTexts,
    pub(super) openapi: OpenapiTexts,
    pub(super) builder: BuilderTexts,
    pub(super) guide: GuideTexts,
}

impl Texts {
    /// Reads a language's file. All texts are empty if it cannot be read, which a test would show.
    pub(super) fn read(file: &'static str) -> Self {
        toml::from_str(file).unwrap_or_default()
    }

    /// A step in full where it is one that several refusals share.
    pub(super) fn step(&self, to_do: &'static str) -> &'static str {
        match to_do {
            "{report}" => self.steps.report,
            "{back}" => self.steps.back,
            "{from_the_crm}" => self.steps.from_the_crm,
            "{wait_a_moment}" => self.words.wait_a_moment,
            own => own,
        }
    }
}

texts! {
    /// The words that pages have in common. `logged_in_as` comes before the visitor's identity,
    /// `try_in_crm` stands where `try_again` would lead to a link that is over, `wait_a_moment` is
    /// the step where only time helps, and `wait` the same where the number of `{seconds}` is
    /// known; `time` is how a time is written, for chrono.
    Words:
    what_to_do logged_in_as for_the_administrator problem request quote help try_again
    try_in_crm wait_a_moment wait back_to_crm by_hand by_hand_note crawler_title crawler
    confirm_title confirm confirm_button languages time session_ended short
}

texts! {
    /// The page that lets a browser open chats from phone links.
    HandlerTexts:
    title lead who_title by_device to_pair by_login by_link operator name_operator refused
    by_nothing here_title needs_javascript elsewhere unsupported take_tel take_sms asked undone
    failed softphone browsers undo_title leave_tel leave_sms undo_chrome undo_edge undo_firefox
    app_title app policies_title policies no_public_url chromium_file chromium_value firefox_file
    copy copied selected
}

texts! {
    /// The words of the page that pairs a browser and ends that. Those that begin with `title` are
    /// headings.
    PairingWords:
    title_invited invited pair title_other other now then title_paired paired end end_note
    title_ended ended forget title_unpaired unpaired title_off off operator id device
}

texts! {
    /// What the link builder says around the instructions for a CRM. Those that begin with `lacks`
    /// are what this service has to be given first.
    GuideTexts:
    without programmer button url browser lacks_address lacks_pass lacks_device download paste
    settings map sure way menus
}

texts! {
    /// The words of the page that CRMs show in a frame.
    CrmPageWords: title choose open no_phone reading unread ended needs_javascript
}

texts! {
    /// What to do next, where several refusals share it.
    Steps: report back from_the_crm
}

/// What a page about one kind of refusal says to the agent.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Advice {
    /// A few words.
    pub(crate) title: &'static str,
    /// What went wrong, without a technical word.
    pub(crate) happened: &'static str,
    /// What to do next.
    pub(crate) to_do: &'static str,
}

texts! {
    /// The same under the kind's title, where the kind's own words do not fit.
    Explanation: happened to_do
}

/// Where the kind's own words do not fit.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, bound(deserialize = "'de: 'static"))]
pub(super) struct Exceptions {
    pub(super) auto_is_off: Explanation,
    pub(super) clocks: Explanation,
    pub(super) agent_unknown: Explanation,
    pub(super) client_hidden: Explanation,
    pub(super) crm_not_allowed: Explanation,
    pub(super) directory_unread: Explanation,
    pub(super) page_too_old: Explanation,
    pub(super) encoded_twice: Explanation,
    pub(super) once_unknown: Explanation,
    pub(super) phone_is_a_word: Explanation,
    pub(super) phone_link: Explanation,
}

texts! {
    /// Details that only the HTTP side has.
    DetailTexts:
    network_not_allowed identity_unknown identity_shortened alias_astray host_not_allowed
    directory_unread once_unknown phone_is_a_word source no_target no_sender too_long repeated
    unfilled encoded_twice control not_encoded name_not_encoded not_utf8 name_not_utf8 has_body
    not_a_click foreign_confirmation foreign_pairing foreign_crm_page invitation_used no_integration
    no_browser no_public_url portal_not_listed portal_unknown number_unknown client_hidden
    agent_unknown agent_shortened nothing other_method
}

texts_by! {
    /// Why access is denied.
    DeniedTexts for Denied:
    PassMissing pass_missing
    PassInvalid pass_invalid
    PassExpired pass_expired
    PassMismatch pass_mismatch
    PassUsed pass_used
    IdentityMissing identity_missing
    IdentityUnknown identity_unknown
    ApiKeyInvalid api_key_invalid
    DeviceMissing device_missing
    DeviceEnded device_ended
    InvitationInvalid invitation_invalid
    InvitationExpired invitation_expired
    InvitationUsed invitation_used
    ConnectorTokenUsed connector_token_used
    OperatorMissing operator_missing
    OperatorUnknown operator_unknown
    OperatorAmbiguous operator_ambiguous
    OperatorInactive operator_inactive
    AutoIsOff auto_is_off
    DirectoryNeeded directory_needed
    OperatorNotAllowed operator_not_allowed
    NetworkNotAllowed network_not_allowed
}

texts_by! {
    /// Which rate limit is reached.
    LimitTexts for Limit: Operator operator Client client Refused refused
    Foreign foreign CrmPage crm_page
}

texts_by! {
    /// What a CRM's request lacks to be proven.
    UnprovenTexts for Unproven:
    Missing missing
    Signature signature
    Expired expired
    Times times
    Audience audience
    Account account
    Incomplete incomplete
    Appended appended
    PageTooOld page_too_old
    OtherPhone other_phone
    ApplicationToken application_token
    TokenRejected token_rejected
    OtherApplication other_application
    NoAccess no_access
    Scope scope
    Placement placement
    NotScriptOnly not_script_only
}

texts! {
    /// Why a CRM that was asked has not confirmed a request.
    CrmTexts: bad_answer no_connection unavailable denied busy timed_out
}

texts! {
    /// Why ChatHub gives no token.
    ChatHubTexts:
    credentials_rejected not_permitted operator_unknown throttled overloaded no_connection
    unavailable timed_out not_chathub clocks bad_answer
}

texts! {
    /// Why a text is no phone.
    PhoneTexts:
    encoded_twice letters too_long extension invalid not_in_link invalid_in_link unknown_link
}

texts_by! {
    /// Why a text is no origin of a CRM.
    CrmOriginTexts for CrmOriginFault:
    NotAnAddress not_an_address
    Scheme scheme
    Host host
    NotAlone not_alone
    TooMany too_many
}

texts! {
    /// The link builder, less its instructions for a CRM.
    BuilderTexts:
    title lead operator operator_optional operator_hint phone phone_hint source no_source sender
    sender_hint chat chat_hint fixed show url_for changed nothing_to_paste no_field in_code
    pasted_is_refused in_javascript in_python phone_unknown chat_unknown agent_unknown
    no_public_url asked_for copy_url sample_title format leads_to refused try_it copy_sample
    access_title access_open access_pasted access_pass access_sso access_device access_key
    access_key_alone links_need_key links_need_url or_links facts_title links client agent plus
    opens likely unknown why_chat why_phone why_no_sender why_sender why_source source_from_phone
    takes_pass takes_device takes_login takes_key no_lock no_list
}

texts! {
    /// The link builder's part about the browser extension.
    ExtensionTexts: title about crm crm_hint browser download installation needs_address
}

texts! {
    /// The demo's CRM: its words, and its contacts by what each is to show.
    DemoTexts:
    title crm lead contact phone channel chat open e164 spaced double_zero national without_plus
    dashed by_id unfilled any_by_phone one_sender no_sender chat_id without_title without pair
    no_operator phone_link phone_link_after handler_link extension extension_after
    more_title more builder_link refusals
}

texts! {
    /// The words of the page about the service's interface, beside the document's own.
    OpenapiTexts: title for_programs credentials refusals
}
