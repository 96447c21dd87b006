/*
 * One scenario on the machine: set up once, then run again and again from the same state.
 */
#ifndef EXPLORE_STAGE_H
#define EXPLORE_STAGE_H

#include "explore/scenario.h"
#include "explore/schedule.h"

/* Sets the scenario up; ends the program if that fails. Once a process. */
void stage_begin(const struct scenario *scenario);

/* One run, by the schedule that was begun before. True: all is well; false: machine->failure says
 * what was not. The invariants of the family are looked at after deaths, or if `is_whole`. */
bool stage_run(bool is_whole);

#endif
