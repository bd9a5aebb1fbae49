//! The only crate that names a proxy-wasm host call.
