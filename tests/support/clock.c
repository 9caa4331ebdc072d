/*
 * A clock that a test can put forward, set or break, for LD_PRELOAD.
 *
 * A code lives for half a minute at least, and no test waits that long; nobody may set the clock of
 * the machine that the tests run on; and a clock that fails is the one thing on which Rust's own
 * library panics inside our module without any help of ours, so that what becomes of a panic is
 * seen in the module that is shipped.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* The seconds that a file says, 0 where there is none. */
static long seconds_in(const char *path)
{
    char text[32] = "";
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t length;

    if (fd < 0)
        return 0;
    length = read(fd, text, sizeof text - 1);
    close(fd);
    return length > 0 ? strtol(text, NULL, 10) : 0;
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
    int before = errno;
    long result;

    if (clock == CLOCK_MONOTONIC && access("/run/clock-fails", F_OK) == 0) {
        errno = EINVAL;
        return -1;
    }
    result = syscall(SYS_clock_gettime, clock, now);
    if (result != 0)
        return (int)result;
    if (clock == CLOCK_REALTIME)
        now->tv_sec += seconds_in("/run/wall-clock");
    /* The clock that goes on while the machine sleeps: an hour of sleep, or another boot. */
    if (clock == CLOCK_BOOTTIME) {
        now->tv_sec += seconds_in("/run/boot-clock");
        if (access("/run/an-hour-later", F_OK) == 0)
            now->tv_sec += 3600;
    }
    errno = before;
    return 0;
}

time_t time(time_t *out)
{
    struct timespec now = {0, 0};

    clock_gettime(CLOCK_REALTIME, &now);
    if (out != NULL)
        *out = now.tv_sec;
    return now.tv_sec;
}
