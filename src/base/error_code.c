/*
 * Names and texts of codes: kin's own come from KIN_ERROR_TABLE, those of errno from the
 * table below, which has all that POSIX defines and what Linux adds and kin's calls meet.
 * <errno.h> is here for its constants only.
 */
#include <kin/error.h>

#include <errno.h>

struct code_words {
    const char *name;
    const char *text;
};

static const struct code_words unknown_code = {"unknown", "an unknown code"};

#define WORDS(name, text) [name] = {#name, text}

static const struct code_words errno_words[] = {
    WORDS(E2BIG, "the arguments are too long"),
    WORDS(EACCES, "permission denied"),
    WORDS(EADDRINUSE, "the address is in use"),
    WORDS(EADDRNOTAVAIL, "the address is not available here"),
    WORDS(EAFNOSUPPORT, "the address family is not supported"),
    WORDS(EAGAIN, "not possible now"),
    WORDS(EALREADY, "already under way"),
    WORDS(EBADF, "not an open file descriptor"),
    WORDS(EBADMSG, "the bytes received are not valid"),
    WORDS(EBUSY, "in use"),
    WORDS(ECANCELED, "cancelled"),
    WORDS(ECHILD, "no such child process"),
    WORDS(ECONNABORTED, "the connection was aborted"),
    WORDS(ECONNREFUSED, "the connection was refused"),
    WORDS(ECONNRESET, "the connection was cut off by the other side"),
    WORDS(EDEADLK, "waiting would never end"),
    WORDS(EDESTADDRREQ, "a destination address is needed"),
    WORDS(EDOM, "outside of the function's domain"),
    WORDS(EDQUOT, "the disk quota is used up"),
    WORDS(EEXIST, "exists already"),
    WORDS(EFAULT, "bad address"),
    WORDS(EFBIG, "the file would become too large"),
    WORDS(EHOSTDOWN, "the host is down"),
    WORDS(EHOSTUNREACH, "there is no way to the host"),
    WORDS(EIDRM, "the identifier was removed"),
    WORDS(EILSEQ, "an invalid sequence of bytes in a text"),
    WORDS(EINPROGRESS, "in progress"),
    WORDS(EINTR, "interrupted by a signal"),
    WORDS(EINVAL, "invalid argument"),
    WORDS(EIO, "input or output failed"),
    WORDS(EISCONN, "connected already"),
    WORDS(EISDIR, "is a directory"),
    WORDS(ELOOP, "too many symbolic links"),
    WORDS(EMFILE, "this process has too many files open"),
    WORDS(EMLINK, "too many links"),
    WORDS(EMSGSIZE, "the message is too long"),
    WORDS(ENAMETOOLONG, "the name is too long"),
    WORDS(ENETDOWN, "the network is down"),
    WORDS(ENETRESET, "the network cut the connection"),
    WORDS(ENETUNREACH, "there is no way to the network"),
    WORDS(ENFILE, "the system has too many files open"),
    WORDS(ENOBUFS, "no buffer space left"),
    WORDS(ENODATA, "no data"),
    WORDS(ENODEV, "no such device"),
    WORDS(ENOENT, "no such file or directory"),
    WORDS(ENOEXEC, "not a program that can be run"),
    WORDS(ENOLCK, "no locks left"),
    WORDS(ENOLINK, "the link was cut"),
    WORDS(ENOMEM, "no memory left"),
    WORDS(ENOMSG, "no such message"),
    WORDS(ENOPROTOOPT, "the protocol has no such option"),
    WORDS(ENOSPC, "no space left"),
    WORDS(ENOSR, "no stream resources left"),
    WORDS(ENOSTR, "not a stream"),
    WORDS(ENOSYS, "the system does not have this call"),
    WORDS(ENOTBLK, "not a block device"),
    WORDS(ENOTCONN, "not connected"),
    WORDS(ENOTDIR, "not a directory"),
    WORDS(ENOTEMPTY, "the directory is not empty"),
    WORDS(ENOTRECOVERABLE, "the state is lost for good"),
    WORDS(ENOTSOCK, "not a socket"),
    WORDS(ENOTTY, "not a terminal, or not a request it knows"),
    WORDS(ENXIO, "no such device or address"),
    WORDS(EOPNOTSUPP, "not supported"),
    WORDS(EOVERFLOW, "the value is too large for its type"),
    WORDS(EOWNERDEAD, "the owner died"),
    WORDS(EPERM, "not permitted"),
    WORDS(EPIPE, "closed: nothing goes through any more"),
    WORDS(EPROTO, "the protocol was violated"),
    WORDS(EPROTONOSUPPORT, "the protocol is not supported"),
    WORDS(EPROTOTYPE, "the wrong protocol for this socket"),
    WORDS(ERANGE, "out of range"),
    WORDS(EROFS, "the file system is read-only"),
    WORDS(ESHUTDOWN, "this end was shut down"),
    WORDS(ESPIPE, "a pipe has no positions"),
    WORDS(ESRCH, "no such process"),
    WORDS(ESTALE, "the object is gone"),
    WORDS(ETIME, "the timer ran out"),
    WORDS(ETIMEDOUT, "the deadline passed"),
    WORDS(ETXTBSY, "the program is running"),
    WORDS(EUSERS, "too many users"),
    WORDS(EXDEV, "on another file system"),
};

#undef WORDS

enum { ERRNO_COUNT = (int)(sizeof(errno_words) / sizeof(errno_words[0])) };

static const struct own_words {
    int code;
    struct code_words words;
} own_words[] = {
#define OWN_WORDS(name, value, text) {value, {#name, text}},
    KIN_ERROR_TABLE(OWN_WORDS)
#undef OWN_WORDS
};

enum { OWN_COUNT = (int)(sizeof(own_words) / sizeof(own_words[0])) };

static const struct code_words *code_words_find(int code)
{
    for (int i = 0; i < OWN_COUNT; i++) {
        if (own_words[i].code == code) {
            return &own_words[i].words;
        }
    }
    /* The lower bound comes first: the most negative int has no positive counterpart. */
    if (code <= -ERRNO_COUNT || code >= 0 || errno_words[-code].name == NULL) {
        return &unknown_code;
    }
    return &errno_words[-code];
}

const char *kin_code_name(int code)
{
    return code_words_find(code)->name;
}

const char *kin_code_text(int code)
{
    return code_words_find(code)->text;
}
