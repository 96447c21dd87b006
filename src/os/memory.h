/**
 * Memory that processes share: one file without a name, mapped whole.
 *
 * The file has its full size from the start, sealed against change, and no pages: address
 * space is reserved, memory is not. Pages are added by commit before they are touched, so that
 * "no memory" is an error code here and not a SIGBUS there; decommit gives them back.
 */
#ifndef KIN_OS_MEMORY_H
#define KIN_OS_MEMORY_H

#include <stdint.h>

/* The most bytes that a shared memory can have under the process's limits on address space
 * and file size; a file that is larger would raise SIGXFSZ. */
uint64_t kin__os_memory_bytes_max(void);

/* Makes a shared memory of `bytes`. 0 and an fd (close-on-exec, not one of 0 to 2), or -ENOMEM,
 * -ENOSYS, -EMFILE, -ENFILE. */
int kin__os_memory_create(const char *name, uint64_t bytes, int *ret_fd);

/* Looks at an fd that another process has passed on: a shared memory that kin__os_memory_create has
 * made for this user, and its size. Makes it close-on-exec. 0, or -EBADMSG. */
int kin__os_memory_check(int fd, uint64_t *ret_bytes);

/* Maps it whole, readable and writable, not in core dumps. 0, or -ENOMEM. */
int kin__os_memory_map(int fd, uint64_t bytes, void **ret_base);

void kin__os_memory_unmap(void *base, uint64_t bytes);

/* Gives pages to a range; harmless where there are some. 0, or -ENOMEM (also for ENOSPC). */
int kin__os_memory_commit(int fd, uint64_t offset, uint64_t bytes);

/* Takes the pages of a range back; it reads as zero if it is committed again. 0, or a code:
 * then the pages are still there. */
int kin__os_memory_decommit(int fd, uint64_t offset, uint64_t bytes);

/* Private memory for a secret, all zero: not in core dumps, and not on disk where the limit on
 * locked memory leaves room. 0, or -ENOMEM. */
int kin__os_secret_create(uint64_t bytes, void **ret_memory);

/* Overwrites a secret in a way that the compiler does not leave out. */
void kin__os_secret_wipe(void *memory, uint64_t bytes);

/* Wipes it, and gives it back. */
void kin__os_secret_free(void *memory, uint64_t bytes);

/* Private memory that grows without being copied, and has large pages where the system knows them:
 * each page that is touched for the first time costs as much as copying it. `pages` NULL: none yet;
 * it may move. `bytes` becomes at least `wanted`. Given back with kin__os_memory_unmap. 0, or
 * -ENOMEM: all is as it was. */
int kin__os_pages_grow(void **pages, uint64_t *bytes, uint64_t wanted);

/* Closes an fd. EINTR counts as closed, as it is on Linux. */
void kin__os_close(int fd);

/* Random bytes from the kernel: for the family's id. Never fails; falls back to the clock. */
uint64_t kin__os_random(void);

/* Random bytes that nobody can foresee. 0, or -EIO: the kernel gives none. */
int kin__os_random_fill(void *memory, uint64_t bytes);

#endif
