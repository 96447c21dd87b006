/* What the verifier says of values, arrays, blocks and lists that are broken. */
#include "shared.h"
#include "shared/items.h"
#include "shared/list_layout.h"

#include <kin/array.h>
#include <kin/shared_memory.h>

static void check_broken(const char *place, const char *said)
{
    char report[2000] = "";
    if (kin__family_verify(kin__family.memory, report, sizeof report) == 0 ||
        strstr(report, said) == NULL) {
        test_fail(place, "the verifier does not say \"%s\" but: %s", said, report);
    }
}
#define CHECK_BROKEN(said) check_broken(TEST_HERE, said)

TEST(the_verifier_sees_an_array_that_cannot_be)
{
    begin();
    kin_array *array = NULL;
    REQUIRE(kin_array_create('i', 10, NULL, &array) == 0);
    struct kin__items_shared *shared = ((struct kin__object *)(void *)array)->shared;
    struct kin__items_shared sound = *shared;
    shared->code = 'x';
    CHECK_BROKEN("no such type or length");
    *shared = sound;
    shared->length = UINT64_MAX;
    CHECK_BROKEN("no such type or length");
    *shared = sound;
    shared->length = kin__family.memory.bytes;
    CHECK_BROKEN("no such type or length");
    *shared = sound;
    shared->data_offset = 0;
    CHECK_BROKEN("no such type or length");
    *shared = sound;
    CHECK_SOUND();
    kin_array_free(array);
}

TEST(an_array_of_an_unknown_type_is_not_opened)
{
    begin();
    kin_array *array = NULL;
    kin_array *other = NULL;
    REQUIRE(kin_array_create('i', 10, NULL, &array) == 0);
    struct kin__items_shared *shared = ((struct kin__object *)(void *)array)->shared;
    shared->code = 'x';
    CHECK_EQUAL(kin_array_attach(kin_array_handle(array), &other), -EBADMSG);
    CHECK(other == NULL);
    shared->code = 'i';
    kin_array_free(array);
    CHECK_EQUAL(object_count(), 0);
}

TEST(the_verifier_sees_a_block_without_its_bytes)
{
    begin();
    kin_shared_memory *memory = NULL;
    REQUIRE(kin_shared_memory_create("name", 10, NULL, &memory) == 0);
    uint64_t *words = ((struct kin__object *)(void *)memory)->shared; /* bytes, block, name */
    uint64_t block = words[1];
    kin_shared_memory *other = NULL;
    words[1] += 16;
    CHECK_BROKEN("its bytes are not its own");
    words[1] = block;
    words[0] = UINT64_MAX;
    CHECK_BROKEN("no such size or name");
    CHECK_EQUAL(kin_shared_memory_attach(kin_shared_memory_handle(memory), &other), -EBADMSG);
    CHECK(other == NULL);
    words[0] = 10;
    memset(&words[2], 'n', KIN_SHARED_MEMORY_NAME_BYTES);
    CHECK_BROKEN("no such size or name");
    memset(&words[2], 0, KIN_SHARED_MEMORY_NAME_BYTES);
    CHECK_SOUND();
    kin_shared_memory_free(memory);
}

TEST(the_verifier_sees_an_item_of_a_list_that_cannot_be)
{
    begin();
    kin_shared_list *list = NULL;
    const kin_shared_item item = {.kind = KIN_SHARED_STRING, .bytes = {"abc", 3}};
    REQUIRE(kin_shared_list_create(&item, 1, NULL, &list) == 0);
    struct kin__list_shared *shared = list->object.shared;
    struct kin__list_place *place = &shared->places[0];
    atomic_store(&place->current, 2);
    CHECK_BROKEN("an item cannot be");
    atomic_store(&place->current, 0);
    place->sides[0].kind = 77;
    CHECK_BROKEN("an item cannot be");
    place->sides[0].kind = KIN_SHARED_STRING;
    place->sides[0].bits = 4;
    CHECK_BROKEN("an item cannot be");
    place->sides[0].bits = 3;
    place->bytes += 8;
    CHECK_BROKEN("an item lies outside");
    CHECK_EQUAL(kin_shared_list_set_int(list, 0, 1), -EBADMSG);
    place->bytes -= 8;
    place->capacity = UINT64_MAX;
    CHECK_BROKEN("an item lies outside");
    place->capacity = 3;
    shared->length = UINT64_MAX;
    CHECK_BROKEN("no such length");
    kin_shared_list *other = NULL;
    CHECK_EQUAL(kin_shared_list_attach(kin_shared_list_handle(list), &other), -EBADMSG);
    CHECK(other == NULL);
    shared->length = 1;
    CHECK_SOUND();
    kin_shared_list_free(list);
}
