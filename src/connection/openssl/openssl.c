#include "connection/openssl/openssl.h"

#include "family/family.h"
#include "os/library.h"

#include <assert.h>
#include <kin/error.h>

#define CRYPTO_LIBRARY "libcrypto.so.3"
#define SSL_LIBRARY "libssl.so.3"

KIN__OS_LIBRARY_NOTE("[{\"feature\":\"key\",\"description\":\"Keys of connections\","
                     "\"priority\":\"recommended\",\"soname\":[\"" CRYPTO_LIBRARY "\"]},"
                     "{\"feature\":\"tls\",\"description\":\"TLS of connections\","
                     "\"priority\":\"recommended\",\"soname\":[\"" SSL_LIBRARY "\"]}]");

/* One text each, and not an array of texts: that would be written by every process that loads kin,
 * to relocate it. */
#define NAME(name) #name "\0"
static const char crypto_names[] = KIN__CRYPTO_FUNCTIONS(NAME);
static const char ssl_names[] = KIN__SSL_FUNCTIONS(NAME);
#undef NAME

#define ONE(name) +1
static_assert(sizeof kin__crypto == (KIN__CRYPTO_FUNCTIONS(ONE)) * sizeof(void *), "as an array");
static_assert(sizeof kin__ssl == (KIN__SSL_FUNCTIONS(ONE)) * sizeof(void *), "as an array");
#undef ONE

/* What OpenSSL keeps is not freed at exit: other threads may be inside then. */
static int load_next(uint32_t loaded, char why[KIN__OS_LIBRARY_WHY_BYTES])
{
    int r;
    if (loaded == KIN__OPENSSL_NONE) {
        r = kin__os_library_load(CRYPTO_LIBRARY, crypto_names, &kin__crypto, why);
        if (r == 0) {
            kin__crypto.OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, NULL);
        }
    } else {
        r = kin__os_library_load(SSL_LIBRARY, ssl_names, &kin__ssl, why);
        if (r == 0) {
            kin__ssl.OPENSSL_init_ssl(OPENSSL_INIT_NO_ATEXIT, NULL);
        }
    }
    return r;
}

int kin__openssl_load(enum kin__openssl_part part)
{
    char why[KIN__OS_LIBRARY_WHY_BYTES];
    int r = 0;
    /* Acquire, paired with the release below: the tables are there. */
    if (atomic_load_explicit(&kin__openssl.loaded, memory_order_acquire) >= part) {
        return 0;
    }
    mtx_lock(&kin__openssl.lock);
    for (uint32_t loaded = atomic_load(&kin__openssl.loaded); r == 0 && loaded < part;) {
        r = load_next(loaded, why);
        loaded += r == 0;
        atomic_store_explicit(&kin__openssl.loaded, loaded, memory_order_release);
    }
    mtx_unlock(&kin__openssl.lock);
    if (r < 0) {
        KIN__LOG(KIN_LOG_SUBWARNING, "OpenSSL 3 cannot be loaded: %s", why);
        return KIN_EOPENSSL;
    }
    return 0;
}
