/**
 * Pipes: two ends, connected.
 */
#ifndef KIN_PIPE_H
#define KIN_PIPE_H

#include <kin/connection.h>
#include <kin/export.h>
#include <stdbool.h>

KIN_BEGIN

/**
 * Makes a pipe. Two-way: both ends send and receive. One-way: `ret_first` receives what
 * `ret_second` sends. Free both with kin_connection_free.
 *
 * Bytes that one process has read ahead are there for all processes that use the same end. A
 * program that is to read from the fd without kin gets it before the first receive, or an end made
 * by kin_connection_adopt_fd.
 *
 * Returns 0, or -ENOMEM; -EMFILE, -ENFILE: too many fds are open.
 */
KIN_API int kin_pipe_create(bool is_duplex, kin_connection **ret_first,
                            kin_connection **ret_second);

KIN_END

#endif
