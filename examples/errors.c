/*
 * Errors: one that says which parts failed, and why each did. See docs/guide/errors.md.
 */
#include <errno.h>
#include <stdio.h>

#include <kin/error.h>

/* Pretends to read a page; pages 2 and 3 cannot be read. */
static int read_page(int page, kin_error **ret_error)
{
    if (page == 2) {
        kin_error *cause = KIN_ERROR(-ECONNREFUSED, "nobody listens on port 80");
        kin_error_options options = {.size = sizeof(options), .cause = cause};
        *ret_error = KIN_ERROR_WITH(&options, -EHOSTUNREACH, "page %d has no server", page);
        if (*ret_error == NULL) { /* no memory: the cause is still ours */
            kin_error_free(cause);
        }
        return -EHOSTUNREACH;
    }
    if (page == 3) {
        *ret_error = KIN_ERROR(-ETIMEDOUT, "page %d did not come within 250 ms", page);
        return -ETIMEDOUT;
    }
    return 0;
}

/* Reads pages 1 to 3 and reports all that failed, not only the first. */
static int read_book(kin_error **ret_error)
{
    kin_error *failures[3];
    kin_error_options options = {.size = sizeof(options), .children = failures};
    for (int page = 1; page <= 3; page++) {
        if (read_page(page, &failures[options.child_count]) < 0) {
            options.child_count++;
        }
    }
    if (options.child_count == 0) {
        return 0;
    }
    *ret_error = KIN_ERROR_WITH(&options, -EIO, "%zu of 3 pages failed", options.child_count);
    for (size_t i = 0; *ret_error == NULL && i < options.child_count; i++) {
        kin_error_free(failures[i]);
    }
    return -EIO;
}

int main(void)
{
    kin_error *error = NULL;
    int result = read_book(&error);
    if (result < 0) {
        printf("%s means: %s\n", kin_code_name(result), kin_code_text(result));
        kin_error_print(error, stdout);
    }
    kin_error_free(error);
    return 0;
}
