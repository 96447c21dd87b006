#include "connection/runtime.h"

#include "base/runtime.h"

#include "connection/listener/listener.h"
#include "connection/openssl/openssl.h"
#include "family/runtime.h"

KIN__FORK_STATE struct kin__listeners kin__listeners;
KIN__FORK_STATE struct kin__openssl kin__openssl;
struct kin__crypto kin__crypto;
struct kin__ssl kin__ssl;

/* In the file that every listener needs: from an archive nothing is linked that nobody names. */
__attribute__((constructor)) static void register_layer(void)
{
    mtx_init(&kin__openssl.lock, mtx_plain);
    mtx_init(&kin__listeners.lock, mtx_plain);
    kin__list_init(&kin__listeners.list);
    kin__layers[KIN__LAYER_CONNECTION] = &kin__listener_hooks;
}
