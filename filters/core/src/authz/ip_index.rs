//! Rules by address block.

use std::collections::HashMap;
use std::net::IpAddr;

use foldhash::fast::FixedState;
use ipnet::IpNet;

use crate::matching::cidr::normal_block;

/// Rules by address block. A look-up asks once for each length of prefix in use, of which there are few.
#[derive(Debug, Default)]
pub(super) struct IpIndex {
    /// Ascending.
    lengths: Vec<u8>,
    rules: HashMap<IpNet, Vec<u32>, FixedState>,
}

impl IpIndex {
    pub(super) fn file(&mut self, block: IpNet, rule: u32) {
        let block = normal_block(block).trunc();
        if let Err(at) = self.lengths.binary_search(&block.prefix_len()) {
            self.lengths.insert(at, block.prefix_len());
        }
        self.rules.entry(block).or_default().push(rule);
    }

    /// The rules of each block that holds `address`.
    pub(super) fn of(&self, address: IpAddr) -> impl Iterator<Item = &Vec<u32>> {
        let address = address.to_canonical();
        self.lengths.iter().filter_map(move |length| {
            let block = IpNet::new(address, *length).ok()?;
            self.rules.get(&block.trunc())
        })
    }

    /// The rules of every block.
    pub(super) fn all(&self) -> impl Iterator<Item = &Vec<u32>> {
        self.rules.values()
    }
}
