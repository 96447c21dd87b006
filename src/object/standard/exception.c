/*
 * Exceptions. In Python one is made again as `class(*args)`, and what else it carries (notes,
 * attributes) is its state, a dict; where it was raised and what caused it are never pickled.
 */
#include "object/standard/standard.h"

#include <string.h>

#define EXCEPTION(in, text)                                                      \
    {                                                                            \
        .module = (in), .name = (text), .construct = kin__exception_construct,   \
        .setstate = kin__exception_setstate, .describe = kin__exception_describe \
    }

static const kin_class of_queue_in_c[] = {EXCEPTION("_queue", "Empty")};

static const kin_class of_queue[] = {EXCEPTION("queue", "Empty"), EXCEPTION("queue", "Full"),
                                     EXCEPTION("queue", "ShutDown")};

static const kin_class of_asyncio[] = {EXCEPTION("asyncio.exceptions", "CancelledError"),
                                       EXCEPTION("asyncio.exceptions", "InvalidStateError"),
                                       EXCEPTION("asyncio.exceptions", "TimeoutError")};

static const kin_class of_futures[] = {
    EXCEPTION("concurrent.futures._base", "BrokenExecutor"),
    EXCEPTION("concurrent.futures._base", "CancelledError"),
    EXCEPTION("concurrent.futures._base", "Error"),
    EXCEPTION("concurrent.futures._base", "InvalidStateError"),
    EXCEPTION("concurrent.futures._base", "TimeoutError"),
};

static const kin_class of_futures_process[] = {
    EXCEPTION("concurrent.futures.process", "BrokenProcessPool")};

static const kin_class of_json[] = {EXCEPTION("json.decoder", "JSONDecodeError")};

static const kin_class of_multiprocessing[] = {
    EXCEPTION("multiprocessing.context", "AuthenticationError"),
    EXCEPTION("multiprocessing.context", "BufferTooShort"),
    EXCEPTION("multiprocessing.context", "ProcessError"),
    EXCEPTION("multiprocessing.context", "TimeoutError"),
};

static const kin_class of_managers[] = {EXCEPTION("multiprocessing.managers", "RemoteError")};

static const kin_class of_socket[] = {EXCEPTION("socket", "gaierror"),
                                      EXCEPTION("socket", "herror")};

static const kin_class of_struct[] = {EXCEPTION("struct", "error")};

static const kin_class of_subprocess[] = {EXCEPTION("subprocess", "CalledProcessError"),
                                          EXCEPTION("subprocess", "SubprocessError"),
                                          EXCEPTION("subprocess", "TimeoutExpired")};

static const kin_class of_threading[] = {EXCEPTION("threading", "BrokenBarrierError")};

const struct kin__module kin__exception_modules[] = {
    {"_queue", KIN__CLASSES(of_queue_in_c)},
    {"queue", KIN__CLASSES(of_queue)},
    {"asyncio.exceptions", KIN__CLASSES(of_asyncio)},
    {"concurrent.futures._base", KIN__CLASSES(of_futures)},
    {"concurrent.futures.process", KIN__CLASSES(of_futures_process)},
    {"json.decoder", KIN__CLASSES(of_json)},
    {"multiprocessing.context", KIN__CLASSES(of_multiprocessing)},
    {"multiprocessing.managers", KIN__CLASSES(of_managers)},
    {"socket", KIN__CLASSES(of_socket)},
    {"struct", KIN__CLASSES(of_struct)},
    {"subprocess", KIN__CLASSES(of_subprocess)},
    {"threading", KIN__CLASSES(of_threading)},
};
const size_t kin__exception_modules_count = sizeof kin__exception_modules /
                                            sizeof *kin__exception_modules;

int kin__exception_construct(kin_object *exception)
{
    (void)exception; /* BaseException takes whatever it is given */
    return 0;
}

int kin__exception_setstate(kin_object *exception, kin_object *state)
{
    if (kin__kind(state) != KIN_KIND_DICT && state != KIN__NONE) {
        return -EBADMSG;
    }
    return kin_instance_set_state(exception, kin_object_ref(state));
}

/* Whether it may be an exception: of what is opaque nobody here knows. */
static bool may_be_exception(const kin_object *object)
{
    kin_kind kind = kin__kind(object);
    return kind == KIN_KIND_INSTANCE || kind == KIN_KIND_OPAQUE;
}

/* A message, and a row of exceptions that is not empty. */
int kin__exception_group_construct(kin_object *group)
{
    const kin_object *parts = kin__argument(group, 1);
    kin_kind kind = kin__kind(parts);
    if (kin__argument_count(group) != 2 || kin__kind(kin__argument(group, 0)) != KIN_KIND_STR ||
        (kind != KIN_KIND_LIST && kind != KIN_KIND_TUPLE) || kin_object_count(parts) == 0) {
        return -EBADMSG;
    }
    for (size_t i = 0; i < kin_object_count(parts); i++) {
        if (!may_be_exception(kin_object_at(parts, i))) {
            return -EBADMSG;
        }
    }
    return 0;
}

/* Encoding, object, start, end, reason; to translate goes without encoding. */
int kin__unicode_error_construct(kin_object *error)
{
    const char *name = kin_instance_class(error)->name;
    bool decodes = strcmp(name, "UnicodeDecodeError") == 0;
    size_t first = strcmp(name, "UnicodeTranslateError") == 0 ? 0 : 1;
    bool is_right = kin__argument_count(error) == first + 4 &&
                    (first == 0 || kin__kind(kin__argument(error, 0)) == KIN_KIND_STR) &&
                    kin__kind(kin__argument(error, first + 1)) == KIN_KIND_INT &&
                    kin__kind(kin__argument(error, first + 2)) == KIN_KIND_INT &&
                    kin__kind(kin__argument(error, first + 3)) == KIN_KIND_STR;
    kin_kind kind = kin__kind(kin__argument(error, first));
    if (decodes) {
        is_right = is_right && (kind == KIN_KIND_BYTES || kind == KIN_KIND_BYTEARRAY);
    } else {
        is_right = is_right && kind == KIN_KIND_STR;
    }
    return is_right ? 0 : -EBADMSG;
}

/* OSError(2, 'no such file', 'name') keeps the name elsewhere than in its arguments. */
static size_t shown_count(const kin_object *exception)
{
    size_t count = kin__argument_count(exception);
    const char *name = kin_instance_class(exception)->name;
    size_t size = strlen(name);
    bool is_os_error = count > 2 && size >= 5 &&
                       (strcmp(name, "OSError") == 0 || strstr(name, "Connection") == name ||
                        strstr(name, "File") == name || strcmp(name, "PermissionError") == 0 ||
                        strcmp(name, "NotADirectoryError") == 0 ||
                        strcmp(name, "IsADirectoryError") == 0);
    return is_os_error ? 2 : count;
}

kin_object *kin__exception_describe(const kin_object *exception)
{
    const struct object_tuple *arguments =
        (const struct object_tuple *)((const struct object_instance *)exception)->arguments;
    return kin__describe_call(kin_instance_class(exception)->name, arguments->items,
                              shown_count(exception));
}

int kin_object_from_exception(const char *module, const char *name, kin_object *arguments,
                              kin_object **ret_object)
{
    const kin_class *class_ = kin_class_find(module, name);
    if (ret_object == NULL || class_ == NULL || class_->setstate != kin__exception_setstate) {
        kin_object_free(arguments);
        return ret_object == NULL ? -EINVAL : -ENOENT;
    }
    if (arguments != NULL && kin__kind(arguments) != KIN_KIND_TUPLE) {
        kin_object_free(arguments);
        return -EINVAL;
    }
    return kin__standard_make(class_, MADE_BY_CALL, arguments, ret_object);
}

bool kin_object_is_exception(const kin_object *object)
{
    return kin__kind(object) == KIN_KIND_INSTANCE &&
           kin_instance_class(object)->setstate == kin__exception_setstate;
}

const char *kin_exception_text(const kin_object *exception)
{
    return kin_object_is_exception(exception) ? kin_object_text(kin__argument(exception, 0)) : NULL;
}
