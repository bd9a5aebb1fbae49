//! Rules by address block.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::matching::ByteMap;
use crate::matching::cidr::normal_block;

/// Rules by address block. A look-up asks once for each length of prefix in use, of which there are few.
#[derive(Debug, Default)]
pub(super) struct IpIndex {
    /// Ascending.
    lengths: Vec<u8>,
    rules: ByteMap<Vec<u32>>,
}

impl IpIndex {
    pub(super) fn file(&mut self, block: IpNet, rule: u32) {
        let block = normal_block(block).trunc();
        if let Err(at) = self.lengths.binary_search(&block.prefix_len()) {
            self.lengths.insert(at, block.prefix_len());
        }
        self.rules.change(key(block)[..].into(), Vec::new, |rules| rules.push(rule));
    }

    /// The rules of each block that holds `address`.
    pub(super) fn of(&self, address: IpAddr) -> impl Iterator<Item = &Vec<u32>> {
        let address = address.to_canonical();
        self.lengths.iter().filter_map(move |length| {
            let block = IpNet::new(address, *length).ok()?;
            self.rules.get(&key(block.trunc()))
        })
    }

    /// The rules of every block.
    pub(super) fn all(&self) -> impl Iterator<Item = &Vec<u32>> {
        self.rules.values()
    }
}

/// A block as bytes; no two blocks have the same.
pub(super) fn key(block: IpNet) -> [u8; 17] {
    let mut key = [0; 17];
    let (address, length) = key.split_at_mut(16);
    match block.network() {
        IpAddr::V4(network) => address.iter_mut().zip(network.octets()).for_each(|(byte, of)| *byte = of),
        IpAddr::V6(network) => address.copy_from_slice(&network.octets()),
    }
    // A block of IPv6 has a length of 128 at most.
    let marked = if block.addr().is_ipv4() { 200 } else { 0 };
    length.fill(block.prefix_len().saturating_add(marked));
    key
}
