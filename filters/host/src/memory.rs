//! The modules' memory: what a request has given back the next one gets, without a look at what else is free.
#![expect(unsafe_code, reason = "an allocator hands out raw pointers")]

use std::alloc::{GlobalAlloc, Layout};
use std::cell::Cell;
use std::ptr::null_mut;

/// Small sizes are multiples of this.
const STEP: usize = 16;
/// The largest of them.
const SMALL: usize = 256;
/// Larger ones are `SMALL` and multiples of this.
const STRIDE: usize = 128;
/// The largest size that is kept: that of a request's headers.
const LARGE: usize = 2048;
/// So many sizes there are.
const SIZES: usize = SMALL / STEP + (LARGE - SMALL) / STRIDE;
/// So many blocks of a size are kept at most.
const MOST: u32 = 8;

/// An allocator with blocks at hand.
#[derive(Debug)]
pub(crate) struct Memory<A> {
    other: A,
    kept: [Kept; SIZES],
}

/// Blocks of one size that nobody uses, each of which begins with where the next one is.
#[derive(Debug)]
struct Kept {
    first: Cell<*mut u8>,
    count: Cell<u32>,
}

// SAFETY: a module has one thread.
#[cfg(target_arch = "wasm32")]
unsafe impl<A> Sync for Memory<A> {}

impl<A> Memory<A> {
    /// In front of `other`, with no blocks yet.
    pub(crate) const fn new(other: A) -> Self {
        Self { other, kept: [const { Kept { first: Cell::new(null_mut()), count: Cell::new(0) } }; SIZES] }
    }

    /// Where blocks for `layout` are kept, and their layout; `None`: none are.
    fn kept(&self, layout: Layout) -> Option<(&Kept, Layout)> {
        let size = layout.size();
        let (place, size) = if size <= SMALL {
            (size.saturating_sub(1) / STEP, size.next_multiple_of(STEP))
        } else {
            (SMALL / STEP + (size - SMALL - 1) / STRIDE, size.next_multiple_of(STRIDE))
        };
        let kept = self.kept.get(place).filter(|_| layout.align() <= STEP / 2)?;
        Some((kept, Layout::from_size_align(size, STEP / 2).ok()?))
    }
}

// SAFETY: blocks come from `other` by a layout that depends on the asked one alone, by which they are given back; while one
// is kept nobody else has it.
unsafe impl<A: GlobalAlloc> GlobalAlloc for Memory<A> {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let Some((kept, whole)) = self.kept(layout) else {
            // SAFETY: as the caller's.
            return unsafe { self.other.alloc(layout) };
        };
        let first = kept.first.get();
        if first.is_null() {
            // SAFETY: its size is that of `layout`, which is not 0, or more.
            return unsafe { self.other.alloc(whole) };
        }
        // SAFETY: a kept block begins with a pointer, for which it is aligned and large enough.
        kept.first.set(unsafe { first.cast::<*mut u8>().read() });
        kept.count.set(kept.count.get().wrapping_sub(1));
        first
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        match self.kept(layout) {
            Some((kept, _)) if kept.count.get() < MOST => {
                // SAFETY: the block is nobody's any more, aligned and large enough for a pointer.
                unsafe { block.cast::<*mut u8>().write(kept.first.get()) };
                kept.first.set(block);
                kept.count.set(kept.count.get().wrapping_add(1));
            }
            Some((_, whole)) => {
                // SAFETY: it was allocated by this layout.
                unsafe { self.other.dealloc(block, whole) }
            }
            // SAFETY: as the caller's.
            None => unsafe { self.other.dealloc(block, layout) },
        }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: as the caller's.
        let new = unsafe { Layout::from_size_align_unchecked(size, layout.align()) };
        match (self.kept(layout), self.kept(new)) {
            (Some((_, old)), Some((_, new))) if old == new => block,
            // SAFETY: as the caller's.
            (None, None) => unsafe { self.other.realloc(block, layout, size) },
            // SAFETY: as the caller's; the two blocks do not overlap, and each is as large as its layout or larger.
            _ => unsafe {
                let moved = self.alloc(new);
                if !moved.is_null() {
                    block.copy_to_nonoverlapping(moved, layout.size().min(size));
                    self.dealloc(block, layout);
                }
                moved
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use std::alloc::System;

    use super::*;

    /// Counts what is asked of the system.
    struct Counting(Cell<i32>);

    // SAFETY: the system's.
    unsafe impl GlobalAlloc for Counting {
        unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
            self.0.set(self.0.get() + 1);
            // SAFETY: as the caller's.
            unsafe { System.alloc(layout) }
        }

        unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
            self.0.set(self.0.get() - 1);
            // SAFETY: as the caller's.
            unsafe { System.dealloc(block, layout) }
        }
    }

    fn layout(size: usize) -> Layout {
        Layout::from_size_align(size, 1).unwrap()
    }

    #[test]
    fn each_size_has_a_place_and_room_for_it() {
        let memory = Memory::new(System);
        let mut last = (0, 0);
        for size in 1..=LARGE {
            let (kept, whole) = memory.kept(layout(size)).unwrap();
            let place = memory.kept.iter().position(|other| std::ptr::eq(other, kept)).unwrap();
            assert!(whole.size() >= size && whole.size() < size + STRIDE, "{size}: {whole:?}");
            // A place for each size, in order.
            assert!(last == (place, whole.size()) || last.0 <= place && last.1 < whole.size(), "{size}");
            assert!(last.0 + 1 >= place, "{size}");
            last = (place, whole.size());
        }
        assert_eq!(last, (SIZES - 1, LARGE));
        assert!(memory.kept(layout(LARGE + 1)).is_none());
        assert!(memory.kept(Layout::from_size_align(16, 32).unwrap()).is_none());
    }

    #[test]
    fn blocks_come_back_and_few_are_kept() {
        let memory = Memory::new(Counting(Cell::new(0)));
        for size in [1, 16, 17, 100, 256, 257, 700, LARGE] {
            // SAFETY: each block is given back once, by its layout.
            unsafe {
                let blocks: Vec<_> = (0..20).map(|_| memory.alloc(layout(size))).collect();
                assert_eq!(memory.other.0.get(), 20);
                blocks.iter().for_each(|block| memory.dealloc(*block, layout(size)));
                assert_eq!(memory.other.0.get(), MOST as i32);
                let again: Vec<_> = (0..MOST).map(|_| memory.alloc(layout(size))).collect();
                assert!(
                    again.iter().all(|block| blocks.contains(block)) && memory.other.0.get() == MOST as i32
                );
                let kept = memory.kept(layout(size)).unwrap();
                assert!(kept.0.first.get().is_null() && kept.0.count.get() == 0);
                again.iter().for_each(|block| memory.other.dealloc(*block, kept.1));
            }
        }
    }

    #[test]
    fn what_grows_and_shrinks_keeps_what_is_in_it() {
        let memory = Memory::new(System);
        let mut size = 1;
        // SAFETY: the block has so many bytes, and is given back by its layout.
        unsafe {
            let mut block = memory.alloc(layout(size));
            block.write(7);
            for new in [2, 16, 17, 300, 301, 5000, 6000, 2000, 40, 1] {
                block = memory.realloc(block, layout(size), new);
                let bytes = std::slice::from_raw_parts_mut(block, new);
                assert!(bytes[..size.min(new)].iter().all(|byte| *byte == 7), "{size} to {new}");
                bytes.fill(7);
                size = new;
            }
            memory.dealloc(block, layout(size));
        }
    }
}
