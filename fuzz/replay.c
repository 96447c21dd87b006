/*
 * Gives a fuzz target each file of a folder, in a process of its own, and says how many went well:
 *
 *     replay FOLDER
 *
 * With no folder, the target gets only the bytes of no file.
 */
#include "fuzz.h"

#include <dirent.h>
#include <sys/wait.h>
#include <unistd.h>

/* What a file holds, allocated so exactly that a sanitizer sees reads behind it. */
static uint8_t *read_file(const char *path, size_t *ret_size)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return NULL;
    }
    fseek(file, 0, SEEK_END);
    size_t size = (size_t)ftell(file);
    rewind(file);
    uint8_t *data = malloc(size == 0 ? 1 : size);
    *ret_size = data == NULL ? 0 : fread(data, 1, size, file);
    fclose(file);
    return data;
}

/* Whether the target goes well with a file. */
static int replay(const char *path)
{
    pid_t child = fork();
    if (child == 0) {
        size_t size;
        uint8_t *data = read_file(path, &size);
        alarm(20);
        if (data == NULL || LLVMFuzzerTestOneInput(data, size) != 0) {
            exit(1);
        }
        free(data);
        exit(0);
    }
    int status = 1;
    waitpid(child, &status, 0);
    if (status != 0) {
        printf("FAIL %s: status %d\n", path, status);
    }
    return status == 0;
}

int main(int argc, char **argv)
{
    int passed = 0;
    int failed = 0;
    DIR *folder = argc > 1 ? opendir(argv[1]) : NULL;
    for (struct dirent *entry; folder != NULL && (entry = readdir(folder)) != NULL;) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", argv[1], entry->d_name);
        if (entry->d_name[0] != '.') {
            int is_well = replay(path);
            passed += is_well;
            failed += !is_well;
        }
    }
    if (folder != NULL) {
        closedir(folder);
    }
    printf("%d passed, %d failed\n", passed, failed);
    return failed != 0 || passed == 0;
}
