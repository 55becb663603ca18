//! How a request is refused.

pub(super) mod conversions;
