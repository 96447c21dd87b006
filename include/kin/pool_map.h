/**
 * A function over many objects, in the workers of a pool.
 *
 *     kin_object *numbers = kin_object_from_range(0, 10), *squares;
 *     if (kin_pool_map(pool, square, numbers, NULL, KIN_FOREVER, &squares) == 0) {
 *         kin_object_print(squares, stdout);          [0, 1, 4, 9, 16, 25, 36, 49, 64, 81]
 *     }
 */
#ifndef KIN_POOL_MAP_H
#define KIN_POOL_MAP_H

#include <kin/object.h>
#include <kin/pool.h>

KIN_BEGIN

/** What kin_pool_map can be told. */
typedef struct kin_pool_map_options {
    size_t size; /* of this struct */

    /* Gets what became of each task, without bytes; to be freed with kin_pool_results_free. A task
     * that fails does not fail the map then: its result is None. */
    kin_pool_results **ret_outcomes;
} kin_pool_map_options;

/**
 * Runs `function` once for each object of `inputs`, a list, tuple or range, and waits for all
 * results: a list, in the order of the inputs. An input that is a tuple has all the arguments of
 * its task, any other is the one argument (kin_call_argument). NULL options: the defaults. The
 * inputs are borrowed, and must not change, until it returns.
 *
 * Handles in inputs and results keep what they name alive until the other side has them. An fd may
 * be in an input, at most 64 in each.
 *
 * Returns what kin_pool_map_bytes does, or
 *   -EINVAL      inputs are something else than a list, tuple or range
 *   -EOPNOTSUPP  an input cannot be a pickle
 *   KIN_ELIMIT   too many handles or fds are in an input
 *   -ENOMEM      also: `inputs` is NULL
 *   what a class's getstate returned for an input
 *   the code of the first task, in the order of the inputs, that failed, unless the outcomes were
 *   asked for: what its function returned; KIN_EWORKER: its worker died; or that of
 *   kin_pickle_decode: its result cannot be read. All tasks have run then.
 */
KIN_API int kin_pool_map(kin_pool *pool, kin_function *function, const kin_object *inputs,
                         const kin_pool_map_options *options, kin_timeout timeout,
                         kin_object **ret_results);

KIN_END

#endif
