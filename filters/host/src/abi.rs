//! Proxy-Wasm 0.2.1 host calls that answer every status with a value.
#![expect(
    unsafe_code,
    reason = "the ABI is raw pointers; this file and that of the answers are the only ones that touch them"
)]

use std::alloc::{Layout, alloc};
use std::ptr::{null, null_mut};
use std::time::Duration;

use crate::answer::{self, Answer, receive};

/// A status other than Ok, as the host numbers it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Status(u32);

impl Status {
    /// What was asked for is not there.
    pub(crate) const NOT_FOUND: Self = Self(1);
}

/// Which headers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum Map {
    Request = 0,
    Response = 2,
    CallResponse = 6,
}

/// Which kind of metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum MetricKind {
    Counter = 0,
    Gauge = 1,
    Histogram = 2,
}

/// No version of shared data: what is written with it is only taken where there is nothing yet.
pub(crate) const NOTHING_YET: u32 = u32::MAX;

const CALL_RESPONSE_BODY: u32 = 4;
const PLUGIN_CONFIGURATION: u32 = 7;
const HTTP_REQUEST_STREAM: u32 = 0;

#[link(wasm_import_module = "env")]
unsafe extern "C" {
    fn proxy_get_buffer_bytes(
        kind: u32,
        start: usize,
        size: usize,
        data: *mut *mut u8,
        data_size: *mut usize,
    ) -> u32;
    fn proxy_get_header_map_pairs(map: u32, data: *mut *mut u8, size: *mut usize) -> u32;
    fn proxy_get_header_map_value(
        map: u32,
        name: *const u8,
        name_size: usize,
        data: *mut *mut u8,
        size: *mut usize,
    ) -> u32;
    fn proxy_replace_header_map_value(
        map: u32,
        name: *const u8,
        name_size: usize,
        value: *const u8,
        value_size: usize,
    ) -> u32;
    fn proxy_add_header_map_value(
        map: u32,
        name: *const u8,
        name_size: usize,
        value: *const u8,
        value_size: usize,
    ) -> u32;
    fn proxy_remove_header_map_value(map: u32, name: *const u8, name_size: usize) -> u32;
    fn proxy_get_property(path: *const u8, path_size: usize, data: *mut *mut u8, size: *mut usize) -> u32;
    fn proxy_set_property(path: *const u8, path_size: usize, value: *const u8, value_size: usize) -> u32;
    fn proxy_send_local_response(
        status: u32,
        details: *const u8,
        details_size: usize,
        body: *const u8,
        body_size: usize,
        headers: *const u8,
        headers_size: usize,
        grpc_status: i32,
    ) -> u32;
    fn proxy_continue_stream(kind: u32) -> u32;
    fn proxy_set_effective_context(context: u32) -> u32;
    fn proxy_set_tick_period_milliseconds(period: u32) -> u32;
    fn proxy_get_current_time_nanoseconds(time: *mut u64) -> u32;
    fn proxy_define_metric(kind: u32, name: *const u8, name_size: usize, id: *mut u32) -> u32;
    fn proxy_increment_metric(id: u32, offset: i64) -> u32;
    fn proxy_record_metric(id: u32, value: u64) -> u32;
    fn proxy_get_metric(id: u32, value: *mut u64) -> u32;
    fn proxy_get_shared_data(
        key: *const u8,
        key_size: usize,
        data: *mut *mut u8,
        size: *mut usize,
        version: *mut u32,
    ) -> u32;
    fn proxy_set_shared_data(
        key: *const u8,
        key_size: usize,
        value: *const u8,
        value_size: usize,
        version: u32,
    ) -> u32;
    fn proxy_http_call(
        cluster: *const u8,
        cluster_size: usize,
        headers: *const u8,
        headers_size: usize,
        body: *const u8,
        body_size: usize,
        trailers: *const u8,
        trailers_size: usize,
        timeout: u32,
        call: *mut u32,
    ) -> u32;
    fn proxy_call_foreign_function(
        name: *const u8,
        name_size: usize,
        arguments: *const u8,
        arguments_size: usize,
        results: *mut *mut u8,
        results_size: *mut usize,
    ) -> u32;
}

pub(crate) fn check(status: u32) -> Result<(), Status> {
    if status == 0 { Ok(()) } else { Err(Status(status)) }
}

/// `proxy_on_memory_allocate`: memory for the host, which leaves an answer there; null if there is none left. The SDK's goes
/// through a vector and a box, which is four times the code on every request's way.
#[must_use]
pub fn allocate(size: usize) -> *mut u8 {
    if let Some(room) = answer::room(size) {
        return room;
    }
    match Layout::array::<u8>(size) {
        // SAFETY: the size is not 0.
        Ok(layout) if size > 0 => unsafe { alloc(layout) },
        _ => null_mut(),
    }
}

/// The plugin's configuration.
pub(crate) fn plugin_configuration(size: usize) -> Result<Vec<u8>, Status> {
    // SAFETY: both out-pointers are valid for the call.
    receive(|data, length| unsafe { proxy_get_buffer_bytes(PLUGIN_CONFIGURATION, 0, size, data, length) })
        .map(Vec::from)
}

/// The body of the answer to a call of ours, so many bytes long.
pub(crate) fn call_response_body(size: usize) -> Result<Vec<u8>, Status> {
    // SAFETY: both out-pointers are valid for the call.
    receive(|data, length| unsafe { proxy_get_buffer_bytes(CALL_RESPONSE_BODY, 0, size, data, length) })
        .map(Vec::from)
}

/// All lines of a header map, in the host's serialised form (see [`crate::headers`]).
pub(crate) fn header_pairs(map: Map) -> Result<Answer, Status> {
    // SAFETY: both out-pointers are valid for the call.
    receive(|data, size| unsafe { proxy_get_header_map_pairs(map as u32, data, size) })
}

/// The first line of a header.
pub(crate) fn header(map: Map, name: &[u8]) -> Result<Answer, Status> {
    // SAFETY: the host reads the slice during the call and the out-pointers are valid for it.
    receive(|data, size| unsafe {
        proxy_get_header_map_value(map as u32, name.as_ptr(), name.len(), data, size)
    })
}

/// Replaces every line of a header, or adds it.
pub(crate) fn set_header(map: Map, name: &[u8], value: &[u8]) -> Result<(), Status> {
    // SAFETY: the host reads the two slices during the call.
    check(unsafe {
        proxy_replace_header_map_value(map as u32, name.as_ptr(), name.len(), value.as_ptr(), value.len())
    })
}

/// Adds a line.
pub(crate) fn add_header(map: Map, name: &[u8], value: &[u8]) -> Result<(), Status> {
    // SAFETY: the host reads the two slices during the call.
    check(unsafe {
        proxy_add_header_map_value(map as u32, name.as_ptr(), name.len(), value.as_ptr(), value.len())
    })
}

/// Removes every line of a header.
pub(crate) fn remove_header(map: Map, name: &[u8]) -> Result<(), Status> {
    // SAFETY: the host reads the slice during the call.
    check(unsafe { proxy_remove_header_map_value(map as u32, name.as_ptr(), name.len()) })
}

/// A property; `path` has its parts joined by NUL.
pub(crate) fn property(path: &[u8]) -> Result<Answer, Status> {
    // SAFETY: the host reads the slice during the call and the out-pointers are valid for it.
    receive(|data, size| unsafe { proxy_get_property(path.as_ptr(), path.len(), data, size) })
}

/// Sets a filter state object that later filters read as a property.
pub(crate) fn set_property(path: &[u8], value: &[u8]) -> Result<(), Status> {
    // SAFETY: the host reads the two slices during the call.
    check(unsafe { proxy_set_property(path.as_ptr(), path.len(), value.as_ptr(), value.len()) })
}

/// Answers the current stream. `headers` is serialised like [`header_pairs`]; a gRPC status of `None` lets the host
/// map the HTTP status.
pub(crate) fn send_local_response(
    status: u16,
    details: &[u8],
    body: &[u8],
    headers: &[u8],
    grpc_status: Option<u32>,
) -> Result<(), Status> {
    let grpc_status = grpc_status.and_then(|code| i32::try_from(code).ok()).unwrap_or(-1);
    // SAFETY: the host reads the three slices during the call.
    check(unsafe {
        proxy_send_local_response(
            u32::from(status),
            details.as_ptr(),
            details.len(),
            body.as_ptr(),
            body.len(),
            headers.as_ptr(),
            headers.len(),
            grpc_status,
        )
    })
}

/// Lets the current stream's request go on.
pub(crate) fn resume_request() -> Result<(), Status> {
    // SAFETY: no memory is shared.
    check(unsafe { proxy_continue_stream(HTTP_REQUEST_STREAM) })
}

/// Makes `context` the current one; an error means that it is gone.
pub(crate) fn set_effective_context(context: u32) -> Result<(), Status> {
    // SAFETY: no memory is shared.
    check(unsafe { proxy_set_effective_context(context) })
}

/// Sets the period of `on_tick`, in whole milliseconds; zero stops it.
pub(crate) fn set_tick_period(milliseconds: u32) -> Result<(), Status> {
    // SAFETY: no memory is shared.
    check(unsafe { proxy_set_tick_period_milliseconds(milliseconds) })
}

/// Time since the Unix epoch.
pub(crate) fn current_time() -> Result<Duration, Status> {
    let mut nanoseconds = 0u64;
    // SAFETY: the out-pointer is valid for the call.
    check(unsafe { proxy_get_current_time_nanoseconds(&raw mut nanoseconds) })?;
    Ok(Duration::from_nanos(nanoseconds))
}

/// Defines a metric and returns its id. Each call makes a new id: callers keep it.
pub(crate) fn define_metric(kind: MetricKind, name: &str) -> Result<u32, Status> {
    let mut id = 0u32;
    // SAFETY: the host reads the slice during the call and the out-pointer is valid for it.
    check(unsafe { proxy_define_metric(kind as u32, name.as_ptr(), name.len(), &raw mut id) })?;
    Ok(id)
}

/// The value of a counter or a gauge, over all threads.
pub(crate) fn metric(id: u32) -> Result<u64, Status> {
    let mut value = 0u64;
    // SAFETY: the out-pointer is valid for the call.
    check(unsafe { proxy_get_metric(id, &raw mut value) })?;
    Ok(value)
}

/// Adds to a counter, which takes nothing below one, or to a gauge.
pub(crate) fn increment_metric(id: u32, offset: i64) -> Result<(), Status> {
    // SAFETY: no memory is shared.
    check(unsafe { proxy_increment_metric(id, offset) })
}

/// Records a value in a histogram.
pub(crate) fn record_metric(id: u32, value: u64) -> Result<(), Status> {
    // SAFETY: no memory is shared.
    check(unsafe { proxy_record_metric(id, value) })
}

/// What all threads of the proxy share under `key`, and a number that changes with it.
pub(crate) fn shared_data(key: &[u8]) -> Result<(Vec<u8>, u32), Status> {
    let mut version = 0u32;
    // SAFETY: the host reads the slice during the call and the out-pointers are valid for it.
    let data = receive(|data, size| unsafe {
        proxy_get_shared_data(key.as_ptr(), key.len(), data, size, &raw mut version)
    })?;
    Ok((data.into(), version))
}

/// Shares `value` under `key`; an error if `version` is no longer the one of [`shared_data`]. Version 0 is any; where
/// there is nothing yet the host takes every version.
pub(crate) fn set_shared_data(key: &[u8], value: &[u8], version: u32) -> Result<(), Status> {
    // SAFETY: the host reads the two slices during the call.
    check(unsafe { proxy_set_shared_data(key.as_ptr(), key.len(), value.as_ptr(), value.len(), version) })
}

/// Sends a request without a body to a cluster; `headers` is serialised like [`header_pairs`], the timeout in
/// milliseconds. The answer comes by the callback with the returned number.
pub(crate) fn http_call(cluster: &str, headers: &[u8], timeout: u32) -> Result<u32, Status> {
    let mut call = 0u32;
    // No trailers, in the form of a header map.
    let trailers = 0u32.to_le_bytes();
    // SAFETY: the host reads the slices during the call and the out-pointer is valid for it.
    check(unsafe {
        proxy_http_call(
            cluster.as_ptr(),
            cluster.len(),
            headers.as_ptr(),
            headers.len(),
            null(),
            0,
            trailers.as_ptr(),
            trailers.len(),
            timeout,
            &raw mut call,
        )
    })?;
    Ok(call)
}

/// Calls one of the host's foreign functions for its status alone, which spares the host an allocation in the VM: more than
/// half a microsecond.
pub(crate) fn ask_foreign_function(name: &str, arguments: &[u8]) -> Result<(), Status> {
    let (name, name_size) = (name.as_ptr(), name.len());
    // SAFETY: the host reads the two slices during the call, and writes no result where it is given no place for one.
    check(unsafe {
        proxy_call_foreign_function(
            name,
            name_size,
            arguments.as_ptr(),
            arguments.len(),
            null_mut(),
            null_mut(),
        )
    })
}

/// Calls one of the host's foreign functions.
pub(crate) fn call_foreign_function(name: &str, arguments: &[u8]) -> Result<Answer, Status> {
    let data = if arguments.is_empty() { null() } else { arguments.as_ptr() };
    // SAFETY: the host reads the two slices during the call and the out-pointers are valid for it.
    receive(|results, size| unsafe {
        proxy_call_foreign_function(name.as_ptr(), name.len(), data, arguments.len(), results, size)
    })
}
