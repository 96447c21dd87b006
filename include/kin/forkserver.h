/**
 * The forkserver: a process that starts children in the place of its parent.
 *
 * Children of a process that use the context KIN_FORKSERVER are forked by a server that was started
 * for it by spawn, and that has one thread, little memory and nothing open. So the start costs as
 * much as a fork in a small program, whatever has become of this one, and copies no locks of its
 * threads. The child begins as one of spawn does: with what it is given, and nothing else. In the
 * family it is the child of who starts it; only the kernel knows it as the server's (getppid), and
 * environment, working directory, limits and standard streams are as they were when the server was
 * started.
 *
 * A process gets its server with its first start, or by kin_forkserver_ensure_running. The server
 * ends with the process, however that ends. Functions can be run in it before it serves: what they
 * leave behind in memory, every child has from the start.
 *
 *     kin_forkserver_preload(load_tables, arguments);
 *     kin_process_start(work, task, KIN_OPTIONS(kin_process_options,
 *                       .context = kin_context_get(KIN_FORKSERVER)), &process);
 *
 * Threads: any may call these, and start processes at the same time. Fork: a child has a server of
 * its own when it needs one; the functions that are to be run in it are the same.
 *
 * Peer death: when the server is killed, its children go on, and can be joined as before. How they
 * end is known as long as they end by themselves; of one that is killed it is not (-ECHILD). The
 * next start gets a new server. A start that is on its way gets a new one too, or says why not:
 * there is one child or none. A server that is stopped (SIGSTOP) is taken for one that will not go
 * on when it has not answered for 30 s, or not told for 30 s how a child was killed: it is killed
 * itself. kin_fini waits for it no longer than 2 s.
 */
#ifndef KIN_FORKSERVER_H
#define KIN_FORKSERVER_H

#include <kin/call.h>
#include <kin/export.h>

KIN_BEGIN

/**
 * From its next start on, the server of this process, and each later one, runs `function` with a
 * copy of `arguments` (see kin_process_create) before it serves. Functions are run in the order of
 * these calls. One that returns a negative code ends the server: the code and its message are
 * printed to stderr, and whoever needed the server gets the code. So does one that leaves a thread
 * behind: -EBUSY; and one that has not returned after 5 minutes: -ETIMEDOUT. It is run again for
 * the next start: no child is ever started without what was to be there.
 *
 * NULL and NULL: from its next start on, the server runs none of the functions so far.
 *
 * What handles in the arguments stand for is open in the server, and in its children, only if the
 * function opens it. Returns 0; -EALREADY: the server runs, and would not run it (see
 * kin_forkserver_stop); KIN_EFUNCTION: the function is not registered; -ENOMEM, -EINVAL,
 * KIN_EFAMILY.
 */
KIN_API int kin_forkserver_preload(kin_function *function, const kin_object *arguments);

/**
 * Starts the server, unless it runs, and waits until it serves.
 *
 * Returns 0; the code of a function that was to be run in it, or -ETIMEDOUT; KIN_EWORKER: it died,
 * several times, before it served; or what the start of a process returns: -EAGAIN, -ENOMEM,
 * -EMFILE, KIN_EFAMILY.
 */
KIN_API int kin_forkserver_ensure_running(void);

/**
 * Makes the server end once its children have ended: so how they end will be known. It starts no
 * more of them; the next start gets a new server. Returns 0, also if none runs, or KIN_EFAMILY.
 */
KIN_API int kin_forkserver_stop(void);

KIN_END

#endif
