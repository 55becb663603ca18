//! Getting one token from ChatHub, within a click's time.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use tokio::time::timeout;

use super::Settings;
use super::held::Held;
use super::moment::Clock;
use crate::chathub::{BadAnswer, ChatHub, Error, OperatorId, OperatorToken};

/// Mints tokens as the settings say.
pub(super) struct Mint {
    chathub: Arc<ChatHub>,
    clock: Clock,
    ttl: Duration,
    reuse: Duration,
    validate: bool,
    /// A little less than a click's budget, so that the answer is out before that ends.
    budget: Duration,
}

impl Mint {
    pub(super) fn new(chathub: Arc<ChatHub>, clock: Clock, settings: &Settings) -> Self {
        Self {
            chathub,
            clock,
            ttl: settings.ttl,
            reuse: settings.reuse,
            validate: settings.validate,
            budget: settings.click_budget.mul_f64(0.95),
        }
    }

    /// A new token for `operator`.
    pub(super) async fn token(&self, operator: OperatorId) -> Result<Held, Error> {
        timeout(self.budget, self.valid_token(operator))
            .await
            .unwrap_or(Err(Error::TimedOut))
    }

    async fn valid_token(&self, operator: OperatorId) -> Result<Held, Error> {
        let token = self.minted(operator).await?;
        if self.validate {
            let check = self.chathub.validate_operator_token(&token.secret).await?;
            if !check.is_valid {
                return Err(Error::BadAnswer(BadAnswer::TokenNotValid));
            }
            if check.is_for_another(operator) {
                return Err(Error::BadAnswer(BadAnswer::OtherOperator));
            }
        }
        Ok(Held::new(token, self.reuse, self.clock.now()))
    }

    /// The end that is asked for is on ChatHub's clock. Where the answer teaches that this clock
    /// was not known, and the token was refused for that or lives too short or too long, it is
    /// asked again.
    async fn minted(&self, operator: OperatorId) -> Result<OperatorToken, Error> {
        let skew = self.chathub.clock_skew();
        let first = self.ask(operator).await;
        if self.chathub.clock_skew() == skew {
            return first;
        }
        match first {
            Err(Error::InvalidRequest { .. } | Error::BadAnswer(BadAnswer::TokenEnded)) => {
                self.ask(operator).await
            }
            Ok(token) if self.is_far_off(&token) => self.ask(operator).await.or(Ok(token)),
            first => first,
        }
    }

    async fn ask(&self, operator: OperatorId) -> Result<OperatorToken, Error> {
        let end = self.clock.by_chathub() + self.ttl;
        self.chathub.mint_operator_token(operator, end).await
    }

    /// Whether the token lives much shorter or longer than it should.
    fn is_far_off(&self, token: &OperatorToken) -> bool {
        let left = token.expires_at - self.clock.by_chathub();
        let ttl = TimeDelta::from_std(self.ttl).unwrap_or(TimeDelta::MAX);
        (left - ttl).abs() > ttl / 4
    }
}
