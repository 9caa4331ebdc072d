//! Memory that is given back.

#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::hint::black_box;

/// Wipes all memory that is given back. [`Secret`](crate::secret::Secret) wipes what it holds; this is
/// for the copies that nobody knows of, such as those that a parser makes to undo an escape.
struct Wiping;

#[global_allocator]
static WIPING: Wiping = Wiping;

// SAFETY: everything is the system allocator's, by whose contract callers abide; a block is wiped
// while it is still theirs. What is not written here (`realloc`) is made of what is.
unsafe impl GlobalAlloc for Wiping {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's contract is the same.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's contract is the same.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: `block` is of this size and the caller's last use of it is over; unlike a plain
        // write before a `free`, this call is one that no compiler leaves out.
        unsafe {
            libc::explicit_bzero(block.cast(), layout.size());
            System.dealloc(block, layout);
        }
    }
}

/// Copies zeros of every size, so that the processor's registers hold nothing of the copies before: the
/// dynamic linker saves them all on the stack when a host calls a function for the first time, and
/// nobody would wipe that.
pub fn clear_registers() {
    // Above that, glibc copies without the vector registers.
    const LONGEST: usize = 2048;
    let (zeros, mut copy) = ([0_u8; LONGEST], [0_u8; LONGEST]);
    let mut size = LONGEST;
    while size >= 8 {
        black_box(&mut copy)[..size].copy_from_slice(&black_box(&zeros)[..size]);
        size /= 2;
    }
}

/// Gives what was freed back to the kernel. To read a configuration takes a hundred kilobytes, which the C
/// library would keep while somebody looks for their phone.
pub fn give_memory_back() {
    #[cfg(target_env = "gnu")]
    // SAFETY: takes a number, and locks what it touches.
    unsafe {
        libc::malloc_trim(0)
    };
}
