/*
 * Listeners and fork: a child lets go of what is its parent's, so that when the parent dies nobody
 * connects to a listener that will never accept, and who was half open finds the end.
 */
#include "connection/listener/listener.h"
#include "connection/openssl/openssl.h"
#include "connection/runtime.h"
#include "family/runtime.h"
#include "os/memory.h"

static void lock(void)
{
    mtx_lock(&kin__openssl.lock);
    mtx_lock(&kin__listeners.lock);
}

static void unlock(void)
{
    mtx_unlock(&kin__listeners.lock);
    mtx_unlock(&kin__openssl.lock);
}

static void close_fd(int *fd)
{
    kin__os_close(*fd);
    *fd = -1;
}

static void forget(void)
{
    KIN_LIST_EACH (&kin__listeners.list, node) {
        kin_listener *listener = KIN_CONTAINER_OF(node, kin_listener, node);
        KIN_LIST_EACH (&listener->crowd.openings, half_open) {
            close_fd(&KIN_CONTAINER_OF(half_open, struct kin__opening, node)->transport->fd);
        }
        close_fd(&listener->fd);
        if (listener->file != NULL) {
            close_fd(&listener->file->place.folder_fd);
        }
        kin__list_remove(node);
    }
    unlock();
}

const struct kin__layer_hooks kin__listener_hooks = {
    .fork_before = lock, .fork_parent = unlock, .fork_child = forget};
