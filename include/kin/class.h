/**
 * Classes: what a program registers under a name, "module.Name", so that objects of it can be made
 * from a pickle and go into one. Python code that has a class of the same name exchanges them.
 *
 *     static int get_state(const kin_object *account, kin_object **ret_state)  leaves its lock out
 *     static int set_state(kin_object *account, kin_object *state)             makes a new one
 *     static kin_class account = {.module = "bank", .name = "Account", .getstate = get_state, ...};
 *     KIN_CLASS(account)
 *
 * An instance is what Python makes of `cls(*arguments)` or `cls.__new__(cls, *arguments)`, followed
 * by items and a state (its attributes, as a rule a dict). Without hooks all of it goes. Hooks run
 * on objects that somebody else has sent: they must check what they are given. A pickle can name a
 * registered class, give it arguments and state; it can do nothing else.
 *
 * What a pickle names and nobody has registered is kept as data, an opaque object, and written
 * again as it was. Registered from the start: those of kin/standard.h.
 */
#ifndef KIN_CLASS_H
#define KIN_CLASS_H

#include <kin/object.h>

KIN_BEGIN

/** What an instance of a class can hold besides arguments and state. */
typedef enum kin_shape {
    KIN_SHAPE_PLAIN, /**< nothing */
    KIN_SHAPE_LIST,  /**< objects in a row, as a deque */
    KIN_SHAPE_DICT,  /**< values by keys, as an OrderedDict */
} kin_shape;

struct kin_call;

/** A class. Its memory must live as long as the program. Every hook may be NULL. */
typedef struct kin_class {
    const char *module;
    const char *name; /* with dots if it is nested */
    kin_shape shape;

    /* Looks at the arguments of a new instance (kin_instance_arguments), and may set its data. 0,
     * or a negative code: there will be no instance. Default: any arguments are fine. */
    int (*construct)(kin_object *instance);

    /* The state that goes into a pickle: a new reference, or None: no state goes. 0 or a negative
     * code: the instance cannot be pickled. What is being encoded must not be changed or freed
     * here, nor by another thread. Default: the state as it is. */
    int (*getstate)(const kin_object *instance, kin_object **ret_state);

    /* Makes the instance what a state says; `state` is borrowed. 0, or a negative code. Default:
     * it becomes the state. */
    int (*setstate)(kin_object *instance, kin_object *state);

    /* Whether two are equal: 1, 0 or a negative code. Default: by arguments, state and items. */
    int (*equal)(const kin_object *first, const kin_object *second);

    /* A number that equal ones share, for dicts and sets: 0 or a negative code. Default: by class
     * and arguments; of a class that has `equal`, one number for all, which is slow. */
    int (*hash)(const kin_object *instance, uint64_t *ret_hash);

    /* What kin_object_format writes: a list of str, written as they are, and of tuples of one
     * object, whose repr is written. NULL: no memory. Default: what it is made of,
     * module.Name(arguments, state=...). */
    kin_object *(*describe)(const kin_object *instance);

    /* What it does when it is started, as a process (kin_process_start_object) or in a thread of
     * this one (kin_object_run): returns as the functions of kin/call.h do. NULL: it cannot be. */
    int (*run)(kin_object *instance, struct kin_call *call);

    /* Ends what kin_instance_data leads to. */
    void (*free)(void *data);

    struct kin_class *next; /* kin's */
} kin_class;

/** Registers a class; used by KIN_CLASS. A second of the same name takes the place of the first. */
KIN_API void kin_class_register(kin_class *class_);

/** Registers a class, a variable, before main begins. At file scope. */
#define KIN_CLASS(variable)                                             \
    __attribute__((constructor)) static void kin_class_##variable(void) \
    {                                                                   \
        kin_class_register(&(variable));                                \
    }

/** The class of this name; NULL: none is registered. */
KIN_API const kin_class *kin_class_find(const char *module, const char *name);

/** Makes an instance: `arguments` is a tuple, taken; NULL is ENOMEM as always. Of an empty tuple
 * Python will make it as it makes what it has pickled itself, without calling `__init__`. Returns
 * 0, -ENOMEM, -EINVAL, or what `construct` returned. */
KIN_API int kin_instance_create(const kin_class *class_, kin_object *arguments,
                                kin_object **ret_instance);

/** The class of an instance; NULL: not an instance. */
KIN_API const kin_class *kin_instance_class(const kin_object *instance);

/** What an instance or opaque object was made with: a tuple, borrowed. NULL: neither. */
KIN_API kin_object *kin_instance_arguments(const kin_object *instance);

/** The arguments by name that it was made with besides: a dict, borrowed. NULL: none. Only classes
 * of Python's with `__getnewargs_ex__` have such. */
KIN_API kin_object *kin_instance_keywords(const kin_object *instance);

/** Its state, borrowed; NULL: it has none. Also of an opaque object. */
KIN_API kin_object *kin_instance_state(const kin_object *instance);

/** Replaces its state; `state` is taken. Returns 0, -EINVAL, -ENOMEM. */
KIN_API int kin_instance_set_state(kin_object *instance, kin_object *state);

/** The list or dict that an instance of that shape holds; borrowed, and to be changed with the
 * calls for lists and dicts. NULL: its shape is plain. */
KIN_API kin_object *kin_instance_items(const kin_object *instance);

/** The user's own data of an instance. */
KIN_API void *kin_instance_data(const kin_object *instance);

/** Sets it. The one before is not freed. Returns 0 or -EINVAL. */
KIN_API int kin_instance_set_data(kin_object *instance, void *data);

/** What was called to make an opaque object: as a rule a global. Borrowed; NULL: not opaque. */
KIN_API kin_object *kin_opaque_callable(const kin_object *opaque);

KIN_END

#endif
