/**
 * Instances, of classes that are registered and, opaque, of those that are not: what made them, and
 * what was done to them since, in order. Both are made, changed and written again alike.
 */
#ifndef KIN_OBJECT_INSTANCE_H
#define KIN_OBJECT_INSTANCE_H

#include "object/object.h"

/* What was done to an instance after it was made. */
enum part_kind {
    PART_ITEMS = 1, /* `object`: a list: APPENDS */
    PART_PAIRS,     /* a dict, or of an opaque one a list of key, value, key ...: SETITEMS */
    PART_MEMBERS,   /* a list: ADDITEMS */
    PART_STATE,     /* any: BUILD */
    PART_EFFECT     /* an opaque object: made, and dropped, with this one in its arguments */
};

struct instance_part {
    uint32_t kind;
    kin_object *object;
};

/* How it was made: the opcode that makes it again. */
enum made_by { MADE_BY_CALL, MADE_BY_NEW, MADE_BY_NEW_WITH_KEYWORDS };

/* KIN_KIND_INSTANCE and KIN_KIND_OPAQUE. */
struct object_instance {
    struct container container;
    const kin_class *class_; /* NULL: opaque */
    kin_object *callable;    /* a global, as a rule */
    kin_object *arguments;   /* a tuple */
    kin_object *keywords;    /* a dict, or NULL */
    void *data;              /* its class's */
    uint32_t made_by;
    uint32_t part_count;
    struct instance_part *parts; /* allocated */
};

#endif
