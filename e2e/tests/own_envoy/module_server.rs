//! An HTTP server that Envoy fetches modules from, well or badly.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// What the server answers with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Serves {
    /// The module.
    All,
    /// The module's length, and half of its bytes.
    Half,
    /// Another module.
    Another,
}

/// A server of one module; its thread ends with the process.
pub(crate) struct ModuleServer {
    serves: Arc<Mutex<Serves>>,
    asked: Arc<AtomicUsize>,
}

impl ModuleServer {
    /// Serves `module` at `port`, under every path.
    pub(crate) fn start(port: u16, module: Vec<u8>, serves: Serves) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
        let server = Self { serves: Arc::new(Mutex::new(serves)), asked: Arc::default() };
        let (serves, asked) = (Arc::clone(&server.serves), Arc::clone(&server.asked));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let serves = *serves.lock().unwrap();
                // A client that goes away is none of ours.
                let _ = answer(stream.unwrap(), &module, serves);
                asked.fetch_add(1, Ordering::SeqCst);
            }
        });
        server
    }

    /// Serves something else from now on.
    pub(crate) fn serve(&self, serves: Serves) {
        *self.serves.lock().unwrap() = serves;
    }

    /// How often it was asked.
    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

fn answer(mut stream: TcpStream, module: &[u8], serves: Serves) -> std::io::Result<()> {
    let (mut head, mut byte) = (Vec::new(), [0u8]);
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte)? == 1 {
        head.extend(byte);
    }
    let body = match serves {
        Serves::All => module,
        Serves::Half => &module[..module.len() / 2],
        // The smallest there is.
        Serves::Another => b"\0asm\x01\0\0\0",
    };
    let length = if serves == Serves::Another { body.len() } else { module.len() };
    write!(stream, "HTTP/1.1 200 OK\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n")?;
    stream.write_all(body)
}
