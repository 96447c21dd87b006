/*
 * The bounded semaphore of src/sync, with deaths: members acquire and release, a killer ends any
 * of them, or a reaper, between any two steps; reapers take back what the dead had. A wait may
 * also end without a permit. The event count is that of event_count.pml in few steps: what was
 * "announced" a raise undoes, so the kernel refuses the sleep.
 *
 * Never: more are inside than there are permits. And when all is quiet: a member sleeps beside a
 * free permit, a permit is the dead's, one is lost.
 *
 *     -DMEMBERS=3 -DPERMITS=2 -DROUNDS=1 -DKILLS=1    the size
 *     -DHELD=0        the first so many begin inside
 *     -DSTAYS         the third member never releases
 *     -DTIMEOUT       the last member may give up
 *     -DNO_CLAIM      two reapers may be at the same dead member: still right
 *
 *     -DSTORE         repair looks, then stores                   must fail with NO_CLAIM
 *     -DNOTE_LATE     the holding is noted after the claim        must fail
 *     -DFREE_FIRST    the slot is free before the repair          must fail with KILLS=2
 *     -DNO_SUCCESSOR  what a killed reaper was at is left         must fail with KILLS=2
 *     -DNO_PASS       who has waited leaves without passing it on must fail with STAYS
 *     -DLOOK_FIRST    waits without a look after the announcement must fail
 *     -DNO_WAKE       nobody is woken after a death               must fail
 */
#ifndef MEMBERS
#define MEMBERS 3
#endif
#ifndef PERMITS
#define PERMITS 1
#endif
#ifndef ROUNDS
#define ROUNDS 1
#endif
#ifndef KILLS
#define KILLS 1
#endif
#ifndef HELD
#define HELD 0
#endif
#if KILLS > 1 || defined(NO_CLAIM)
#define REAPERS 2
#else
#define REAPERS 1
#endif
#define DIED 99

#define AWAKE 0
#define ANNOUNCED 1
#define ASLEEP 2
#define GONE 3

byte permits[PERMITS]; /* the words: 0, DIED or an owner */
bool has_sleepers = false;
byte rest[MEMBERS + REAPERS + 1];
bool holding[MEMBERS + 1];

bool dead[MEMBERS + REAPERS + 1];
byte reaped_by[MEMBERS + REAPERS + 1];
bool is_reaped[MEMBERS + REAPERS + 1];
byte inside = 0; /* from here on unknown to the code */
bool is_inside[MEMBERS + 1];

#define IS_FREE(place) (permits[place] == 0 || permits[place] == DIED)

inline wake_one()
{
    if
    :: rest[1] == ASLEEP -> rest[1] = AWAKE
    :: rest[2] == ASLEEP -> rest[2] = AWAKE
#if MEMBERS > 2
    :: rest[3] == ASLEEP -> rest[3] = AWAKE
#endif
#if MEMBERS > 3
    :: rest[4] == ASLEEP -> rest[4] = AWAKE
#endif
    :: else
    fi
}

/* kin__count_raise(.., 1): the compare-and-swap, then the wake */
inline raise()
{
    if
    :: !has_sleepers
    :: d_step {
        has_sleepers ->
        has_sleepers = false;
        at = 1;
        do
        :: at <= MEMBERS -> rest[at] = (rest[at] == ANNOUNCED -> AWAKE : rest[at]); at++
        :: else -> break
        od;
        at = 0
       };
       atomic { wake_one() }
    fi
}

proctype Member(byte self)
{
    byte round = 0;
    byte at = 0;
    bool has_waited = false;
    {
        do
        :: atomic { round == 0 && is_inside[self] -> goto release }
        :: atomic { round == ROUNDS -> rest[self] = GONE; break }
        :: atomic {
            round < ROUNDS && !is_inside[self] ->
#ifndef NOTE_LATE
            holding[self] = true
#endif
           };
look:      do
           :: atomic {
                at < PERMITS && IS_FREE(at) ->
                permits[at] = self;
                at = 0;
                inside++;
                is_inside[self] = true;
                assert(inside <= PERMITS);
                break
              }
           :: atomic { at < PERMITS && !IS_FREE(at) -> at++ }
           :: atomic {
                at == PERMITS ->
                at = 0;
                if
                :: has_waited && rest[self] == ANNOUNCED -> rest[self] = ASLEEP
                :: else
                fi
              };
              atomic {
                if
                :: rest[self] != ASLEEP
#ifdef TIMEOUT
                :: has_waited && self == MEMBERS -> goto give_up
#endif
                fi;
                has_waited = true;
                has_sleepers = true;
                rest[self] = ANNOUNCED;
#ifdef LOOK_FIRST
                rest[self] = ASLEEP;
                at = PERMITS;
#endif
                goto look
              }
           od;
           if
           :: atomic {
                has_waited ->
                has_waited = false;
                rest[self] = AWAKE;
#ifndef NO_PASS
                has_sleepers = true
              };
              do
              :: atomic { at < PERMITS && IS_FREE(at) -> at = 0; goto again }
              :: atomic { at < PERMITS && !IS_FREE(at) -> at++ }
              :: atomic { at == PERMITS -> at = 0; break }
              od;
              if
              :: false ->
again:           raise()
              :: true
              fi
#else
              }
#endif
           :: else
           fi;
#ifdef NOTE_LATE
           holding[self] = true;
#endif
#ifdef STAYS
           self != 3;
#endif
release:   do
           :: atomic {
                permits[at] == self ->
                inside--;
                is_inside[self] = false;
                permits[at] = 0;
                at = 0;
                break
              }
           :: atomic { permits[at] != self -> at++; assert(at < PERMITS) }
           od;
           raise();
           atomic { holding[self] = false; round++ }
        od;
        goto gone;
give_up: atomic { has_waited = false; rest[self] = AWAKE; has_sleepers = true };
        do
        :: atomic { at < PERMITS && IS_FREE(at) -> at = 0; break }
        :: atomic { at < PERMITS && !IS_FREE(at) -> at++ }
        :: atomic { at == PERMITS -> at = 0; goto quit }
        od;
        raise();
quit:   atomic { holding[self] = false; rest[self] = GONE };
gone:   skip
    } unless {
        atomic { dead[self] -> round = 0; at = 0; has_waited = false }
    }
}

#ifdef NO_CLAIM
#define IS_LEFT(member) (reaped_by[member] != self)
#elif defined(NO_SUCCESSOR)
#define IS_LEFT(member) (reaped_by[member] == 0)
#else
#define IS_LEFT(member) (reaped_by[member] == 0 || dead[reaped_by[member]])
#endif
#define CLAIM(member) \
    atomic { dead[member] && !is_reaped[member] && IS_LEFT(member) -> \
             whom = member; reaped_by[member] = self }

proctype Reaper(byte self)
{
    byte whom = 0;
    byte at = 0;
    {
        skip;
claim:  if
        :: CLAIM(1)
        :: CLAIM(2)
#if MEMBERS + REAPERS > 3
        :: CLAIM(3)
#endif
#if MEMBERS + REAPERS > 4
        :: CLAIM(4)
#endif
#if MEMBERS + REAPERS > 5
        :: CLAIM(5)
#endif
        fi;
#ifdef FREE_FIRST
        is_reaped[whom] = true;
#endif
        if
        :: whom <= MEMBERS && holding[whom] ->
            do
            :: at < PERMITS && permits[at] == whom ->
#ifdef STORE
                permits[at] = DIED;
#else
                atomic { permits[at] = (permits[at] == whom -> DIED : permits[at]) };
#endif
                at++
            :: at < PERMITS && permits[at] != whom -> at++
            :: else -> break
            od
        :: else
        fi;
        atomic {
            at = 1;
            do
#ifndef NO_WAKE
            :: at <= MEMBERS -> rest[at] = (rest[at] == GONE -> GONE : AWAKE); at++
#endif
            :: else -> break
            od;
            at = 0;
            is_reaped[whom] = true;
            whom = 0;
            goto claim
        }
    } unless {
        atomic { dead[self] -> whom = 0; at = 0 }
    }
}

#define KILL(member, before) \
    !dead[member] && dead[before] && rest[member] != GONE -> \
    dead[member] = true; \
    rest[member] = GONE; \
    if \
    :: member <= MEMBERS && is_inside[member] -> inside--; is_inside[member] = false \
    :: else \
    fi

/* Members are alike, so the second is killed only beside the first; the last reaper lives. */
active proctype Killer()
{
    byte kills = 0;
    do
    :: kills == KILLS -> break
    :: atomic {
        kills < KILLS ->
        dead[0] = true;
        kills++;
        if
        :: KILL(1, 0)
        :: KILL(2, 1)
#if KILLS > 1
        :: !dead[MEMBERS + 1] -> dead[MEMBERS + 1] = true
#endif
        :: kills = KILLS /* no more */
        fi
       }
    od
}

active proctype Quiet()
{
    byte at = 0;
    byte count = 0;
    bool has_free = false;
end:
    timeout ->
    do
    :: at < PERMITS ->
        has_free = has_free || IS_FREE(at);
        count = count + (IS_FREE(at) -> 0 : 1);
        assert(IS_FREE(at) || !dead[permits[at]]);
        at++
    :: else -> break
    od;
    assert(inside == count);
    at = 1;
    do
    :: at <= MEMBERS -> assert(!(has_free && rest[at] == ASLEEP)); at++
    :: else -> break
    od
}

init
{
    byte member = 1;
    atomic {
        do
        :: member <= HELD ->
            permits[member - 1] = member;
            holding[member] = true;
            is_inside[member] = true;
            inside++;
            member++
        :: else -> member = 1; break
        od;
        do
        :: member <= MEMBERS -> run Member(member); member++
        :: member > MEMBERS && member <= MEMBERS + REAPERS -> run Reaper(member); member++
        :: else -> break
        od
    }
}
