#include "connection/handshake/key.h"

#include "connection/openssl/openssl.h"
#include "os/memory.h"

#include <errno.h>
#include <kin/key.h>
#include <string.h>

enum { KEY_BYTES_MAX = 65536 };

int kin__key_create(kin_bytes bytes, struct kin__key **ret_key)
{
    if (bytes.data == NULL) {
        *ret_key = NULL;
        return bytes.size == 0 ? 0 : -EINVAL;
    }
    if (bytes.size == 0 || bytes.size > KEY_BYTES_MAX) {
        return -EINVAL;
    }
    void *memory = NULL;
    int r = kin__openssl_load(KIN__OPENSSL_CRYPTO);
    r = r == 0 ? kin__os_secret_create(sizeof **ret_key + bytes.size, &memory) : r;
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
    return kin__os_random_fill(ret_key, size);
}

void kin_key_wipe(void *key, size_t size)
{
    if (key != NULL) {
        kin__os_secret_wipe(key, size);
    }
}
