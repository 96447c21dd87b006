/* Prints which of OpenSSL's libraries are mapped, step by step, and what comes of each step. */
#include <kin.h>
#include <stdio.h>
#include <string.h>

static const char *mapped(void)
{
    static char text[64];
    char line[4096];
    int has_crypto = 0;
    int has_ssl = 0;
    FILE *maps = fopen("/proc/self/maps", "r");
    while (maps != NULL && fgets(line, sizeof line, maps) != NULL) {
        has_crypto |= strstr(line, "/libcrypto.so") != NULL;
        has_ssl |= strstr(line, "/libssl.so") != NULL;
    }
    if (maps != NULL) {
        fclose(maps);
    }
    snprintf(text, sizeof text, "%s%s", has_crypto ? " libcrypto" : "", has_ssl ? " libssl" : "");
    return text;
}

static void report(const char *step, int code)
{
    printf("%s: %s:%s\n", step, kin_code_name(code), mapped());
    fflush(stdout);
}

static int listen_once(const char *address, kin_bytes key, const kin_tls_options *tls)
{
    kin_listener *listener = NULL;
    int r = kin_listener_create(address, KIN_OPTIONS(kin_listener_options, .key = key, .tls = tls),
                                &listener);
    kin_listener_free(listener);
    return r;
}

int main(int argc, char **argv)
{
    unsigned char bytes[KIN_KEY_BYTES];
    kin_bytes key = {bytes, sizeof bytes};
    const kin_tls_options *tls = KIN_OPTIONS(kin_tls_options, .mode = KIN_TLS_KEY);
    int r = kin_init(&argc, &argv);
    kin_log_to_stderr(KIN_LOG_SUBWARNING);
    report("start", r);
    report("no key", listen_once("tcp:127.0.0.1:0", (kin_bytes){NULL, 0}, NULL));
    report("random", kin_key_generate(bytes, sizeof bytes));
    report("key", listen_once("tcp:127.0.0.1:0", key, NULL));
    report("TLS", listen_once("tcp:127.0.0.1:0", key, tls));
    kin_key_wipe(bytes, sizeof bytes);
    kin_fini();
    return 0;
}
