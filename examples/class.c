/*
 * A class of the program's own: an account with a lock, which no pickle can hold. It is left out of
 * the state, and made anew on the other side. See docs/guide/objects.md.
 */
#include <errno.h>
#include <kin.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What an instance has besides arguments and state. */
struct account {
    kin_lock *lock; /* guards the balance */
    int64_t balance;
};

/* bank.Account(owner). What comes from a pickle comes from anybody: it is checked. */
static int construct(kin_object *object)
{
    kin_object *arguments = kin_instance_arguments(object);
    if (kin_object_count(arguments) != 1 || kin_object_text(kin_object_at(arguments, 0)) == NULL) {
        return -EBADMSG;
    }
    struct account *account = calloc(1, sizeof *account);
    int r = account == NULL ? -ENOMEM : kin_lock_create(NULL, &account->lock);
    if (r < 0) {
        free(account);
        return r;
    }
    return kin_instance_set_data(object, account);
}

/* The balance goes; the lock stays here. */
static int get_state(const kin_object *object, kin_object **ret_state)
{
    struct account *account = kin_instance_data(object);
    kin_object *state = kin_dict_create();
    int r = kin_lock_acquire(account->lock, KIN_FOREVER);
    if (r >= 0) {
        r = kin_dict_set_text(state, "balance", kin_object_from_int(account->balance));
        kin_lock_release(account->lock);
    }
    if (r < 0) {
        kin_object_free(state);
        return r;
    }
    *ret_state = state;
    return 0;
}

/* `construct` has made a new lock already. */
static int set_state(kin_object *object, kin_object *state)
{
    struct account *account = kin_instance_data(object);
    int64_t balance;
    if (kin_object_to_int(kin_dict_get_text(state, "balance"), &balance) < 0 || balance < 0) {
        return -EBADMSG;
    }
    account->balance = balance;
    return 0;
}

/* Account('Ada', balance=30) */
static kin_object *describe(const kin_object *object)
{
    char balance[64];
    struct account *account = kin_instance_data(object);
    snprintf(balance, sizeof balance, ", balance=%lld)", (long long)account->balance);
    kin_object *owner = kin_object_at(kin_instance_arguments(object), 0);
    return KIN_LIST(kin_object_from_text("Account("), KIN_TUPLE(kin_object_ref(owner)),
                    kin_object_from_text(balance));
}

static void end(void *data)
{
    struct account *account = data;
    kin_lock_free(account->lock);
    free(account);
}

static kin_class account_class = {.module = "bank",
                                  .name = "Account",
                                  .construct = construct,
                                  .getstate = get_state,
                                  .setstate = set_state,
                                  .describe = describe,
                                  .free = end};
KIN_CLASS(account_class)

static void deposit(kin_object *object, int64_t amount)
{
    struct account *account = kin_instance_data(object);
    if (kin_lock_acquire(account->lock, KIN_FOREVER) >= 0) {
        account->balance += amount;
        kin_lock_release(account->lock);
    }
}

/* Makes an object of bytes from somewhere, and shows it, or why there is none. */
static kin_object *receive(const void *data, size_t size)
{
    kin_object *object = NULL;
    kin_pickle_fault fault;
    if (kin_pickle_decode(data, size, NULL, &object, NULL, &fault) < 0) {
        printf("refused at byte %d: %s\n", (int)fault.offset, fault.reason);
    } else {
        kin_object_print(object, stdout);
    }
    return object;
}

int main(int argc, char **argv)
{
    kin_object *account = NULL;
    kin_object *pickle = NULL;
    if (kin_init(&argc, &argv) != 0 ||
        kin_instance_create(&account_class, KIN_TUPLE(kin_object_from_text("Ada")), &account) < 0) {
        return 1;
    }
    deposit(account, 30);

    /* A copy, with the same balance and a lock of its own. Python code with a class bank.Account
       could be the one who reads it, or who wrote it. */
    kin_object *both = KIN_LIST(kin_object_ref(account), kin_object_ref(account));
    if (kin_pickle_encode(both, NULL, &pickle) < 0) {
        return 1;
    }
    kin_object *copies = receive(kin_object_bytes(pickle).data, kin_object_bytes(pickle).size);
    deposit(kin_object_at(copies, 0), 5);
    printf("the same object twice, in the copy as well:\n");
    kin_object_print(copies, stdout);
    kin_object_print(account, stdout);

    /* What others send: a balance that is none, and a function that nobody has registered. */
    static const char bad[] = "cbank\nAccount\n(VAda\ntR(Vbalance\nVa lot\ndb.";
    static const char evil[] = "cos\nsystem\n(Vrm -rf ~\ntR.";
    receive(bad, sizeof bad - 1);
    kin_object *data = receive(evil, sizeof evil - 1);
    printf("kept as data, not called: %d\n", kin_object_kind(data) == KIN_KIND_OPAQUE);

    kin_object_free(data);
    kin_object_free(copies);
    kin_object_free(both);
    kin_object_free(pickle);
    kin_object_free(account);
    return 0;
}
