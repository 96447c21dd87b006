/*
 * The internal lock of src/family/lock.h with deaths: each member acquires and releases once, a
 * killer ends any of them between any two steps, the kernel handles the pending word of the
 * dead, a reaper wakes all sleepers after each death.
 *
 * Never: two hold it; all is quiet and a member that lives is asleep.
 *
 *     -DMEMBERS=3 -DKILLS=1    the size
 *     -DNO_REAPER    nobody wakes the sleepers after a death             must fail
 *     -DNO_KEEP      who has slept acquires without WAITERS              must fail
 *     -DNO_PENDING   the word is not pending between release and wake    must fail with NO_REAPER
 */
#ifndef MEMBERS
#define MEMBERS 3
#endif
#ifndef KILLS
#define KILLS 1
#endif

byte owner = 0; /* the word */
bool waiters = false;
bool died_holding = false;
byte holders = 0;
byte died = 0;
byte reaped = 0;
bool asleep[5];
bool killed[5];
bool pending[5];
bool done[5];

inline wake_one()
{
    if
    :: asleep[1] -> asleep[1] = false
    :: asleep[2] -> asleep[2] = false
    :: asleep[3] -> asleep[3] = false
    :: asleep[4] -> asleep[4] = false
    :: else
    fi
}

#define IS_SEEN (owner == seen_owner && waiters == seen_waiters && died_holding == seen_died)
#define LOOK seen_owner = owner; seen_waiters = waiters; seen_died = died_holding

proctype Member(byte self)
{
    byte seen_owner;
    bool seen_waiters;
    bool seen_died;
    bool keep = false;
    bool is_needed;
    {
        pending[self] = true;
look:   atomic { LOOK };
again:  if
        :: seen_owner == 0 ->
            atomic {
                if
                :: IS_SEEN ->
                    owner = self;
#ifndef NO_KEEP
                    waiters = seen_waiters || keep;
#endif
                    died_holding = false;
                    assert(holders == 0);
                    holders++;
                    goto held
                :: else -> LOOK; goto again
                fi
            }
        :: else
        fi;
        if
        :: !seen_waiters ->
            atomic {
                if
                :: IS_SEEN -> waiters = true; seen_waiters = true
                :: else -> LOOK; goto again
                fi
            }
        :: else
        fi;
        atomic {
            if
            :: IS_SEEN -> asleep[self] = true
            :: else
            fi
        };
        !asleep[self];
        keep = true;
        goto look;
held:   skip;
#ifdef NO_PENDING
        pending[self] = false;
#endif
        atomic { /* release */
            holders--;
            is_needed = waiters;
            owner = 0;
            waiters = false;
            died_holding = false
        };
        if
        :: is_needed -> atomic { wake_one() }
        :: else
        fi;
        pending[self] = false;
        done[self] = true
    } unless {
        atomic {
            killed[self] && !done[self] ->
            died++;
            asleep[self] = false;
            if /* the kernel, on the thread's end */
            :: owner == self ->
                holders--;
                owner = 0;
                died_holding = true;
                if
                :: waiters -> wake_one()
                :: else
                fi
            :: else ->
                if
                :: pending[self] && owner == 0 -> wake_one()
                :: else
                fi
            fi
        }
    }
}

active proctype Killer()
{
    byte kills = 0;
    byte victim;
    do
    :: kills < KILLS -> kills++; select(victim : 1 .. MEMBERS); killed[victim] = true
    :: break
    od
}

active proctype Reaper()
{
end:
    do
    :: died > reaped ->
        reaped++;
#ifndef NO_REAPER
        asleep[1] = false;
        asleep[2] = false;
        asleep[3] = false;
        asleep[4] = false
#endif
    od
}

active proctype Quiet()
{
end:
    timeout -> assert(!asleep[1] && !asleep[2] && !asleep[3] && !asleep[4])
}

init
{
    byte member = 1;
    atomic {
        do
        :: member <= MEMBERS -> run Member(member); member++
        :: else -> break
        od
    }
}
