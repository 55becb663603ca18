//! Which requests are traced.
//!
//! Decided by hand: OpenTelemetry's own sampler wants a context and a trace id for each request,
//! and is missing in a build without the feature `otlp`.

use thiserror::Error;

use super::trace_parent::TraceParent;

/// Which requests are traced.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sampling {
    /// Whether a `traceparent` of the caller decides.
    follows_parent: bool,
    /// The ratio of the other requests that is traced, 0 to 1.
    ratio: f64,
}

/// What is wrong with the texts that say which requests are traced.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum SamplingError {
    /// The name is no sampler's.
    #[error("not one of always_on, always_off, traceidratio, or these after parentbased_")]
    UnknownSampler,
    /// The argument is no ratio.
    #[error("not a ratio from 0 to 1")]
    NotARatio,
}

impl Sampling {
    /// Nothing is traced.
    pub const OFF: Self = Self {
        follows_parent: false,
        ratio: 0.0,
    };

    /// Parses OpenTelemetry's standard names, and the argument of a ratio.
    pub fn parse(name: &str, argument: Option<&str>) -> Result<Self, SamplingError> {
        let (follows_parent, name) = match name.strip_prefix("parentbased_") {
            Some(name) => (true, name),
            None => (false, name),
        };
        let ratio = match name {
            "always_on" => 1.0,
            "always_off" => 0.0,
            "traceidratio" => argument
                .map_or(Ok(1.0), |ratio| ratio.trim().parse())
                .map_err(|_| SamplingError::NotARatio)?,
            _ => return Err(SamplingError::UnknownSampler),
        };
        (0.0..=1.0)
            .contains(&ratio)
            .then_some(Self {
                follows_parent,
                ratio,
            })
            .ok_or(SamplingError::NotARatio)
    }

    /// Whether to trace a request, whose caller may have sent a parent.
    pub(super) fn should_sample(self, parent: Option<TraceParent>) -> bool {
        match parent {
            Some(parent) if self.follows_parent => parent.is_sampled,
            _ => self.ratio > 0.0 && fastrand::f64() < self.ratio,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    #[test]
    fn samplers_decide_as_opentelemetry_defines_them() {
        let sampled = TraceParent::parse(PARENT);
        let unsampled = TraceParent::parse(&PARENT.replace("-01", "-00"));
        let wants = |name, parent| {
            let sampling = Sampling::parse(name, Some("0")).unwrap();
            sampling.should_sample(parent)
        };
        assert!(wants("always_on", unsampled));
        assert!(!wants("always_off", sampled));
        assert!(wants("parentbased_always_on", None));
        assert!(!wants("parentbased_always_on", unsampled));
        assert!(wants("parentbased_traceidratio", sampled));
        assert!(!wants("traceidratio", sampled));
        for (name, argument, error) in [
            ("sometimes", None, SamplingError::UnknownSampler),
            ("traceidratio", Some("2"), SamplingError::NotARatio),
            (
                "parentbased_traceidratio",
                Some("half"),
                SamplingError::NotARatio,
            ),
            ("traceidratio", Some("NaN"), SamplingError::NotARatio),
        ] {
            assert_eq!(Sampling::parse(name, argument), Err(error));
        }
    }
}
