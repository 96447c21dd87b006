#include "object/equality/hash.h"

#include <math.h>
#include <string.h>

#include <kin/error.h>

#include "object/equality/stack.h"
#include "object/instance.h"
#include "object/integer.h"
#include "object/runtime.h"
#include "os/memory.h"

enum {
    ARGUMENTS_MAX = 8, /* of an instance, that have a part in its hash */
    FRAMES = 16
};

struct sip {
    uint64_t v0;
    uint64_t v1;
    uint64_t v2;
    uint64_t v3;
};

/* Half of the secret, drawn when it is first needed. Whoever is first to store it wins; all read
 * the same then, whatever the order in which they see it. */
static uint64_t secret(unsigned half)
{
    uint64_t value = atomic_load_explicit(&kin__hash_secret[half], memory_order_relaxed);
    if (__builtin_expect(value == 0, 0)) {
        uint64_t drawn = kin__os_random() | 1;
        if (atomic_compare_exchange_strong(&kin__hash_secret[half], &value, drawn)) {
            value = drawn;
        }
    }
    return value;
}

static inline uint64_t rotate(uint64_t value, unsigned bits)
{
    return (value << bits) | (value >> (64 - bits));
}

static inline void sip_round(struct sip *sip)
{
    sip->v0 += sip->v1;
    sip->v1 = rotate(sip->v1, 13) ^ sip->v0;
    sip->v0 = rotate(sip->v0, 32);
    sip->v2 += sip->v3;
    sip->v3 = rotate(sip->v3, 16) ^ sip->v2;
    sip->v0 += sip->v3;
    sip->v3 = rotate(sip->v3, 21) ^ sip->v0;
    sip->v2 += sip->v1;
    sip->v1 = rotate(sip->v1, 17) ^ sip->v2;
    sip->v2 = rotate(sip->v2, 32);
}

static inline struct sip sip_begin(void)
{
    uint64_t first = secret(0);
    uint64_t second = secret(1);
    return (struct sip){first ^ UINT64_C(0x736f6d6570736575), second ^ UINT64_C(0x646f72616e646f6d),
                        first ^ UINT64_C(0x6c7967656e657261),
                        second ^ UINT64_C(0x7465646279746573)};
}

static inline void sip_add(struct sip *sip, uint64_t word)
{
    sip->v3 ^= word;
    sip_round(sip);
    sip->v0 ^= word;
}

static inline uint64_t sip_end(struct sip *sip)
{
    sip->v2 ^= 0xff;
    sip_round(sip);
    sip_round(sip);
    sip_round(sip);
    return sip->v0 ^ sip->v1 ^ sip->v2 ^ sip->v3;
}

uint64_t kin__hash_bytes(const void *data, size_t size)
{
    const unsigned char *at = data;
    struct sip sip = sip_begin();
    uint64_t word;
    size_t left = size;
    for (; left >= 8; left -= 8, at += 8) {
        memcpy(&word, at, 8);
        sip_add(&sip, word);
    }
    word = (uint64_t)size << 56;
    for (size_t i = 0; i < left; i++) {
        word |= (uint64_t)at[i] << (8 * i);
    }
    sip_add(&sip, word);
    return sip_end(&sip);
}

static uint64_t hash_word(uint64_t word)
{
    struct sip sip = sip_begin();
    sip_add(&sip, word);
    return sip_end(&sip);
}

static uint64_t hash_double(double value)
{
    if (value >= -0x1p63 && value < 0x1p63 && (double)(int64_t)value == value) {
        return hash_word((uint64_t)(int64_t)value); /* that of the int */
    }
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return hash_word(bits);
}

/* Whether an int of more than 8 bytes is exactly a double: no more than 53 bits from the first to
 * the last that is set in its amount. Negating changes none of these places, but for a power of
 * two, which always is one, in range. */
static bool is_exact_double(const struct integer_view *view)
{
    size_t zeros = 0;
    while (view->bytes[zeros] == 0) {
        zeros++;
    }
    size_t low = zeros * 8 + (size_t)__builtin_ctz(view->bytes[zeros]);
    size_t size = view->size;
    unsigned char fill = view->is_negative ? 0xff : 0;
    while (size > 0 && view->bytes[size - 1] == fill) {
        size--;
    }
    unsigned top = size == 0 ? 0 : (unsigned)(view->bytes[size - 1] ^ fill);
    size_t high = size == 0 ? 0 : (size - 1) * 8 + (32 - (size_t)__builtin_clz(top));
    return high <= low + 53 && high <= 1024;
}

static int hash_integer(const kin_object *key, struct kin__effort *effort, uint64_t *ret_hash)
{
    int64_t value;
    double real;
    if (kin_object_to_int(key, &value) == 0) {
        *ret_hash = hash_word((uint64_t)value);
        return 0;
    }
    struct integer_view view;
    kin__integer_view(key, &view);
    if (!kin__effort_charge_bytes(effort, view.size)) {
        return KIN_ELIMIT;
    }
    int r = is_exact_double(&view) ? kin__integer_to_double(key, &real) : -EOVERFLOW;
    if (r == -ENOMEM) {
        return r;
    }
    *ret_hash = r == 0 ? hash_double(real) : kin__hash_bytes(view.bytes, view.size);
    return 0;
}

static uint64_t hash_float(const kin_object *key, double real, double imaginary)
{
    if (isnan(real) || isnan(imaginary)) {
        return hash_word((uintptr_t)key); /* equal to itself only; all alike would meet */
    }
    return imaginary == 0 ? hash_double(real)
                          : rotate(hash_double(real), 23) + hash_double(imaginary);
}

static int hash_text(const void *data, size_t size, struct kin__effort *effort, uint64_t *ret_hash)
{
    if (!kin__effort_charge_bytes(effort, size)) {
        return KIN_ELIMIT;
    }
    *ret_hash = kin__hash_bytes(data, size);
    return 0;
}

static int hash_global(const struct object_global *global, struct kin__effort *effort,
                       uint64_t *ret_hash)
{
    return hash_text(global->bytes, (size_t)global->module_size + global->name_size + 2, effort,
                     ret_hash);
}

/* What leads to no other objects. -EINVAL: something else. */
static int hash_leaf(const kin_object *key, struct kin__effort *effort, uint64_t *ret_hash)
{
    const struct object_bytes *bytes = (const struct object_bytes *)key;
    const struct object_text *text = (const struct object_text *)key;
    const struct object_complex *number = (const struct object_complex *)key;
    switch (kin__kind(key)) {
    case KIN_KIND_NOTHING:
        return -ENOMEM;
    case KIN_KIND_NONE:
        *ret_hash = hash_word((uintptr_t)key << 32);
        return 0;
    case KIN_KIND_BOOL:
    case KIN_KIND_INT:
        return hash_integer(key, effort, ret_hash);
    case KIN_KIND_FLOAT:
        *ret_hash = hash_float(key, ((const struct object_float *)key)->value, 0);
        return 0;
    case KIN_KIND_COMPLEX:
        *ret_hash = hash_float(key, number->real, number->imaginary);
        return 0;
    case KIN_KIND_STR:
        return hash_text(text->bytes, text->size, effort, ret_hash);
    case KIN_KIND_BYTES:
        return hash_text(bytes->data, bytes->size, effort, ret_hash);
    case KIN_KIND_GLOBAL:
        return hash_global((const struct object_global *)key, effort, ret_hash);
    case KIN_KIND_HANDLE:
        *ret_hash = kin__hash_bytes(&((const struct object_handle *)key)->handle,
                                    sizeof(kin_handle));
        return 0;
    case KIN_KIND_FD:
        *ret_hash = hash_word((uint64_t)((const struct object_fd *)key)->fd << 40);
        return 0;
    default:
        return -EINVAL;
    }
}

static uint64_t combine(uint64_t sum, uint64_t hash)
{
    return rotate(sum + hash * UINT64_C(14029467366897019727), 31) * UINT64_C(11400714785074694791);
}

/* Asks the class, whose hook may hash what the instance holds: again instances, perhaps. What it
 * looks at is not known; as a rule, the first argument. */
static int ask_class(const struct object_instance *instance, struct kin__effort *effort,
                     uint64_t *ret_hash)
{
    uint64_t size = kin_object_bytes(kin_object_at(instance->arguments, 0)).size;
    if (effort->depth >= KIN__EFFORT_DEPTH_MAX || !kin__effort_charge(effort, 1) ||
        !kin__effort_charge_bytes(effort, size)) {
        return KIN_ELIMIT;
    }
    uint64_t hash = 0;
    struct kin__effort *outer = kin__effort_current;
    kin__effort_current = effort;
    effort->depth++;
    int r = instance->class_->hash(&instance->container.object, &hash);
    effort->depth--;
    kin__effort_current = outer;
    *ret_hash = hash_word(combine((uintptr_t)instance->class_, hash));
    return r < 0 ? r : 0;
}

/* By its class, and by those of its arguments that are leaves. A bytearray may equal a bytes
 * object: it counts as one. */
static int hash_instance(const struct object_instance *instance, struct kin__effort *effort,
                         uint64_t *ret_hash)
{
    uint64_t sum = (uintptr_t)instance->class_;
    uint64_t hash = 0;
    int r = 0;
    if (instance->class_ != NULL && instance->class_->hash != NULL) {
        return ask_class(instance, effort, ret_hash);
    }
    if (instance->class_ != NULL && instance->class_->equal != NULL) {
        *ret_hash = hash_word(sum); /* what makes two equal is the class's to say */
        return 0;
    }
    if (instance->class_ == NULL && kin__kind(instance->callable) == KIN_KIND_GLOBAL) {
        r = hash_global((const struct object_global *)instance->callable, effort, &sum);
    }
    const struct object_tuple *arguments = (const struct object_tuple *)instance->arguments;
    uint64_t count = arguments == NULL ? 0 : arguments->count;
    for (uint64_t i = 0; i < count && i < ARGUMENTS_MAX && r == 0; i++) {
        if (kin__kind(arguments->items[i]) == KIN_KIND_BYTEARRAY) {
            kin_bytes bytes = kin_object_bytes(arguments->items[i]);
            r = hash_text(bytes.data, bytes.size, effort, &hash);
        } else {
            r = hash_leaf(arguments->items[i], effort, &hash);
        }
        if (r == -EINVAL) {
            hash = 0;
            r = 0;
        }
        sum = combine(sum, hash);
    }
    *ret_hash = hash_word(sum + count);
    return r;
}

static uint64_t known_hash(const uint64_t *hash)
{
    return __atomic_load_n(hash, __ATOMIC_RELAXED);
}

/* Several threads may find out, and all find the same. */
static void remember_hash(const uint64_t *hash, uint64_t value)
{
    __atomic_store_n((uint64_t *)(uintptr_t)hash, value == 0 ? 1 : value, __ATOMIC_RELAXED);
}

/* All but new tuples. 0, 1: it is one; or a code. */
static int hash_flat(const kin_object *key, struct kin__effort *effort, uint64_t *ret_hash);

/* Its items, being keys, have all been hashed before; tuples and frozensets among them know. */
static int hash_frozenset(const struct object_table *set, struct kin__effort *effort,
                          uint64_t *ret_hash)
{
    uint64_t sum = set->count;
    uint64_t hash = known_hash(&set->hash);
    if (hash != 0) {
        *ret_hash = hash;
        return 0;
    }
    if (!kin__effort_charge(effort, set->used)) {
        return KIN_ELIMIT;
    }
    for (uint64_t i = 0; i < set->used; i++) {
        const struct table_entry *entry = &set->entries[i];
        if (entry->key == NULL) {
            continue;
        }
        hash = entry->hash;
        int r = set->index != NULL ? 0 : hash_flat(entry->key, effort, &hash);
        if (r != 0) {
            return r < 0 ? r : -EINVAL;
        }
        hash = (hash ^ (hash >> 29)) * UINT64_C(0xbf58476d1ce4e5b9); /* {1, 2} is not {3, 0} */
        sum += hash ^ (hash >> 32);
    }
    remember_hash(&set->hash, hash_word(sum));
    *ret_hash = known_hash(&set->hash);
    return 0;
}

static int hash_flat(const kin_object *key, struct kin__effort *effort, uint64_t *ret_hash)
{
    switch (kin__kind(key)) {
    case KIN_KIND_TUPLE:
        *ret_hash = known_hash(&((const struct object_tuple *)key)->hash);
        return *ret_hash == 0 ? 1 : 0;
    case KIN_KIND_FROZENSET:
        return hash_frozenset((const struct object_table *)key, effort, ret_hash);
    case KIN_KIND_INSTANCE:
    case KIN_KIND_OPAQUE:
        return hash_instance((const struct object_instance *)key, effort, ret_hash);
    default:
        return hash_leaf(key, effort, ret_hash);
    }
}

struct tuple_frame {
    const struct object_tuple *tuple;
    uint64_t index;
    uint64_t sum;
};

static int push(struct kin__stack *stack, const struct object_tuple *tuple)
{
    struct tuple_frame *frame = kin__stack_push(stack);
    if (frame == NULL) {
        return -ENOMEM;
    }
    *frame = (struct tuple_frame){.tuple = tuple, .sum = tuple->count};
    return 0;
}

/* Goes on with the tuple on top: to its end, or to a new one in it, which comes on top. */
static int hash_items(struct kin__stack *stack, struct kin__effort *effort)
{
    struct tuple_frame *frame = kin__stack_top(stack);
    const struct object_tuple *tuple = frame->tuple;
    for (; frame->index < tuple->count; frame->index++) {
        uint64_t hash;
        int r = kin__effort_charge(effort, 1) ? hash_flat(tuple->items[frame->index], effort, &hash)
                                              : KIN_ELIMIT;
        if (r != 0) {
            return r < 0 ? r : push(stack, (const struct object_tuple *)tuple->items[frame->index]);
        }
        frame->sum = combine(frame->sum, hash);
    }
    remember_hash(&tuple->hash, hash_word(frame->sum));
    kin__stack_pop(stack);
    return 0;
}

static int hash_tuple(const struct object_tuple *tuple, struct kin__effort *effort,
                      uint64_t *ret_hash)
{
    struct tuple_frame frames[FRAMES];
    struct kin__stack stack;
    kin__stack_init(&stack, frames, FRAMES, sizeof frames[0]);
    int r = push(&stack, tuple);
    while (r == 0 && stack.count != 0) {
        r = hash_items(&stack, effort);
    }
    kin__stack_deinit(&stack);
    *ret_hash = known_hash(&tuple->hash);
    return r;
}

int kin__hash(const kin_object *key, struct kin__effort *effort, uint64_t *ret_hash)
{
    if (kin__is_in_memory(key) && key->kind == KIN_KIND_STR) {
        const struct object_text *text = (const struct object_text *)key;
        return hash_text(text->bytes, text->size, effort, ret_hash);
    }
    if (kin__is_small_int(key)) {
        *ret_hash = hash_word((uint64_t)kin__small_int_value(key));
        return 0;
    }
    int r = hash_flat(key, effort, ret_hash);
    return r <= 0 ? r : hash_tuple((const struct object_tuple *)key, effort, ret_hash);
}

int kin_object_hash(const kin_object *object, uint64_t *ret_hash)
{
    uint64_t hash;
    struct kin__effort effort;
    int r = ret_hash == NULL ? -EINVAL : kin__hash(object, kin__effort_begin(&effort), &hash);
    if (r == 0) {
        *ret_hash = hash;
    }
    return r;
}
