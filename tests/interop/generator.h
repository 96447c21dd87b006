/*
 * Random objects: the same for the same seed.
 */
#ifndef INTEROP_GENERATOR_H
#define INTEROP_GENERATOR_H

#include <kin.h>

/* A new object of any kind, with shared parts, and parts that lead back to it. */
kin_object *generate(uint64_t seed);

#endif
