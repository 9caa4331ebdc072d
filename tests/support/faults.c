/*
 * Makes one call of the module, or of the helper, fail: for LD_PRELOAD or /etc/ld.so.preload.
 *
 * /run/faults/plan says which: `WHO WHAT NUMBER CHOICE STAYS`. Only calls that stand in WHO itself
 * (`module`, `helper`) are counted, not those of libraries below it, and of those only the `calls` or the
 * requests for `memory`; the one with this NUMBER fails, counted from 1 over a process and the children
 * that it forks. CHOICE picks one of the ways in which it can fail; where it STAYS so, all later calls of
 * its name fail, too. 0 lets nothing fail.
 *
 * /run/faults/seen, which must be a page of zeroes, begins with how many were counted. /run/faults/told gets
 * `NAME WAY OF` when the call fails.
 */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <netdb.h>
#include <poll.h>
#include <pwd.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Ways to fail that are no errno. */
enum { END = -1, SHORT = -2 };

static struct {
    char who[16], what[16];
    long number, choice, stays;
} plan;

/* Shared by forked children, and there whatever the end of the process. */
static struct {
    long calls;
    char failed[32];
} *seen;

static int raw_open(const char *path, int flags)
{
    return (int)syscall(SYS_openat, AT_FDCWD, path, flags | O_CLOEXEC, 0644);
}

static void tell(const char *text)
{
    int fd = raw_open("/run/faults/told", O_WRONLY | O_APPEND | O_CREAT);

    if (fd >= 0) {
        syscall(SYS_write, fd, text, strlen(text));
        syscall(SYS_close, fd);
    }
}

__attribute__((constructor)) static void begin(void)
{
    char text[128] = "";
    int fd = raw_open("/run/faults/plan", O_RDONLY);

    if (fd < 0)
        return;
    syscall(SYS_read, fd, text, sizeof text - 1);
    syscall(SYS_close, fd);
    if (sscanf(text, "%15s %15s %ld %ld %ld", plan.who, plan.what, &plan.number, &plan.choice, &plan.stays) != 5)
        return;
    if (strcmp(plan.who, "helper") == 0 && strcmp(program_invocation_short_name, "pam-sms-helper") != 0)
        return;
    fd = raw_open("/run/faults/seen", O_RDWR);
    seen = mmap(NULL, sizeof *seen, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (seen == MAP_FAILED)
        seen = NULL;
    syscall(SYS_close, fd);
}

static int is_theirs(const void *caller)
{
    Dl_info info;
    const char *name;

    if (dladdr(caller, &info) == 0 || info.dli_fname == NULL)
        return 0;
    name = strrchr(info.dli_fname, '/');
    name = name != NULL ? name + 1 : info.dli_fname;
    return strcmp(name, strcmp(plan.who, "module") == 0 ? "pam_sms.so" : "pam-sms-helper") == 0;
}

/* The way in which this call is to fail, 0 for none. */
static int fault(const char *name, const char *what, const void *caller, const int *ways)
{
    char text[96];
    int count = 0, before = errno, way;
    long number;

    if (seen == NULL || strcmp(plan.what, what) != 0 || !is_theirs(caller))
        return 0;
    number = __atomic_add_fetch(&seen->calls, 1, __ATOMIC_SEQ_CST);
    while (ways[count] != 0)
        count++;
    way = ways[plan.choice % count];
    if (plan.number == number) {
        snprintf(seen->failed, sizeof seen->failed, "%s", name);
        snprintf(text, sizeof text, "%s %d %d\n", name, way, count);
        tell(text);
        errno = before;
        return way;
    }
    errno = before;
    /* What is over, or interrupted, does not stay so for ever. */
    if (plan.stays && way != EINTR && strcmp(seen->failed, name) == 0)
        return way;
    return 0;
}

#define WAYS(...) (const int[]){__VA_ARGS__, 0}
#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define CALLER __builtin_return_address(0)

/* A function that fails with `failed` and an errno. */
#define FAILS(type, name, failed, parameters, arguments, ...)                \
    type name parameters                                                     \
    {                                                                        \
        int way = fault(#name, "calls", CALLER, WAYS(__VA_ARGS__));          \
        if (way != 0) {                                                      \
            errno = way;                                                     \
            return failed;                                                   \
        }                                                                    \
        return NEXT(name) arguments;                                         \
    }

/* One that says what went wrong by what it returns. */
#define ANSWERS(type, name, parameters, arguments, ...)                      \
    type name parameters                                                     \
    {                                                                        \
        int way = fault(#name, "calls", CALLER, WAYS(__VA_ARGS__));          \
        return way != 0 ? way : NEXT(name) arguments;                        \
    }

/* One that moves bytes, which may come to an end or move one only. */
#define MOVES(name, parameters, arguments, of_one, ...)                      \
    ssize_t name parameters                                                  \
    {                                                                        \
        int way = fault(#name, "calls", CALLER, WAYS(__VA_ARGS__));          \
        if (way == END)                                                      \
            return 0;                                                        \
        if (way == SHORT && size > 1)                                        \
            return NEXT(name) of_one;                                        \
        if (way > 0) {                                                       \
            errno = way;                                                     \
            return -1;                                                       \
        }                                                                    \
        return NEXT(name) arguments;                                         \
    }

/* Opening, with a mode where a file may be made. */
#define OPENS(name)                                                          \
    int name(const char *path, int flags, ...)                               \
    {                                                                        \
        va_list more;                                                        \
        mode_t mode;                                                         \
        int way = fault(#name, "calls", CALLER, WAYS(EMFILE, EACCES, EIO, ENOMEM, EINTR)); \
        if (way != 0) {                                                      \
            errno = way;                                                     \
            return -1;                                                       \
        }                                                                    \
        va_start(more, flags);                                               \
        mode = va_arg(more, mode_t);                                         \
        va_end(more);                                                        \
        return NEXT(name)(path, flags, mode);                                \
    }

OPENS(open)
OPENS(open64)

MOVES(read, (int fd, void *to, size_t size), (fd, to, size), (fd, to, 1), EIO, END, SHORT, EINTR, EAGAIN)
MOVES(write, (int fd, const void *from, size_t size), (fd, from, size), (fd, from, 1), ENOSPC, SHORT, EIO, EINTR)
MOVES(recv, (int fd, void *to, size_t size, int flags), (fd, to, size, flags), (fd, to, 1, flags), ECONNRESET, END, SHORT, EINTR, EAGAIN)
MOVES(send, (int fd, const void *from, size_t size, int flags), (fd, from, size, flags), (fd, from, 1, flags), EPIPE, SHORT, ENOBUFS, EINTR, EAGAIN)
MOVES(getrandom, (void *to, size_t size, unsigned flags), (to, size, flags), (to, 1, flags), EIO, SHORT, EINTR, ENOSYS)

FAILS(int, stat64, -1, (const char *path, struct stat64 *to), (path, to), EACCES, EIO, ENOMEM)
FAILS(int, lstat64, -1, (const char *path, struct stat64 *to), (path, to), EACCES, EIO, ENOMEM)
FAILS(int, fstat64, -1, (int fd, struct stat64 *to), (fd, to), EIO, ENOMEM)
FAILS(int, statx, -1, (int fd, const char *restrict path, int flags, unsigned mask, struct statx *restrict to), (fd, path, flags, mask, to), EACCES, EIO, ENOMEM, ENOSYS)
FAILS(int, flock, -1, (int fd, int how), (fd, how), EWOULDBLOCK, ENOLCK, EINTR)
FAILS(int, fsync, -1, (int fd), (fd), EIO, ENOSPC)
FAILS(int, rename, -1, (const char *from, const char *to), (from, to), ENOSPC, EACCES, EIO)
FAILS(int, unlink, -1, (const char *path), (path), EACCES, EIO)
FAILS(int, mkdir, -1, (const char *path, mode_t mode), (path, mode), ENOSPC, EACCES)
FAILS(int, chmod, -1, (const char *path, mode_t mode), (path, mode), EPERM, EIO)
FAILS(int, chown, -1, (const char *path, uid_t user, gid_t group), (path, user, group), EPERM, EIO)
FAILS(int, fchmod, -1, (int fd, mode_t mode), (fd, mode), EPERM, EIO)
FAILS(int, fchown, -1, (int fd, uid_t user, gid_t group), (fd, user, group), EPERM, EIO)
FAILS(DIR *, opendir, NULL, (const char *path), (path), EMFILE, EACCES, ENOMEM)
FAILS(struct dirent64 *, readdir64, NULL, (DIR *folder), (folder), EIO)
FAILS(off64_t, lseek64, -1, (int fd, off64_t to, int from), (fd, to, from), EIO)
FAILS(char *, realpath, NULL, (const char *restrict path, char *restrict to), (path, to), EACCES, ENOMEM)
FAILS(ssize_t, readlink, -1, (const char *restrict path, char *restrict to, size_t size), (path, to, size), EACCES, EIO)
FAILS(int, chdir, -1, (const char *path), (path), EACCES)
FAILS(int, dup2, -1, (int from, int to), (from, to), EMFILE, EINTR)

FAILS(pid_t, fork, -1, (void), (), EAGAIN, ENOMEM)
FAILS(int, execve, -1, (const char *path, char *const words[], char *const variables[]), (path, words, variables), EACCES, ENOMEM, ETXTBSY)
FAILS(pid_t, waitpid, -1, (pid_t child, int *status, int options), (child, status, options), ECHILD, EINTR)
FAILS(int, kill, -1, (pid_t process, int signal), (process, signal), EPERM, ESRCH)
FAILS(pid_t, setsid, -1, (void), (), EPERM)
FAILS(int, setresuid, -1, (uid_t r, uid_t e, uid_t s), (r, e, s), EAGAIN, EPERM)
FAILS(int, setresgid, -1, (gid_t r, gid_t e, gid_t s), (r, e, s), EPERM)
FAILS(int, setgroups, -1, (size_t count, const gid_t *groups), (count, groups), EPERM, ENOMEM)
FAILS(int, getrlimit, -1, (__rlimit_resource_t what, struct rlimit *to), (what, to), EPERM)
FAILS(int, setrlimit, -1, (__rlimit_resource_t what, const struct rlimit *to), (what, to), EPERM)

FAILS(int, socketpair, -1, (int domain, int type, int protocol, int to[2]), (domain, type, protocol, to), EMFILE, ENFILE, ENOBUFS)
FAILS(int, socket, -1, (int domain, int type, int protocol), (domain, type, protocol), EMFILE, ENOBUFS)
FAILS(int, setsockopt, -1, (int fd, int level, int name, const void *value, socklen_t size), (fd, level, name, value, size), ENOMEM)
FAILS(int, shutdown, -1, (int fd, int how), (fd, how), ENOTCONN)
FAILS(int, poll, -1, (struct pollfd *fds, nfds_t count, int time), (fds, count, time), ENOMEM, EINTR)
FAILS(int, clock_gettime, -1, (clockid_t clock, struct timespec *to), (clock, to), EINVAL)
FAILS(int, gethostname, -1, (char *to, size_t size), (to, size), EPERM)
FAILS(struct tm *, localtime_r, NULL, (const time_t *restrict time, struct tm *restrict to), (time, to), EOVERFLOW)
FAILS(struct tm *, gmtime_r, NULL, (const time_t *restrict time, struct tm *restrict to), (time, to), EOVERFLOW)

FAILS(int, sched_setscheduler, -1, (pid_t process, int policy, const struct sched_param *to), (process, policy, to), EPERM)
FAILS(int, sched_setaffinity, -1, (pid_t process, size_t size, const cpu_set_t *to), (process, size, to), EINVAL)
FAILS(int, setpriority, -1, (__priority_which_t which, id_t who, int to), (which, who, to), EPERM)
FAILS(void *, mmap64, MAP_FAILED, (void *at, size_t size, int may, int how, int fd, off64_t from), (at, size, may, how, fd, from), ENOMEM)
FAILS(char *, getcwd, NULL, (char *to, size_t size), (to, size), EACCES)

/* The helper's alone. */
FAILS(int, prctl, -1, (int what, unsigned long a, unsigned long b, unsigned long c, unsigned long d), (what, a, b, c, d), EPERM)
FAILS(ssize_t, pread64, -1, (int fd, void *to, size_t size, off64_t at), (fd, to, size, at), EIO)
FAILS(ssize_t, pwrite64, -1, (int fd, const void *from, size_t size, off64_t at), (fd, from, size, at), ENOSPC)
FAILS(int, ftruncate64, -1, (int fd, off64_t size), (fd, size), EIO)
FAILS(ssize_t, writev, -1, (int fd, const struct iovec *from, int count), (fd, from, count), EPIPE, EINTR)
FAILS(ssize_t, sendmsg, -1, (int fd, const struct msghdr *from, int flags), (fd, from, flags), EPIPE, ENOBUFS)
FAILS(ssize_t, recvmsg, -1, (int fd, struct msghdr *to, int flags), (fd, to, flags), ECONNRESET)
FAILS(int, bind, -1, (int fd, const struct sockaddr *to, socklen_t size), (fd, to, size), EADDRINUSE)
FAILS(int, getsockopt, -1, (int fd, int level, int name, void *restrict to, socklen_t *restrict size), (fd, level, name, to, size), ENOBUFS)
FAILS(int, ioctl, -1, (int fd, unsigned long what, void *with), (fd, what, with), EIO)
FAILS(int, epoll_create1, -1, (int flags), (flags), EMFILE, ENOMEM)
FAILS(int, epoll_ctl, -1, (int epoll, int what, int fd, struct epoll_event *event), (epoll, what, fd, event), ENOMEM, ENOSPC)
FAILS(int, epoll_wait, -1, (int epoll, struct epoll_event *to, int count, int time), (epoll, to, count, time), EBADF, EINTR)
FAILS(int, eventfd, -1, (unsigned count, int flags), (count, flags), EMFILE, ENOMEM)
ANSWERS(int, getaddrinfo, (const char *restrict name, const char *restrict service, const struct addrinfo *restrict hints, struct addrinfo **restrict to), (name, service, hints, to), EAI_MEMORY, EAI_FAIL, EAI_NONAME)

/* A provider that refuses the connection is out of reach, and that is no fault: the rest is. */
FAILS(int, connect, -1, (int fd, const struct sockaddr *to, socklen_t size), (fd, to, size), EAGAIN, EACCES, EADDRNOTAVAIL, ENOBUFS)

ANSWERS(int, getpwnam_r, (const char *restrict name, struct passwd *restrict to, char *restrict buffer, size_t size, struct passwd **restrict found), (name, to, buffer, size, found), EIO, EMFILE, ENOMEM, EINTR, ERANGE)
ANSWERS(int, getgrnam_r, (const char *restrict name, struct group *restrict to, char *restrict buffer, size_t size, struct group **restrict found), (name, to, buffer, size, found), EIO, EMFILE, ENOMEM, EINTR, ERANGE)
ANSWERS(int, pthread_create, (unsigned long *restrict to, const void *restrict how, void *(*work)(void *), void *restrict with), (to, how, work, with), EAGAIN)
FAILS(int, getgrouplist, -1, (const char *user, gid_t group, gid_t *groups, int *count), (user, group, groups, count), ENOMEM)

/* libpam's: PAM_SYSTEM_ERR, PAM_BUF_ERR. */
ANSWERS(int, pam_get_item, (const void *handle, int item, const void **to), (handle, item, to), 4, 5)
ANSWERS(int, pam_get_data, (const void *handle, const char *name, const void **to), (handle, name, to), 4)
ANSWERS(int, pam_set_data, (void *handle, const char *name, void *data, void *cleanup), (handle, name, data, cleanup), 4, 5)

const char *pam_getenv(void *handle, const char *name)
{
    return fault("pam_getenv", "calls", CALLER, WAYS(ENOMEM)) != 0 ? NULL : NEXT(pam_getenv)(handle, name);
}

/* Closes, whatever it says of that. */
int close(int fd)
{
    int way = fault("close", "calls", CALLER, WAYS(EIO, EINTR)), closed = NEXT(close)(fd);

    if (way == 0)
        return closed;
    errno = way;
    return -1;
}

int fcntl(int fd, int command, ...)
{
    va_list more;
    long argument;
    int way = fault("fcntl", "calls", CALLER, WAYS(EMFILE, EINTR));

    if (way != 0) {
        errno = way;
        return -1;
    }
    va_start(more, command);
    argument = va_arg(more, long);
    va_end(more);
    return NEXT(fcntl)(fd, command, argument);
}

long syscall(long number, ...)
{
    va_list more;
    long a[6];
    int way = fault("syscall", "calls", CALLER, WAYS(EPERM, ENOSYS, EMFILE));

    if (way != 0) {
        errno = way;
        return -1;
    }
    va_start(more, number);
    for (int i = 0; i < 6; i++)
        a[i] = va_arg(more, long);
    va_end(more);
    return NEXT(syscall)(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

/* Memory. dlsym may ask for some itself, so these go by glibc's other names. */
extern void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_realloc(void *, size_t);

#define ALLOCATES(name, parameters, arguments)                               \
    void *name parameters                                                    \
    {                                                                        \
        if (fault(#name, "memory", CALLER, WAYS(ENOMEM)) != 0) {             \
            errno = ENOMEM;                                                  \
            return NULL;                                                     \
        }                                                                    \
        return __libc_##name arguments;                                      \
    }

ALLOCATES(malloc, (size_t size), (size))
ALLOCATES(calloc, (size_t count, size_t size), (count, size))
ALLOCATES(realloc, (void *block, size_t size), (block, size))

ANSWERS(int, posix_memalign, (void **to, size_t alignment, size_t size), (to, alignment, size), ENOMEM)
