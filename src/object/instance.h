/**
 * Instances, of classes that are registered and, opaque, of those that are not: what made them, and
 * what was done to them since, in order. Both are made, changed and written again alike.
 */
#ifndef KIN_OBJECT_INSTANCE_H
#define KIN_OBJECT_INSTANCE_H

#include "object/object.h"
#include "object/region.h"

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
    struct instance_part *parts; /* allocated; of an instance with a shape, its items first */
};

/* What makes an instance or an opaque object. */
struct kin__origin {
    kin_object *callable;  /* a global, as a rule */
    kin_object *arguments; /* a tuple */
    kin_object *keywords;  /* a dict; NULL: none */
    uint32_t made_by;      /* enum made_by */
};

/* Makes an instance, if `callable` is a global whose class is registered, and its `construct` hook
 * likes the arguments; an opaque object, if not. All of `origin` is taken, also on failure. NULL
 * arena: memory of its own. Returns 0, -ENOMEM, -EBADMSG, or what the hook returned. */
int kin__instance_make(struct kin__arena *arena, const struct kin__origin *origin,
                       kin_object **ret_instance);

/* What a `construct` hook of kin's own returns for arguments that are in order, but that nobody
 * here knows to read: the object is then an opaque one. */
enum { KIN__STAYS_OPAQUE = 1 };

/*
 * What is done to an instance or opaque object after it was made; `own_count` as for
 * kin__object_link. All objects are taken, also on failure. -EBADMSG: its class has no such part.
 */

/* Appends objects: APPEND, APPENDS. */
int kin__instance_append(kin_object *instance, uint32_t own_count, kin_object *const *items,
                         size_t count);

/* Sets values by keys, each behind its key; `count` is that of both: SETITEM, SETITEMS. */
int kin__instance_set_pairs(kin_object *instance, uint32_t own_count, kin_object *const *pairs,
                            size_t count);

/* Adds members: ADDITEMS. */
int kin__instance_add_members(kin_object *instance, uint32_t own_count, kin_object *const *items,
                              size_t count);

/* Makes it what a state says, by its `setstate` hook if it has one: BUILD. */
int kin__instance_build(kin_object *instance, uint32_t own_count, kin_object *state);

/* Adds an object that was made with this one in its arguments, and then dropped (POP). */
int kin__instance_add_effect(kin_object *instance, uint32_t own_count, kin_object *effect);

/* The state that is to be written: what the `getstate` hook says, if there is one. A new reference,
 * or NULL: none is. For instances; those of opaque objects are among their parts. */
int kin__instance_get_state(const kin_object *instance, kin_object **ret_state);

/* Part 0 of an instance with a shape: its list or dict. NULL: it has none. */
kin_object *kin__instance_items(const struct object_instance *instance);

/* Its type's name as Python says it; the callable's if it is opaque. */
const char *kin__instance_type_name(const struct object_instance *instance);

/* A global of names that need not end with NUL, but in which none is. Returns 0, -EBADMSG: not a
 * name; -ENOMEM. */
int kin__global_make(struct kin__arena *arena, kin_bytes module, kin_bytes name,
                     kin_object **ret_global);

/* "collections.deque"; of what is built in without its module. */
const char *kin__global_full_name(const struct object_global *global);

#endif
