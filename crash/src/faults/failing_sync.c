/* Loaded before libc: once the file named by STEPWELL_CRASH_SYNC is there, the next sync of the log or its index fails
 * with EIO, notes when in NAME.failed, and those after it succeed, as Linux has it. What the failed one should have
 * written is not synced. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int ends_with(const char *text, const char *ending) {
    size_t length = strlen(text), of_ending = strlen(ending);
    return length >= of_ending && strcmp(text + length - of_ending, ending) == 0;
}

/* Other services of the process have files of their own. */
static int is_of_the_store(int file) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return ends_with(path, ".log") || ends_with(path, ".spare") || ends_with(path, "index.redb");
}

static int fails(int of) {
    const char *name = getenv("STEPWELL_CRASH_SYNC");
    char failed[4096];
    if (name == NULL || snprintf(failed, sizeof failed, "%s.failed", name) >= (int)sizeof failed) return 0;
    if (access(name, F_OK) != 0 || !is_of_the_store(of)) return 0;
    int file = open(failed, O_CREAT | O_EXCL | O_WRONLY, 0600);
    if (file < 0) return 0;
    close(file);
    errno = EIO;
    return 1;
}

int fdatasync(int file) {
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
    return fails(file) ? -1 : real(file);
}

int fsync(int file) {
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
    return fails(file) ? -1 : real(file);
}
