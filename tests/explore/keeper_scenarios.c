#include "explore/scenario.h"
#include "family/death.h"
#include "family/family.h"
#include "family/keeper.h"
#include "family/keeper/life.h"
#include "family/member.h"
#include "family/sleep.h"

static void create_nothing(void)
{
}

static void attach_nothing(uint32_t role)
{
    (void)role;
}

static void do_nothing(uint32_t role)
{
    (void)role;
    machine_point(POINT_ATOMIC, NULL);
}

static void need_keeper(uint32_t role)
{
    (void)role;
    SCENARIO_CHECK(kin__keeper_need() == 0);
}

const struct scenario keeper_scenarios[] = {
    {.name = "keepers, three processes without",
     .create = create_nothing,
     .attach = attach_nothing,
     .roles = {{"A", do_nothing, true, false, false},
               {"B", do_nothing, true, false, false},
               {"C", do_nothing, true, false, false}},
     .deaths = 3,
     .has_keepers = true},
    {.name = "keepers, three processes",
     .create = create_nothing,
     .attach = attach_nothing,
     .roles = {{"A", need_keeper, true, false, false},
               {"B", need_keeper, true, false, false},
               {"C", do_nothing, true, false, false}},
     .deaths = 4,
     .has_keepers = true,
     .has_mortal_founder = true},
    {0},
};
