/**
 * What Python's repr() says of an object. What Python cannot be asked for: a global is its name,
 * "module.name"; an instance without a say of its own is what made it, "module.name(arguments)",
 * and after that what was done to it, "items=", "state="; handles and fds stand in angle brackets.
 *
 * The walk has a stack of its own. A container is written piece by piece: whenever a piece is a
 * container itself, that comes on top, and the rest of the one below follows after it.
 */
#include "base/allocate.h"
#include "object/equality/stack.h"
#include "object/instance.h"
#include "object/repr/active.h"
#include "object/repr/number.h"
#include "object/repr/quote.h"
#include "object/table.h"

#include <inttypes.h>
#include <string.h>

enum { FRAMES = 8, HANDLE_TEXT_BYTES = 64 };

struct format_frame {
    const kin_object *object;
    uint64_t position;
    const kin_object *next; /* a dict's value that comes after its key */
    kin_object *pieces;     /* what an instance's class says of it; owned */
};

struct format_walk {
    struct kin__stack stack;
    struct kin__active active;
    struct kin__writer *writer;
};

static void write_name(struct kin__writer *writer, const char *module, const char *name)
{
    kin__write_text(writer, module);
    kin__write_text(writer, ".");
    kin__write_text(writer, name);
}

/* Whether it is known to be no class or function, but an object of which the name is the repr. */
static bool is_constant(const struct object_global *global)
{
    const char *name = global->bytes + global->module_size + 1;
    return strcmp(global->bytes, "builtins") == 0 &&
           (strcmp(name, "Ellipsis") == 0 || strcmp(name, "NotImplemented") == 0);
}

static void write_global(struct kin__writer *writer, const struct object_global *global)
{
    if (!is_constant(global)) {
        kin__write(writer, global->bytes, global->module_size);
        kin__write_text(writer, ".");
    }
    kin__write(writer, global->bytes + global->module_size + 1, global->name_size);
}

static void write_handle(struct kin__writer *writer, kin_handle handle)
{
    char text[HANDLE_TEXT_BYTES];
    snprintf(text, sizeof text, "<handle %" PRIu32 " of family %08" PRIx32 ", %" PRIu64 ">",
             handle.index, handle.family, handle.counter);
    kin__write_text(writer, text);
}

static void write_fd(struct kin__writer *writer, int fd)
{
    char text[HANDLE_TEXT_BYTES];
    snprintf(text, sizeof text, "<fd %d>", fd);
    kin__write_text(writer, text);
}

static int write_leaf(struct kin__writer *writer, const kin_object *object)
{
    kin_bytes bytes = kin_object_bytes(object);
    switch (kin__kind(object)) {
    case KIN_KIND_NOTHING:
        return -ENOMEM;
    case KIN_KIND_NONE:
        kin__write_text(writer, "None");
        return 0;
    case KIN_KIND_STR:
        kin__quote_text(writer, bytes.data, bytes.size);
        return 0;
    case KIN_KIND_BYTES:
        kin__quote_bytes(writer, bytes.data, bytes.size, false);
        return 0;
    case KIN_KIND_BYTEARRAY:
        kin__write_text(writer, "bytearray(");
        kin__quote_bytes(writer, bytes.data, bytes.size, true);
        kin__write_text(writer, ")");
        return 0;
    case KIN_KIND_GLOBAL:
        write_global(writer, (const struct object_global *)object);
        return 0;
    case KIN_KIND_HANDLE:
        write_handle(writer, ((const struct object_handle *)object)->handle);
        return 0;
    case KIN_KIND_FD:
        write_fd(writer, ((const struct object_fd *)object)->fd);
        return 0;
    default:
        return kin__write_number(writer, object);
    }
}

/* What stands for a container inside of itself. */
static const char *circle_mark(const kin_object *container)
{
    switch (container->kind) {
    case KIN_KIND_LIST:
        return "[...]";
    case KIN_KIND_TUPLE:
        return "(...)";
    case KIN_KIND_DICT:
        return "{...}";
    case KIN_KIND_SET:
        return "set(...)";
    case KIN_KIND_FROZENSET:
        return "frozenset(...)";
    default:
        return "...";
    }
}

/* Writes what leads to no others; puts what does on the stack. */
static int begin(struct format_walk *walk, const kin_object *object)
{
    if (!kin__is_container(object)) {
        return write_leaf(walk->writer, object);
    }
    if (kin__active_has(&walk->active, object)) {
        kin__write_text(walk->writer, circle_mark(object));
        return 0;
    }
    const struct object_instance *instance = (const struct object_instance *)object;
    kin_object *pieces = NULL;
    if (object->kind == KIN_KIND_INSTANCE && instance->class_->describe != NULL) {
        pieces = instance->class_->describe(object);
        if (pieces == NULL) {
            return -ENOMEM;
        }
    }
    struct format_frame *frame = kin__stack_push(&walk->stack);
    int r = frame == NULL ? -ENOMEM : kin__active_enter(&walk->active, object);
    if (r < 0) {
        if (frame != NULL) {
            kin__stack_pop(&walk->stack);
        }
        kin_object_free(pieces);
        return r;
    }
    *frame = (struct format_frame){.object = object, .pieces = pieces};
    return 0;
}

static void end(struct format_walk *walk)
{
    struct format_frame *frame = kin__stack_top(&walk->stack);
    kin_object_free(frame->pieces);
    kin__active_leave(&walk->active);
    kin__stack_pop(&walk->stack);
}

/* The items of a list or tuple, until the end or one that comes on the stack. */
static int advance_row(struct format_walk *walk, struct format_frame *frame)
{
    bool is_list = frame->object->kind == KIN_KIND_LIST;
    size_t count = kin_object_count(frame->object);
    size_t height = walk->stack.count;
    if (frame->position == 0) {
        kin__write_text(walk->writer, is_list ? "[" : "(");
    }
    while (frame->position < count && walk->writer->error == 0) {
        uint64_t i = frame->position++;
        kin__write_text(walk->writer, i == 0 ? "" : ", ");
        int r = begin(walk, kin_object_at(frame->object, i));
        if (r < 0 || walk->stack.count != height) {
            return r;
        }
    }
    kin__write_text(walk->writer, is_list ? "]" : count == 1 ? ",)" : ")");
    end(walk);
    return 0;
}

static const char *set_start(const struct object_table *set)
{
    if (set->container.object.kind == KIN_KIND_FROZENSET) {
        return set->count == 0 ? "frozenset(" : "frozenset({";
    }
    return set->count == 0 ? "set(" : "{";
}

static int advance_set(struct format_walk *walk, struct format_frame *frame)
{
    const struct object_table *set = (const struct object_table *)frame->object;
    bool is_frozen = frame->object->kind == KIN_KIND_FROZENSET;
    size_t height = walk->stack.count;
    bool is_first = frame->position == 0;
    if (is_first) {
        kin__write_text(walk->writer, set_start(set));
    }
    for (struct table_entry *entry;
         walk->writer->error == 0 && (entry = kin__table_next(set, &frame->position)) != NULL;) {
        kin__write_text(walk->writer, is_first ? "" : ", ");
        is_first = false;
        int r = begin(walk, entry->key);
        if (r < 0 || walk->stack.count != height) {
            return r;
        }
    }
    kin__write_text(walk->writer, set->count == 0 ? ")" : is_frozen ? "})" : "}");
    end(walk);
    return 0;
}

static int advance_dict(struct format_walk *walk, struct format_frame *frame)
{
    const struct object_table *dict = (const struct object_table *)frame->object;
    size_t height = walk->stack.count;
    bool is_first = frame->position == 0;
    if (is_first) {
        kin__write_text(walk->writer, "{");
    }
    while (walk->writer->error == 0) {
        const kin_object *next = frame->next;
        frame->next = NULL;
        if (next == NULL) {
            struct table_entry *entry = kin__table_next(dict, &frame->position);
            if (entry == NULL) {
                break;
            }
            kin__write_text(walk->writer, is_first ? "" : ", ");
            is_first = false;
            frame->next = entry->value;
            next = entry->key;
        } else {
            kin__write_text(walk->writer, ": ");
        }
        int r = begin(walk, next);
        if (r < 0 || walk->stack.count != height) {
            return r;
        }
    }
    kin__write_text(walk->writer, "}");
    end(walk);
    return 0;
}

/* What the class says: texts as they are, and objects in tuples. */
static int advance_pieces(struct format_walk *walk, struct format_frame *frame)
{
    size_t height = walk->stack.count;
    while (frame->position < kin_object_count(frame->pieces) && walk->writer->error == 0) {
        const kin_object *piece = kin_object_at(frame->pieces, frame->position++);
        int r = 0;
        if (kin__kind(piece) == KIN_KIND_STR) {
            kin_bytes text = kin_object_bytes(piece);
            kin__write(walk->writer, text.data, text.size);
        } else {
            r = begin(walk, kin_object_at(piece, 0));
        }
        if (r < 0 || walk->stack.count != height) {
            return r;
        }
    }
    end(walk);
    return 0;
}

static const char *part_name(uint32_t kind)
{
    switch (kind) {
    case PART_ITEMS:
        return "items=";
    case PART_PAIRS:
        return "pairs=";
    case PART_MEMBERS:
        return "members=";
    case PART_STATE:
        return "state=";
    default:
        return "effect=";
    }
}

/* Piece `place` of what made an instance: an argument, a keyword and its value, or a part, and what
 * is written before it. NULL: there is none. */
static const kin_object *made_of(struct kin__writer *writer, const struct object_instance *instance,
                                 uint64_t place)
{
    uint64_t argument_count = kin_object_count(instance->arguments);
    const struct object_table *keywords = (const struct object_table *)instance->keywords;
    uint64_t keyword_count = keywords == NULL ? 0 : keywords->used;
    kin__write_text(writer, place == 0                                                      ? "("
                            : place < argument_count + keyword_count + instance->part_count ? ", "
                                                                                            : "");
    if (place < argument_count) {
        return kin_object_at(instance->arguments, place);
    }
    place -= argument_count;
    if (place < keyword_count) {
        kin_bytes name = kin_object_bytes(keywords->entries[place].key);
        kin__write(writer, name.data, name.size);
        kin__write_text(writer, "=");
        return keywords->entries[place].value;
    }
    place -= keyword_count;
    if (place < instance->part_count) {
        kin__write_text(writer, part_name(instance->parts[place].kind));
        return instance->parts[place].object;
    }
    return NULL;
}

static int advance_instance(struct format_walk *walk, struct format_frame *frame)
{
    const struct object_instance *instance = (const struct object_instance *)frame->object;
    size_t height = walk->stack.count;
    while (walk->writer->error == 0) {
        uint64_t place = frame->position++;
        const kin_object *next = NULL;
        int r = 0;
        if (place != 0) {
            next = made_of(walk->writer, instance, place - 1);
            if (next == NULL) {
                break;
            }
            r = begin(walk, next);
        } else if (instance->class_ != NULL) {
            write_name(walk->writer, instance->class_->module, instance->class_->name);
        } else {
            r = begin(walk, instance->callable);
        }
        if (r < 0 || walk->stack.count != height) {
            return r;
        }
    }
    kin__write_text(walk->writer, ")");
    end(walk);
    return 0;
}

static int advance(struct format_walk *walk)
{
    struct format_frame *frame = kin__stack_top(&walk->stack);
    if (frame->pieces != NULL) {
        return advance_pieces(walk, frame);
    }
    switch (frame->object->kind) {
    case KIN_KIND_LIST:
    case KIN_KIND_TUPLE:
        return advance_row(walk, frame);
    case KIN_KIND_DICT:
        return advance_dict(walk, frame);
    case KIN_KIND_SET:
    case KIN_KIND_FROZENSET:
        return advance_set(walk, frame);
    default:
        return advance_instance(walk, frame);
    }
}

static int format(struct kin__writer *writer, const kin_object *object)
{
    struct format_frame frames[FRAMES];
    struct format_walk walk = {.writer = writer};
    kin__stack_init(&walk.stack, frames, FRAMES, sizeof frames[0]);
    kin__active_init(&walk.active);
    int r = begin(&walk, object);
    while (r == 0 && walk.stack.count != 0 && writer->error == 0) {
        r = advance(&walk);
    }
    while (walk.stack.count != 0) {
        end(&walk);
    }
    kin__active_deinit(&walk.active);
    kin__stack_deinit(&walk.stack);
    return r;
}

int kin_object_format(const kin_object *object, char *text, size_t size)
{
    struct kin__writer writer;
    if (text == NULL && size != 0) {
        return -EINVAL;
    }
    kin__writer_init(&writer, size == 0 ? NULL : text, size, NULL);
    int r = format(&writer, object);
    if (r < 0) {
        return r;
    }
    return kin__writer_finish(&writer) < 0 ? INT_MAX : (int)writer.size;
}

int kin_object_print(const kin_object *object, FILE *stream)
{
    struct kin__writer writer;
    if (stream == NULL) {
        return -EINVAL;
    }
    kin__writer_init(&writer, NULL, 0, stream);
    int r = format(&writer, object);
    kin__write_text(&writer, "\n");
    int finished = kin__writer_finish(&writer);
    return r < 0 ? r : finished;
}
