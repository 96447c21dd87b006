#include "pickle/values.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    INT_COUNT = 100000,
    STRING_COUNT = 10000,
    BYTES_SIZE = 1 << 20,
    PERSON_COUNT = 20,
};

static void build_dict(const struct builder *builder)
{
    builder->dict(4);
    builder->text("id");
    builder->integer(17);
    builder->text("name");
    builder->text("Ada Lovelace");
    builder->text("score");
    builder->real(0.75);
    builder->text("active");
    builder->boolean(1);
}

static void build_ints(const struct builder *builder)
{
    builder->list(INT_COUNT);
    for (int i = 0; i < INT_COUNT; i++) {
        builder->integer(i);
    }
}

static void build_strings(const struct builder *builder)
{
    builder->list(STRING_COUNT);
    for (int i = 0; i < STRING_COUNT; i++) {
        char text[32];
        snprintf(text, sizeof text, "string %05d", i);
        builder->text(text);
    }
}

static void build_bytes(const struct builder *builder)
{
    void *data = calloc(1, BYTES_SIZE);
    if (data != NULL) {
        builder->bytes(data, BYTES_SIZE);
    }
    free(data);
}

static void build_document(const struct builder *builder)
{
    builder->list(PERSON_COUNT);
    for (int i = 0; i < PERSON_COUNT; i++) {
        char text[32];
        builder->dict(4);
        builder->text("name");
        snprintf(text, sizeof text, "person %d", i);
        builder->text(text);
        builder->text("age");
        builder->integer(20 + i);
        builder->text("tags");
        builder->list(3);
        for (int k = 0; k < 3; k++) {
            snprintf(text, sizeof text, "tag %d", 3 * i + k);
            builder->text(text);
        }
        builder->text("address");
        builder->dict(2);
        builder->text("street");
        snprintf(text, sizeof text, "%d, Main Street", i);
        builder->text(text);
        builder->text("position");
        builder->list(2);
        builder->real(i + 0.5);
        builder->real(-i - 0.25);
    }
}

int values_build(const char *name, const struct builder *builder)
{
    static const struct {
        const char *name;
        void (*build)(const struct builder *builder);
    } values[] = {
        {"dict", build_dict},   {"ints", build_ints},         {"strings", build_strings},
        {"bytes", build_bytes}, {"document", build_document},
    };
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        if (strcmp(values[i].name, name) == 0) {
            values[i].build(builder);
            return 0;
        }
    }
    return -1;
}
