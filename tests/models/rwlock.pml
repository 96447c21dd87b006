/*
 * The reader-writer lock of src/sync, with deaths: readers leave an entry in their own slots, writers
 * close the gate and look for entries; a killer ends any of them, or a reaper, between any two steps;
 * reapers repair. The writers' mutex is one step (lock.pml); a dead holder keeps it until reaped.
 *
 * Never: a reader is inside with a writer, or two writers; a reader that waits is overtaken by two
 * writers. And when all is quiet: somebody waits, or the dead still have something.
 *
 *     -DREADERS=2 -DWRITERS=1 -DKILLS=1    the size
 *
 *     -DLOOK_FIRST      a reader looks at the gate, then leaves its entry      must fail
 *     -DSCAN_FIRST      a writer looks for entries, then closes the gate       must fail
 *     -DNO_PHASE        a mark counts in whatever phase     must fail with READERS=1 WRITERS=2
 *     -DNO_TELL         a reader that leaves tells nobody                      must fail
 *     -DNO_TELL_MARK    a reader that waits tells nobody                       must fail
 *     -DNO_OPEN         the gate that a dead writer closed stays closed        must fail
 *     -DNO_WAKE         nobody is woken after a death                          must fail
 *     -DFREE_FIRST      the slot is free before the repair       must fail with KILLS=2
 */
#ifndef READERS
#define READERS 2
#endif
#ifndef WRITERS
#define WRITERS 1
#endif
#ifndef KILLS
#define KILLS 1
#endif
#if KILLS > 1
#define REAPERS 2
#else
#define REAPERS 1
#endif
#define MEMBERS (READERS + WRITERS)
#define LAST (MEMBERS + REAPERS)

#define AWAKE 0
#define ANNOUNCED 1
#define ASLEEP 2
#define GONE 3

byte gate = 0; /* the writer's id, */
byte phase = 0;
byte mutex = 0;
bool entry[MEMBERS + 1];
bool mark[MEMBERS + 1];
byte mark_phase[MEMBERS + 1];
byte rest[LAST + 1]; /* readers sleep on `readers`, writers on `drained` */

bool dead[LAST + 1];
byte reaped_by[LAST + 1];
bool is_reaped[LAST + 1];
byte readers_in = 0; /* from here on unknown to the code */
bool is_in[MEMBERS + 1];
bool has_writer = false;
byte overtaken[MEMBERS + 1];

/* One event count serves for all who sleep on it: a raise undoes what was announced. */
inline raise_drained()
{
    d_step {
        at = READERS + 1;
        do
        :: at <= MEMBERS -> rest[at] = (rest[at] == GONE -> GONE : AWAKE); at++
        :: else -> break
        od;
        at = 0
    }
}

inline raise_readers()
{
    d_step {
        at = 1;
        do
        :: at <= READERS -> rest[at] = (rest[at] == GONE -> GONE : AWAKE); at++
        :: else -> break
        od;
        at = 0
    }
}

#define COME_IN readers_in++; is_in[self] = true; assert(!has_writer)

proctype Reader(byte self)
{
    byte at = 0;
    byte seen = 0;
    {
#ifdef LOOK_FIRST
        if
        :: gate == 0 ->
            entry[self] = true;
            atomic { COME_IN; goto inside }
        :: atomic { gate != 0 -> seen = phase };
            entry[self] = true
        fi;
#else
        entry[self] = true;
        if
        :: atomic { gate == 0 -> COME_IN; goto inside }
        :: atomic { gate != 0 -> seen = phase }
        fi;
#endif
        mark_phase[self] = seen;
        mark[self] = true;
#ifndef NO_TELL_MARK
        raise_drained();
#endif
        do
        :: atomic { phase != seen -> rest[self] = AWAKE; COME_IN; break }
        :: atomic {
            phase == seen ->
            if
            :: rest[self] == ANNOUNCED -> rest[self] = ASLEEP
            :: else
            fi
           };
           atomic { rest[self] != ASLEEP -> rest[self] = ANNOUNCED }
        od;
        atomic { mark[self] = false; seen = 0 };
inside: atomic { readers_in--; is_in[self] = false; entry[self] = false };
        if
#ifndef NO_TELL
        :: gate != 0 -> raise_drained()
#endif
        :: else
        fi;
        rest[self] = GONE
    } unless {
        atomic { dead[self] -> at = 0; seen = 0 }
    }
}

/* Looks at each reader's slot, word for word; `at` ends at the first that counts, or past all. */
inline scan()
{
    at = 1;
    do
    :: at > READERS -> break
    :: at <= READERS && !entry[at] -> at++
    :: at <= READERS && entry[at] ->
        if
        :: !mark[at] -> break
        :: mark[at] ->
#ifdef NO_PHASE
            at++
#else
            if
            :: mark_phase[at] == phase -> at++
            :: mark_phase[at] != phase -> break
            fi
#endif
        fi
    od
}

proctype Writer(byte self)
{
    byte at = 0;
    {
        atomic { mutex == 0 -> mutex = self };
#ifndef SCAN_FIRST
        atomic { assert(gate == 0); gate = self };
#endif
        do
        ::
            scan();
            if
            :: atomic { at > READERS -> at = 0; rest[self] = AWAKE; break }
            :: atomic {
                at <= READERS ->
                at = 0;
                if
                :: rest[self] == ANNOUNCED -> rest[self] = ASLEEP
                :: else
                fi
               };
               atomic { rest[self] != ASLEEP -> rest[self] = ANNOUNCED }
            fi
        od;
#ifdef SCAN_FIRST
        atomic { gate = self };
#endif
        atomic { /* WRITING */
            assert(readers_in == 0 && !has_writer);
            has_writer = true;
            at = 1;
            do
            :: at <= READERS ->
                overtaken[at] = overtaken[at] + (mark[at] && !dead[at] -> 1 : 0);
                assert(overtaken[at] < 2);
                at++
            :: else -> at = 0; break
            od
        };
        atomic { has_writer = false; gate = 0; phase++ };
        mutex = 0;
        raise_readers();
        rest[self] = GONE
    } unless {
        atomic { dead[self] -> at = 0 }
    }
}

#define IS_LEFT(member) (reaped_by[member] == 0 || dead[reaped_by[member]])
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
        :: CLAIM(3)
#if MEMBERS + REAPERS > 4
        :: CLAIM(4)
#endif
        fi;
#ifdef FREE_FIRST
        is_reaped[whom] = true;
#endif
        if
        :: whom <= MEMBERS && gate == whom ->
#ifndef NO_OPEN
            atomic { gate = 0; phase++ }
#endif
        :: else
        fi;
        if
        :: whom <= MEMBERS && mutex == whom -> mutex = 0
        :: else
        fi;
        if
        :: whom <= READERS && entry[whom] -> entry[whom] = false; mark[whom] = false
        :: else
        fi;
#ifndef NO_WAKE
        d_step {
            at = 1;
            do
            :: at <= MEMBERS -> rest[at] = (rest[at] == GONE -> GONE : AWAKE); at++
            :: else -> break
            od;
            at = 0
        };
#endif
        atomic { is_reaped[whom] = true; whom = 0; goto claim }
    } unless {
        atomic { dead[self] -> whom = 0; at = 0 }
    }
}

#define KILL(member) \
    !dead[member] && rest[member] != GONE -> \
    dead[member] = true; \
    rest[member] = GONE; \
    if \
    :: member <= READERS && is_in[member] -> readers_in--; is_in[member] = false \
    :: member > READERS && member <= MEMBERS && gate == member && has_writer -> has_writer = false \
    :: else \
    fi

active proctype Killer()
{
    byte kills = 0;
    do
    :: kills == KILLS -> break
    :: atomic {
        kills < KILLS ->
        kills++;
        if
        :: KILL(1)
        :: KILL(2)
#if MEMBERS > 2
        :: KILL(3)
#endif
#if KILLS > 1
        :: !dead[MEMBERS + 1] -> dead[MEMBERS + 1] = true /* the last reaper lives */
#endif
        :: kills = KILLS /* no more */
        fi
       }
    od
}

active proctype Quiet()
{
    byte at = 1;
end:
    timeout ->
    assert(gate == 0 && mutex == 0 && readers_in == 0 && !has_writer);
    do
    :: at <= MEMBERS -> assert(rest[at] == GONE && !entry[at]); at++
    :: else -> break
    od
}

init
{
    byte member = 1;
    atomic {
        do
        :: member <= READERS -> run Reader(member); member++
        :: member > READERS && member <= MEMBERS -> run Writer(member); member++
        :: member > MEMBERS && member <= LAST -> run Reaper(member); member++
        :: else -> break
        od
    }
}
