//! Ports for what a test starts.

use std::net::TcpStream;
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Result, bail};

/// Where they are looked for: below those that systems give to outgoing connections (Linux: from 32,768 on), of which
/// one could take a port between its being found and its being used; and above Istio's own (15,000 to 15,090), which the
/// tests of pasted examples listen on.
const FIRST: u32 = 16_000;
const COUNT: u32 = 16_000;

/// How far in this process they have been handed out.
static HANDED_OUT: AtomicU32 = AtomicU32::new(0);

/// A port of the loopback interface on which nobody listens. It is handed out once in this process.
///
/// # Errors
/// There is none.
pub fn free_port() -> Result<u16> {
    // Processes that run at the same time begin at different places.
    let start = std::process::id().wrapping_mul(7_919);
    for _ in 0..COUNT {
        let number = start.wrapping_add(HANDED_OUT.fetch_add(1, Ordering::Relaxed));
        let port = u16::try_from(FIRST + number % COUNT)?;
        // Not by listening there oneself: a child that another thread starts at that moment holds the socket until it
        // becomes its own program, and the port is taken for whoever asked.
        if TcpStream::connect(("127.0.0.1", port)).is_err() {
            return Ok(port);
        }
    }
    bail!("no port between {FIRST} and {} is free", FIRST + COUNT)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::net::TcpListener;
    use std::process::Command;
    use std::sync::atomic::AtomicBool;

    use super::*;

    #[test]
    fn no_port_is_handed_out_twice() {
        let ports: BTreeSet<_> = (0..200).map(|_| free_port().unwrap()).collect();
        assert_eq!(ports.len(), 200);
        let range = FIRST..FIRST + COUNT;
        assert!(ports.iter().all(|port| range.contains(&u32::from(*port))));
    }

    #[test]
    fn a_port_can_be_listened_on_at_once_while_another_thread_starts_programs() {
        let done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    Command::new("true").status().unwrap();
                }
            });
            let refused: Vec<_> = (0..2_000)
                .filter_map(|_| TcpListener::bind(("127.0.0.1", free_port().unwrap())).err())
                .collect();
            done.store(true, Ordering::Relaxed);
            assert!(refused.is_empty(), "{refused:?}");
        });
    }
}
