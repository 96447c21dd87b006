#include "interop/peer.h"

#include <stdlib.h>

void wire_send_object(int fd, kin_object *object)
{
    kin_object *pickle = NULL;
    REQUIRE(kin_pickle_encode(object, NULL, &pickle) == 0);
    kin_bytes bytes = kin_object_bytes(pickle);
    wire_send(fd, bytes.data, bytes.size);
    kin_object_free(pickle);
}

kin_object *wire_receive_object(int fd)
{
    size_t size;
    kin_object *object = NULL;
    unsigned char *data = wire_receive(fd, &size);
    REQUIRE(data != NULL);
    REQUIRE(kin_pickle_decode(data, size, NULL, &object, NULL, NULL) == 0);
    free(data);
    return object;
}
