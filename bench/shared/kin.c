/* kin_value, with its lock. */

#include "harness_kin.h"
#include "shared/counting.h"

#include <kin.h>

static kin_value *value;

static void open_value(void)
{
    harness_must(kin_init(NULL, NULL), "kin_init");
    harness_must(kin_value_create(KIN_ITEM_INT64, NULL, &value), "kin_value_create");
}

static void get(uint64_t count)
{
    int64_t sum = 0;
    for (uint64_t i = 0; i < count; i++) {
        int64_t number = 0;
        harness_must(kin_value_get_int(value, &number), "kin_value_get_int");
        sum += number;
    }
    if (sum != 0) {
        harness_die("it is not 0");
    }
}

static void add_locked(uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        int64_t number = 0;
        harness_must(kin_value_acquire(value, KIN_FOREVER), "kin_value_acquire");
        harness_must(kin_value_get_int(value, &number), "kin_value_get_int");
        harness_must(kin_value_set_int(value, number + 1), "kin_value_set_int");
        harness_must(kin_value_release(value), "kin_value_release");
    }
}

static void add(uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        harness_must(kin_value_add_int(value, 1, NULL), "kin_value_add_int");
    }
}

static uint64_t total(void)
{
    uint64_t number = 0;
    harness_must(kin_value_get_uint(value, &number), "kin_value_get_uint");
    return number;
}

const counting_subject counting_measured = {open_value, get, add_locked, add, total, &harness_kin};
