/*
 * What to do about a race that was found.
 */
#ifndef EXPLORE_RACE_REPORT_H
#define EXPLORE_RACE_REPORT_H

#include <stdbool.h>

/* True: the race is a known one, of which the reason is known too. Else the run has failed. */
bool race_report(const void *first, const void *second);

#endif
