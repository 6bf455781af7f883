/* Records what a process does to the files below one folder: which bytes are written where, what is synced, which
 * names come and go, in one order. The tests build it and load it with LD_PRELOAD; src/trace.rs reads what it writes.
 *
 * Not for deciding what survives a power loss: that is src/disk.rs. A call that the tests have no model of is recorded
 * by its name, and they fail on it.
 *
 * Invariant: a change and its record happen under one lock, so the record's order is the order of the changes. A sync
 * is two records, since it covers only what was written before it began and counts only once it has returned.
 *
 * POWER_ROOT         the folder, absolute, without symbolic links
 * POWER_TRACE        where the record goes, outside the folder
 * POWER_SYNC_MICROS  how long a sync takes
 * POWER_LEAVE_OUT    fdatasync of files whose path ends so does nothing and is not recorded
 * POWER_ROOM_BYTES   by how many bytes files below the folder's `log` may grow before the disk is full
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum kind {
    CREATE = 1,
    WRITE = 2,
    RESIZE = 3,
    SYNC_BEGIN = 4,
    SYNC_END = 5,
    RENAME = 6,
    UNLINK = 7,
    MKDIR = 8,
    RMDIR = 9,
    UNMODELLED = 10,
};

struct head {
    uint32_t kind;
    uint32_t path_len;
    uint64_t inode;
    uint64_t number; /* offset, length or number of the sync */
    uint64_t data_len;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static const char *root;
static size_t root_len;
static const char *leave_out;
static long sync_micros;
static int64_t room = INT64_MAX;
static int trace_fd = -1;
static uint64_t syncs;

static void die(const char *what) {
    dprintf(2, "power shim: %s: %s\n", what, strerror(errno));
    _exit(97);
}

static void start(void) {
    root = getenv("POWER_ROOT");
    const char *trace = getenv("POWER_TRACE");
    if (!root || !trace) {
        root = NULL;
        return;
    }
    root_len = strlen(root);
    leave_out = getenv("POWER_LEAVE_OUT");
    const char *micros = getenv("POWER_SYNC_MICROS");
    sync_micros = micros ? atol(micros) : 0;
    const char *bytes = getenv("POWER_ROOM_BYTES");
    if (bytes) room = atoll(bytes);
    trace_fd = (int)syscall(SYS_openat, AT_FDCWD, trace, O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
    if (trace_fd < 0) die("cannot open POWER_TRACE");
}

#define REAL(name) \
    static __typeof__(name) *real; \
    if (!real) real = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)

static int inside(const char *path) {
    pthread_once(&once, start);
    return root && strncmp(path, root, root_len) == 0 && (path[root_len] == '/' || path[root_len] == 0);
}

/* The path behind a descriptor; 0 if it has none. */
static int path_of_fd(int fd, char *path) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t len = readlink(link, path, PATH_MAX - 1);
    if (len <= 0) return 0;
    path[len] = 0;
    return path[0] == '/';
}

/* Whether the descriptor is one of a file or folder that is recorded; gives its path and inode. */
static int recorded_fd(int fd, char *path, uint64_t *inode) {
    int before = errno;
    struct stat st;
    int yes = path_of_fd(fd, path) && inside(path) && fstat(fd, &st) == 0;
    if (yes) *inode = st.st_ino;
    errno = before;
    return yes;
}

/* Whether the path, seen from the folder `at`, is recorded; gives it whole. */
static int recorded_path(int at, const char *path, char *whole) {
    int before = errno;
    int yes = 0;
    if (path[0] == '/') {
        yes = (size_t)snprintf(whole, PATH_MAX, "%s", path) < PATH_MAX;
    } else {
        char base[PATH_MAX];
        int known = at == AT_FDCWD ? getcwd(base, sizeof base) != NULL : path_of_fd(at, base);
        yes = known && (size_t)snprintf(whole, PATH_MAX, "%s/%s", base, path) < PATH_MAX;
    }
    errno = before;
    return yes && inside(whole);
}

static void put(const void *bytes, size_t len) {
    const char *at = bytes;
    while (len > 0) {
        ssize_t done = syscall(SYS_write, trace_fd, at, len);
        if (done < 0 && errno == EINTR) continue;
        if (done < 0) die("cannot write the trace");
        at += done;
        len -= (size_t)done;
    }
}

static void record(enum kind kind, uint64_t inode, uint64_t number, const char *path, const void *data, size_t len) {
    int before = errno;
    struct head head = {kind, path ? (uint32_t)strlen(path) : 0, inode, number, len};
    put(&head, sizeof head);
    if (path) put(path, strlen(path));
    if (len) put(data, len);
    errno = before;
}

static void unmodelled(const char *call, const char *path) {
    pthread_mutex_lock(&lock);
    record(UNMODELLED, 0, 0, path, call, strlen(call));
    pthread_mutex_unlock(&lock);
}

/* Opening: a new file is a new name; an emptied one is a resize. */

static int traced_open(int at, const char *path, int flags, mode_t mode) {
    char whole[PATH_MAX];
    if (!recorded_path(at, path, whole)) return (int)syscall(SYS_openat, at, path, flags, mode);
    pthread_mutex_lock(&lock);
    struct stat st;
    int existed = stat(whole, &st) == 0;
    int fd = (int)syscall(SYS_openat, at, path, flags, mode);
    int before = errno;
    if (fd >= 0 && fstat(fd, &st) == 0) {
        if ((flags & O_TMPFILE) == O_TMPFILE) record(UNMODELLED, 0, 0, whole, "O_TMPFILE", 9);
        else if (!existed) record(CREATE, st.st_ino, 0, whole, NULL, 0);
        else if (flags & O_TRUNC) record(RESIZE, st.st_ino, 0, NULL, NULL, 0);
    }
    pthread_mutex_unlock(&lock);
    errno = before;
    return fd;
}

#define MODE_OF(flags) \
    mode_t mode = 0; \
    if (((flags) & O_CREAT) || ((flags) & O_TMPFILE) == O_TMPFILE) { \
        va_list more; \
        va_start(more, flags); \
        mode = va_arg(more, mode_t); \
        va_end(more); \
    }

int open(const char *path, int flags, ...) {
    MODE_OF(flags)
    return traced_open(AT_FDCWD, path, flags, mode);
}

int open64(const char *path, int flags, ...) {
    MODE_OF(flags)
    return traced_open(AT_FDCWD, path, flags | O_LARGEFILE, mode);
}

int openat(int at, const char *path, int flags, ...) {
    MODE_OF(flags)
    return traced_open(at, path, flags, mode);
}

int openat64(int at, const char *path, int flags, ...) {
    MODE_OF(flags)
    return traced_open(at, path, flags | O_LARGEFILE, mode);
}

int creat(const char *path, mode_t mode) {
    return traced_open(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode);
}

int creat64(const char *path, mode_t mode) {
    return traced_open(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC | O_LARGEFILE, mode);
}

/* Writing. */

/* How much of a write still fits on the disk; the files' growth is what uses it up. Called under the lock. */
static size_t fits(int fd, const char *path, uint64_t offset, size_t len) {
    struct stat st;
    if (room == INT64_MAX || strncmp(path + root_len, "/log/", 5) != 0 || fstat(fd, &st) != 0) return len;
    int64_t growth = (int64_t)(offset + len) - (int64_t)st.st_size;
    if (growth <= 0) return len;
    if (growth > (int64_t)len) growth = (int64_t)len;
    int64_t given = growth < room ? growth : room;
    room -= given;
    return len - (size_t)(growth - given);
}

/* At the descriptor's own place if `offset` is below 0. */
static ssize_t traced_write(int fd, const void *bytes, size_t len, off_t offset, const char *path, uint64_t inode) {
    int at_offset = offset >= 0;
    pthread_mutex_lock(&lock);
    if (!at_offset) {
        int flags = fcntl(fd, F_GETFL);
        offset = lseek(fd, 0, flags >= 0 && (flags & O_APPEND) ? SEEK_END : SEEK_CUR);
    }
    size_t fitting = fits(fd, path, (uint64_t)offset, len);
    ssize_t done;
    if (fitting == 0 && len > 0) {
        errno = ENOSPC;
        done = -1;
    } else {
        done = at_offset ? syscall(SYS_pwrite64, fd, bytes, fitting, offset) : syscall(SYS_write, fd, bytes, fitting);
    }
    if (done > 0) record(WRITE, inode, (uint64_t)offset, NULL, bytes, (size_t)done);
    pthread_mutex_unlock(&lock);
    return done;
}

ssize_t write(int fd, const void *bytes, size_t len) {
    char path[PATH_MAX];
    uint64_t inode;
    if (!recorded_fd(fd, path, &inode)) return syscall(SYS_write, fd, bytes, len);
    return traced_write(fd, bytes, len, -1, path, inode);
}

ssize_t pwrite(int fd, const void *bytes, size_t len, off_t offset) {
    char path[PATH_MAX];
    uint64_t inode;
    if (!recorded_fd(fd, path, &inode)) return syscall(SYS_pwrite64, fd, bytes, len, offset);
    return traced_write(fd, bytes, len, offset, path, inode);
}

ssize_t pwrite64(int fd, const void *bytes, size_t len, off64_t offset) {
    return pwrite(fd, bytes, len, offset);
}

/* A vector is written piece by piece: a short write, which every caller must expect, after the first. */
ssize_t writev(int fd, const struct iovec *parts, int count) {
    char path[PATH_MAX];
    uint64_t inode;
    if (!recorded_fd(fd, path, &inode)) return syscall(SYS_writev, fd, parts, count);
    for (int part = 0; part < count; part++) {
        size_t len = parts[part].iov_len;
        if (len) return traced_write(fd, parts[part].iov_base, len, -1, path, inode);
    }
    return 0;
}

int ftruncate(int fd, off_t len) {
    char path[PATH_MAX];
    uint64_t inode;
    if (!recorded_fd(fd, path, &inode)) return (int)syscall(SYS_ftruncate, fd, len);
    pthread_mutex_lock(&lock);
    int done = (int)syscall(SYS_ftruncate, fd, len);
    if (done == 0) record(RESIZE, inode, (uint64_t)len, NULL, NULL, 0);
    pthread_mutex_unlock(&lock);
    return done;
}

int ftruncate64(int fd, off64_t len) {
    return ftruncate(fd, len);
}

/* Syncing. Nothing needs to reach a real disk here: it takes its time and is recorded. */

static int traced_sync(int fd, int data_only) {
    char path[PATH_MAX];
    uint64_t inode;
    if (!recorded_fd(fd, path, &inode)) return (int)syscall(data_only ? SYS_fdatasync : SYS_fsync, fd);
    if (data_only && leave_out) {
        size_t len = strlen(path), end = strlen(leave_out);
        if (len >= end && strcmp(path + len - end, leave_out) == 0) return 0;
    }
    pthread_mutex_lock(&lock);
    uint64_t number = ++syncs;
    record(SYNC_BEGIN, inode, number, NULL, NULL, 0);
    pthread_mutex_unlock(&lock);
    struct timespec pause = {sync_micros / 1000000, (sync_micros % 1000000) * 1000};
    if (sync_micros) nanosleep(&pause, NULL);
    pthread_mutex_lock(&lock);
    record(SYNC_END, inode, number, NULL, NULL, 0);
    pthread_mutex_unlock(&lock);
    return 0;
}

int fsync(int fd) {
    return traced_sync(fd, 0);
}

int fdatasync(int fd) {
    return traced_sync(fd, 1);
}

/* Starts writing pages back and waits for them, but makes neither the disk's cache nor the file's length durable: so
 * it promises nothing, and is not recorded. */
int sync_file_range(int fd, off64_t offset, off64_t len, unsigned int flags) {
    char path[PATH_MAX];
    uint64_t inode;
    if (recorded_fd(fd, path, &inode)) return 0;
    return (int)syscall(SYS_sync_file_range, fd, offset, len, flags);
}

/* Names. */

int renameat2(int from_at, const char *from, int to_at, const char *to, unsigned int flags) {
    char whole[2 * PATH_MAX], target[PATH_MAX];
    int is_from = recorded_path(from_at, from, whole), is_to = recorded_path(to_at, to, target);
    if (!is_from && !is_to) return (int)syscall(SYS_renameat2, from_at, from, to_at, to, flags);
    if (!is_from || !is_to || flags) unmodelled("renameat2 over the border or with flags", is_from ? whole : target);
    pthread_mutex_lock(&lock);
    int done = (int)syscall(SYS_renameat2, from_at, from, to_at, to, flags);
    if (done == 0) record(RENAME, 0, 0, whole, target, strlen(target));
    pthread_mutex_unlock(&lock);
    return done;
}

int rename(const char *from, const char *to) {
    return renameat2(AT_FDCWD, from, AT_FDCWD, to, 0);
}

int renameat(int from_at, const char *from, int to_at, const char *to) {
    return renameat2(from_at, from, to_at, to, 0);
}

int unlinkat(int at, const char *path, int flags) {
    char whole[PATH_MAX];
    if (!recorded_path(at, path, whole)) return (int)syscall(SYS_unlinkat, at, path, flags);
    pthread_mutex_lock(&lock);
    int done = (int)syscall(SYS_unlinkat, at, path, flags);
    if (done == 0) record(flags & AT_REMOVEDIR ? RMDIR : UNLINK, 0, 0, whole, NULL, 0);
    pthread_mutex_unlock(&lock);
    return done;
}

int unlink(const char *path) {
    return unlinkat(AT_FDCWD, path, 0);
}

int rmdir(const char *path) {
    return unlinkat(AT_FDCWD, path, AT_REMOVEDIR);
}

int mkdirat(int at, const char *path, mode_t mode) {
    char whole[PATH_MAX];
    if (!recorded_path(at, path, whole)) return (int)syscall(SYS_mkdirat, at, path, mode);
    pthread_mutex_lock(&lock);
    int done = (int)syscall(SYS_mkdirat, at, path, mode);
    struct stat st;
    if (done == 0 && stat(whole, &st) == 0) record(MKDIR, st.st_ino, 0, whole, NULL, 0);
    pthread_mutex_unlock(&lock);
    return done;
}

int mkdir(const char *path, mode_t mode) {
    return mkdirat(AT_FDCWD, path, mode);
}

/* What the tests have no model of: carried out, and recorded as such. */

#define UNMODELLED_FD(result, name, fd, parameters, arguments) \
    result name parameters { \
        REAL(name); \
        char path[PATH_MAX]; \
        uint64_t inode; \
        if (recorded_fd(fd, path, &inode)) unmodelled(#name, path); \
        return real arguments; \
    }

#define UNMODELLED_PATH(result, name, path, parameters, arguments) \
    result name parameters { \
        REAL(name); \
        char whole[PATH_MAX]; \
        if (recorded_path(AT_FDCWD, path, whole)) unmodelled(#name, whole); \
        return real arguments; \
    }

UNMODELLED_FD(ssize_t, pwritev, fd, (int fd, const struct iovec *p, int n, off_t o), (fd, p, n, o))
UNMODELLED_FD(ssize_t, pwritev64, fd, (int fd, const struct iovec *p, int n, off64_t o), (fd, p, n, o))
UNMODELLED_FD(ssize_t, pwritev2, fd, (int fd, const struct iovec *p, int n, off_t o, int f), (fd, p, n, o, f))
UNMODELLED_FD(int, fallocate, fd, (int fd, int m, off_t o, off_t l), (fd, m, o, l))
UNMODELLED_FD(int, fallocate64, fd, (int fd, int m, off64_t o, off64_t l), (fd, m, o, l))
UNMODELLED_FD(int, posix_fallocate, fd, (int fd, off_t o, off_t l), (fd, o, l))
UNMODELLED_FD(int, posix_fallocate64, fd, (int fd, off64_t o, off64_t l), (fd, o, l))
UNMODELLED_FD(int, syncfs, fd, (int fd), (fd))
UNMODELLED_PATH(int, truncate, path, (const char *path, off_t l), (path, l))
UNMODELLED_PATH(int, truncate64, path, (const char *path, off64_t l), (path, l))
UNMODELLED_PATH(int, link, to, (const char *from, const char *to), (from, to))
UNMODELLED_PATH(int, symlink, to, (const char *from, const char *to), (from, to))

ssize_t copy_file_range(int in, off64_t *in_at, int out, off64_t *out_at, size_t len, unsigned int flags) {
    char path[PATH_MAX];
    uint64_t inode;
    if (!recorded_fd(out, path, &inode)) return syscall(SYS_copy_file_range, in, in_at, out, out_at, len, flags);
    /* As a kernel that cannot: callers then read and write. */
    errno = ENOSYS;
    return -1;
}

ssize_t sendfile64(int out, int in, off64_t *offset, size_t len) {
    char path[PATH_MAX];
    uint64_t inode;
    if (!recorded_fd(out, path, &inode)) return syscall(SYS_sendfile, out, in, offset, len);
    errno = ENOSYS;
    return -1;
}
