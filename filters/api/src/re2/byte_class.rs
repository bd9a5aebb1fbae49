//! Sets of bytes.

/// Which of the 256 bytes are meant.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ByteClass([u32; 8]);

impl ByteClass {
    /// Every byte.
    pub(super) const ALL: Self = Self([u32::MAX; 8]);

    /// The bytes of `ranges`, the first and the last of each one after the other.
    pub(super) fn of(ranges: &[u8]) -> Self {
        let mut set = Self::default();
        for range in ranges.chunks_exact(2) {
            if let [first, last] = *range {
                (first..=last).for_each(|byte| set.insert(byte));
            }
        }
        set
    }

    pub(super) fn insert(&mut self, byte: u8) {
        let (word, bit) = place(byte);
        if let Some(word) = self.0.get_mut(word) {
            *word |= bit;
        }
    }

    /// Whether `byte` is in it.
    pub fn contains(&self, byte: u8) -> bool {
        let (word, bit) = place(byte);
        self.0.get(word).is_some_and(|word| word & bit != 0)
    }

    pub(super) fn insert_all(&mut self, other: Self) {
        self.0.iter_mut().zip(other.0).for_each(|(word, more)| *word |= more);
    }

    /// The bytes that are not in it.
    pub(super) fn negated(self) -> Self {
        Self(self.0.map(|word| !word))
    }

    /// With the other case of every letter of ASCII: RE2 knows no others in Latin-1 mode.
    pub(super) fn folded(mut self) -> Self {
        for letter in b'a'..=b'z' {
            let upper = letter.to_ascii_uppercase();
            if self.contains(letter) || self.contains(upper) {
                self.insert(letter);
                self.insert(upper);
            }
        }
        self
    }

    /// The only byte of it.
    pub(super) fn only(&self) -> Option<u8> {
        let mut ranges = self.ranges();
        ranges.next().filter(|(first, last)| first == last && ranges.next().is_none()).map(|(first, _)| first)
    }

    /// The first and the last byte of each range, ascending; none touches the next.
    pub fn ranges(&self) -> impl Iterator<Item = (u8, u8)> + '_ {
        let mut from = Some(0);
        std::iter::from_fn(move || {
            let first = (from?..=u8::MAX).find(|byte| self.contains(*byte))?;
            let end = (first..=u8::MAX).find(|byte| !self.contains(*byte));
            from = end;
            Some((first, end.map_or(u8::MAX, |end| end.saturating_sub(1))))
        })
    }
}

fn place(byte: u8) -> (usize, u32) {
    (usize::from(byte >> 5), 1 << (byte & 31))
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn ranges_are_what_was_put_in() {
        for (put, ranges) in [
            (&b""[..], &[][..]),
            (b"aa", &[(b'a', b'a')]),
            (b"bbaadd", &[(b'a', b'b'), (b'd', b'd')]),
            (b"\x00\x1f\x20\x20\xfe\xff", &[(0, 0x20), (0xfe, 0xff)]),
            (b"\x00\xff", &[(0, 0xff)]),
        ] {
            assert_eq!(ByteClass::of(put).ranges().collect::<Vec<_>>(), ranges);
        }
        assert_eq!(ByteClass::of(b"\x01\xfe").negated().ranges().collect::<Vec<_>>(), [(0, 0), (0xff, 0xff)]);
        assert_eq!(ByteClass::of(b"yz@@").folded(), ByteClass::of(b"yzYZ@@"));
        assert_eq!(
            (ByteClass::of(b"aa").only(), ByteClass::of(b"ab").only(), ByteClass::ALL.only()),
            (Some(b'a'), None, None)
        );
    }
}
