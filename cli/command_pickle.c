/*
 * kin pickle: what is in a pickle, shown without executing anything, or written again.
 */
#define _GNU_SOURCE
#include <argp.h>
#include <errno.h>
#include <inttypes.h>
#include <kin.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "input.h"
#include "json.h"
#include "output.h"

enum form { OUTPUT_REPR = 'r', OUTPUT_JSON = 'j', OUTPUT_DISASSEMBLE = 'd', OUTPUT_PICKLE = 'p' };

enum option_key {
    OPTION_FROM = 0x100,
    OPTION_INDENT,
    OPTION_COLOR,
    OPTION_INPUT_MAX,
    OPTION_OUTPUT_MAX,
    OPTION_MEMORY_MAX,
    OPTION_OBJECTS_MAX,
    OPTION_OPCODES_MAX,
    OPTION_MEMO_MAX,
    OPTION_DEPTH_MAX,
    OPTION_INTEGER_BITS_MAX,
    OPTION_TIME_MAX
};

struct request {
    const char *file;
    int output;
    bool is_json; /* the input */
    bool has_color;
    int indent;
    uint32_t protocol;
    kin_pickle_decode_options decode;
    uint64_t output_bytes_max;
    struct output written;
    uint64_t index; /* of the pickle in the file */
};

static const struct argp_option options[] = {
    {"repr", OUTPUT_REPR, NULL, 0, "Show each object as Python's repr does (default)", 1},
    {"json", OUTPUT_JSON, NULL, 0, "Show each object as JSON, one a line", 1},
    {"disassemble", OUTPUT_DISASSEMBLE, NULL, 0, "Show the opcodes, as Python's pickletools does",
     1},
    {"pickle", OUTPUT_PICKLE, NULL, 0, "Write each object as a pickle again", 1},
    {"from", OPTION_FROM, "FORMAT", 0, "What the input is: pickle (default) or json", 2},
    {"protocol", 'P', "N", 0, "With --pickle: the protocol, 2 to 5 (default: 4)", 2},
    {"indent", OPTION_INDENT, "N", 0, "With --json: lines, and N spaces a level", 2},
    {"color", OPTION_COLOR, "WHEN", 0, "auto (default), always or never", 2},
    {NULL, 0, NULL, 0, "Limits (sizes in bytes, or with K, M or G behind):", 3},
    {"input-max", OPTION_INPUT_MAX, "SIZE", 0, "Of the input (1G)", 3},
    {"output-max", OPTION_OUTPUT_MAX, "SIZE", 0, "Of the output (4G)", 3},
    {"memory-max", OPTION_MEMORY_MAX, "SIZE", 0, "Of all objects (256M + 8 times the input)", 3},
    {"objects-max", OPTION_OBJECTS_MAX, "N", 0, "Objects (10 million)", 3},
    {"opcodes-max", OPTION_OPCODES_MAX, "N", 0, "Opcodes (50 million)", 3},
    {"memo-max", OPTION_MEMO_MAX, "N", 0, "Entries of the memo (10 million)", 3},
    {"depth-max", OPTION_DEPTH_MAX, "N", 0, "Objects in objects (1000)", 3},
    {"integer-bits-max", OPTION_INTEGER_BITS_MAX, "N", 0, "Bits of an int (1 million)", 3},
    {"time-max-ms", OPTION_TIME_MAX, "MS", 0, "Milliseconds (10 000)", 3},
    {0}};

static const char documentation[] =
    "Shows what is in a pickle, without executing anything: what names a class or function that "
    "kin "
    "does not know is shown, and written again, as data.\v"
    "FILE is read from standard input if it is - or missing; several pickles in it are shown one "
    "after another. Exit status: 0; 1: the input is bad, and standard error says at which offset "
    "and opcode, and why; 2: the command line is wrong.";

/* A number above 0, if `has_unit` with K, M or G behind it. */
static uint64_t number_of(const char *argument, uint64_t most, bool has_unit,
                          struct argp_state *state)
{
    char *end = NULL;
    errno = 0;
    uint64_t value = strtoull(argument, &end, 10);
    unsigned shift = 0;
    if (has_unit && *end != '\0' && end[1] == '\0') {
        shift = *end == 'K' ? 10 : *end == 'M' ? 20 : *end == 'G' ? 30 : 0;
        end += shift != 0 ? 1 : 0;
    }
    if (argument[0] < '0' || argument[0] > '9' || *end != '\0' || errno != 0 || value == 0 ||
        value > most >> shift) {
        argp_error(state,
                   has_unit ? "'%s' is not a size: a number above 0, or with K, M or G behind it"
                            : "'%s' is not a number from 1 to %" PRIu64,
                   argument, most);
    }
    return value << shift;
}

static bool is_color_wanted(const char *when, struct argp_state *state)
{
    if (strcmp(when, "always") == 0 || strcmp(when, "never") == 0) {
        return *when == 'a';
    }
    if (strcmp(when, "auto") != 0) {
        argp_error(state, "--color: 'auto', 'always' or 'never', not '%s'", when);
    }
    const char *without = getenv("NO_COLOR");
    const char *terminal = getenv("TERM");
    return isatty(STDERR_FILENO) != 0 && (without == NULL || *without == '\0') &&
           (terminal == NULL || strcmp(terminal, "dumb") != 0);
}

static bool is_json_named(const char *format, struct argp_state *state)
{
    bool is_json = strcmp(format, "json") == 0;
    if (!is_json && strcmp(format, "pickle") != 0) {
        argp_error(state, "--from: 'pickle' or 'json', not '%s'", format);
    }
    return is_json;
}

static error_t parse_limit(int key, const char *argument, struct argp_state *state)
{
    struct request *request = state->input;
    kin_pickle_limits *limits = &request->decode.limits;
    switch (key) {
    case OPTION_INPUT_MAX:
        limits->input_bytes_max = number_of(argument, INT64_MAX, true, state);
        return 0;
    case OPTION_OUTPUT_MAX:
        request->output_bytes_max = number_of(argument, INT64_MAX, true, state);
        return 0;
    case OPTION_MEMORY_MAX:
        limits->memory_bytes_max = number_of(argument, INT64_MAX, true, state);
        return 0;
    case OPTION_OBJECTS_MAX:
        limits->object_count_max = number_of(argument, INT64_MAX, false, state);
        return 0;
    case OPTION_OPCODES_MAX:
        limits->opcode_count_max = number_of(argument, INT64_MAX, false, state);
        return 0;
    case OPTION_MEMO_MAX:
        limits->memo_count_max = number_of(argument, INT64_MAX, false, state);
        return 0;
    case OPTION_DEPTH_MAX:
        limits->depth_max = (uint32_t)number_of(argument, INT32_MAX, false, state);
        return 0;
    case OPTION_INTEGER_BITS_MAX:
        limits->integer_bits_max = (uint32_t)number_of(argument, INT32_MAX, false, state);
        return 0;
    case OPTION_TIME_MAX:
        limits->time_ms_max = (uint32_t)number_of(argument, INT32_MAX, false, state);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static error_t parse(int key, char *argument, struct argp_state *state)
{
    struct request *request = state->input;
    switch (key) {
    case OUTPUT_REPR:
    case OUTPUT_JSON:
    case OUTPUT_DISASSEMBLE:
    case OUTPUT_PICKLE:
        if (request->output != 0 && request->output != key) {
            argp_error(state, "only one of --repr, --json, --disassemble and --pickle");
        }
        request->output = key;
        return 0;
    case OPTION_FROM:
        request->is_json = is_json_named(argument, state);
        return 0;
    case 'P':
        if (argument[0] < '2' || argument[0] > '5' || argument[1] != '\0') {
            argp_error(state, "'%s' is not a protocol that can be written: 2 to 5", argument);
        }
        request->protocol = (uint32_t)(argument[0] - '0');
        return 0;
    case OPTION_INDENT:
        request->indent = (int)number_of(argument, 16, false, state);
        return 0;
    case OPTION_COLOR:
        request->has_color = is_color_wanted(argument, state);
        return 0;
    case ARGP_KEY_ARG:
        if (request->file != NULL) {
            argp_error(state, "one file at a time");
        }
        request->file = argument;
        return 0;
    default:
        return parse_limit(key, argument, state);
    }
}

/* Says on standard error what is wrong. Returns the exit status. */
static int complain(const struct request *request, const char *words)
{
    fflush(request->written.stream);
    fflush(stdout);
    const char *name = strcmp(request->file, "-") == 0 ? "standard input" : request->file;
    fprintf(stderr, "%skin: %s:%s %s\n", request->has_color ? "\033[1;31m" : "", name,
            request->has_color ? "\033[0m" : "", words);
    return STATUS_BAD;
}

static int complain_of_fault(const struct request *request, uint64_t start,
                             const kin_pickle_fault *fault)
{
    char words[300];
    snprintf(words, sizeof words, "offset %" PRIu64 ", %s: %s", start + fault->offset,
             fault->opcode[0] == '\0' ? "no opcode" : fault->opcode, fault->reason);
    return complain(request, words);
}

static int write_pickle(const struct request *request, const kin_object *object)
{
    kin_object *bytes = NULL;
    int r = kin_pickle_encode(
        object, KIN_OPTIONS(kin_pickle_encode_options, .protocol = request->protocol), &bytes);
    kin_bytes pickle = kin_object_bytes(bytes);
    if (r == 0 && fwrite(pickle.data, 1, pickle.size, request->written.stream) != pickle.size) {
        r = -EIO;
    }
    kin_object_free(bytes);
    return r;
}

/* Shows an object in the form that is wanted. Returns the exit status. */
static int show(const struct request *request, const kin_object *object)
{
    int r = request->output == OUTPUT_PICKLE ? write_pickle(request, object)
            : request->output == OUTPUT_JSON
                ? json_write(object, request->indent, request->written.stream)
                : kin_object_print(object, request->written.stream);
    if (r == -ELOOP) {
        return complain(request, "leads back to itself, or is too deep for JSON");
    }
    if (r < 0 && r != -EIO) {
        return complain(request, kin_code_text(r));
    }
    return STATUS_FINE; /* what cannot be written is noticed at the end */
}

/* Shows the pickle at `start`; `*ret_size` gets its size. Returns the exit status. */
static int show_pickle(struct request *request, const struct input *input, size_t start,
                       size_t *ret_size)
{
    kin_pickle_fault fault;
    kin_object *object = NULL;
    const unsigned char *data = input->data + start;
    size_t size = input->size - start;
    if (request->output == OUTPUT_DISASSEMBLE) {
        if (request->index > 0) {
            fprintf(request->written.stream, "# pickle %" PRIu64 ", at offset %zu\n",
                    request->index + 1, start);
        }
        int r = kin_pickle_disassemble(data, size, request->written.stream, ret_size, &fault);
        return r < 0 && r != -EIO ? complain_of_fault(request, start, &fault) : STATUS_FINE;
    }
    if (kin_pickle_decode(data, size, &request->decode, &object, ret_size, &fault) < 0) {
        return complain_of_fault(request, start, &fault);
    }
    int status = show(request, object);
    kin_object_free(object);
    return status;
}

static int show_pickles(struct request *request, const struct input *input)
{
    int status = STATUS_FINE;
    size_t start = 0;
    if (input->size == 0) {
        return complain(request, "offset 0: there is nothing");
    }
    while (status == STATUS_FINE && start < input->size && !ferror(request->written.stream)) {
        size_t size = 0;
        status = show_pickle(request, input, start, &size);
        if (size == 0) {
            break;
        }
        start += size;
        request->index++;
    }
    return status;
}

/* A value of a JSON text: taken. */
static int take(void *user, kin_object *object)
{
    const struct request *request = user;
    int status = STATUS_FINE;
    if (request->output == OUTPUT_DISASSEMBLE) {
        kin_object *bytes = NULL;
        int r = kin_pickle_encode(
            object, KIN_OPTIONS(kin_pickle_encode_options, .protocol = request->protocol), &bytes);
        kin_bytes pickle = kin_object_bytes(bytes);
        r = r < 0 ? r
                  : kin_pickle_disassemble(pickle.data, pickle.size, request->written.stream, NULL,
                                           NULL);
        status = r < 0 ? complain(request, kin_code_text(r)) : STATUS_FINE;
        kin_object_free(bytes);
    } else {
        status = show(request, object);
    }
    kin_object_free(object);
    return status == STATUS_FINE ? 0 : -ECANCELED;
}

static int show_json(struct request *request, const struct input *input)
{
    struct json_fault fault = {.offset = 0};
    int r = json_read(input->data, input->size, take, request, &fault);
    if (r < 0 && r != -ECANCELED) {
        char words[300];
        snprintf(words, sizeof words, "offset %zu: %s", fault.offset,
                 fault.reason[0] == '\0' ? kin_code_text(r) : fault.reason);
        complain(request, words);
    }
    return r < 0 ? STATUS_BAD : STATUS_FINE;
}

static int run(struct request *request)
{
    struct input input;
    uint64_t most = request->decode.limits.input_bytes_max;
    if (!output_open(&request->written, request->output_bytes_max)) {
        fprintf(stderr, "kin: no memory\n");
        return STATUS_BAD;
    }
    int status = STATUS_BAD;
    if (!input_open(&input, request->file, most == 0 ? (size_t)1 << 30 : (size_t)most)) {
        complain(request, strerror(errno));
    } else {
        status = request->is_json ? show_json(request, &input) : show_pickles(request, &input);
        input_close(&input);
    }
    if (!output_close(&request->written)) {
        fprintf(stderr, request->written.is_beyond ? "kin: the output goes beyond --output-max\n"
                                                   : "kin: the output cannot be written\n");
        status = STATUS_BAD;
    }
    return status;
}

int command_pickle(int argc, char **argv)
{
    static const struct argp argp = {
        .options = options, .parser = parse, .args_doc = "[FILE|-]", .doc = documentation};
    static char name[] = "kin pickle";
    struct request request = {.file = NULL, .output_bytes_max = UINT64_C(1) << 32};
    request.decode.size = sizeof request.decode;
    request.decode.limits.size = sizeof request.decode.limits;
    request.decode.is_prefix = true;
    request.has_color = is_color_wanted("auto", NULL);
    argv[0] = name;
    argp_parse(&argp, argc, argv, 0, NULL, &request);
    request.file = request.file == NULL ? "-" : request.file;
    request.output = request.output == 0 ? OUTPUT_REPR : request.output;
    if (request.output == OUTPUT_PICKLE && isatty(STDOUT_FILENO) != 0) {
        fprintf(stderr, "kin: a pickle is not for a terminal: redirect it\n");
        return STATUS_USAGE;
    }
    return run(&request);
}
