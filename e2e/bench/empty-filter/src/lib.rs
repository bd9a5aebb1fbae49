//! A filter on the plain SDK that does nothing with a request: the least that WebAssembly costs.

#[cfg(target_arch = "wasm32")]
mod filter {
    use proxy_wasm::traits::{Context, HttpContext};

    proxy_wasm::main! {{
        proxy_wasm::set_http_context(|_, _| Box::new(Empty));
    }}

    struct Empty;

    impl Context for Empty {}
    impl HttpContext for Empty {}
}
