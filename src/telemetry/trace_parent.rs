//! The header `traceparent` of W3C Trace Context.
//!
//! Parsed by hand: OpenTelemetry's own propagator also takes ids that are too short or begin with
//! `+`, allocates for each request, and is missing in a build without the feature `otlp`.

use super::trace::TraceId;

/// The caller's span that a request belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceParent {
    pub(super) trace_id: TraceId,
    pub(super) span_id: u64,
    pub(super) is_sampled: bool,
}

impl TraceParent {
    /// Parses `00-<trace id>-<span id>-<flags>`. A later version may have more after that.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let mut hex = |digits| {
            parts.next().filter(|part| {
                let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
                part.len() == digits && part.bytes().all(is_hex)
            })
        };
        let (version, trace_id, span_id, flags) = (hex(2)?, hex(32)?, hex(16)?, hex(2)?);
        if version == "ff" || (version == "00" && parts.next().is_some()) {
            return None;
        }
        let parent = Self {
            trace_id: TraceId(u128::from_str_radix(trace_id, 16).ok()?),
            span_id: u64::from_str_radix(span_id, 16).ok()?,
            is_sampled: u8::from_str_radix(flags, 16).ok()? & 1 == 1,
        };
        (parent.trace_id.0 != 0 && parent.span_id != 0).then_some(parent)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    #[test]
    fn a_parent_is_parsed_as_w3c_defines_it() {
        let parent = TraceParent::parse(PARENT).unwrap();
        assert_eq!(parent.trace_id.0, 0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c);
        assert_eq!(parent.span_id, 0xb7ad_6b71_6920_3331);
        assert!(parent.is_sampled);
        let later = TraceParent::parse(&PARENT.replace("00-0af", "01-0af").replace("-01", "-02-x"));
        assert!(!later.unwrap().is_sampled);
    }

    #[rstest]
    #[case::empty("")]
    #[case::capitals(&PARENT.to_uppercase())]
    #[case::short(&PARENT[..50])]
    #[case::longer_than_its_version(&format!("{PARENT}-00"))]
    #[case::no_version(&PARENT.replace("00-0af", "ff-0af"))]
    #[case::no_trace("00-00000000000000000000000000000000-b7ad6b7169203331-01")]
    #[case::no_span("00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01")]
    #[case::sign("00-+af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")]
    fn an_invalid_parent_is_ignored(#[case] text: &str) {
        assert_eq!(TraceParent::parse(text), None);
    }
}
