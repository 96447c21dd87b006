/**
 * The order in which locks are acquired, for builds with KIN_DEBUG: two locks that are ever taken
 * in both orders are reported without a deadlock.
 *
 * Each mutex has room for the locks that were held when it was acquired ("earlier"). One that is
 * acquired while another is held, for the first time, enters that other; if the other has, itself
 * or over further ones, the one that is being acquired among its earlier ones, both orders have
 * been seen. Since the graph lies in the shared parts, it does not matter which threads of which
 * processes took what.
 *
 * An entry is an index and the low half of the object's counter, so the entries of objects that are
 * gone are known as such, and their places are taken. What does not fit is not noted: the graph
 * finds less then, but nothing wrong. Locks taken with KIN_NOW cannot be waited for and add
 * nothing; handoff locks have no order. Two orders that a
 * third lock, always taken first, keeps apart are reported all the same: such code is one edit away
 * from a deadlock.
 */
#ifndef KIN_SYNC_DEADLOCK_ORDER_H
#define KIN_SYNC_DEADLOCK_ORDER_H

#include "sync/mutex.h"

/* kin__order_note, which mutex.h declares and calls before a mutex is acquired. */

#endif
