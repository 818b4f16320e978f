/* Loaded before libc: once the file named by STEPWELL_CRASH_SYNC is there, the next sync fails with EIO, notes when in
 * NAME.failed, and those after it succeed, as Linux has it. What the failed one should have written is not synced. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int fails(void) {
    const char *name = getenv("STEPWELL_CRASH_SYNC");
    char failed[4096];
    if (name == NULL || snprintf(failed, sizeof failed, "%s.failed", name) >= (int)sizeof failed) return 0;
    if (access(name, F_OK) != 0) return 0;
    int file = open(failed, O_CREAT | O_EXCL | O_WRONLY, 0600);
    if (file < 0) return 0;
    close(file);
    errno = EIO;
    return 1;
}

int fdatasync(int file) {
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
    return fails() ? -1 : real(file);
}

int fsync(int file) {
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
    return fails() ? -1 : real(file);
}
