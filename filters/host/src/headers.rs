//! The serialised form of header maps: a count, then the sizes of every name and value, then the bytes of each with a
//! NUL behind it; numbers are little-endian `u32`.

use outrigger_core::request::HeaderLine;

/// The lines in `pairs`, borrowed in place. What is cut short ends the list: the host is trusted, but nothing it sends
/// may trap.
pub(crate) fn parse(pairs: &[u8]) -> Vec<HeaderLine<'_>> {
    let number = |offset: usize| -> Option<usize> {
        let bytes = pairs.get(offset..offset.checked_add(4)?)?;
        usize::try_from(u32::from_le_bytes(bytes.try_into().ok()?)).ok()
    };
    let count = number(0).unwrap_or(0).min(pairs.len());
    let mut lines = Vec::with_capacity(count);
    let mut position = count.saturating_mul(8).saturating_add(4);
    for line in 0..count {
        let sizes = line.saturating_mul(8).saturating_add(4);
        let (Some(name_size), Some(value_size)) = (number(sizes), number(sizes.saturating_add(4))) else {
            break;
        };
        let mut take = |size: usize| {
            let bytes = pairs.get(position..position.checked_add(size)?)?;
            position = position.checked_add(size)?.checked_add(1)?;
            Some(bytes)
        };
        let (Some(name), Some(value)) = (take(name_size), take(value_size)) else { break };
        lines.push((name, value));
    }
    lines
}

/// Serialises lines for the host.
pub(crate) fn serialise<'a>(lines: impl ExactSizeIterator<Item = (&'a [u8], &'a [u8])> + Clone) -> Vec<u8> {
    let size = |bytes: &[u8]| u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_le_bytes();
    let mut pairs = Vec::new();
    pairs.extend_from_slice(&u32::try_from(lines.len()).unwrap_or(u32::MAX).to_le_bytes());
    for (name, value) in lines.clone() {
        pairs.extend_from_slice(&size(name));
        pairs.extend_from_slice(&size(value));
    }
    for (name, value) in lines {
        for bytes in [name, value] {
            pairs.extend_from_slice(bytes);
            pairs.push(0);
        }
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_serialised_is_parsed_back() {
        let lines: Vec<HeaderLine<'_>> =
            vec![(b":path", b"/"), (b"x-empty", b""), (b"x-bytes", b"\x00\xff\x80")];
        assert_eq!(parse(&serialise(lines.iter().copied())), lines);
    }

    #[test]
    fn truncated_or_absurd_buffers_end_the_list() {
        let whole = serialise([(&b"a"[..], &b"b"[..]), (b"c", b"d")].into_iter());
        for length in 0..whole.len() {
            assert!(parse(&whole[..length]).len() <= 2);
        }
        assert!(parse(&[0xff; 12]).is_empty());
        assert!(parse(&[]).is_empty());
    }
}
