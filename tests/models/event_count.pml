/*
 * The event count of src/family/sleep.h, with deaths: producers put one item each, consumers
 * take one each, a killer ends any of them between any two steps, a reaper heals.
 *
 * Never: all is quiet, an item is there, and a consumer that lives is asleep.
 *
 *     -DPRODUCERS=2 -DCONSUMERS=2 -DKILLS=1    the size
 *     -DNO_REAPER   nobody wakes the sleepers after a death          must fail
 *     -DNO_PASS     who has slept leaves without passing it on       must fail
 *     -DNO_DEATHS   a sleeper does not look at death_count           must fail
 *     -DONE_PASS    sleepers are woken once after a death            must fail
 *
 * The kernel compares the word when it puts a member to sleep; the reaper wakes, and writes nothing
 * but death_count. Its passes after the first stand for those of the keepers, who take them over
 * from each other: one that dies at it is one more death.
 */
#ifndef PRODUCERS
#define PRODUCERS 2
#endif
#ifndef CONSUMERS
#define CONSUMERS 2
#endif
#ifndef KILLS
#define KILLS 1
#endif
#define MEMBERS (PRODUCERS + CONSUMERS)

byte count = 0;          /* the word: count and SLEEPERS */
bool sleepers = false;
byte items = 0;
byte death_count = 0;
byte died = 0;
byte reaped = 0;
bool asleep[MEMBERS];    /* in the kernel */
bool published[MEMBERS]; /* sleeping_on in the member's slot */
byte looked[MEMBERS];    /* sleep_deaths in the member's slot */
bool killed[MEMBERS];
bool done[MEMBERS];

inline wake_one()
{
    if
    :: asleep[0] -> asleep[0] = false
    :: asleep[1] -> asleep[1] = false
    :: asleep[2] -> asleep[2] = false
#if PRODUCERS + CONSUMERS > 3
    :: asleep[3] -> asleep[3] = false
#endif
    :: else
    fi
}

inline wake_all()
{
    asleep[0] = false;
    asleep[1] = false;
    asleep[2] = false;
#if PRODUCERS + CONSUMERS > 3
    asleep[3] = false;
#endif
}

/* kin__count_raise(count, 1): the compare-and-swap, then the wake */
inline raise(is_needed)
{
    atomic {
        is_needed = sleepers;
        if
        :: sleepers -> count = (count + 1) % 8; sleepers = false
        :: else
        fi
    };
    if
    :: is_needed -> atomic { wake_one() }
    :: else
    fi
}

/* Sleeps, or is about to, and has not looked since the last death. */
#define IS_LATE(member) (published[member] && !killed[member] && looked[member] != death_count)

#define TAKE(target) \
    atomic { if :: items > 0 -> items--; goto target :: else fi }

proctype Producer(byte self)
{
    bool is_needed;
    {
        items++;
        raise(is_needed);
        done[self] = true
    } unless {
        atomic { killed[self] && !done[self] -> died++ }
    }
}

proctype Consumer(byte self)
{
    byte key;
    byte deaths;
    bool is_needed;
    {
        TAKE(leave);
look:   deaths = death_count; /* kin__count_prepare */
        atomic { sleepers = true; key = count };
        TAKE(pass);
        looked[self] = deaths; /* kin__sleep */
        published[self] = true;
        if
#ifndef NO_DEATHS
        :: death_count != deaths -> goto woken
#endif
        :: else
        fi;
        atomic {
            if
            :: count == key && sleepers -> asleep[self] = true
            :: else
            fi
        };
        !asleep[self];
woken:  published[self] = false;
        goto look;
pass:
#ifndef NO_PASS
        sleepers = true; /* kin__count_pass */
        if
        :: items > 0 -> raise(is_needed)
        :: else
        fi;
#endif
leave:  done[self] = true
    } unless {
        atomic { killed[self] && !done[self] -> died++; asleep[self] = false }
    }
}

active proctype Killer()
{
    byte kills = 0;
    byte victim;
    do
    :: kills < KILLS -> kills++; select(victim : 0 .. MEMBERS - 1); killed[victim] = true
    :: break
    od
}

active proctype Reaper()
{
    byte member;
end:
    do
    :: died > reaped ->
        reaped++;
#ifndef NO_REAPER
        death_count++;
        member = 0;
        do
        :: member < MEMBERS ->
            if
            :: published[member] -> atomic { wake_all() }
            :: else
            fi;
            member++
        :: else -> break
        od
#ifndef ONE_PASS
        do
        :: IS_LATE(0) || IS_LATE(1) || IS_LATE(2) || IS_LATE(MEMBERS - 1) -> atomic { wake_all() }
        :: else -> break
        od
#endif
#endif
    od
}

active proctype Quiet()
{
    byte member;
end:
    timeout ->
    member = PRODUCERS;
    do
    :: member < MEMBERS -> assert(!(items > 0 && asleep[member])); member++
    :: else -> break
    od
}

init
{
    byte member = 0;
    atomic {
        do
        :: member < PRODUCERS -> run Producer(member); member++
        :: else -> break
        od;
        do
        :: member < MEMBERS -> run Consumer(member); member++
        :: else -> break
        od
    }
}
