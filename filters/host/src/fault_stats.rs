//! Faults in Envoy's stats and log: counters and a gauge by VirtualService, named as those of Envoy's own fault filter,
//! and filter state that an access log can print.

use std::cell::RefCell;
use std::rc::Rc;

use outrigger_core::fault::{ActiveFaults, Injection, Withheld};
use outrigger_core::matching::ByteMap;
use outrigger_core::telemetry::{FaultStat, ResponseFlags};

use crate::abi::{self, MetricKind, Status};
use crate::ending::Ending;
use crate::metrics::define;
use crate::property;

/// Filter state: what was drawn for the request, as `%FILTER_STATE(wasm.outrigger.fault:PLAIN)%` prints it.
pub(crate) const FAULT: &[u8] = b"outrigger.fault";

/// Filter state: the response flags with those of the fault, which no filter can set in Envoy itself.
pub(crate) const FLAGS: &[u8] = b"outrigger.flags";

/// Ids of one VirtualService's stats, in the order of [`FaultStat::ALL`].
type Ids = Rc<[u32; FaultStat::ALL.len()]>;

thread_local! {
    static DEFINED: RefCell<ByteMap<Ids>> = RefCell::default();
}

/// The stats of a VirtualService, defined when its first fault is drawn: each exists from then on, if with 0.
fn ids(resource: &str) -> Result<Ids, Status> {
    if let Some(ids) = DEFINED.with_borrow(|defined| defined.get(resource.as_bytes()).cloned()) {
        return Ok(ids);
    }
    let mut ids = [0; FaultStat::ALL.len()];
    for (id, stat) in ids.iter_mut().zip(FaultStat::ALL) {
        let kind = if stat == FaultStat::Active { MetricKind::Gauge } else { MetricKind::Counter };
        *id = define(kind, stat.name(resource))?;
    }
    let ids = Rc::new(ids);
    DEFINED.with_borrow_mut(|defined| defined.insert(resource.as_bytes().into(), Rc::clone(&ids)));
    Ok(ids)
}

fn id(ids: &Ids, stat: FaultStat) -> u32 {
    ids.iter().zip(FaultStat::ALL).find(|(_, each)| *each == stat).map_or(0, |(id, _)| *id)
}

/// The gauges of active faults, which all threads of the proxy share.
pub(crate) struct Gauges;

impl ActiveFaults for Gauges {
    fn active(&self, resource: &str) -> u64 {
        let value = ids(resource).and_then(|ids| abi::metric(id(&ids, FaultStat::Active)));
        // A cap that can't be checked counts as reached: rather no fault than one too many.
        value.unwrap_or_else(|status| {
            log::error!("active faults of {resource} not known: {status:?}");
            u64::MAX
        })
    }
}

/// A fault that is counted as active until this value ends, with the request.
#[derive(Debug)]
pub(crate) struct ActiveFault {
    gauge: Option<u32>,
}

impl ActiveFault {
    /// Counts `injection`, and notes it for the access log.
    pub(crate) fn new(injection: &Injection<'_>, flags: ResponseFlags) -> Self {
        let gauge = count(injection).unwrap_or_else(|status| {
            log::error!("fault not counted: {status:?}");
            None
        });
        let noted = abi::set_property(FAULT, injection.to_string().as_bytes());
        if let Err(status) = noted {
            log::error!("fault not noted for the access log: {status:?}");
        }
        log_flags(flags);
        Self { gauge }
    }
}

impl Drop for ActiveFault {
    fn drop(&mut self) {
        if let Some(Err(status)) = self.gauge.map(|gauge| abi::increment_metric(gauge, -1)) {
            log::error!("active fault not taken off: {status:?}");
        }
    }
}

/// Counts a fault; the gauge that was raised, if it is to be done.
fn count(injection: &Injection<'_>) -> Result<Option<u32>, Status> {
    let ids = ids(&injection.rule.resource)?;
    let add = |stat| abi::increment_metric(id(&ids, stat), 1);
    let (delay, abort) = match injection.withheld {
        None => (FaultStat::Delays, FaultStat::Aborts),
        Some(Withheld::DryRun) => (FaultStat::DryRunDelays, FaultStat::DryRunAborts),
        Some(Withheld::Overflow) => return add(FaultStat::Overflow).map(|()| None),
        Some(Withheld::Expired) => return Ok(None),
    };
    if injection.delay.is_some() {
        add(delay)?;
    }
    if injection.abort.is_some() {
        add(abort)?;
    }
    if injection.withheld.is_some() {
        return Ok(None);
    }
    add(FaultStat::Active)?;
    Ok(Some(id(&ids, FaultStat::Active)))
}

/// The shortest delay, in nanoseconds: Istio has none below a millisecond.
const SHORTEST: u64 = 1_000_000;

/// The flags that a stand-alone fault filter before this one has left. Not asked for where the request was not aborted and
/// too quick to be delayed.
pub(crate) fn received_flags(ending: &Ending) -> ResponseFlags {
    let none = ResponseFlags::default();
    if ending.destination.is_some() && ending.nanoseconds < SHORTEST {
        return none;
    }
    let Some(left) = property::bytes(b"filter_state\0wasm.outrigger.flags") else { return none };
    let flag =
        |name: &[u8], flag| if left.split(|byte| *byte == b',').any(|one| one == name) { flag } else { none };
    flag(b"DI", ResponseFlags::DELAY_INJECTED).with(flag(b"FI", ResponseFlags::FAULT_INJECTED))
}

/// Leaves the response flags for the access log.
pub(crate) fn log_flags(flags: ResponseFlags) {
    if flags != ResponseFlags::default()
        && let Err(status) = abi::set_property(FLAGS, flags.names().as_bytes())
    {
        log::error!("response flags not noted for the access log: {status:?}");
    }
}
