#include "connection/handshake/key.h"

#include "os/memory.h"

#include <errno.h>
#include <kin/key.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <string.h>

enum { KEY_BYTES_MAX = 65536 };

/* What OpenSSL keeps is not freed at exit: other threads may be inside then. */
static void prepare_openssl(void)
{
    OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, NULL);
}

int kin__key_create(kin_bytes bytes, struct kin__key **ret_key)
{
    if (bytes.data == NULL) {
        *ret_key = NULL;
        return bytes.size == 0 ? 0 : -EINVAL;
    }
    if (bytes.size == 0 || bytes.size > KEY_BYTES_MAX) {
        return -EINVAL;
    }
    prepare_openssl();
    void *memory = NULL;
    int r = kin__os_secret_create(sizeof **ret_key + bytes.size, &memory);
    if (r < 0) {
        return r;
    }
    struct kin__key *key = memory;
    key->size = bytes.size;
    memcpy(key->bytes, bytes.data, bytes.size);
    *ret_key = key;
    return 0;
}

struct kin__key *kin__key_free(struct kin__key *key)
{
    if (key != NULL) {
        kin__os_secret_free(key, sizeof *key + key->size);
    }
    return NULL;
}

int kin_key_generate(void *ret_key, size_t size)
{
    if (ret_key == NULL || size == 0 || size > KEY_BYTES_MAX) {
        return -EINVAL;
    }
    prepare_openssl();
    return RAND_priv_bytes(ret_key, (int)size) == 1 ? 0 : -EIO;
}

void kin_key_wipe(void *key, size_t size)
{
    if (key != NULL) {
        OPENSSL_cleanse(key, size);
    }
}
