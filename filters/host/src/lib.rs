//! Between Envoy and the policy engine: bytes in, effects out.
//!
//! The only crate that names a proxy-wasm host call. The SDK dispatches Envoy's callbacks; the host calls go through
//! [`abi`], since the SDK's own wrappers panic on any status they don't expect, and a panic takes down the VM of a
//! worker thread.

mod abi;
mod answer;
mod authorize;
mod authz_stats;
mod compiled;
mod connection;
mod destinations;
mod dispatch;
mod effects;
mod ending;
mod ext_authz;
mod fault_stats;
mod headers;
mod holds;
mod jwks;
mod jwt_stats;
mod lines;
mod measured;
mod metrics;
mod peers;
mod plugin;
mod property;
mod record;
mod room;
mod series;
mod signature;
mod stream;
mod surroundings;

pub use abi::allocate;
pub use dispatch::Dispatcher;
pub use outrigger_core::PolicySet;

#[cfg(target_arch = "wasm32")]
#[global_allocator]
static MEMORY: talc::wasm::WasmDynamicTalc = talc::wasm::new_wasm_dynamic_allocator();

/// Starts a filter. Called by each module's `_initialize`.
pub fn start() {
    proxy_wasm::set_log_level(proxy_wasm::types::LogLevel::Info);
}

/// Makes the crate that invokes it a filter module for the given [`PolicySet`].
///
/// The callbacks have names of our own, since the SDK's library has functions by the ABI's; `outrigger-pack` puts ours
/// in their place.
#[macro_export]
macro_rules! filter {
    ($policies:expr) => {
        #[cfg(target_arch = "wasm32")]
        mod entry {
            use std::mem::ManuallyDrop;

            type Dispatcher = ManuallyDrop<$crate::Dispatcher<{ $policies.bits() }>>;

            std::thread_local! {
                static FILTER: Dispatcher = const { ManuallyDrop::new($crate::Dispatcher::new()) };
            }

            unsafe extern "C" {
                fn __wasm_call_ctors();
            }

            /// Called by Envoy once, before anything else.
            #[unsafe(no_mangle)]
            pub extern "C" fn _initialize() {
                // SAFETY: the reactor's entry point runs the constructors exactly once, as the WASI ABI asks.
                unsafe { __wasm_call_ctors() };
                $crate::start();
            }

            #[unsafe(no_mangle)]
            pub extern "C" fn outrigger_on_memory_allocate(size: usize) -> *mut u8 {
                $crate::allocate(size)
            }

            #[unsafe(no_mangle)]
            pub extern "C" fn outrigger_on_context_create(context: u32, parent: u32) {
                FILTER.with(|filter| filter.on_context_create(context, parent));
            }

            #[unsafe(no_mangle)]
            pub extern "C" fn outrigger_on_configure(root: u32, size: usize) -> bool {
                FILTER.with(|filter| filter.on_configure(root, size))
            }

            #[unsafe(no_mangle)]
            pub extern "C" fn outrigger_on_tick(root: u32) {
                FILTER.with(|filter| filter.on_tick(root));
            }

            #[unsafe(no_mangle)]
            pub extern "C" fn outrigger_on_http_call_response(
                root: u32,
                call: u32,
                _: usize,
                size: usize,
                _: usize,
            ) {
                FILTER.with(|filter| filter.on_http_call_response(root, call, size));
            }

            #[unsafe(no_mangle)]
            pub extern "C" fn outrigger_on_request_headers(stream: u32, _: usize, _: bool) -> u32 {
                FILTER.with(|filter| filter.on_request_headers(stream)) as u32
            }

            #[unsafe(no_mangle)]
            pub extern "C" fn outrigger_on_response_headers(stream: u32, _: usize, _: bool) -> u32 {
                FILTER.with(|filter| filter.on_response_headers(stream)) as u32
            }

            #[unsafe(no_mangle)]
            pub extern "C" fn outrigger_on_log(stream: u32) {
                FILTER.with(|filter| filter.on_log(stream));
            }
        }
    };
}
