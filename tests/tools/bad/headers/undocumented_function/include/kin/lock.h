/** A lock. */
typedef struct kin_lock kin_lock;

int kin_lock_release(kin_lock *lock);
