/* Writes down what a process asks of one directory, in the order in which it happened, and lets no sync through.
 *
 * Loaded before the C library's own calls. The journal outlives the process; disk.rs reads it and works out what a disk
 * may hold that forgets whatever was not synced. Compiled by the test; Linux with glibc or musl. */
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
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

enum { CREATED = 1, WROTE, CUT, SYNCED, SYNCED_NAMES, RENAMED, LINKED, UNLINKED, MADE };
enum { FILES_MAX = 65536 };

/* What a descriptor means: a file by its number, or a directory by its path. */
static struct { uint64_t file; char *directory; } open_files[FILES_MAX];
static pthread_mutex_t order = PTHREAD_MUTEX_INITIALIZER;
static char root[PATH_MAX];
static size_t root_length;
static int journal = -1;

#define REAL(name) ((__typeof__(&name))real(#name))
static void *real(const char *name) { return dlsym(RTLD_NEXT, name); }

__attribute__((constructor)) static void start(void) {
    const char *dir = getenv("TEGATA_DISK_ROOT"), *to = getenv("TEGATA_DISK_JOURNAL");
    if (!dir || !to) return;
    journal = REAL(open)(to, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    snprintf(root, sizeof root, "%s/", dir);
    root_length = strlen(root);
}

static int inside(const char *path) {
    if (journal < 0 || !path) return 0;
    return strncmp(path, root, root_length) == 0 || (strlen(path) + 1 == root_length && strncmp(path, root, root_length - 1) == 0);
}

static void note(uint8_t what, uint64_t file, uint64_t at, const void *bytes, uint32_t n) {
    unsigned char head[21];
    head[0] = what;
    memcpy(head + 1, &file, 8);
    memcpy(head + 9, &at, 8);
    memcpy(head + 17, &n, 4);
    struct iovec parts[2] = { { head, sizeof head }, { (void *)bytes, n } };
    int before = errno;
    if (REAL(writev)(journal, parts, n ? 2 : 1) < 0) abort();
    errno = before;
}

static void note_names(uint8_t what, const char *from, const char *to) {
    char both[2 * PATH_MAX];
    int n = snprintf(both, sizeof both, "%s\n%s", from, to);
    note(what, 0, 0, both, (uint32_t)n);
}


static int opened(const char *path, int flags, mode_t mode) {
    pthread_mutex_lock(&order);
    struct stat s;
    int was = stat(path, &s) == 0;
    int fd = REAL(open)(path, flags, mode);
    if (fd >= 0 && fd < FILES_MAX) {
        if (fstat(fd, &s) == 0 && S_ISDIR(s.st_mode)) {
            open_files[fd].directory = strdup(path);
        } else {
            open_files[fd].file = (uint64_t)s.st_ino;
            if (!was) note(CREATED, (uint64_t)s.st_ino, 0, path, (uint32_t)strlen(path));
            else if (flags & O_TRUNC) note(CUT, (uint64_t)s.st_ino, 0, NULL, 0);
        }
    }
    pthread_mutex_unlock(&order);
    return fd;
}

#define OPEN(name)                                                                                    \
    int name(const char *path, int flags, ...) {                                                      \
        va_list more;                                                                                 \
        va_start(more, flags);                                                                        \
        mode_t mode = flags & (O_CREAT | O_TMPFILE) ? (mode_t)va_arg(more, int) : 0;                  \
        va_end(more);                                                                                 \
        return inside(path) ? opened(path, flags, mode) : REAL(name)(path, flags, mode);              \
    }
OPEN(open)
OPEN(open64)

#define OPENAT(name)                                                                                  \
    int name(int at, const char *path, int flags, ...) {                                              \
        va_list more;                                                                                 \
        va_start(more, flags);                                                                        \
        mode_t mode = flags & (O_CREAT | O_TMPFILE) ? (mode_t)va_arg(more, int) : 0;                  \
        va_end(more);                                                                                 \
        return inside(path) ? opened(path, flags, mode) : REAL(name)(at, path, flags, mode);          \
    }
OPENAT(openat)
OPENAT(openat64)

static uint64_t file_of(int fd) { return fd >= 0 && fd < FILES_MAX ? open_files[fd].file : 0; }

int close(int fd) {
    if (journal < 0 || fd < 0 || fd >= FILES_MAX || (!open_files[fd].file && !open_files[fd].directory)) return REAL(close)(fd);
    pthread_mutex_lock(&order);
    open_files[fd].file = 0;
    free(open_files[fd].directory);
    open_files[fd].directory = NULL;
    int done = REAL(close)(fd);
    pthread_mutex_unlock(&order);
    return done;
}

ssize_t write(int fd, const void *bytes, size_t n) {
    uint64_t file = file_of(fd);
    if (!file) return REAL(write)(fd, bytes, n);
    pthread_mutex_lock(&order);
    ssize_t done = REAL(write)(fd, bytes, n);
    if (done > 0) note(WROTE, file, (uint64_t)(lseek(fd, 0, SEEK_CUR) - done), bytes, (uint32_t)done);
    pthread_mutex_unlock(&order);
    return done;
}

ssize_t writev(int fd, const struct iovec *parts, int n) {
    uint64_t file = file_of(fd);
    if (!file) return REAL(writev)(fd, parts, n);
    ssize_t all = 0;
    for (int i = 0; i < n; i++) {
        ssize_t done = write(fd, parts[i].iov_base, parts[i].iov_len);
        if (done < 0) return all ? all : done;
        all += done;
        if ((size_t)done < parts[i].iov_len) break;
    }
    return all;
}

static ssize_t placed(int fd, const void *bytes, size_t n, off_t at) {
    uint64_t file = file_of(fd);
    if (!file) return REAL(pwrite64)(fd, bytes, n, at);
    pthread_mutex_lock(&order);
    ssize_t done = REAL(pwrite64)(fd, bytes, n, at);
    if (done > 0) note(WROTE, file, (uint64_t)at, bytes, (uint32_t)done);
    pthread_mutex_unlock(&order);
    return done;
}
ssize_t pwrite(int fd, const void *bytes, size_t n, off_t at) { return placed(fd, bytes, n, at); }
ssize_t pwrite64(int fd, const void *bytes, size_t n, off64_t at) { return placed(fd, bytes, n, at); }

static int cut(int fd, off_t length) {
    uint64_t file = file_of(fd);
    if (!file) return REAL(ftruncate64)(fd, length);
    pthread_mutex_lock(&order);
    int done = REAL(ftruncate64)(fd, length);
    if (done == 0) note(CUT, file, (uint64_t)length, NULL, 0);
    pthread_mutex_unlock(&order);
    return done;
}
int ftruncate(int fd, off_t length) { return cut(fd, length); }
int ftruncate64(int fd, off64_t length) { return cut(fd, length); }

/* The journal is the disk: what it says is synced is kept, so the real sync is not needed. */
static int synced(int fd) {
    pthread_mutex_lock(&order);
    if (open_files[fd].directory) note(SYNCED_NAMES, 0, 0, open_files[fd].directory, (uint32_t)strlen(open_files[fd].directory));
    else note(SYNCED, open_files[fd].file, 0, NULL, 0);
    pthread_mutex_unlock(&order);
    return 0;
}
static int known(int fd) { return journal >= 0 && fd >= 0 && fd < FILES_MAX && (open_files[fd].file || open_files[fd].directory); }
int fsync(int fd) { return known(fd) ? synced(fd) : REAL(fsync)(fd); }
int fdatasync(int fd) { return known(fd) ? synced(fd) : REAL(fdatasync)(fd); }

#define PAIR(call, what, from, to)                                                                    \
    if (!inside(from) && !inside(to)) return call;                                                    \
    pthread_mutex_lock(&order);                                                                       \
    int done = call;                                                                                  \
    if (done == 0) note_names(what, from, to);                                                        \
    pthread_mutex_unlock(&order);                                                                     \
    return done;

int rename(const char *from, const char *to) { PAIR(REAL(rename)(from, to), RENAMED, from, to) }
int link(const char *from, const char *to) { PAIR(REAL(link)(from, to), LINKED, from, to) }
int linkat(int a, const char *from, int b, const char *to, int flags) { PAIR(REAL(linkat)(a, from, b, to, flags), LINKED, from, to) }
int unlink(const char *path) { PAIR(REAL(unlink)(path), UNLINKED, path, "") }
int unlinkat(int at, const char *path, int flags) { PAIR(REAL(unlinkat)(at, path, flags), UNLINKED, path, "") }
int mkdir(const char *path, mode_t mode) { PAIR(REAL(mkdir)(path, mode), MADE, path, "") }
