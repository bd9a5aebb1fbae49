//! The workloads at the other ends of requests, as they describe themselves.

use std::cell::RefCell;
use std::sync::Arc;

use outrigger_core::matching::ByteMap;
use outrigger_core::telemetry::{METADATA, METADATA_ID, Workload};

use crate::abi::{self, Map, Status};
use crate::answer::Answer;
use crate::property;

/// What Istio's metadata of an endpoint says of its workload.
const ENDPOINT: &[u8] = b"xds\0upstream_host_metadata\0filter_metadata\0istio\0workload";

/// What `outrigger` says of an endpoint if all of its cluster are of its workload.
const ALIKE: &[u8] = b"xds\0upstream_host_metadata\0filter_metadata\0outrigger\0all_alike";

/// So many descriptions are remembered at most.
const MOST: usize = 4096;

/// The workloads that this thread knows, and its own.
#[derive(Debug)]
pub(crate) struct Peers {
    known: RefCell<ByteMap<Arc<Workload>>>,
    unknown: Arc<Workload>,
    /// The values of both headers.
    own: (String, String),
}

impl Peers {
    pub(crate) fn new(own: &Workload, hasher: foldhash::fast::FixedState) -> Self {
        let known = RefCell::new(ByteMap::with_hasher(hasher));
        Self { known, unknown: Arc::default(), own: own.to_headers() }
    }

    /// A workload of which nothing is known.
    pub(crate) fn unknown(&self) -> &Arc<Workload> {
        &self.unknown
    }

    /// The workload that a header describes.
    pub(crate) fn of_header(&self, value: &[u8]) -> Arc<Workload> {
        self.remembered(value, Workload::from_header)
    }

    /// The workload that the configuration says is at the endpoint of the current stream.
    pub(crate) fn of_endpoint(&self) -> Arc<Workload> {
        let text = |value: &[u8]| Workload::from_endpoint(std::str::from_utf8(value).ok()?);
        property::bytes(ENDPOINT)
            .map_or_else(|| Arc::clone(&self.unknown), |value| self.remembered(&value, text))
    }

    /// Tells the other end who is here, in response to its telling.
    pub(crate) fn answer(&self) -> Result<(), Status> {
        let (metadata, id) = &self.own;
        abi::set_header(Map::Response, METADATA.as_bytes(), metadata.as_bytes())?;
        abi::set_header(Map::Response, METADATA_ID.as_bytes(), id.as_bytes())
    }

    fn remembered(&self, value: &[u8], read: impl Fn(&[u8]) -> Option<Workload>) -> Arc<Workload> {
        if let Some(known) = self.known.borrow().get(value) {
            return Arc::clone(known);
        }
        let Some(workload) = read(value).map(Arc::new) else { return Arc::clone(&self.unknown) };
        self.known.borrow_mut().remember(value.into(), Arc::clone(&workload), MOST);
        workload
    }
}

/// Whether every endpoint of the current stream's cluster is of the same workload.
pub(crate) fn all_endpoints_are_alike() -> bool {
    property::flag(ALIKE)
}

/// Takes what the other end has told out of the headers of the current stream.
pub(crate) fn take(map: Map) -> Option<Answer> {
    let told = abi::header(map, METADATA.as_bytes()).ok()?;
    remove(map);
    Some(told)
}

/// Takes both headers away.
pub(crate) fn remove(map: Map) {
    for name in [METADATA, METADATA_ID] {
        if let Err(status) = abi::remove_header(map, name.as_bytes()) {
            log::error!("header {name} not removed: {status:?}");
        }
    }
}
