//! Sets of address blocks.

use outrigger_api::ordered;
use std::net::IpAddr;

use ipnet::IpNet;

/// A set of addresses, given by blocks. One look-up is a binary search, whatever the number of blocks.
///
/// An IPv4 address and its IPv4-mapped form (`::ffff:192.0.2.1`) are the same address here. Apart from that the
/// families are kept apart, as in Envoy: `::/0` holds no IPv4 address.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IpSet {
    v4: Ranges<u32>,
    v6: Ranges<u128>,
}

/// First and last address of each range; sorted, apart from each other by at least one address.
type Ranges<T> = Vec<(T, T)>;

impl IpSet {
    /// The union of `blocks`. Host bits of a block do not matter.
    pub fn new<'b>(blocks: impl IntoIterator<Item = &'b IpNet>) -> Self {
        let mut set = Self::default();
        for block in blocks {
            match normal_block(*block) {
                IpNet::V4(block) => set.v4.push((block.network().to_bits(), block.broadcast().to_bits())),
                IpNet::V6(block) => set.v6.push((block.network().to_bits(), block.broadcast().to_bits())),
            }
        }
        set.v4 = merged(set.v4, |last, next| last.checked_add(1).is_none_or(|after| next <= after));
        set.v6 = merged(set.v6, |last, next| last.checked_add(1).is_none_or(|after| next <= after));
        set
    }

    /// Whether `address` lies in one of the blocks.
    pub fn contains(&self, address: IpAddr) -> bool {
        match address.to_canonical() {
            IpAddr::V4(address) => holds(&self.v4, address.to_bits()),
            IpAddr::V6(address) => holds(&self.v6, address.to_bits()),
        }
    }
}

/// A block of mapped addresses as the IPv4 block it stands for.
pub fn normal_block(block: IpNet) -> IpNet {
    const MAPPED: u8 = 96;
    let IpNet::V6(v6) = block else { return block };
    let v4 = v6.addr().to_ipv4_mapped().zip(v6.prefix_len().checked_sub(MAPPED));
    v4.and_then(|(address, length)| IpNet::new(address.into(), length).ok()).unwrap_or(block)
}

fn merged<T: Copy + Ord>(mut ranges: Ranges<T>, touches: impl Fn(T, T) -> bool) -> Ranges<T> {
    ordered::sort(&mut ranges);
    let mut merged: Ranges<T> = Vec::with_capacity(ranges.len());
    for (first, last) in ranges {
        match merged.last_mut() {
            Some((_, end)) if touches(*end, first) => *end = last.max(*end),
            _ => merged.push((first, last)),
        }
    }
    merged
}

fn holds<T: Copy + Ord>(ranges: &Ranges<T>, address: T) -> bool {
    let after = ranges.partition_point(|(first, _)| *first <= address);
    let nearest = after.checked_sub(1).and_then(|at| ranges.get(at));
    nearest.is_some_and(|(_, last)| address <= *last)
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    fn set(blocks: &[&str]) -> IpSet {
        let blocks: Vec<IpNet> = blocks
            .iter()
            .map(|block| {
                block.parse().unwrap_or_else(|_| IpNet::from(block.parse::<IpAddr>().expect("an address")))
            })
            .collect();
        IpSet::new(&blocks)
    }

    #[test]
    fn an_address_is_in_the_set_if_it_is_in_a_block() {
        for (blocks, address, expected) in [
            (&["10.0.0.0/8"][..], "10.255.255.255", true),
            (&["10.0.0.0/8"], "11.0.0.0", false),
            (&["10.1.2.3/8"], "10.0.0.0", true),
            (&["192.0.2.1"], "192.0.2.1", true),
            (&["192.0.2.1"], "192.0.2.2", false),
            (&["0.0.0.0/0"], "255.255.255.255", true),
            (&["0.0.0.0/0"], "::1", false),
            (&["::/0"], "2001:db8::1", true),
            (&["::/0"], "192.0.2.1", false),
            (&["2001:db8::/32"], "2001:db8:ffff::", true),
            (&["2001:db8::/32"], "2001:db9::", false),
            (&["192.0.2.0/24"], "::ffff:192.0.2.7", true),
            (&["::ffff:192.0.2.0/120"], "192.0.2.7", true),
            (&["::ffff:192.0.2.0/120"], "::ffff:192.0.3.7", false),
            (&["10.0.0.0/9", "10.128.0.0/9", "10.3.0.0/16"], "10.200.0.1", true),
            (&["10.0.0.0/24", "10.0.2.0/24"], "10.0.1.9", false),
            (&["255.255.255.255/32", "255.0.0.0/8"], "255.255.255.255", true),
            (&[], "10.0.0.1", false),
        ] {
            assert_eq!(set(blocks).contains(address.parse().unwrap()), expected, "{address} in {blocks:?}");
        }
    }

    #[test]
    fn neighbours_become_one_range() {
        assert_eq!(set(&["10.0.0.0/25", "10.0.0.128/25", "10.0.0.7"]), set(&["10.0.0.0/24"]));
        assert_eq!(set(&["::/1", "8000::/1"]), set(&["::/0"]));
    }
}

#[cfg(test)]
#[cfg(not(target_arch = "wasm32"))]
mod properties {
    use std::net::{Ipv4Addr, Ipv6Addr};

    use proptest::prelude::*;

    use super::*;

    fn address() -> impl Strategy<Value = IpAddr> {
        // Few distinct values, so that addresses and blocks meet.
        prop_oneof![
            (0u32..64).prop_map(|low| IpAddr::from(Ipv4Addr::from_bits(0x0a00_0000 + low))),
            (0u128..64).prop_map(|low| IpAddr::from(Ipv6Addr::from_bits(low << 64))),
            (0u32..64).prop_map(|low| IpAddr::from(Ipv4Addr::from_bits(0x0a00_0000 + low).to_ipv6_mapped())),
        ]
    }

    fn block() -> impl Strategy<Value = IpNet> {
        (address(), 0u8..=12).prop_map(|(address, short)| {
            let width = if address.is_ipv4() { 32 } else { 128 };
            IpNet::new(address, width - short).unwrap()
        })
    }

    proptest! {
        #[test]
        fn the_set_is_the_union_of_its_blocks(blocks in prop::collection::vec(block(), 0..12), address in address()) {
            let canonical = address.to_canonical();
            let naive = blocks.iter().any(|block| {
                block.contains(&address) || block.contains(&canonical) || normal_block(*block).contains(&canonical)
            });
            prop_assert_eq!(IpSet::new(&blocks).contains(address), naive);
        }
    }
}
