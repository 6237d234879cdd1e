/* Kills a process before its n-th change to the file system.
 *
 * Loaded by LD_PRELOAD. KILL_BEFORE=n sends SIGKILL in place of the n-th call, over all threads,
 * that makes, renames, links, removes, shortens or writes a file below KILL_BELOW. With
 * KILL_COUNT=FILE it kills nothing and writes to FILE, at exit, how many there were.
 * Calls that no libc function makes (raw system calls) are not seen.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static atomic_long changes;

static int below(const char *path) {
    const char *root = getenv("KILL_BELOW");
    if (root == NULL || path == NULL) return 0;
    if (path[0] == '/') return strncmp(path, root, strlen(root)) == 0;
    char folder[PATH_MAX];
    return getcwd(folder, sizeof folder) != NULL && strncmp(folder, root, strlen(root)) == 0;
}

static int descriptor_below(int descriptor) {
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = '\0';
    return path[0] == '/' && below(path);
}

static void change(void) {
    long number = atomic_fetch_add(&changes, 1) + 1;
    const char *last = getenv("KILL_BEFORE");
    if (last != NULL && number == atol(last)) kill(getpid(), SIGKILL);
}

__attribute__((destructor)) static void report(void) {
    const char *path = getenv("KILL_COUNT");
    if (path == NULL) return;
    FILE *file = fopen(path, "w");
    if (file == NULL) return;
    fprintf(file, "%ld\n", atomic_load(&changes));
    fclose(file);
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define ON_PATH(name, parameters, path, arguments)          \
    int name parameters {                                   \
        if (below(path)) change();                          \
        return REAL(name) arguments;                        \
    }
#define ON_DESCRIPTOR(type, name, parameters, arguments)    \
    type name parameters {                                  \
        if (descriptor_below(descriptor)) change();         \
        return REAL(name) arguments;                        \
    }

ON_PATH(rename, (const char *from, const char *to), to, (from, to))
ON_PATH(renameat, (int a, const char *from, int b, const char *to), to, (a, from, b, to))
ON_PATH(renameat2, (int a, const char *from, int b, const char *to, unsigned flags), to,
        (a, from, b, to, flags))
ON_PATH(link, (const char *from, const char *to), to, (from, to))
ON_PATH(linkat, (int a, const char *from, int b, const char *to, int flags), to,
        (a, from, b, to, flags))
ON_PATH(symlink, (const char *from, const char *to), to, (from, to))
ON_PATH(unlink, (const char *path), path, (path))
ON_PATH(unlinkat, (int folder, const char *path, int flags), path, (folder, path, flags))
ON_PATH(rmdir, (const char *path), path, (path))
ON_PATH(mkdir, (const char *path, mode_t mode), path, (path, mode))
ON_PATH(mkdirat, (int folder, const char *path, mode_t mode), path, (folder, path, mode))

ON_DESCRIPTOR(int, ftruncate, (int descriptor, off_t length), (descriptor, length))
ON_DESCRIPTOR(int, ftruncate64, (int descriptor, off64_t length), (descriptor, length))
ON_DESCRIPTOR(ssize_t, write, (int descriptor, const void *bytes, size_t count),
              (descriptor, bytes, count))
ON_DESCRIPTOR(ssize_t, writev, (int descriptor, const struct iovec *parts, int count),
              (descriptor, parts, count))
ON_DESCRIPTOR(ssize_t, pwrite, (int descriptor, const void *bytes, size_t count, off_t offset),
              (descriptor, bytes, count, offset))
ON_DESCRIPTOR(ssize_t, pwrite64, (int descriptor, const void *bytes, size_t count, off64_t offset),
              (descriptor, bytes, count, offset))
ON_DESCRIPTOR(ssize_t, copy_file_range,
              (int from, off64_t *a, int descriptor, off64_t *b, size_t count, unsigned flags),
              (from, a, descriptor, b, count, flags))

#define ON_OPEN(name)                                                                     \
    int name(const char *path, int flags, ...) {                                          \
        va_list arguments;                                                                \
        va_start(arguments, flags);                                                       \
        mode_t mode = (flags & (O_CREAT | O_TMPFILE)) ? va_arg(arguments, mode_t) : 0;    \
        va_end(arguments);                                                                \
        if ((flags & (O_CREAT | O_TRUNC)) && below(path)) change();                       \
        return REAL(name)(path, flags, mode);                                             \
    }
ON_OPEN(open)
ON_OPEN(open64)
