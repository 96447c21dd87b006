/*
 * References: two users share a picture, and a cache knows it without keeping it. When the last
 * user has gone, so has the picture, and the cache has forgotten it. See docs/guide/shutdown.md.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <kin.h>

struct picture {
    char name[16];
};

/* What is loaded; keeps nothing alive. */
static kin_weak *cached;

static void free_picture(void *object)
{
    struct picture *picture = object;
    printf("freed %s\n", picture->name);
    free(picture);
}

/* The picture has gone. */
static void forget(void *user)
{
    printf("the cache forgets %s\n", (const char *)user);
    cached = kin_weak_free(cached);
}

static kin_reference *load(const char *name)
{
    kin_reference *reference = NULL;
    struct picture *picture = malloc(sizeof *picture);
    if (picture == NULL) {
        return NULL;
    }
    snprintf(picture->name, sizeof picture->name, "%s", name);
    if (kin_reference_create(picture, free_picture, &reference) < 0) {
        free(picture);
        return NULL;
    }
    printf("loaded %s\n", name);
    char *user = malloc(sizeof picture->name);
    if (user != NULL) { /* outlives the picture: it is freed when nobody asks for it any more */
        memcpy(user, picture->name, sizeof picture->name);
        const kin_weak_options *options = KIN_OPTIONS(kin_weak_options, .callback = forget,
                                                      .user = user, .free_user = free);
        if (kin_weak_create(reference, options, &cached) < 0) { /* then it is not cached */
            free(user);
        }
    }
    return reference;
}

/* A use of the picture, to be given back. */
static kin_reference *open_picture(const char *name)
{
    kin_reference *reference = kin_weak_get(cached);
    return reference != NULL ? reference : load(name);
}

int main(void)
{
    kin_reference *first = open_picture("sunset");
    kin_reference *second = open_picture("sunset"); /* the same */
    if (first == NULL || second == NULL) {
        return 1;
    }
    printf("both see %s\n", ((struct picture *)kin_reference_object(second))->name);
    kin_reference_free(first);
    printf("one is left\n");
    kin_reference_free(second);
    kin_reference_free(open_picture("sunset")); /* loaded anew */
    return 0;
}
