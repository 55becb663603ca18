//! Operator tokens: minting one that ends when it should.
//!
//! The end is set on ChatHub's clock, which only the dates of its answers tell. So the answer to a
//! mint counts too: where its date contradicts the time that was assumed, the token ends too early
//! or too late, and another one is minted.

use std::time::Instant;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde_json::json;

use crate::client::ChatHub;
use crate::clock::Clock;
use crate::endpoint::Endpoint;
use crate::error::{BadAnswer, Error, ErrorKind};
use crate::operator_token;
use crate::transport::Call;
use crate::types::{OperatorId, OperatorToken};

type Minted = Result<OperatorToken, Error>;

impl ChatHub {
    /// `POST /api/operator/get-token`: a token that opens the panel as this operator until
    /// `expires_at`, which may be at most 24 hours ahead. A text that is no JWT, and a token that
    /// has expired or says that it is another operator's, is [`ErrorKind::BadAnswer`].
    pub async fn mint_operator_token(
        &self,
        operator: OperatorId,
        expires_at: DateTime<Utc>,
    ) -> Minted {
        self.mint_until(operator, expires_at, Clock::now).await
    }

    /// The same, where `now` reads the clock that the end was set by.
    async fn mint_until(
        &self,
        operator: OperatorId,
        expires_at: DateTime<Utc>,
        now: impl FnOnce(&Clock) -> DateTime<Utc>,
    ) -> Minted {
        let asked = expires_at.to_rfc3339_opts(SecondsFormat::Millis, true);
        let call =
            Call::new(Endpoint::OperatorToken).json(&json!({"id": operator, "expiresAt": asked}));
        let secret = self.send(call, operator_token::read).await?;
        // The answer has told the time, so this is after it.
        operator_token::check(secret, operator, expires_at, now(self.clock()))
            .map_err(|wrong| Error::from(ErrorKind::BadAnswer(wrong)).at(Endpoint::OperatorToken))
    }

    /// The same for a token that lives this long, at most 24 hours. Mints a second time where the
    /// first answer shows that ChatHub's clock was not known.
    pub async fn mint_operator_token_for(
        &self,
        operator: OperatorId,
        lifetime: TimeDelta,
    ) -> Minted {
        let (at, asked) = (Instant::now(), self.now());
        let first = self.mint_operator_token(operator, asked + lifetime).await;
        let may_be_the_clock = matches!(
            first.as_ref().map_err(Error::kind),
            Ok(_)
                | Err(
                    ErrorKind::InvalidRequest { .. } | ErrorKind::BadAnswer(BadAnswer::TokenEnded)
                )
        );
        if !may_be_the_clock {
            return first;
        }
        match self.clock().contradicts(asked, at) {
            Some(said) => {
                let now = said + TimeDelta::from_std(at.elapsed()).unwrap_or_default();
                let second = self.mint_operator_token(operator, now + lifetime).await;
                let second = second.map_err(|error| self.blame_the_clocks(error));
                if self.clock().believes(said, at) {
                    let is_worth = |first: &OperatorToken| first.expires_at > now + lifetime / 2;
                    second.or_else(|error| first.ok().filter(is_worth).ok_or(error))
                } else {
                    first.or(second)
                }
            }
            None if first.is_err() && self.clock().is_doubtful() => {
                self.mint_by_the_other_clock(operator, lifetime).await
            }
            None => first,
        }
    }

    /// The clocks are days apart, and ChatHub refuses an end by one of them: tries the other.
    async fn mint_by_the_other_clock(&self, operator: OperatorId, lifetime: TimeDelta) -> Minted {
        let is_doubted = self.clock().is_doubted();
        let end = self.clock().by_the_other() + lifetime;
        let minted = self.mint_until(operator, end, Clock::by_the_other).await;
        if minted.is_ok() {
            self.clock().doubt(!is_doubted);
        }
        minted.map_err(|error| self.blame_the_clocks(error))
    }

    /// Another end was refused too. While the clocks are days apart, that says nothing about the
    /// operator.
    fn blame_the_clocks(&self, error: Error) -> Error {
        error.map_kind(|kind| match kind {
            ErrorKind::InvalidRequest { .. } if self.clock().is_doubtful() => {
                ErrorKind::BadAnswer(BadAnswer::Clocks)
            }
            other => other,
        })
    }
}
