/*
 * A child that answers, over a two-way pipe, and hands out an fd. See docs/guide/connections.md.
 */
#include <ctype.h>
#include <errno.h>
#include <kin.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static kin_connection *parent_end;
static kin_connection *child_end;

/* A message, and with it the end of a pipe from which there is something to read. */
static int send_letter(kin_connection *connection)
{
    int fds[2];
    if (pipe(fds) != 0) {
        return -EMFILE;
    }
    ssize_t written = write(fds[1], "dear parent", 11);
    kin_bytes text = {"a letter", 8};
    int r = written != 11 ? -EIO
                          : kin_connection_send_fds(connection, text, &fds[0], 1, KIN_FOREVER);
    close(fds[0]);
    close(fds[1]);
    return r;
}

/* Runs in a child: says what it hears, louder, until the other end is closed. */
static int answer(kin_call *call)
{
    char text[64];
    size_t size;
    int r;
    (void)call;
    kin_connection_free(parent_end); /* or this end would wait for what it could send itself */
    while ((r = kin_connection_receive_into(child_end, text, sizeof text, KIN_FOREVER, &size)) ==
           0) {
        for (size_t i = 0; i < size; i++) {
            text[i] = (char)toupper((unsigned char)text[i]);
        }
        r = kin_connection_send_bytes(child_end, text, size, kin_within_ms(60000));
        if (r < 0) {
            return r;
        }
        if (size == 4 && memcmp(text, "MAIL", 4) == 0) {
            send_letter(child_end);
        }
    }
    kin_connection_free(child_end);
    return r == -EPIPE ? 0 : r; /* the end of the file is how it ends */
}
KIN_FUNCTION(answer)

static void ask(const char *question)
{
    char text[64];
    size_t size;
    kin_connection_send_bytes(parent_end, question, strlen(question), KIN_FOREVER);
    if (kin_connection_receive_into(parent_end, text, sizeof text, KIN_FOREVER, &size) == 0) {
        printf("%.*s\n", (int)size, text);
    }
}

int main(int argc, char **argv)
{
    kin_process *child;
    char text[64];
    size_t size;
    kin_fds fds;
    kin_init(&argc, &argv);
    if (kin_pipe_create(true, &parent_end, &child_end) < 0 ||
        kin_process_start_bytes(answer, NULL, 0, NULL, &child) < 0) {
        return 1;
    }
    kin_connection_free(child_end);
    ask("hello");
    ask("is there any");
    ask("mail");
    if (kin_connection_receive_fds(parent_end, text, sizeof text, KIN_FOREVER, &size, &fds) == 0 &&
        fds.count == 1) {
        printf("%.*s, with an fd: ", (int)size, text);
        ssize_t bytes = read(fds.fds[0], text, sizeof text);
        printf("%.*s\n", (int)bytes, text);
        close(fds.fds[0]); /* it is ours */
    }
    kin_connection_free(parent_end);
    kin_process_join(child, KIN_FOREVER);
    int code = -1;
    kin_process_exit_code(child, &code);
    printf("the child ended with %d\n", code);
    kin_process_free(child);
    return 0;
}
