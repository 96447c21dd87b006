/**
 * kin: programs of several processes and threads that work together.
 *
 * Read in this order, simple things first:
 *
 *   kin/error.h      codes, and kin_error: why something failed
 *   kin/family.h     kin_init, kin_fini, handles: what everything else stands on
 *   kin/timeout.h    the one argument of every call that can wait
 *   kin/call.h       functions that other processes can run
 *   kin/object.h     values of any kind, as Python has them
 *   kin/list.h       lists and tuples of them
 *   kin/dict.h       values found by keys
 *   kin/set.h        sets and frozensets
 *   kin/class.h      objects of the program's own
 *   kin/standard.h   dates, decimals, exceptions and others of Python's own library
 *   kin/handle.h     shared objects and fds in them
 *   kin/fork_hook.h  what is to be done around a fork
 *   kin/finalizer.h  what is to be done before a process ends
 *   kin/reference.h  what is freed with the last of its users
 *   kin/pickle.h     objects as bytes, in the format of Python's pickle
 *   kin/pool.h       worker processes: map and imap_unordered over bytes
 *   kin/pool_map.h   map over objects
 *   kin/process.h    one child process
 *   kin/context.h    how it is started: by fork, spawn or forkserver
 *   kin/forkserver.h  children from a small process beside a large one
 *   kin/command.h    programs: started, fed, heard, ended
 *   kin/command_result.h  what there is to know of one
 *   kin/shortcut.h   programs in one call
 *   kin/pipeline.h   programs in a row
 *   kin/stop.h       how what runs is ended: asking first, by force where that does not help
 *   kin/relatives.h  this process, its parent, its children
 *   kin/crash.h      where in its code a child crashed
 *   kin/member.h     who takes part, how far each is, and what it waits for
 *   kin/log.h        what happens, in words
 *   kin/queue.h      messages between any number of processes and threads
 *   kin/local_queue.h  pointers between the threads of one process
 *   kin/message.h    one that was taken
 *   kin/reservation.h  writing a message in place
 *   kin/claim.h      reading it in place, acknowledging or refusing it
 *   kin/pipe.h       two connected ends
 *   kin/connection.h  sending and receiving through one, also with fds, also with Python
 *   kin/listener.h   waiting for other programs that connect
 *   kin/client.h     connecting to one who waits
 *   kin/key.h        what the two know each other by
 *   kin/tls.h        encryption between machines
 *   kin/value.h      a number that processes share, or the handle of what they share
 *   kin/array.h      many of them in a row
 *   kin/shared_list.h    items of all kinds
 *   kin/shared_memory.h  bytes, found by a name
 *   kin/lock.h       mutual exclusion that survives its holder
 *   kin/rlock.h      the same, for who may hold it already
 *   kin/deadlock.h   what happens when threads wait for each other
 *   kin/condition.h  waiting inside a lock for what others do inside it
 *   kin/event.h      a flag to wait for
 *   kin/rwlock.h     many read, or one writes
 *   kin/semaphore.h  so many at once
 *   kin/barrier.h    so many wait for each other, round by round
 *   kin/cancel.h     the request to stop
 *   kin/interrupt.h  Ctrl-C ends a program in order
 *   kin/wait.h       several of these at once, and fds
 *
 * What holds everywhere unless a comment says otherwise (threads, fork, the death of a
 * peer, cancelling) stands once in docs/contracts.md.
 */
#ifndef KIN_H
#define KIN_H

#include <kin/array.h>
#include <kin/barrier.h>
#include <kin/call.h>
#include <kin/cancel.h>
#include <kin/claim.h>
#include <kin/class.h>
#include <kin/client.h>
#include <kin/command.h>
#include <kin/command_result.h>
#include <kin/condition.h>
#include <kin/connection.h>
#include <kin/context.h>
#include <kin/crash.h>
#include <kin/deadlock.h>
#include <kin/dict.h>
#include <kin/error.h>
#include <kin/event.h>
#include <kin/export.h>
#include <kin/family.h>
#include <kin/finalizer.h>
#include <kin/fork_hook.h>
#include <kin/forkserver.h>
#include <kin/handle.h>
#include <kin/interrupt.h>
#include <kin/key.h>
#include <kin/list.h>
#include <kin/listener.h>
#include <kin/local_queue.h>
#include <kin/lock.h>
#include <kin/log.h>
#include <kin/member.h>
#include <kin/message.h>
#include <kin/object.h>
#include <kin/pickle.h>
#include <kin/pipe.h>
#include <kin/pipeline.h>
#include <kin/pool.h>
#include <kin/pool_map.h>
#include <kin/process.h>
#include <kin/queue.h>
#include <kin/reference.h>
#include <kin/relatives.h>
#include <kin/reservation.h>
#include <kin/rlock.h>
#include <kin/rwlock.h>
#include <kin/semaphore.h>
#include <kin/set.h>
#include <kin/shared_list.h>
#include <kin/shared_memory.h>
#include <kin/shortcut.h>
#include <kin/standard.h>
#include <kin/stop.h>
#include <kin/timeout.h>
#include <kin/tls.h>
#include <kin/value.h>
#include <kin/wait.h>

#endif
