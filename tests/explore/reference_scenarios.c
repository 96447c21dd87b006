#include "explore/scenario.h"

#include <kin/reference.h>

/* Threads of one process, the first role's; nobody dies alone. */
struct reference_world {
    kin_reference *reference;
    kin_reference *inner; /* goes with the thing */
    kin_weak *weak;
    kin_weak *calling;
    uint32_t freed;
    uint32_t freed_inner;
    uint32_t called;
    uint32_t let_go; /* of the user of `calling` */
    uint32_t used;
};

static struct reference_world *reference_world(void)
{
    return scenario_world;
}

static void free_thing(void *object)
{
    struct reference_world *world = object;
    SCENARIO_CHECK(world->used == 0);
    SCENARIO_CHECK(world->freed++ == 0);
    kin_reference_free(world->inner);
    SCENARIO_CHECK(world->freed_inner == 0); /* later, by this thread */
}

static void free_inner(void *object)
{
    struct reference_world *world = object;
    SCENARIO_CHECK(world->freed_inner++ == 0);
}

static void note_gone(void *user)
{
    struct reference_world *world = user;
    SCENARIO_CHECK(world->freed == 0 && world->let_go == 0);
    SCENARIO_CHECK(world->called++ == 0);
}

static void note_let_go(void *user)
{
    struct reference_world *world = user;
    SCENARIO_CHECK(world->let_go++ == 0);
}

static void create_nothing(void)
{
}

static void attach(uint32_t role)
{
    struct reference_world *world = reference_world();
    kin_weak_options options = {
        .size = sizeof options, .callback = note_gone, .user = world, .free_user = note_let_go};
    if (role == 0) {
        SCENARIO_CHECK(kin_reference_create(world, free_inner, &world->inner) == 0);
        SCENARIO_CHECK(kin_reference_create(world, free_thing, &world->reference) == 0);
        SCENARIO_CHECK(kin_weak_create(world->reference, NULL, &world->weak) == 0);
        SCENARIO_CHECK(kin_weak_create(world->reference, &options, &world->calling) == 0);
    }
}

static void free_last(uint32_t role)
{
    (void)role;
    kin_reference_free(reference_world()->reference);
}

static void use(uint32_t role)
{
    struct reference_world *world = reference_world();
    (void)role;
    kin_reference *used = kin_weak_get(world->weak);
    if (used != NULL) {
        world->used++;
        SCENARIO_CHECK(world->freed == 0 && kin_reference_object(used) == world);
        machine_point(POINT_ATOMIC, NULL);
        world->used--;
        kin_reference_free(used);
    }
}

static void use_twice(uint32_t role)
{
    use(role);
    use(role);
}

static void free_calling(uint32_t role)
{
    struct reference_world *world = reference_world();
    (void)role;
    kin_weak_free(world->calling);
    world->calling = NULL;
}

static void check(void)
{
    struct reference_world *world = reference_world();
    SCENARIO_CHECK(world->freed == 1 && world->freed_inner == 1 && world->let_go == 1);
    SCENARIO_CHECK(world->called == 1 || world->calling == NULL);
    SCENARIO_CHECK(kin_weak_get(world->weak) == NULL);
}

const struct scenario reference_scenarios[] = {
    {.name = "reference, two who use what goes",
     .create = create_nothing,
     .attach = attach,
     .roles = {{"frees", free_last, false, false, false},
               {"uses", use_twice, false, true, false},
               {"uses too", use, false, true, false}},
     .check = check},
    {.name = "reference, its weak one goes at the same time",
     .create = create_nothing,
     .attach = attach,
     .roles = {{"frees", free_last, false, false, false},
               {"frees the weak one", free_calling, false, true, false},
               {"uses", use, false, true, false}},
     .check = check},
    {0},
};
