/* The object types of this layer. */
#ifndef KIN_SYNC_TYPE_H
#define KIN_SYNC_TYPE_H

#define KIN__TYPE_LOCK 2u
#define KIN__TYPE_EVENT 3u

#endif
