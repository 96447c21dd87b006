#define _GNU_SOURCE
#include "interop/peer.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

void wire_write(int fd, const void *data, size_t size)
{
    for (size_t done = 0; done < size;) {
        ssize_t written = write(fd, (const char *)data + done, size - done);
        REQUIRE(written > 0 || errno == EINTR);
        done += written > 0 ? (size_t)written : 0;
    }
}

size_t wire_read(int fd, void *data, size_t size)
{
    size_t done = 0;
    while (done < size) {
        ssize_t got = read(fd, (char *)data + done, size - done);
        REQUIRE(got >= 0 || errno == EINTR);
        if (got == 0) {
            break;
        }
        done += got > 0 ? (size_t)got : 0;
    }
    return done;
}

void wire_send(int fd, const void *data, size_t size)
{
    REQUIRE(size <= INT32_MAX);
    uint32_t header = htobe32((uint32_t)size);
    wire_write(fd, &header, sizeof header);
    wire_write(fd, data, size);
}

unsigned char *wire_receive(int fd, size_t *ret_size)
{
    uint32_t header;
    size_t got = wire_read(fd, &header, sizeof header);
    if (got == 0) {
        return NULL;
    }
    REQUIRE(got == sizeof header && be32toh(header) <= INT32_MAX);
    size_t size = be32toh(header);
    unsigned char *data = malloc(size + 1);
    REQUIRE(data != NULL && wire_read(fd, data, size) == size);
    data[size] = 0;
    *ret_size = size;
    return data;
}
