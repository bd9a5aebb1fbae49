//! Between Envoy and the policy engine: bytes in, effects out.
//!
//! The only crate that names a proxy-wasm host call. The SDK dispatches Envoy's callbacks; the host calls go through
//! [`abi`], since the SDK's own wrappers panic on any status they don't expect, and a panic takes down the VM of a
//! worker thread.

mod abi;
mod connection;
mod effects;
mod headers;
mod holds;
mod metrics;
mod plugin;
mod property;
mod signature;
mod stream;

pub use outrigger_core::PolicySet;

/// Starts a filter that carries out the policies with these [`PolicySet::bits`]. Called by each module's `_initialize`.
pub fn start<const POLICIES: u8>() {
    proxy_wasm::set_log_level(proxy_wasm::types::LogLevel::Info);
    plugin::register::<POLICIES>();
}

/// Makes the crate that invokes it a filter module for the given [`PolicySet`].
#[macro_export]
macro_rules! filter {
    ($policies:expr) => {
        #[cfg(target_arch = "wasm32")]
        mod entry {
            unsafe extern "C" {
                fn __wasm_call_ctors();
            }

            /// Called by Envoy once, before anything else.
            #[unsafe(no_mangle)]
            pub extern "C" fn _initialize() {
                // SAFETY: the reactor's entry point runs the constructors exactly once, as the WASI ABI asks.
                unsafe { __wasm_call_ctors() };
                $crate::start::<{ $policies.bits() }>();
            }
        }
    };
}
