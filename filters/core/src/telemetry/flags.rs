//! Envoy's response flags: the bits of the `response.flags` attribute and their short names.

/// Short names by bit, in the order of Envoy's `CoreResponseFlag`.
const NAMES: [&str; 30] = [
    "LH", "UH", "UT", "LR", "UR", "UF", "UC", "UO", "NR", "DI", "FI", "RL", "UAEX", "RLSE", "DC", "URX",
    "SI", "IH", "DPE", "UMSDR", "RFCF", "NFCF", "DT", "UPE", "NC", "OM", "DF", "DO", "DR", "UDO",
];

/// Those that Envoy sets before all others: `DI`, `FI`, `URX`.
const FIRST: [usize; 3] = [9, 10, 15];

/// A set of response flags.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct ResponseFlags(pub u64);

impl ResponseFlags {
    /// A delay was injected. A wasm filter can't set it in Envoy, so our metrics add it themselves.
    pub const DELAY_INJECTED: Self = Self(1 << 9);
    /// An abort was injected; see [`Self::DELAY_INJECTED`].
    pub const FAULT_INJECTED: Self = Self(1 << 10);

    /// Both sets.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The short names joined by commas, as `%RESPONSE_FLAGS%` prints them; `-` if there are none. Envoy prints them in the
    /// order in which they were set: faults come first, and that retries are at an end before why.
    pub fn names(self) -> String {
        let order = FIRST.into_iter().chain((0..NAMES.len()).filter(|bit| !FIRST.contains(bit)));
        let set = order.filter(|bit| self.0 & (1 << bit) != 0);
        let names: Vec<&str> = set.filter_map(|bit| NAMES.get(bit).copied()).collect();
        if names.is_empty() { "-".to_owned() } else { names.join(",") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn flags_print_as_envoy_prints_them() {
        let faulty = ResponseFlags::DELAY_INJECTED.with(ResponseFlags::FAULT_INJECTED);
        for (flags, names) in [
            (ResponseFlags(0), "-"),
            (ResponseFlags(1 << 2), "UT"),
            (faulty, "DI,FI"),
            (ResponseFlags(1 << 2 | 1 << 15), "URX,UT"),
            (ResponseFlags(1 << 29), "UDO"),
            (ResponseFlags(1 << 40), "-"),
        ] {
            assert_eq!(flags.names(), names);
        }
    }
}
