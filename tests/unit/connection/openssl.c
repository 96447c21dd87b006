/* OpenSSL is loaded when it is first needed, whole or not at all. What is seen of it from outside
 * is in tests/api/openssl_test.sh. */
#include "connection/openssl/openssl.h"
#include "os/fault.h"
#include "unit/connection/listeners.h"

#include <kin/log.h>

#define BY_KEY KIN_OPTIONS(kin_tls_options, .mode = KIN_TLS_KEY)

static uint32_t loaded(void)
{
    return atomic_load(&kin__openssl.loaded);
}

TEST(a_key_loads_libcrypto_and_tls_loads_libssl)
{
    unsigned char key[KIN_KEY_BYTES];
    begin();
    kin_listener *listener = new_listener("unix:", NULL);
    CHECK_EQUAL(kin_key_generate(key, sizeof key), 0);
    kin_key_wipe(key, sizeof key);
    CHECK_EQUAL(loaded(), KIN__OPENSSL_NONE);
    kin_listener_free(listener);
    listener = new_listener("unix:", KIN_OPTIONS(kin_listener_options, .key = SECRET));
    CHECK_EQUAL(loaded(), KIN__OPENSSL_CRYPTO);
    kin_listener_free(listener);
    listener = new_listener(LOOPBACK,
                            KIN_OPTIONS(kin_listener_options, .key = SECRET, .tls = BY_KEY));
    CHECK_EQUAL(loaded(), KIN__OPENSSL_SSL);
    kin_listener_free(listener);
}

static void *load(void *user)
{
    (void)user;
    CHECK_EQUAL(kin__openssl_load(KIN__OPENSSL_SSL), 0);
    CHECK(kin__crypto.EVP_sha256() != NULL && kin__ssl.TLS_server_method() != NULL);
    return NULL;
}

TEST(threads_that_load_at_the_same_time_have_it_all)
{
    pthread_t threads[4];
    begin();
    for (size_t i = 0; i < 4; i++) {
        threads[i] = thread_start(load, NULL);
    }
    for (size_t i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
    }
}

#ifndef __SANITIZE_THREAD__ /* which cannot start threads in a child of threads */

/* A child, forked while another thread loads, or just before, or just after. */
TEST(a_child_forked_while_a_thread_loads_can_load)
{
#ifdef __SANITIZE_THREAD__
    test_skip("the thread sanitizer starts no thread in a child forked beside threads");
#endif
    begin();
    for (int round = 0; round < 20; round++) {
        pid_t pid = fork(); /* which has nothing loaded */
        REQUIRE(pid >= 0);
        if (pid == 0) {
            pthread_t thread = thread_start(load, NULL);
            pid_t child = fork();
            load(NULL);
            if (child > 0) {
                pthread_join(thread, NULL);
                int status = -1;
                _exit(waitpid(child, &status, 0) == child && status == 0 ? 0 : 1);
            }
            _exit(child == 0 ? 0 : 1);
        }
        int status = -1;
        REQUIRE(waitpid(pid, &status, 0) == pid);
        CHECK_EQUAL(status, 0);
    }
}

#endif

#ifdef KIN_FAULTS

static void remember(const kin_log_record *record, void *user)
{
    char *text = user;
    snprintf(text, 256, "%s", record->message);
}

TEST(without_openssl_keys_are_refused_until_it_is_there)
{
    char text[256] = "";
    kin_listener *listener = NULL;
    begin();
    REQUIRE(setenv("XDG_RUNTIME_DIR", test_folder(), 1) == 0);
    CHECK_EQUAL(kin_log_set_sink(remember, text, KIN_LOG_SUBWARNING), 0);
    kin__os_fail_here(1);
    CHECK_EQUAL(kin__openssl_load(KIN__OPENSSL_CRYPTO), KIN_EOPENSSL);
    CHECK_STRING(text, "OpenSSL 3 cannot be loaded: libcrypto.so.3");
    kin__os_fail_here(2);
    CHECK_EQUAL(kin__openssl_load(KIN__OPENSSL_SSL), KIN_EOPENSSL);
    CHECK_STRING(text, "OpenSSL 3 cannot be loaded: libssl.so.3");
    CHECK_EQUAL(loaded(), KIN__OPENSSL_CRYPTO);
    bool is_refused = false;
    int r = -1;
    for (uint64_t n = 1; r < 0 && n < 20; n++) {
        kin__os_fail_here(n);
        r = kin_listener_create(
            LOOPBACK, KIN_OPTIONS(kin_listener_options, .key = SECRET, .tls = BY_KEY), &listener);
        kin__os_fail_here(0);
        is_refused |= r == KIN_EOPENSSL;
    }
    CHECK_EQUAL(r, 0);
    CHECK(is_refused);
    kin_listener_free(listener);
    CHECK_EQUAL(kin_log_set_sink(NULL, NULL, KIN_LOG_WARNING), 0);
}

#endif
