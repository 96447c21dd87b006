/*
 * Those on whom the schedules of known.c are played: kin's objects and their peers, each with the
 * same few calls.
 */
#ifndef CRASH_KNOWN_H
#define CRASH_KNOWN_H

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* Those who take part. */
enum { HOLDER, VICTIM, NEXT, NEWCOMER, ROLE_COUNT };

/* What the players of a schedule share, and the peers. Written by the players, but for `may_go`,
 * which the one writes who runs the schedule. */
struct known_stage {
    _Atomic uint32_t has_begun[ROLE_COUNT]; /* about to make the call in which it may sleep */
    _Atomic int32_t result[ROLE_COUNT];     /* of that call */
    _Atomic uint32_t may_go[ROLE_COUNT];
    _Atomic uint32_t is_over[ROLE_COUNT];
    uint32_t tokens; /* inside the lock: what is waited for at a condition */
    pthread_mutex_t mutex;
    pthread_cond_t condition;
    sem_t semaphore;
};

/* Its calls: those that its schedule needs. Each returns 0, KIN_OWNER_DIED or a negative code. */
struct known_side {
    const char *name;
    const char *script; /* what known.py plays instead */
    bool is_kin;
    int (*acquire)(void);
    int (*release)(void);
    int (*wait)(void);
    int (*notify)(void);
    int (*put)(void);
};

extern const struct known_side known_lock, known_mutex, known_semaphore, known_python_lock;
extern const struct known_side known_condition, known_mutex_condition;
extern const struct known_side known_queue, known_python_queue;

/* Makes what the side needs: a family with kin's objects, or the peers. NULL: not possible. */
struct known_stage *known_stage_create(const struct known_side *side);

#endif
