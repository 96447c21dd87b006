#include "connection/handshake/digest.h"

#include "connection/openssl/openssl.h"
#include "os/memory.h"

#include <errno.h>
#include <string.h>

static const struct digest_kind {
    char name[KIN__DIGEST_NAME_BYTES_MAX + 1];
    char algorithm[KIN__DIGEST_NAME_BYTES_MAX + 1]; /* as OpenSSL calls it */
} kinds[KIN__DIGEST_COUNT] = {
    [KIN__DIGEST_MD5] = {"md5", "MD5"},
    [KIN__DIGEST_SHA256] = {"sha256", "SHA256"},
    [KIN__DIGEST_SHA384] = {"sha384", "SHA384"},
    [KIN__DIGEST_SHA3_256] = {"sha3_256", "SHA3-256"},
    [KIN__DIGEST_SHA3_384] = {"sha3_384", "SHA3-384"},
};

int kin__digest_parse(kin_bytes text, size_t *ret_prefix_bytes)
{
    const char *bytes = text.data;
    for (int i = 0; i < KIN__DIGEST_COUNT; i++) {
        size_t size = strlen(kinds[i].name);
        if (text.size >= size + 2 && bytes[0] == '{' && bytes[size + 1] == '}' &&
            memcmp(bytes + 1, kinds[i].name, size) == 0) {
            *ret_prefix_bytes = size + 2;
            return i;
        }
    }
    return -EBADMSG;
}

int kin__digest_sign(enum kin__digest digest, const struct kin__key *key, kin_bytes message,
                     unsigned char ret_mac[KIN__DIGEST_BYTES_MAX])
{
    size_t size = 0;
    if (kin__crypto.EVP_Q_mac(NULL, "HMAC", NULL, kinds[digest].algorithm, NULL, key->bytes,
                              key->size, message.data, message.size, ret_mac, KIN__DIGEST_BYTES_MAX,
                              &size) == NULL) {
        kin__crypto.ERR_clear_error();
        return -ENOSYS;
    }
    return (int)size;
}

int kin__digest_verify(enum kin__digest digest, const struct kin__key *key, kin_bytes message,
                       kin_bytes mac)
{
    unsigned char right[KIN__DIGEST_BYTES_MAX];
    int size = kin__digest_sign(digest, key, message, right);
    if (size < 0) {
        return size;
    }
    bool is_right = mac.size == (size_t)size &&
                    kin__crypto.CRYPTO_memcmp(mac.data, right, mac.size) == 0;
    kin__os_secret_wipe(right, sizeof right);
    return is_right;
}
