/*
 * A clock that a test can put forward or break, for LD_PRELOAD.
 *
 * A code lives for half a minute at least, and no test waits that long; and a clock that fails is
 * the one thing on which Rust's own library panics inside our module without any help of ours, so
 * that what becomes of a panic is seen in the module that is shipped.
 */
#include <errno.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t clock, struct timespec *now)
{
    long result;

    if (clock == CLOCK_MONOTONIC && access("/run/clock-fails", F_OK) == 0) {
        errno = EINVAL;
        return -1;
    }
    result = syscall(SYS_clock_gettime, clock, now);
    /* The clock that goes on while the machine sleeps: an hour of sleep. */
    if (result == 0 && clock == CLOCK_BOOTTIME && access("/run/an-hour-later", F_OK) == 0)
        now->tv_sec += 3600;
    return (int)result;
}
