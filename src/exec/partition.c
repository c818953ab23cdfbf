// partition: a sub-query over the rows of each key.
//
// The input is collected and its rows are put in the order of their keys, keys in the
// order in which they came; then the sub-query runs over each key in turn. So the answer
// is the same on any number of threads; a key of many rows is worked on by all of them.

#include "base/array.h"
#include "exec/internal.h"
#include "exec/keys.h"

typedef struct Partition {
    Exec *exec;
    struct {
        Batch **items;
        size_t len, cap;
    } out;
    uint64_t out_rows;
} Partition;

static bool
keep_answer(void *context, const ResultTable *answer)
{
    Partition *partition = context;
    Worker *worker = &partition->exec->workers[0];
    for (uint32_t b = 0; b < answer->batch_count; b++) {
        ARRAY_PUSH(&worker->keep, &partition->out, batch_copy(&worker->keep, answer->batches[b]));
        partition->out_rows += answer->batches[b]->count;
    }
    return worker_check(worker) && worker_charge(worker, "the rows of partition");
}

// The rows of the input by key, and how many keys there are.
static bool
rows_by_key(Exec *exec, const Batch *input, uint32_t first_key, uint32_t key_count,
            RowsByGroup *out, uint32_t *key_total)
{
    Worker *worker = &exec->workers[0];
    Arena scratch = {0}, *keep = &worker->keep;
    Type *types = ARENA_ARRAY(&scratch, Type, key_count);
    for (uint32_t k = 0; k < key_count; k++)
        types[k] = input->columns[first_key + k]->type;
    KeyLayout layout = key_layout(&scratch, types, key_count);
    GroupTable groups;
    group_table_init(&groups, &layout, 0, &scratch);
    uint32_t *group_of = arena_alloc_array(keep, input->count, sizeof(uint32_t));
    const Vector **keys = ARENA_ARRAY(&scratch, const Vector *, key_count);
    bool done = true;
    for (uint32_t from = 0; from < input->count && done; from += batch_rows) {
        uint32_t count = input->count - from < batch_rows ? input->count - from : batch_rows;
        Arena part = {0};
        uint64_t *words, *hashes;
        for (uint32_t k = 0; k < key_count; k++)
            keys[k] = vector_slice(&part, input->columns[first_key + k], from, count);
        key_encode(&part, &layout, keys, count, &words, &hashes);
        for (uint32_t i = 0; i < count; i++)
            group_of[from + i] = group_add(&groups, words + (size_t)i * layout.words, hashes[i]);
        arena_free(&part);
        done = worker_check(worker) &&
               worker_reserve(worker, scratch.allocated, "the keys of partition");
    }
    *key_total = groups.count;
    arena_free(&scratch);
    if (!done)
        return false;
    *out = rows_by_group(keep, group_of, input->count, *key_total);
    return worker_charge(worker, "the keys of partition");
}

ResultTable *
run_partition(Exec *exec, const Plan *plan, AzError *error)
{
    Arena *arena = exec->arena;
    uint32_t columns = plan->input->schema.count, key_count = plan->partition.key_count;
    Expr **keys;
    Pipeline pipeline = {0};
    if (!resolve_all(exec, plan->partition.keys, key_count, &keys, error) ||
        !pipeline_build(exec, plan->input, &pipeline, error))
        return NULL;
    pipeline_extend(exec, &pipeline, plan, keys, key_count);
    Schema schema = {ARENA_ARRAY(arena, Column, columns + key_count), columns + key_count};
    memcpy(schema.columns, plan->input->schema.columns, columns * sizeof(Column));
    for (uint32_t k = 0; k < key_count; k++)
        schema.columns[columns + k] = (Column){STR("$key"), keys[k]->type};
    ResultTable *table = pipeline_collect(exec, &pipeline, &schema, -1, error);
    Batch *input = table ? result_concat(exec, table, false, error) : NULL;
    RowsByGroup by_key;
    uint32_t key_total;
    if (!input || !exec_prepare(exec, plan->partition.subplan, error))
        return NULL;
    if (!rows_by_key(exec, input, columns, key_count, &by_key, &key_total))
        return exec_first_error(exec, error), NULL;
    Partition partition = {.exec = exec};
    for (uint32_t g = 0; g < key_total; g++) {
        SubRows over = {
            .leaf = plan->partition.leaf,
            .schema = &plan->input->schema,
            .whole = input,
            .rows = by_key.rows + by_key.starts[g],
            .count = by_key.starts[g + 1] - by_key.starts[g],
        };
        if (!exec_run_over(exec, plan->partition.subplan, &over, keep_answer, &partition, error))
            return NULL;
    }
    ResultTable *result = ARENA_NEW(arena, ResultTable);
    *result = (ResultTable){.schema = plan->schema,
                            .batches = partition.out.items,
                            .batch_count = (uint32_t)partition.out.len,
                            .row_count = partition.out_rows};
    return result;
}
