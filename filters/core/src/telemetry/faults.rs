//! Stats of injected faults, with the names of Envoy's fault filter.

use super::labels::push;

/// What all of them begin with.
pub const FAULT_PREFIX: &str = "outrigger_fault_";

/// The label that names the VirtualService (`namespace/name`) of a fault.
pub const VIRTUAL_SERVICE: &str = "virtual_service";

/// One of the stats that each VirtualService with faults has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultStat {
    /// Requests under a fault now: held, or aborted and not yet gone. A gauge.
    Active,
    /// Requests aborted.
    Aborts,
    /// Requests held.
    Delays,
    /// Requests that the dry run would have aborted.
    DryRunAborts,
    /// Requests that the dry run would have held.
    DryRunDelays,
    /// Requests spared because too many were under a fault.
    Overflow,
}

impl FaultStat {
    /// Each.
    pub const ALL: [Self; 6] =
        [Self::Active, Self::Aborts, Self::Delays, Self::DryRunAborts, Self::DryRunDelays, Self::Overflow];

    /// The metric, without labels and without [`FAULT_PREFIX`].
    pub const fn metric(self) -> &'static str {
        match self {
            Self::Active => "active_faults",
            Self::Aborts => "aborts_injected",
            Self::Delays => "delays_injected",
            Self::DryRunAborts => "aborts_dry_run",
            Self::DryRunDelays => "delays_dry_run",
            Self::Overflow => "faults_overflow",
        }
    }

    /// The stat's name for a VirtualService, with the label as [`super::tag_regex`] reads it.
    pub fn name(self, resource: &str) -> String {
        let mut name = String::with_capacity(96);
        name.push_str(FAULT_PREFIX);
        name.push_str(self.metric());
        push(&mut name, VIRTUAL_SERVICE, resource);
        name
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn the_names_carry_their_label() {
        let name = FaultStat::Delays.name("default/shop");
        assert_eq!(name, "outrigger_fault_delays_injected\u{1e}virtual_service\u{1f}default/shop");
    }
}
