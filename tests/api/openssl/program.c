/* Prints which of OpenSSL's libraries are mapped, step by step, and what comes of each step. */
#define _POSIX_C_SOURCE 200809L
#include <kin.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <threads.h>
#include <unistd.h>

enum { ROUNDS = 40 };

static const char *mapped(void)
{
    static char text[64];
    char line[4096];
    int has_crypto = 0;
    int has_ssl = 0;
    FILE *maps = fopen("/proc/self/maps", "r");
    while (maps != NULL && fgets(line, sizeof line, maps) != NULL) {
        has_crypto |= strstr(line, "/libcrypto.so") != NULL;
        has_ssl |= strstr(line, "/libssl.so") != NULL;
    }
    if (maps != NULL) {
        fclose(maps);
    }
    snprintf(text, sizeof text, "%s%s", has_crypto ? " libcrypto" : "", has_ssl ? " libssl" : "");
    return text;
}

static void report(const char *step, int code)
{
    printf("%s: %s:%s\n", step, kin_code_name(code), mapped());
    fflush(stdout);
}

static int listen_once(const char *address, kin_bytes key, const kin_tls_options *tls)
{
    kin_listener *listener = NULL;
    int r = kin_listener_create(address, KIN_OPTIONS(kin_listener_options, .key = key, .tls = tls),
                                &listener);
    kin_listener_free(listener);
    return r;
}

static int use_key(void *user)
{
    return listen_once("tcp:127.0.0.1:0", (kin_bytes){"0123456789abcdef", 16}, user);
}

/* Its first child starts a thread that loads, and is then forked, later in each round. */
static void fork_beside(int round)
{
    thrd_t thread;
    int status = 1;
    if (thrd_create(&thread, use_key, NULL) != thrd_success) {
        _exit(1);
    }
    thrd_sleep(&(struct timespec){.tv_nsec = round * 100000L}, NULL);
    pid_t pid = fork();
    if (pid == 0) {
        kin_tls_options tls = {.size = sizeof tls, .mode = KIN_TLS_KEY};
        _exit(use_key(&tls) == 0 ? 0 : 2);
    }
    waitpid(pid, &status, 0);
    thrd_join(thread, &round);
    _exit(status == 0 && round == 0 ? 0 : 3);
}

static int fork_while_it_is_loaded(void)
{
    int failures = 0;
    for (int round = 0; round < ROUNDS; round++) {
        int status = 1;
        pid_t pid = fork();
        if (pid == 0) {
            fork_beside(round);
        }
        waitpid(pid, &status, 0);
        failures += status != 0;
    }
    return failures == 0 ? 0 : -ECHILD;
}

int main(int argc, char **argv)
{
    unsigned char bytes[KIN_KEY_BYTES];
    kin_bytes key = {bytes, sizeof bytes};
    const kin_tls_options *tls = KIN_OPTIONS(kin_tls_options, .mode = KIN_TLS_KEY);
    int r = kin_init(&argc, &argv);
    kin_log_to_stderr(KIN_LOG_SUBWARNING);
    report("start", r);
    report("no key", listen_once("tcp:127.0.0.1:0", (kin_bytes){NULL, 0}, NULL));
    report("random", kin_key_generate(bytes, sizeof bytes));
    if (argc > 1) {
        report("fork", fork_while_it_is_loaded());
        return 0;
    }
    report("key", listen_once("tcp:127.0.0.1:0", key, NULL));
    report("TLS", listen_once("tcp:127.0.0.1:0", key, tls));
    kin_key_wipe(bytes, sizeof bytes);
    kin_fini();
    return 0;
}
