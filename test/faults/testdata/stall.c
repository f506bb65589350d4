/* A library for LD_PRELOAD. While the file exists that FORGE_STALL names, nothing is flushed to the
 * disk: programs wait, as they do when a disk stalls. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

static void await_disk(void) {
	const char *stalled = getenv("FORGE_STALL");
	while (stalled && access(stalled, F_OK) == 0)
		usleep(5000);
}

int fsync(int fd) {
	await_disk();
	return syscall(SYS_fsync, fd);
}

int fdatasync(int fd) {
	await_disk();
	return syscall(SYS_fdatasync, fd);
}
