//! The details in Ukrainian.

use std::borrow::Cow;

use chathub::{BadAnswer, Unreachable};

use crate::access::Denied;
use crate::http::detail::Detail;
use crate::http::identity::ShownIdentity;
use crate::phone::PhoneError;
use crate::rate_limit::Limit;

/// The detail's words.
pub(in crate::http::texts) fn detail(detail: &Detail) -> Cow<'_, str> {
    match detail {
        Detail::English(text) => Cow::Borrowed(text),
        Detail::Denied(denied) => Cow::Borrowed(of_denied(*denied)),
        Detail::NetworkNotAllowed(client) => format!(
            "Запит надійшов з адреси `{client}`, якої немає в ALLOWED_NETWORKS. Якщо це адреса проксі, додайте його до TRUSTED_PROXIES, \
             і нехай він задає `X-Forwarded-For`."
        )
        .into(),
        Detail::IdentityUnknown(identity) => of_identity(identity).into(),
        Detail::HostNotAllowed => Cow::Borrowed(
            "З ACCESS=open віджет відповідає лише за IP-адресою, за `localhost` або за хостом із PUBLIC_URL: сторінка з іншим іменем може \
             належати зловмисникові, який спрямував це ім'я сюди через DNS. Задайте PUBLIC_URL з адресою, за якою звертаються, наприклад \
             https://chat.example.",
        ),
        Detail::Limited(limit) => Cow::Borrowed(of_limit(*limit)),
        Detail::ChatHub(error) => Cow::Borrowed(of_chathub(error)),
        Detail::Phone(error) => of_phone(*error),
        Detail::PhoneIsAWord => Cow::Borrowed(
            "Телефон є словом без жодної цифри. Якщо в картці клієнта такого слова немає, CRM пише його замість порожнього поля або поля, \
             якого не існує: тоді не додавайте `phone` до посилання.",
        ),
        Detail::Source => Cow::Borrowed(
            "Джерело має бути числом від 0 до 7 або одним зі слів: viber, viberbot, telegrambot, whatsapp, widget, rozetka, facebook, instagram.",
        ),
        Detail::NoSender(source) => format!(
            "Посилання називає джерело {source} без відправника: додайте `from=` з альфа-іменем або попросіть задати для цього джерела SENDERS."
        )
        .into(),
        Detail::Repeated(name) => format!("Параметр `{name}` указано двічі; вкажіть його один раз.").into(),
        Detail::Unfilled(name) => format!(
            "Параметр `{name}` досі є шаблоном: CRM не підставила значення клієнта. \
             Перевірте, як ця CRM записує підстановки та чи існує таке поле."
        )
        .into(),
        Detail::EncodedTwice(name) => format!(
            "Параметр `{name}` закодовано двічі: у посиланні кодуйте його один раз (пробіл записують як `%20`, а не `%2520`), а в JSON чи \
             в перепустці не кодуйте зовсім."
        )
        .into(),
        Detail::Control(name) => {
            format!("Параметр `{name}` містить керівний символ, наприклад розрив рядка.").into()
        }
        Detail::NotEncoded(name) => format!(
            "{} закодовано неправильно: після кожного `%` мають стояти дві шістнадцяткові цифри, а сам `%` записують як `%25`.",
            parameter(*name)
        )
        .into(),
        Detail::NotUtf8(name) => format!("{} записано не в UTF-8.", parameter(*name)).into(),
        Detail::AliasAstray => Cow::Borrowed(
            "Назване тут ім'я є в мапі операторів, але те, що йому там відповідає, не є оператором компанії або є кількома. \
             Виправте його рядок в OPERATOR_MAP_FILE; усі рядки, що нікуди не ведуть, показує `open-chat check`.",
        ),
        Detail::DirectoryUnread => Cow::Borrowed(
            "ChatHub не дозволяє обліковому запису чи ключу компанії отримувати список операторів, тому за іменем нікого не знайти. Указуйте \
             ідентифікатори операторів, або нехай це виправить той, хто обслуговує цей сервіс.",
        ),
        Detail::OnceUnknown => {
            Cow::Borrowed("Одноразові посилання зараз неможливо перевірити. Спробуйте за мить.")
        }
        Detail::NoTarget => Cow::Borrowed(
            "Посилання не вказує клієнта: додайте `phone=` з телефоном клієнта або `chat_raw_id=`. \
             Якщо вони є, то в CRM немає телефону цього клієнта.",
        ),
        Detail::TooLong => Cow::Borrowed("Параметри цього посилання довші за 4 КіБ."),
        Detail::HasBody => {
            Cow::Borrowed("Цей запит має тіло, якого при переході за посиланням ніколи не буває.")
        }
        Detail::NotAClick => Cow::Borrowed(
            "Це не було натискання: браузер зазирнув наперед або сторінка завантажила посилання як свою частину. Відкрийте саме посилання.",
        ),
        Detail::ForeignConfirmation => Cow::Borrowed(
            "Чат відкриває лише кнопка на сторінці самого цього сервісу. Її спробувала натиснути сторінка іншого сайту.",
        ),
        Detail::Nothing => {
            Cow::Borrowed("За цією адресою нічого немає. Адреса кнопки чату закінчується на /open-chat.")
        }
        Detail::OtherMethod => Cow::Borrowed(
            "Ця адреса приймає інший метод: посилання відкривають методом GET, а створює їх POST /links.",
        ),
    }
}

fn of_identity(identity: &ShownIdentity) -> String {
    let who = identity.text();
    let to_do = identity.map_line().map_or_else(
        || "Додайте його до OPERATOR_MAP_FILE; тут його скорочено, а повністю він є в журналі як `caller`.".to_owned(),
        |line| {
            format!(
                "Додайте до OPERATOR_MAP_FILE цей рядок з ідентифікатором оператора в ChatHub замість 101: `{line}`. Якщо такий рядок \
                 уже є, оператора з указаним у ньому іменем немає."
            )
        },
    );
    format!(
        "Вхід перед цим сервісом каже, що це `{who}`, а такому запису не відповідає жоден оператор. {to_do}"
    )
}

fn parameter(name: Option<&str>) -> Cow<'static, str> {
    name.map_or(Cow::Borrowed("Назву параметра"), |name| {
        format!("Параметр `{name}`").into()
    })
}

fn of_phone(error: PhoneError) -> Cow<'static, str> {
    Cow::Borrowed(match error {
        PhoneError::EncodedTwice => {
            "Телефон закодовано двічі: у посиланні кодуйте його один раз (`+` записують як `%2B`, а не `%252B`), а в JSON чи в перепустці не кодуйте зовсім."
        }
        PhoneError::Letters => {
            "У телефоні є літери: надсилайте лише цифри, наприклад +380501234567."
        }
        PhoneError::TooLong => "Телефон задовгий: надсилайте один номер, наприклад +380501234567.",
        PhoneError::Extension => "Після номера є ще щось: надсилайте один номер без додаткового.",
        PhoneError::Invalid(region) => {
            return format!(
                "Телефон не є дійсним номером: надсилайте його з кодом країни, наприклад +380501234567. \
                 Без нього номер читається як номер регіону {region}."
            )
            .into();
        }
    })
}

const fn of_denied(denied: Denied) -> &'static str {
    match denied {
        Denied::PassMissing => {
            "У посиланні немає `pass=`: перепустку має підписати CRM, або посилання має створити POST /links."
        }
        Denied::PassInvalid => {
            "Цей сервіс не приймає такої перепустки: перевірте ключ і його ідентифікатор, алгоритм, чи `exp` не пізніше, ніж дозволяє \
             ключ, і чи має ключ такий `audience`, якщо в перепустці є `aud`."
        }
        Denied::PassExpired => {
            "Час `exp` перепустки минув. Підписуйте її тоді, коли показано сторінку або натиснуто кнопку, і на достатній час: `ttl` у \
             POST /links або `--ttl` у командах, не більше за `max_ttl` ключа чи PASS_MAX_TTL. Якщо зарано спливає час усіх посилань, \
             звірте годинник CRM із годинником цього сервісу."
        }
        Denied::PassMismatch => {
            "Параметри посилання кажуть не те, що його перепустка. Приберіть те, що вже є в перепустці, або узгодьте їх."
        }
        Denied::PassUsed => {
            "Перепустка має `jti`, який додає і `once`, тому вона відкриває один чат. Підписуйте для кожного натискання нову або не \
             вказуйте `jti` та `once`. Якщо її ніхто не відкривав, за посиланням могла перейти програма: із CONFIRM=always перед чатом \
             буде кнопка."
        }
        Denied::IdentityMissing => {
            "Проксі перед цим сервісом не називає агента. Увійдіть там і спробуйте ще раз."
        }
        Denied::IdentityUnknown => {
            "Обліковому запису, який називає проксі, не відповідає жоден оператор: додайте його до OPERATOR_MAP_FILE."
        }
        Denied::ApiKeyInvalid => "Дійсний ключ API має бути в заголовку `Authorization: Bearer`.",
        Denied::OperatorMissing => {
            "Посилання не вказує, чию панель відкрити: додайте `operator=` з ідентифікатором або іменем оператора в ChatHub."
        }
        Denied::OperatorUnknown => {
            "Названий оператор не є ні псевдонімом із мапи операторів, ні ідентифікатором ChatHub (це число, наприклад 101), ні повним \
             іменем оператора компанії. Нове ім'я в ChatHub починає діяти за хвилину."
        }
        Denied::OperatorAmbiguous => {
            "Таке ім'я мають кілька операторів. Указуйте оператора за ідентифікатором ChatHub."
        }
        Denied::OperatorInactive => {
            "Оператор неактивний або видалений у ChatHub. Активувати його може той, хто адмініструє ChatHub; це подіє за хвилину."
        }
        Denied::AutoIsOff => {
            "Посилання залишає вибір оператора відкритим (`auto:`), а OPERATOR_AUTO тут вимкнено."
        }
        Denied::DirectoryNeeded => "Оператори ChatHub ще не відомі. Спробуйте за мить.",
        Denied::OperatorNotAllowed => {
            "Тому, хто звертається, не дозволено відкривати панель цього оператора, або такого оператора немає."
        }
        Denied::NetworkNotAllowed => "Чати відкриваються лише з власних мереж компанії.",
    }
}

const fn of_limit(limit: Limit) -> &'static str {
    match limit {
        Limit::Operator => {
            "Цей оператор за короткий час відкрив забагато чатів. Зачекайте трохи і спробуйте ще раз."
        }
        Limit::Client => {
            "З цієї мережі за короткий час відкрито забагато чатів. Зачекайте трохи і спробуйте ще раз."
        }
        Limit::Refused => {
            "Забагато спроб із цієї мережі було відхилено. Зачекайте трохи і спробуйте ще раз."
        }
    }
}

const fn of_chathub(error: &chathub::ErrorKind) -> &'static str {
    use chathub::ErrorKind as E;
    match error {
        E::CredentialsRejected => {
            "ChatHub не приймає логін, пароль або ключ компанії. Це має виправити той, хто обслуговує цей сервіс."
        }
        E::NotPermitted => {
            "ChatHub не дозволяє цій компанії відкрити панель цього оператора: він може бути неактивний, видалений або з іншої компанії."
        }
        E::NotFound | E::InvalidRequest { .. } => {
            "ChatHub не знає оператора з таким ідентифікатором. Перевірте `operator` у посиланні."
        }
        E::Throttled { .. } => "ChatHub просить зменшити темп. Зачекайте трохи і спробуйте ще раз.",
        E::Overloaded => {
            "На ChatHub чекає більше натискань, ніж він устигне обробити. Спробуйте за мить."
        }
        E::Unavailable(Unreachable::NoConnection(_)) => {
            "Не вдається з'єднатися з ChatHub. Спробуйте за мить."
        }
        E::Unavailable(_) => "У ChatHub власні неполадки. Спробуйте за мить.",
        E::TimedOut => "ChatHub не відповідає вчасно. Спробуйте за мить.",
        E::BadAnswer(BadAnswer::Page) => {
            "Замість ChatHub відмовило щось перед ним, наприклад мережевий екран. Спробуйте ще раз; якщо це повторюється, тому, хто \
             обслуговує цей сервіс, варто перевірити, що стоїть між ними."
        }
        E::BadAnswer(BadAnswer::Clocks) => {
            "Годинники ChatHub і цього сервісу розходяться більш ніж на добу. Тому, хто обслуговує цей сервіс, треба виправити час."
        }
        _ => {
            "Відповідь ChatHub не вдалося зрозуміти. Спробуйте ще раз; якщо це повторюється, тому, хто обслуговує цей сервіс, варто \
             перевірити CHATHUB_URL."
        }
    }
}
