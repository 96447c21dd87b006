/*
 * Runs functions that are registered outside of the program: program MODULE...
 *
 * Each MODULE is loaded with dlopen and has a function `loaded`; `linked` comes with a library
 * that the program is linked with. Prints what kin_init said if it failed, or what each function
 * makes of 7 in a worker, and what becomes of a module that is loaded after the pool was made.
 */
#include <dlfcn.h>
#include <errno.h>
#include <kin.h>
#include <stdio.h>
#include <string.h>

kin_function linked;

static kin_function *load(const char *path)
{
    void *module = dlopen(path, RTLD_NOW);
    void *symbol = module == NULL ? NULL : dlsym(module, "loaded");
    kin_function *function = NULL;
    if (symbol == NULL) {
        printf("%s\n", dlerror());
        return NULL;
    }
    memcpy(&function, &symbol, sizeof function);
    return function;
}

static void run(kin_pool *pool, const char *name, kin_function *function)
{
    int number = 7;
    kin_bytes input = {.data = &number, .size = sizeof number};
    kin_pool_results *results = NULL;
    int code = kin_pool_map_bytes(pool, function, &input, 1, KIN_FOREVER, &results);
    if (code == 0) {
        memcpy(&number, kin_pool_results_at(results, 0)->bytes.data, sizeof number);
        printf("%s: %d\n", name, number);
    } else {
        printf("%s: %s\n", name, kin_code_name(code));
    }
    kin_pool_results_free(results);
}

int main(int argc, char **argv)
{
    kin_function *loaded = argc > 1 ? load(argv[1]) : NULL;
    int code = kin_init(&argc, &argv);
    kin_pool *pool = NULL;
    if (code < 0) {
        printf("kin_init: %s\n", kin_code_name(code));
        return 1;
    }
    if (kin_pool_create(KIN_OPTIONS(kin_pool_options, .worker_count = 1), &pool) < 0) {
        return 1;
    }
    run(pool, "linked", linked);
    if (loaded != NULL) {
        run(pool, "loaded", loaded);
    }
    if (argc > 2) {
        run(pool, "loaded late", load(argv[2]));
    }
    kin_pool_free(pool);
    return 0;
}
