//! How a request ended: its status, its flags, its sizes, how long it took and where it went.
//!
//! For each attribute the host allocates memory in the VM, which is 0.8 of its 0.9 µs. So it is asked for a list of all of
//! them, which takes one allocation. A list with an attribute that is not there is none: requests that came to no endpoint
//! have a shorter one, and those without a response are asked about attribute by attribute. The shorter one will do too if
//! it is known where the request went.

use outrigger_core::request::HeaderLine;
use outrigger_core::telemetry::ResponseFlags;

use crate::compiled::Compiled;
use crate::destinations::{Destination, Destinations, Way};
use crate::peers::Peers;
use crate::{headers, property};

/// Of a request that came to an endpoint.
const FORWARDED: &str = "[response.code, response.flags, request.total_size, response.total_size, request.duration, \
                         xds.cluster_name, upstream.address]";
/// Likewise, where the metrics do not name the endpoint: none of the cluster has to be there.
const CAME_TO: &str = "[response.code, response.flags, request.total_size, response.total_size, request.duration, \
                       xds.cluster_name, '']";
/// Of any other that was answered.
const ANSWERED: &str =
    "[response.code, response.flags, request.total_size, response.total_size, request.duration]";

/// How a request ended.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ending {
    /// The status of the response; 0 if there was none.
    pub(crate) code: u16,
    /// Envoy's response flags.
    pub(crate) flags: ResponseFlags,
    /// Bytes of the request, headers included.
    pub(crate) request_size: u64,
    /// Bytes of the response, headers included.
    pub(crate) response_size: u64,
    /// Nanoseconds from the first byte of the request to the last one of the response, as Envoy has it.
    pub(crate) nanoseconds: u64,
    /// The endpoint that it came to.
    pub(crate) destination: Option<Destination>,
}

/// Reads how requests ended.
#[derive(Debug)]
pub(crate) struct Endings {
    /// The lists; `None` if the host can't compile any.
    forwarded: Option<Compiled>,
    answered: Option<Compiled>,
    destinations: Destinations,
}

impl Endings {
    /// For the root context whose callback this is.
    pub(crate) fn new(destinations: Destinations) -> Self {
        let forwarded = if destinations.with_workloads { FORWARDED } else { CAME_TO };
        let [forwarded, answered] = [forwarded, ANSWERED].map(|list| Compiled::new(list).ok());
        Self { forwarded, answered, destinations }
    }

    /// How the current stream ended, of which `way` is known.
    pub(crate) fn read(&self, peers: &Peers, way: Way<'_>) -> Ending {
        let way = Way { now: self.destinations.now(way.now), ..way };
        self.expected(way)
            .or_else(|| self.forwarded(peers, way))
            .or_else(|| self.answered())
            .unwrap_or_else(|| self.one_by_one(peers, way))
    }

    /// It came to where it was sent to: then no flag says otherwise.
    fn expected(&self, way: Way<'_>) -> Option<Ending> {
        let destination = self.destinations.expected(way)?;
        let ending = self.answered().filter(|ending| ending.flags == ResponseFlags::default())?;
        Some(Ending { destination: Some(destination), ..ending })
    }

    fn forwarded(&self, peers: &Peers, way: Way<'_>) -> Option<Ending> {
        let list = self.forwarded.as_ref()?.evaluate().ok()?;
        let [numbers @ .., (cluster, _), (address, _)] = headers::parse_exact::<7>(&list)?;
        // Both stand at the end of the list, each with the NUL of its own and of the empty text beside it.
        let place = list.len().checked_sub(cluster.len().checked_add(address.len())?.checked_add(4)?)?;
        let destination = self.destinations.of(list.get(place..)?, cluster, peers, way);
        Some(Ending { destination: Some(destination), ..Ending::of(numbers)? })
    }

    fn answered(&self) -> Option<Ending> {
        let list = self.answered.as_ref()?.evaluate().ok()?;
        Ending::of(headers::parse_exact(&list)?)
    }

    /// Kept out of the way of those that were answered.
    #[inline(never)]
    fn one_by_one(&self, peers: &Peers, way: Way<'_>) -> Ending {
        let number =
            |path| property::integer(path).and_then(|number| u64::try_from(number).ok()).unwrap_or(0);
        let cluster = property::bytes(b"xds\0cluster_name");
        let destination = cluster.zip(property::bytes(b"upstream\0address")).map(|(cluster, address)| {
            // As a list would have it.
            let place = [&*cluster, &*address, b""].join(&b"\0\0"[..]);
            self.destinations.of(&place, &cluster, peers, way)
        });
        Ending {
            code: number(b"response\0code").try_into().unwrap_or(0),
            flags: ResponseFlags(number(b"response\0flags")),
            request_size: number(b"request\0total_size"),
            response_size: number(b"response\0total_size"),
            nanoseconds: number(b"request\0duration"),
            destination,
        }
    }
}

impl Ending {
    /// From the numbers of a list, each of which stands as a header's name does.
    fn of(numbers: [HeaderLine<'_>; 5]) -> Option<Self> {
        let number =
            |(bytes, _): HeaderLine<'_>| u64::try_from(i64::from_le_bytes(bytes.try_into().ok()?)).ok();
        let [code, flags, request_size, response_size, duration] = numbers.map(number);
        Some(Self {
            code: u16::try_from(code?).ok()?,
            flags: ResponseFlags(flags?),
            request_size: request_size?,
            response_size: response_size?,
            nanoseconds: duration?,
            destination: None,
        })
    }
}
