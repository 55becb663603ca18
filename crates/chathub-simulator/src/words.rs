//! What the stand-in panel says, in English and in Ukrainian. The real panel is SMSBAT's own.

use actix_web::HttpRequest;
use actix_web::http::header::{AcceptLanguage, Header as _};

/// The words of the panel and of its login page.
pub(crate) struct Words {
    pub(crate) lang: &'static str,
    pub(crate) stand_in: &'static str,
    pub(crate) chat: &'static str,
    pub(crate) chat_with: &'static str,
    pub(crate) opens: &'static str,
    pub(crate) operator: &'static str,
    pub(crate) format: &'static str,
    pub(crate) phone: &'static str,
    pub(crate) sender: &'static str,
    pub(crate) source: &'static str,
    pub(crate) token: &'static str,
    pub(crate) valid_until: &'static str,
    pub(crate) log_in: &'static str,
    pub(crate) token_ended: &'static str,
    pub(crate) no_token: &'static str,
    pub(crate) real_panel: &'static str,
    pub(crate) login: &'static str,
    pub(crate) password: &'static str,
}

const ENGLISH: Words = Words {
    lang: "en",
    stand_in: "stand-in panel",
    chat: "Chat",
    chat_with: "Chat with",
    opens: "The chat that this link opens",
    operator: "Operator",
    format: "Format",
    phone: "Phone",
    sender: "Sender",
    source: "Source",
    token: "Token",
    valid_until: "valid until",
    log_in: "Log in",
    token_ended: "This link's token is not good any more.",
    no_token: "This link has no token.",
    real_panel: "The real panel asks for the operator's password here.",
    login: "Login",
    password: "Password",
};

const UKRAINIAN: Words = Words {
    lang: "uk",
    stand_in: "замість справжньої панелі",
    chat: "Чат",
    chat_with: "Чат із",
    opens: "Чат, який відкриває це посилання",
    operator: "Оператор",
    format: "Формат",
    phone: "Телефон",
    sender: "Відправник",
    source: "Канал",
    token: "Токен",
    valid_until: "дійсний до",
    log_in: "Вхід",
    token_ended: "Термін дії токена в цьому посиланні минув.",
    no_token: "У цьому посиланні немає токена.",
    real_panel: "Справжня панель запитала б тут пароль оператора.",
    login: "Логін",
    password: "Пароль",
};

impl Words {
    /// In the visitor's first choice of the two.
    pub(crate) fn of(request: &HttpRequest) -> &'static Self {
        let accepted = AcceptLanguage::parse(request);
        let is_ukrainian = accepted.is_ok_and(|accepted| {
            let preference = accepted.preference();
            let tag = preference.item();
            tag.is_some_and(|tag| tag.primary_language() == UKRAINIAN.lang)
        });
        if is_ukrainian { &UKRAINIAN } else { &ENGLISH }
    }
}
