/**
 * Pickles, as the layers above use them: what they write goes straight to where it is read, and
 * handles and fds, which no bytes can hold, travel beside the bytes.
 *
 * On the wire a handle is `kin.Handle(b'16 bytes')`: index, family, counter, the lowest byte
 * first; a bytearray that is shared memory is `kin.SharedMemory(b'16 bytes')`; an fd is
 * `kin.Fd(index)`: a place among the fds that come with the bytes. All are globals called by
 * REDUCE. They become what they were only where the reader says so: in bytes from anywhere they
 * stay opaque objects.
 */
#ifndef KIN_OBJECT_PICKLE_H
#define KIN_OBJECT_PICKLE_H

#include <kin/pickle.h>

#include <stdbool.h>

#define KIN__WIRE_MODULE "kin"
#define KIN__WIRE_HANDLE "Handle"
#define KIN__WIRE_HANDLE_BYTES 16u
#define KIN__WIRE_FD "Fd"
#define KIN__WIRE_SHARED_MEMORY "SharedMemory"

/* Blobs of at least so many bytes are not copied into an encoding, but referred to. */
#define KIN__BLOB_BYTES_MIN ((size_t)16384)

struct kin__encode_options {
    uint32_t protocol;  /* 2 to 5; 0: 4 */
    bool takes_handles; /* else -EOPNOTSUPP, likewise the next */
    bool takes_fds;
    uint64_t buffer_bytes_min; /* as in kin_pickle_encode_options */
    kin_object *buffers;
};

/* Bytes that belong into an encoding before its own byte `at`, and lie elsewhere. */
struct kin__encoding_blob {
    size_t at;
    const void *data;
    size_t size;
};

/*
 * An object as bytes, in pieces: its own bytes, and blobs between them, which belong to the object
 * that was encoded: valid while it is, and is not changed. Is not to be moved.
 */
struct kin__encoding {
    size_t size; /* of all of it */

    unsigned char *bytes; /* its own: `first`, or allocated */
    size_t own_size;
    struct kin__encoding_blob *blobs;
    uint32_t blob_count;
    uint32_t blob_capacity;

    kin_handle *handles; /* that are in it, in order */
    uint32_t handle_count;
    uint32_t handle_capacity;
    int *fds; /* the same; the object's */
    uint32_t fd_count;
    uint32_t fd_capacity;

    kin_object **states; /* that hooks have made, and that blobs may belong to */
    uint32_t state_count;
    uint32_t state_capacity;

    unsigned char first[1024];
};

/* Encodes an object. NULL options: the defaults. To be ended with kin__encoding_deinit, if it
 * succeeded. 0, or what kin_pickle_encode returns. */
int kin__pickle_encode(const kin_object *object, const struct kin__encode_options *options,
                       struct kin__encoding *ret_encoding);
void kin__encoding_deinit(struct kin__encoding *encoding);

/* Writes all of it, `size` bytes. */
void kin__encoding_copy(const struct kin__encoding *encoding, void *destination);

/* Its pieces, in order, some of them empty: for writev. */
static inline size_t kin__encoding_piece_count(const struct kin__encoding *encoding)
{
    return 2 * (size_t)encoding->blob_count + 1;
}
kin_bytes kin__encoding_piece(const struct kin__encoding *encoding, size_t index);

/* What may stand in bytes that are decoded. */
struct kin__decode_input {
    const kin_pickle_decode_options *options; /* NULL: the defaults */
    bool takes_handles;                       /* bytes from a member of the family, whose handles
                                               * are alive until they are decoded */
    const int *fds;                           /* that came with the bytes; each that is named is
                                               * duplicated. NULL: fds stay opaque */
    uint32_t fd_count;
};

/* So many bytes of input the limits allow. */
uint64_t kin__pickle_input_max(const kin_pickle_limits *limits);

/* As kin_pickle_decode. The bytes may change while they are read: nothing of them is looked at
 * twice. NULL input: the defaults. */
int kin__pickle_decode(kin_bytes bytes, const struct kin__decode_input *input,
                       kin_object **ret_object, size_t *ret_size, kin_pickle_fault *ret_fault);

#endif
