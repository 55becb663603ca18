//! Browsers whose pairing was ended on this service's own page, a short while ago.
//!
//! The page takes the browser's cookie away. A request that was on its way meanwhile, or a tab that
//! had the cookie already, is refused by this. What ends a copy of a cookie for good is
//! `DEVICES_REVOKED_FILE`.

use std::time::Duration;

use moka::sync::Cache;

use super::DeviceId;
use crate::access::Authenticator;

/// The maximum number of remembered devices, some 150 bytes each.
const MAX_DEVICES: u64 = 100_000;

/// The devices that this replica remembers.
pub(in crate::access) struct EndedDevices(Cache<DeviceId, ()>);

impl Default for EndedDevices {
    fn default() -> Self {
        let devices = Cache::builder().max_capacity(MAX_DEVICES);
        let devices = devices.eviction_policy(moka::policy::EvictionPolicy::lru());
        Self(
            devices
                .time_to_live(Authenticator::DEVICE_END_REMEMBERED)
                .build(),
        )
    }
}

impl EndedDevices {
    pub(super) fn contains(&self, device: DeviceId) -> bool {
        self.0.contains_key(&device)
    }
}

impl Authenticator {
    /// How long a device is refused after its pairing was ended on the page.
    pub const DEVICE_END_REMEMBERED: Duration = Duration::from_mins(10);

    /// Refuses a device from now on, in this replica and for a while.
    pub fn end_pairing(&self, device: DeviceId) {
        self.ended_devices.0.insert(device, ());
    }
}
