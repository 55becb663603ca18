//! Warnings at the start: settings that leave something open, and variables that have no effect.

use super::nss_modules::foreign_nss_modules;
use crate::config::Config;

/// Logs them all.
pub(super) fn log(config: &Config) {
    if let Some(danger) = foreign_nss_modules() {
        tracing::warn!("{danger}; run the image, or a release's program for hosts");
    }
    if config.access.authenticator.is_open() {
        tracing::warn!("ACCESS=open: anyone who can reach this port may open any operator's panel");
    }
    if config.server.shows_ops_routes() {
        tracing::warn!(
            "OPS_LISTEN is not set: /metrics, /healthz and /readyz are for anyone who can reach LISTEN; give them a port of their own, such as OPS_LISTEN=0.0.0.0:9090"
        );
    }
    if let Some(trouble) = config.trouble_with_links() {
        tracing::warn!("ACCESS=key: {trouble}");
    }
    if let Some(reliance) = config.access.reliance() {
        tracing::warn!("ACCESS=sso: {reliance}");
    }
    if let Some(meaning) = config.invitations_without_redis() {
        tracing::warn!("ACCESS=device: {meaning}");
    }
    if let Some(neighbours) = config.connectors_below_a_path() {
        tracing::warn!("CONNECTORS_FILE: {neighbours}");
    }
    if let Some(meaning) = config.proofs_without_redis() {
        tracing::warn!("CONNECTORS_FILE: {meaning}");
    }
    // Values are left out, because they may be secrets.
    for unknown in &config.unknown_variables {
        tracing::warn!(variable = unknown.name, "{}", unknown.what());
    }
}
