//! Memory that is given back, and what there is when there is none.

#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::UnsafeCell;
use std::hint::black_box;
use std::mem::MaybeUninit;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicU64, Ordering::AcqRel, Ordering::Acquire};

/// Wipes all memory that is given back. [`Secret`](crate::secret::Secret) wipes what it holds; this is
/// for the copies that nobody knows of, such as those that a parser makes to undo an escape.
///
/// Rust ends the process when there is no memory, and the process is sshd, or a host of many people. So
/// the module has some of its own for then: a login takes less, and pages that nobody uses cost nothing.
struct Wiping {
    reserve: UnsafeCell<[u128; RESERVE / size_of::<u128>()]>,
    /// How many blocks of the reserve are out, and in the lower half where the last of them ends.
    state: AtomicU64,
}

/// Bytes. Many times of what a login with a configuration of the usual size has at once.
const RESERVE: usize = 512 << 10;

#[global_allocator]
static WIPING: Wiping = Wiping::new();

// SAFETY: no two callers get the same part of the reserve, see `take`.
unsafe impl Sync for Wiping {}

impl Wiping {
    const fn new() -> Self {
        let reserve = UnsafeCell::new([0; RESERVE / size_of::<u128>()]);
        Self { reserve, state: AtomicU64::new(0) }
    }

    fn first(&self) -> *mut u8 {
        self.reserve.get().cast()
    }

    /// A block of the reserve; null where it has no such block left. Blocks lie one after the other.
    #[cold]
    fn take(&self, layout: Layout) -> *mut u8 {
        // The reserve itself begins no rounder.
        if layout.align() > align_of::<u128>() {
            return null_mut();
        }
        let mut at = 0;
        let taken = self.state.fetch_update(AcqRel, Acquire, |state| {
            let (blocks, end) = (state >> 32, (state & 0xffff_ffff) as usize);
            at = end.next_multiple_of(layout.align());
            let end = at.checked_add(layout.size()).filter(|end| *end <= RESERVE)?;
            Some((blocks + 1) << 32 | end as u64)
        });
        // SAFETY: the block ends within the reserve.
        if taken.is_ok() { unsafe { self.first().add(at) } } else { null_mut() }
    }

    /// Takes a block back. The last one makes room at once, the others when all are back.
    #[cold]
    fn give_back(&self, block: *mut u8, layout: Layout) {
        let at = block as usize - self.first() as usize;
        let _ = self.state.fetch_update(AcqRel, Acquire, |state| {
            let (blocks, end) = (state >> 32, state & 0xffff_ffff);
            let end = match (at + layout.size()) as u64 {
                _ if blocks == 1 => 0,
                last if last == end => at as u64,
                _ => end,
            };
            Some((blocks - 1) << 32 | end)
        });
    }

    fn holds(&self, block: *mut u8) -> bool {
        (block as usize).wrapping_sub(self.first() as usize) < RESERVE
    }
}

// SAFETY: a block is the system allocator's, by whose contract callers abide, or one of the reserve,
// which is wiped, so zero, whenever it is nobody's. A block is wiped while it is still theirs. What is
// not written here (`realloc`) is made of what is.
unsafe impl GlobalAlloc for Wiping {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's contract is the same.
        let block = unsafe { System.alloc(layout) };
        if block.is_null() { self.take(layout) } else { block }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's contract is the same.
        let block = unsafe { System.alloc_zeroed(layout) };
        if block.is_null() { self.take(layout) } else { block }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: `block` is of this size and the caller's last use of it is over; unlike a plain
        // write before a `free`, this call is one that no compiler leaves out.
        unsafe { libc::explicit_bzero(block.cast(), layout.size()) };
        if self.holds(block) {
            return self.give_back(block, layout);
        }
        // SAFETY: whatever is not of the reserve is the system's.
        unsafe { System.dealloc(block, layout) };
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

/// Gives what was freed back to the kernel, and what is below us on the stack. To read a configuration takes
/// a hundred kilobytes, which the C library would keep while somebody looks for their phone.
pub fn give_memory_back() {
    give_stack_back();
    #[cfg(target_env = "gnu")]
    // SAFETY: takes a number, and locks what it touches.
    unsafe {
        libc::malloc_trim(0)
    };
}

/// Whatever functions that have returned left on the stack is gone, too: the kernel puts zeros there.
// Not inlined: its frame must be below all others that are in use.
#[inline(never)]
fn give_stack_back() {
    // What reading a configuration takes, measured, and some more; a host's thread has that much.
    const DEPTH: usize = 56 << 10;
    // SAFETY: takes a number.
    let page = usize::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) });
    let mut below = MaybeUninit::<[u8; DEPTH]>::uninit();
    let first = black_box(below.as_mut_ptr().cast::<u8>());
    let Some((skipped, length)) = page.ok().and_then(|page| pages_in(first as usize, DEPTH, page))
    else {
        return;
    };
    // SAFETY: the pages lie within `below`, which holds nothing before and is not used after.
    unsafe { libc::madvise(first.add(skipped).cast(), length, libc::MADV_DONTNEED) };
}

/// Where whole pages begin in a block of memory, counted from its start, and how many bytes they have. The
/// kernel rounds a length up, so it must be one of whole pages.
fn pages_in(first: usize, length: usize, page: usize) -> Option<(usize, usize)> {
    let skipped = first.checked_next_multiple_of(page)? - first;
    let whole = length.checked_sub(skipped)?;
    Some((skipped, whole - whole % page)).filter(|(_, length)| *length > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Leaves a word all over the stack, and says where.
    #[inline(never)]
    fn litter() -> usize {
        let words = black_box([0x5ec2_e7ed_u64; 2048]);
        // In the middle, where no page is shared with a frame that is in use.
        black_box(&raw const words[1024]) as usize
    }

    #[test]
    fn whatever_size_pages_have_only_whole_ones_are_given_back() {
        for page in [4, 16, 64, 2048].map(|kilobytes| kilobytes << 10) {
            for first in (0x7fff_0000_0000..).step_by(16).take(3 * page / 16) {
                let Some((skipped, length)) = pages_in(first, 56 << 10, page) else {
                    assert!(page > 28 << 10, "{page} at {first:x}");
                    continue;
                };
                assert_eq!(((first + skipped) % page, length % page), (0, 0), "{page}");
                assert!(length > 0 && skipped + length <= 56 << 10, "{page} at {first:x}");
            }
        }
        assert_eq!(pages_in(1, 4096 + 4095, 4096), Some((4095, 4096)));
        assert_eq!(pages_in(usize::MAX, 4096, 4096), None);
        assert_eq!(pages_in(0, 4096, 0), None);
    }

    #[test]
    fn what_functions_that_returned_left_on_the_stack_is_gone() {
        let at = litter();
        // SAFETY: the stack is mapped that far, it was just in use; whatever is there is a number.
        let read = || unsafe { std::ptr::read_volatile(at as *const u64) };
        assert_eq!(read(), 0x5ec2_e7ed);
        give_stack_back();
        assert_eq!(read(), 0);
    }

    fn layout(size: usize, align: usize) -> Layout {
        Layout::from_size_align(size, align).unwrap()
    }

    #[test]
    fn the_reserve_is_handed_out_once_and_comes_back() {
        let memory = Box::new(Wiping::new());
        let (small, word) = (layout(3, 1), layout(100, 16));
        let first = memory.take(small);
        let second = memory.take(word);
        assert!(memory.holds(first) && memory.holds(second));
        assert_eq!(second as usize - first as usize, 16);
        assert_eq!(second as usize % 16, 0);
        // The last one makes room at once.
        memory.give_back(second, word);
        assert_eq!(memory.take(word), second);
        // One that is not the last makes room when all are back.
        memory.give_back(first, small);
        assert_ne!(memory.take(small), first);
        memory.give_back(second, word);
        memory.give_back(first, small);
        assert_eq!(memory.take(small), first);
    }

    #[test]
    fn what_does_not_fit_is_not_handed_out_and_takes_nothing() {
        let memory = Box::new(Wiping::new());
        assert!(memory.take(layout(RESERVE + 1, 1)).is_null());
        assert!(memory.take(layout(1, 32)).is_null());
        let all = layout(RESERVE, 1);
        let block = memory.take(all);
        assert_eq!(block, memory.first());
        assert!(memory.take(layout(1, 1)).is_null());
        memory.give_back(block, all);
        assert_eq!(memory.take(all), block);
        assert!(!memory.holds(memory.first().wrapping_add(RESERVE)));
        assert!(!memory.holds(memory.first().wrapping_sub(1)));
    }
}
