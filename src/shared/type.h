/* The object types of this layer. */
#ifndef KIN_SHARED_TYPE_H
#define KIN_SHARED_TYPE_H

#define KIN__TYPE_VALUE 10u
#define KIN__TYPE_ARRAY 11u
#define KIN__TYPE_SHARED_MEMORY 12u
#define KIN__TYPE_SHARED_LIST 13u

#endif
