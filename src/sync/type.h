/* The object types of this layer. */
#ifndef KIN_SYNC_TYPE_H
#define KIN_SYNC_TYPE_H

#define KIN__TYPE_LOCK 2u
#define KIN__TYPE_EVENT 3u
#define KIN__TYPE_RLOCK 5u
#define KIN__TYPE_CONDITION 6u
#define KIN__TYPE_SEMAPHORE 7u
#define KIN__TYPE_BARRIER 8u
#define KIN__TYPE_RWLOCK 9u

#endif
