//! The variables as they are written, and their defaults with the reason for each.

use serde::{Deserialize, Serialize};

/// Each field is the variable of the same name in capitals. [`Default`] holds the documented
/// defaults.
#[derive(Deserialize, Serialize)]
#[serde(default)]
pub(super) struct Environment {
    pub(super) access: Option<String>,
    pub(super) allowed_networks: Option<String>,
    pub(super) api_keys_file: Option<String>,
    pub(super) brand_name: Option<String>,
    pub(super) chathub_api_key: Option<String>,
    pub(super) chathub_api_key_file: Option<String>,
    pub(super) chathub_attempt_timeout: Option<String>,
    pub(super) chathub_connect_timeout: Option<String>,
    pub(super) chathub_max_rate: Option<String>,
    pub(super) chathub_login: Option<String>,
    pub(super) chathub_login_file: Option<String>,
    pub(super) chathub_password: Option<String>,
    pub(super) chathub_password_file: Option<String>,
    pub(super) chathub_url: Option<String>,
    pub(super) chat_panel_url: Option<String>,
    pub(super) click_budget: Option<String>,
    pub(super) confirm: Option<String>,
    pub(super) crm_url: Option<String>,
    pub(super) default_region: Option<String>,
    pub(super) directory_refresh: Option<String>,
    pub(super) drain_delay: Option<String>,
    pub(super) fallback: Option<String>,
    pub(super) link_builder: Option<String>,
    pub(super) listen: Option<String>,
    pub(super) log_format: Option<String>,
    pub(super) log_phones: Option<String>,
    pub(super) logo_file: Option<String>,
    pub(super) max_connections: Option<String>,
    pub(super) operator_auto: Option<String>,
    pub(super) operator_map_file: Option<String>,
    pub(super) ops_listen: Option<String>,
    pub(super) otel_exporter_otlp_endpoint: Option<String>,
    pub(super) otel_exporter_otlp_protocol: Option<String>,
    pub(super) otel_exporter_otlp_traces_endpoint: Option<String>,
    pub(super) otel_exporter_otlp_traces_protocol: Option<String>,
    pub(super) otel_sdk_disabled: Option<String>,
    pub(super) otel_traces_sampler: Option<String>,
    pub(super) otel_traces_sampler_arg: Option<String>,
    pub(super) pass_keys_file: Option<String>,
    pub(super) pass_max_ttl: Option<String>,
    pub(super) pass_secret: Option<String>,
    pub(super) pass_secret_file: Option<String>,
    pub(super) public_url: Option<String>,
    pub(super) rate_limit_client: Option<String>,
    pub(super) rate_limit_operator: Option<String>,
    pub(super) rate_limit_refused: Option<String>,
    pub(super) redis_url: Option<String>,
    pub(super) redis_url_file: Option<String>,
    pub(super) rust_log: Option<String>,
    pub(super) senders: Option<String>,
    pub(super) shutdown_timeout: Option<String>,
    pub(super) source_without_sender: Option<String>,
    pub(super) sso_by_name: Option<String>,
    pub(super) sso_header: Option<String>,
    pub(super) sso_proxy_secret: Option<String>,
    pub(super) sso_proxy_secret_file: Option<String>,
    pub(super) support_contact: Option<String>,
    pub(super) token_cache_size: Option<String>,
    pub(super) token_reuse: Option<String>,
    pub(super) token_validate: Option<String>,
    pub(super) token_ttl: Option<String>,
    pub(super) trace_chathub: Option<String>,
    pub(super) trusted_proxies: Option<String>,
    pub(super) widget_frame_ancestors: Option<String>,
    pub(super) widget_session: Option<String>,
    pub(super) widget_sources: Option<String>,
    pub(super) widget_url: Option<String>,
}

impl Default for Environment {
    fn default() -> Self {
        let text = |text: &str| Some(text.to_owned());
        Self {
            // Nobody should find out later that everybody could become any operator.
            access: None,
            allowed_networks: None,
            api_keys_file: None,
            // The pages name nobody rather than the wrong one.
            brand_name: None,
            chathub_api_key: None,
            chathub_api_key_file: None,
            // With two attempts and a login it still ends before the agent gives up.
            chathub_attempt_timeout: text("2s"),
            // A connection within a continent takes 0.1 s; what takes ten times that is broken.
            chathub_connect_timeout: text("1s"),
            chathub_login: None,
            chathub_login_file: None,
            // ChatHub's general page allows 50; the rest is for the company's other programs.
            chathub_max_rate: text("40"),
            chathub_password: None,
            chathub_password_file: None,
            chathub_url: text(chathub::DEFAULT_URL),
            chat_panel_url: text("https://chat.smsbat.com/"),
            // Longer than this nobody looks at an empty tab.
            click_budget: text("5s"),
            // A CRM's button is pressed by people, who should not have to press another; a program
            // that says what it is must not open a chat.
            confirm: text("crawlers"),
            crm_url: None,
            // SMSBAT's home market.
            default_region: text("UA"),
            // What changes in ChatHub counts after a minute, as ChatHub's own refusals do.
            directory_refresh: text("60s"),
            // Load balancers ask `/readyz` every second or two, and Kubernetes' endpoints take
            // another to get around.
            drain_delay: text("5s"),
            // A page says what is wrong; a login form would hide it.
            fallback: text("page"),
            // It shows no secret, and spares a CRM admin the documentation.
            link_builder: text("on"),
            listen: text("0.0.0.0:8080"),
            log_format: None,
            // Enough to find a click again, too little to call the client.
            log_phones: text("masked"),
            logo_file: None,
            // Far more than a company's agents keep open; a bound for memory and files, should
            // somebody open all he can.
            max_connections: text("10000"),
            // Whoever may ask for anyone would otherwise get somebody's panel without naming them.
            operator_auto: text("off"),
            operator_map_file: None,
            ops_listen: None,
            otel_exporter_otlp_endpoint: None,
            otel_exporter_otlp_protocol: None,
            otel_exporter_otlp_traces_endpoint: None,
            otel_exporter_otlp_traces_protocol: None,
            otel_sdk_disabled: None,
            // OpenTelemetry's own default: the caller decides, and without a caller everything is
            // traced.
            otel_traces_sampler: text("parentbased_always_on"),
            otel_traces_sampler_arg: None,
            pass_keys_file: None,
            // A working day, for passes that stand in a CRM field; links made for one click live
            // for minutes.
            pass_max_ttl: text("24h"),
            pass_secret: None,
            pass_secret_file: None,
            public_url: None,
            // An office shares an address: twenty agents who click as fast as they are allowed to.
            rate_limit_client: text("600/m"),
            // An agent opens a chat every few seconds at most, and not for a whole minute.
            rate_limit_operator: text("30/m"),
            // Room for a mistake in a template, none for guessing.
            rate_limit_refused: text("30/m"),
            redis_url: None,
            redis_url_file: None,
            rust_log: text("info"),
            senders: None,
            // Longer than any click takes, shorter than Kubernetes' patience (30 s).
            shutdown_timeout: text("20s"),
            // The right client's chat in another channel helps the agent more than a refusal.
            source_without_sender: text("phone"),
            // Some proxies name agents by what those have typed themselves.
            sso_by_name: text("off"),
            sso_header: None,
            sso_proxy_secret: None,
            sso_proxy_secret_file: None,
            support_contact: None,
            // Far more operators than a company has; a bound for memory, should somebody try every
            // id.
            token_cache_size: text("100000"),
            // An agent who clicks forty times an hour is minted for every few clicks, and never
            // waits for it.
            token_reuse: text("5m"),
            // A second call for each token; for those who have seen ChatHub mint tokens that it
            // does not take.
            token_validate: text("off"),
            // It ends the operator's session in the panel as well, so not too short; it stays in a
            // browser's history, so not long.
            token_ttl: text("1h"),
            // Whoever runs ChatHub is not asked to keep our ids.
            trace_chathub: text("off"),
            // An empty list trusts nobody: whoever can reach the port could write the header.
            trusted_proxies: None,
            // A page that nobody has named must not have the panel in it.
            widget_frame_ancestors: text("self"),
            // A working day: an agent opens the CRM in the morning.
            widget_session: text("12h"),
            // Where the script is from; what it talks to is not documented.
            widget_sources: text("https://*.smsbat.com,wss://*.smsbat.com"),
            widget_url: text("https://widget.smsbat.com/operator-chat-panel/widget-script.js"),
        }
    }
}
