//! The requests of the flood.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Result, ensure};

use super::options::Options;
use super::proxy::{BODY, Proxy};
use crate::flood::{Connection, at_once};

/// Sends them.
pub(super) struct Flood<'p> {
    address: &'p str,
    connections: usize,
    seed: u64,
}

impl<'p> Flood<'p> {
    pub(super) fn new(proxy: &'p Proxy, options: &Options) -> Self {
        Self { address: &proxy.address, connections: options.connections, seed: options.seed }
    }

    /// So many requests that are all alike.
    pub(super) fn same(&self, count: u64) -> Result<()> {
        self.each(0..count, |connection, _| send(connection, "same.example", "/same", "same", "same"))
    }

    /// Requests by their numbers, each with values of its own.
    pub(super) fn random(&self, numbers: Range<u64>) -> Result<()> {
        self.each(numbers, |connection, number| {
            let draw = |which: u64| mix(self.seed ^ number.wrapping_mul(8).wrapping_add(which));
            let [host, path, agent, team] = [0, 1, 2, 3].map(draw);
            send(
                connection,
                &format!("h{host:x}.example"),
                &format!("/p/{path:x}/{:x}", path >> 7),
                &format!("Agent/{agent:x} (\"quoted\")"),
                &format!("team {team:x};.;é=.="),
            )
        })
    }

    fn each(
        &self,
        numbers: Range<u64>,
        work: impl Fn(&mut Connection, u64) -> Result<()> + Sync,
    ) -> Result<()> {
        let next = AtomicU64::new(numbers.start);
        at_once(self.address, self.connections, |_, connection| {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= numbers.end {
                    return Ok(());
                }
                work(connection, number)?;
            }
        })?;
        Ok(())
    }
}

fn send(connection: &mut Connection, host: &str, path: &str, agent: &str, team: &str) -> Result<()> {
    let answer = connection.get(host, path, &format!("user-agent: {agent}\r\nx-team: {team}\r\n"))?;
    ensure!(answer.status == 200 && answer.body == BODY.as_bytes(), "{host}{path}: {answer:?}");
    Ok(())
}

/// SplitMix64's finaliser: numbers without a pattern from numbers in a row.
fn mix(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
