#include "queue/layout.h"

#include <kin/error.h>

static uint64_t bytes_place(const kin_message *message)
{
    return message->place + message->handle_count * sizeof(kin_handle);
}

kin_bytes kin_message_bytes(const kin_message *message)
{
    if (message == NULL) {
        return (kin_bytes){0};
    }
    const void *data = message->place == 0 ? message->small : kin__at(bytes_place(message));
    return (kin_bytes){.data = data, .size = message->size};
}

const kin_handle *kin_message_handles(const kin_message *message, uint32_t *ret_count)
{
    bool has_any = message != NULL && message->place != 0 && message->handle_count != 0;
    if (ret_count != NULL) {
        *ret_count = has_any ? message->handle_count : 0;
    }
    return has_any ? kin__at(message->place) : NULL;
}

void kin_message_free(kin_message *message)
{
    if (message == NULL) {
        return;
    }
    if (message->place != 0 && kin__family_is_open()) {
        kin__block_free(message->place, kin__block_of_member(kin__family.owner));
    }
    message->place = 0;
    message->size = 0;
    message->handle_count = 0;
}
