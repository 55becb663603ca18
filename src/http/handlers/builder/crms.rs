//! What is known of how each CRM opens a URL, and what is not: found on the vendors' or others'
//! public pages, or likely after them. What nobody has found out stays unknown here too.

/// Something about a CRM, and how sure it is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Fact {
    Found(&'static str),
    /// An inference of ours.
    Likely(&'static str),
    Unknown,
}

impl Fact {
    /// The text, where there is one.
    pub(super) const fn text(self) -> Option<&'static str> {
        match self {
            Self::Found(text) | Self::Likely(text) => Some(text),
            Self::Unknown => None,
        }
    }

    /// The same, where it can be pasted into a URL.
    pub(super) fn placeholder(self) -> Option<&'static str> {
        self.text().filter(|text| text.contains('{'))
    }

    pub(super) const fn is_likely(&self) -> bool {
        matches!(self, Self::Likely(_))
    }
}

use Fact::{Found, Likely, Unknown};

/// What the button's URL is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Code {
    /// A field of the CRM's, with placeholders of its own.
    Field,
    /// A template literal.
    JavaScript,
    /// An f-string.
    Python,
}

impl Code {
    /// How a value of this name is written there.
    pub(super) fn value(self, name: &str) -> String {
        match (self, name) {
            (Self::JavaScript, _) => format!("${{encodeURIComponent({name})}}"),
            // `pass` is a word of Python's own.
            (Self::Python, "pass") => "{signed_pass}".into(),
            _ => format!("{{{name}}}"),
        }
    }

    /// Where the URL belongs, if that is not a field.
    pub(super) const fn place(self) -> Option<&'static str> {
        match self {
            Self::Field => None,
            Self::JavaScript => Some(
                "It belongs into the code of an app or widget: a template literal of JavaScript, between backticks, with the values \
                 in variables of these names.",
            ),
            Self::Python => Some(
                "It belongs into Python: an f-string between double quotes, with the values in variables of these names.",
            ),
        }
    }
}

/// A CRM, as far as it is known.
#[derive(Debug)]
pub(super) struct Crm {
    pub(super) id: &'static str,
    pub(super) name: &'static str,
    /// What its URL is written in.
    pub(super) code: Code,
    /// How a button is made.
    pub(super) button: Fact,
    /// What the CRM, or the code behind its button, writes in a URL for the client's phone.
    pub(super) phone: Fact,
    /// The same for the agent who clicks. A number has a prefix: a bare one that the map lacks
    /// would be an operator of ChatHub's.
    pub(super) agent: Fact,
    /// What becomes of a phone's `+`.
    pub(super) plus: Fact,
    /// Whether it can sign a pass, or call a server that does.
    pub(super) signs: Fact,
    /// Where the chat opens.
    pub(super) opens: Fact,
}

impl Crm {
    /// The one with this id, else the first.
    pub(super) fn find(id: &str) -> &'static Self {
        CRMS.iter().find(|crm| crm.id == id).unwrap_or(&CRMS[0])
    }
}

/// In the order of the alphabet.
pub(super) const CRMS: [Crm; 15] = [
    Crm {
        id: "1c",
        name: "1C / BAS",
        code: Code::Field,
        button: Found("In code."),
        phone: Found("Whatever the code puts in."),
        agent: Found("Whatever the code puts in."),
        plus: Likely("Whatever the code does; percent-encode the values."),
        signs: Found("HMAC, JWT and HTTP, in code."),
        opens: Found("Whatever the platform does."),
    },
    Crm {
        id: "bitrix24",
        name: "Bitrix24",
        code: Code::Field,
        button: Found(
            "An app's placement. It POSTs PLACEMENT_OPTIONS with the record's id, not its phone, to a handler of yours, which asks the REST API and opens the URL.",
        ),
        phone: Unknown,
        agent: Unknown,
        plus: Unknown,
        signs: Found("Your own handler can, or ask POST /links."),
        opens: Found("In an iframe."),
    },
    Crm {
        id: "creatio",
        name: "Creatio",
        code: Code::Field,
        button: Unknown,
        phone: Unknown,
        agent: Unknown,
        plus: Unknown,
        signs: Unknown,
        opens: Unknown,
    },
    Crm {
        id: "dynamics",
        name: "Dynamics 365",
        code: Code::Field,
        button: Found(
            "Power Fx: Launch() with Self.Selected.Item; or a ribbon button with parameters.",
        ),
        phone: Unknown,
        agent: Unknown,
        plus: Unknown,
        signs: Found("JavaScript and plug-ins can call a server."),
        opens: Found("As configured."),
    },
    Crm {
        id: "freshsales",
        name: "Freshsales",
        code: Code::JavaScript,
        button: Found("An app of its SDK; client.data.get has the record."),
        phone: Likely("${encodeURIComponent(phone)}"),
        agent: Found("freshsales-${loggedInUser.id}"),
        plus: Found("JavaScript encodes it, with encodeURIComponent."),
        signs: Unknown,
        opens: Found("In the app's frame."),
    },
    Crm {
        id: "hubspot",
        name: "HubSpot",
        code: Code::JavaScript,
        button: Found("A UI extension (React). The old cards have ended on 2026-10-31."),
        phone: Likely("${encodeURIComponent(phone)}"),
        agent: Found("${encodeURIComponent(context.user.email)}"),
        plus: Found("JavaScript encodes it, with encodeURIComponent."),
        signs: Found("hubspot.fetch calls a server of yours; its requests are signed."),
        opens: Found("In a modal or an iframe."),
    },
    Crm {
        id: "keycrm",
        name: "KeyCRM",
        code: Code::Field,
        button: Found("None for a URL was found; there are webhooks of triggers, and telephony."),
        phone: Unknown,
        agent: Unknown,
        plus: Unknown,
        signs: Found("A webhook can call a server; nothing else was found."),
        opens: Unknown,
    },
    Crm {
        id: "kommo",
        name: "Kommo / amoCRM",
        code: Code::JavaScript,
        button: Found("A widget in JavaScript, with add_action('phone')."),
        phone: Likely("${encodeURIComponent(phone)}"),
        agent: Found(
            "The agent is named in the one-time token of X-Auth-Token, which an entry of PASS_KEYS_FILE can take as a pass.",
        ),
        plus: Found("JavaScript encodes it, with encodeURIComponent."),
        signs: Found("It sends a one-time HS256 JWT itself."),
        opens: Found("Whatever the JavaScript does."),
    },
    Crm {
        id: "odoo",
        name: "Odoo",
        code: Code::Python,
        button: Found("A server action in Python that returns ir.actions.act_url."),
        phone: Likely("{record.phone or ''}"),
        agent: Found("odoo-{user.id}"),
        plus: Likely("Python does not encode it by itself. A bare + is understood here."),
        signs: Found(
            "No HMAC in its evaluation context: ask POST /links, or keep a pass for each user in a field.",
        ),
        opens: Found("In a new tab, or in the same."),
    },
    Crm {
        id: "pipedrive",
        name: "Pipedrive",
        code: Code::Field,
        button: Found(
            "A link action of an app. It sends selectedIds, not the phone, to a server of yours.",
        ),
        phone: Unknown,
        agent: Found("Your server gets userId and companyId."),
        plus: Unknown,
        signs: Found("Your server can, or ask POST /links. A JSON panel adds a JWT."),
        opens: Found("In a new tab."),
    },
    Crm {
        id: "salesforce",
        name: "Salesforce",
        code: Code::Field,
        button: Found("A custom button or link of type URL."),
        phone: Found("{!Contact.Phone}"),
        agent: Found("{!$User.Email}"),
        plus: Found("The link's own setting encodes. URLENCODE on top of it would encode twice."),
        signs: Found("Apex: HMAC and HTTP."),
        opens: Found("In a new window, by an option of the link."),
    },
    Crm {
        id: "sugarcrm",
        name: "SugarCRM",
        code: Code::Field,
        button: Found(
            "A field of type URL with a generated link; {field} stands for a field's value.",
        ),
        phone: Likely("{phone_work}"),
        agent: Unknown,
        plus: Unknown,
        signs: Unknown,
        opens: Unknown,
    },
    Crm {
        id: "suitecrm",
        name: "SuiteCRM",
        code: Code::Field,
        button: Likely("As in SugarCRM: a field of type URL with a generated link."),
        phone: Likely("{phone_work}"),
        agent: Unknown,
        plus: Unknown,
        signs: Unknown,
        opens: Unknown,
    },
    Crm {
        id: "zendesk",
        name: "Zendesk",
        code: Code::JavaScript,
        button: Found("A sidebar app, in JavaScript."),
        phone: Likely("${encodeURIComponent(phone)}"),
        agent: Likely("${encodeURIComponent(email)}"),
        plus: Found("JavaScript encodes it, with encodeURIComponent."),
        signs: Found("It POSTs an RS256 JWT on the first load."),
        opens: Found("In an iframe."),
    },
    Crm {
        id: "zoho",
        name: "Zoho CRM",
        code: Code::Field,
        button: Found(
            "A custom link of at most 3,000 characters, or a Deluge function behind a button.",
        ),
        phone: Likely("${Leads.Phone}"),
        agent: Unknown,
        plus: Unknown,
        signs: Found("A Deluge function can call a server, such as POST /links."),
        opens: Found("In a window or an iframe, with openUrl."),
    },
];
