//! What the host has answered. For an answer it takes memory from the module: here it gets some that is always there, as long as
//! nobody has the answer before, so that most requests allocate nothing for what they are asked about.
#![expect(unsafe_code, reason = "the host writes by a raw pointer")]

use std::cell::{Cell, UnsafeCell};
use std::marker::PhantomData;
use std::ops::Deref;
use std::ptr::{null_mut, slice_from_raw_parts};

use crate::abi::{Status, check};

/// Longer answers are allocated: a browser's request headers fit.
const ROOM: usize = 2048;

thread_local! {
    static PLACE: Place = const { Place { used: Cell::new(Use::Free), bytes: UnsafeCell::new([0; ROOM]) } };
}

/// The memory, and what becomes of it.
struct Place {
    used: Cell<Use>,
    bytes: UnsafeCell<[u8; ROOM]>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Use {
    Free,
    /// For the call that is under way.
    Offered,
    /// By an [`Answer`].
    Taken,
}

/// Memory for an answer of `size` bytes to the call that is under way; `None`: it has to be allocated.
pub(crate) fn room(size: usize) -> Option<*mut u8> {
    PLACE.with(|place| {
        (place.used.get() == Use::Offered && (1..=ROOM).contains(&size)).then(|| {
            place.used.set(Use::Taken);
            place.bytes.get().cast()
        })
    })
}

/// Takes over what the host wrote into memory that it had from [`crate::allocate`].
pub(crate) fn receive(call: impl FnOnce(*mut *mut u8, *mut usize) -> u32) -> Result<Answer, Status> {
    let (mut data, mut size) = (null_mut(), 0usize);
    let offered = PLACE.with(|place| {
        let free = place.used.get() == Use::Free;
        if free {
            place.used.set(Use::Offered);
        }
        free
    });
    let status = call(&raw mut data, &raw mut size);
    let here = PLACE.with(|place| {
        let here = offered && place.used.get() == Use::Taken && data == place.bytes.get().cast();
        if offered {
            place.used.set(if here { Use::Taken } else { Use::Free });
        }
        here.then(|| Here { size: size.min(ROOM), _on_this_thread: PhantomData })
    });
    check(status)?;
    Ok(Answer(match here {
        Some(here) => Kind::Here(here),
        None if data.is_null() => Kind::Allocated(Vec::new()),
        // SAFETY: a non-null `data` that is not the place came from the allocator for this call, exactly `size` bytes that the host
        // has filled; ownership is handed to us once.
        None => Kind::Allocated(unsafe { Vec::from_raw_parts(data, size, size) }),
    }))
}

/// Bytes that the host has answered. To be forgotten soon: while one is there the next ones are allocated.
#[derive(Debug, Default)]
pub(crate) struct Answer(Kind);

#[derive(Debug)]
enum Kind {
    Here(Here),
    Allocated(Vec<u8>),
}

/// The right to [`PLACE`].
#[derive(Debug)]
struct Here {
    size: usize,
    _on_this_thread: PhantomData<*const u8>,
}

impl Default for Kind {
    fn default() -> Self {
        Self::Allocated(Vec::new())
    }
}

impl Drop for Here {
    fn drop(&mut self) {
        PLACE.with(|place| place.used.set(Use::Free));
    }
}

impl Deref for Answer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match &self.0 {
            Kind::Here(here) => PLACE.with(|place| {
                // SAFETY: the place is there as long as its thread, so many of its bytes are initialised, and nobody writes to it as long
                // as this value is there.
                unsafe { &*slice_from_raw_parts(place.bytes.get().cast(), here.size) }
            }),
            Kind::Allocated(bytes) => bytes,
        }
    }
}

impl From<Answer> for Vec<u8> {
    fn from(answer: Answer) -> Self {
        match answer.0 {
            Kind::Here(_) => answer.to_vec(),
            Kind::Allocated(bytes) => bytes,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A host that answers so.
    fn answers(text: &[u8]) -> impl FnOnce(*mut *mut u8, *mut usize) -> u32 {
        move |data, size| {
            let place = crate::allocate(text.len());
            // SAFETY: there is room for it, and the pointers are valid.
            unsafe {
                if !place.is_null() {
                    place.copy_from_nonoverlapping(text.as_ptr(), text.len());
                }
                (*data, *size) = (place, text.len());
            }
            0
        }
    }

    fn is_here(answer: &Answer) -> bool {
        matches!(answer.0, Kind::Here(_))
    }

    #[test]
    fn one_answer_at_a_time_stands_in_the_place() {
        let first = receive(answers(b"first")).unwrap();
        let second = receive(answers(b"second")).unwrap();
        assert_eq!((&*first, is_here(&first)), (&b"first"[..], true));
        assert_eq!((&*second, is_here(&second)), (&b"second"[..], false));
        drop(first);
        let third = receive(answers(b"third")).unwrap();
        assert!(is_here(&third) && !is_here(&second));
        assert_eq!((Vec::from(third), Vec::from(second)), (b"third".to_vec(), b"second".to_vec()));
        assert!(is_here(&receive(answers(b"fourth")).unwrap()));
    }

    #[test]
    fn what_is_too_long_or_empty_or_refused_leaves_the_place_free() {
        for (length, here) in [(0, false), (1, true), (ROOM, true), (ROOM + 1, false)] {
            let text = vec![7; length];
            let answer = receive(answers(&text)).unwrap();
            assert_eq!((&*answer, is_here(&answer)), (&*text, here), "{length}");
        }
        assert_eq!(receive(|_, _| 1).unwrap_err(), Status::NOT_FOUND);
        let late = receive(|data, size| answers(b"refused all the same")(data, size) + 1);
        assert_eq!(late.unwrap_err(), Status::NOT_FOUND);
        assert!(is_here(&receive(answers(b"x")).unwrap()));
    }

    #[test]
    fn nothing_but_answers_is_written_to_the_place() {
        let outside = crate::allocate(4);
        assert!(room(4).is_none());
        // SAFETY: allocated with this size, once.
        drop(unsafe { Vec::from_raw_parts(outside, 4, 4) });
        // A host that asks for memory twice gets the place once.
        let answer = receive(|data, size| {
            assert!(!crate::allocate(3).is_null());
            answers(b"the second")(data, size)
        });
        let answer = answer.unwrap();
        assert_eq!((&*answer, is_here(&answer)), (&b"the second"[..], false));
        assert!(is_here(&receive(answers(b"x")).unwrap()));
    }
}
