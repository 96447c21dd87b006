#include "pool/result.h"

#include "base/allocate.h"

#include <errno.h>
#include <string.h>

#define PAGE_BYTES ((size_t)65536)
#define RESULT_ALIGNMENT ((size_t)16)

struct kin__result_page {
    struct kin__result_page *next;
    uint64_t reserved;
    unsigned char bytes[];
};

void kin__result_set(kin_result *result, const struct kin__outcome *outcome)
{
    *result = (kin_result){.index = outcome->index,
                           .code = outcome->code,
                           .attempt = outcome->attempt,
                           .worker_index = outcome->worker_index,
                           .error = outcome->error};
}

void kin__result_fail(kin_result *result, int code)
{
    kin__result_clear(result);
    result->bytes = (kin_bytes){0};
    result->code = code;
    result->error = KIN_ERROR(code, "the result could not be kept: %s", kin_code_text(code));
}

void kin__result_clear(kin_result *result)
{
    kin_error_free((kin_error *)(uintptr_t)result->error);
    result->error = NULL;
}

static void *find_place(kin_pool_results *results, size_t size)
{
    size_t needed = (size + RESULT_ALIGNMENT - 1) & ~(RESULT_ALIGNMENT - 1);
    if (results->pages == NULL || results->page_bytes - results->page_used < needed) {
        size_t bytes = needed > PAGE_BYTES ? needed : PAGE_BYTES;
        struct kin__result_page *page = kin__allocate(sizeof *page + bytes);
        if (page == NULL) {
            return NULL;
        }
        page->next = results->pages;
        results->pages = page;
        results->page_bytes = bytes;
        results->page_used = 0;
    }
    void *place = results->pages->bytes + results->page_used;
    results->page_used += needed;
    return place;
}

void kin__results_keep(kin_pool_results *results, kin_result *result, kin_bytes bytes)
{
    if (bytes.size == 0) {
        return;
    }
    void *place = find_place(results, bytes.size);
    if (place == NULL) {
        kin__result_fail(result, -ENOMEM);
        return;
    }
    memcpy(place, bytes.data, bytes.size);
    result->bytes = (kin_bytes){.data = place, .size = bytes.size};
}

kin_pool_results *kin__results_create(size_t count)
{
    kin_pool_results *results = NULL;
    size_t most = (SIZE_MAX - sizeof *results) / sizeof results->items[0];
    if (count <= most) {
        results = kin__allocate_zeroed(sizeof *results + count * sizeof results->items[0]);
    }
    if (results != NULL) {
        results->count = count;
    }
    return results;
}

size_t kin_pool_results_count(const kin_pool_results *results)
{
    return results == NULL ? 0 : results->count;
}

const kin_result *kin_pool_results_at(const kin_pool_results *results, size_t index)
{
    return results == NULL || index >= results->count ? NULL : &results->items[index];
}

kin_pool_results *kin_pool_results_free(kin_pool_results *results)
{
    if (results == NULL) {
        return NULL;
    }
    for (size_t i = 0; i < results->count; i++) {
        kin__result_clear(&results->items[i]);
    }
    while (results->pages != NULL) {
        struct kin__result_page *page = results->pages;
        results->pages = page->next;
        kin__release(page);
    }
    kin__release(results);
    return NULL;
}
