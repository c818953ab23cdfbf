// Recorded answers: {"method", "url", "status", "body"}, one a line.
//
// The files are read twice by one thread (recordings are small): the first time to
// find out which tables there are and what the unknown ones look like, the second
// time to write. Every answer leaves at least one row: an object with a route goes to
// its table, everything else of a 2xx answer (objects without one, empty pages, text)
// to RestAnswers, all other answers to RestErrors.

#include "store/ingest_parts.h"

#include "base/array.h"
#include "store/ingest_redact.h"

#include <string.h>

enum { TABLES_MAX = 512 };

typedef struct AnswerTable {
    Str name;
    TableKind kind;
    bool declared;
    Schema schema; // when declared
    IngestInfer infer;
    IngestTable table;
    IngestSink *sink;
    IngestCounts counts;
} AnswerTable;

typedef struct Answers {
    IngestRun *run;
    IngestWorker *worker;
    IngestFile *file;
    Map tables; // of AnswerTable *, any case
    AnswerTable *rest, *errors;
    bool writing; // second reading
    Arena arena;  // of one answer
    Buffer masked;
} Answers;

typedef struct Answer {
    Str method, url, body; // body: JSON text, empty when there is none
    int64_t status;
    bool has_status;
} Answer;

// Adds the table of that name; NULL when there are too many.
static AnswerTable *
table_add(Answers *answers, Str name, const Schema *fallback)
{
    AnswerTable *table = map_get(&answers->tables, name);
    if (table || answers->tables.len >= TABLES_MAX)
        return table;
    IngestRun *run = answers->run;
    table = ARENA_NEW(run->arena, AnswerTable);
    table->kind = TABLE_INVENTORY;
    Str own = str_copy(run->arena, name);
    table->declared = ingest_declared_schema(run, own, &table->name, &table->schema, &table->kind);
    if (!table->declared && fallback) {
        table->schema = *fallback;
        table->declared = true;
    }
    ingest_infer_init(&table->infer, run->arena);
    map_put(&answers->tables, own, table);
    return table;
}

static void
add_fixed_tables(Answers *answers)
{
    static Column columns[] = {
        {STR_INIT("Method"), TYPE_STRING},
        {STR_INIT("Url"), TYPE_STRING},
        {STR_INIT("Status"), TYPE_LONG},
        {STR_INIT("Body"), TYPE_DYNAMIC},
    };
    const Schema schema = {columns, COUNT_OF(columns)};
    answers->rest = table_add(answers, STR("RestAnswers"), &schema);
    answers->errors = table_add(answers, STR("RestErrors"), &schema);
}

// The text of the record, copied because the next walk takes the parser's buffers.
typedef struct Reading {
    Arena *arena;
    Answer *answer;
} Reading;

static bool
read_member(void *context, const JsonMember *member)
{
    Reading *reading = context;
    Answer *answer = reading->answer;
    bool is_text = member->kind == DYN_STRING;
    if (is_text && str_equal_ci(member->key, STR("method"))) {
        answer->method = str_copy(reading->arena, member->string);
    } else if (is_text && str_equal_ci(member->key, STR("url"))) {
        answer->url = str_copy(reading->arena, member->string);
    } else if (str_equal_ci(member->key, STR("status")) && member->kind == DYN_LONG) {
        answer->status = member->long_;
        answer->has_status = true;
    } else if (str_equal_ci(member->key, STR("body")) && member->kind != DYN_NULL) {
        // Some recorders keep a JSON body as text.
        Str text = str_trim(member->string);
        bool json = is_text && text.len && strchr("{[", text.ptr[0]) &&
                    ingest_value_end(text, 0) == text.len;
        answer->body = str_copy(reading->arena, json ? text : str_trim(member->raw));
    }
    return true;
}

typedef struct Identity {
    Arena *arena;
    Str id, type;
} Identity;

static bool
read_identity(void *context, const JsonMember *member)
{
    Identity *identity = context;
    if (member->kind == DYN_STRING && str_equal(member->key, STR("id")))
        identity->id = str_copy(identity->arena, member->string);
    else if (member->kind == DYN_STRING && str_equal(member->key, STR("type")))
        identity->type = str_copy(identity->arena, member->string);
    return true;
}

typedef struct RowWalk {
    IngestWorker *worker;
    IngestSink *sink;
} RowWalk;

static bool
put_member(void *context, const JsonMember *member)
{
    RowWalk *walk = context;
    return ingest_row_put(walk->worker, walk->sink, member);
}

// Writes one object with the column its URL gives. False when the store fails.
static bool
write_object(Answers *answers, AnswerTable *table, const AnswerRoute *route, Str text)
{
    IngestWorker *worker = answers->worker;
    RowWalk walk = {worker, table->sink};
    const char *why;
    size_t offset;
    ingest_row_begin(worker, table->sink);
    if (route->key.len)
        ingest_row_put_text(worker, table->sink, route->key, route->key_value);
    if (!json_walk_object(worker->parser, worker->tree, text, put_member, &walk, &why, &offset)) {
        ingest_row_drop(worker, table->sink);
        return true; // it was read before; cannot happen
    }
    return ingest_row_end(worker, table->sink, &table->counts, &why);
}

// A dynamic value as a member.
static JsonMember
member_of(Str key, Dyn tree)
{
    JsonMember member = {.key = key, .kind = dyn_kind(tree), .tree = tree};
    switch (member.kind) {
    case DYN_BOOL: member.boolean = dyn_bool(tree); break;
    case DYN_LONG: member.long_ = dyn_long(tree); break;
    case DYN_REAL: member.real = dyn_real(tree); break;
    case DYN_STRING: member.string = dyn_string(tree); break;
    default: break;
    }
    return member;
}

// A row of RestAnswers or RestErrors.
static bool
write_answer(Answers *answers, AnswerTable *table, const Answer *answer, Str body)
{
    if (!answers->writing)
        return true;
    IngestWorker *worker = answers->worker;
    IngestSink *sink = table->sink;
    const char *why;
    size_t offset;
    Dyn tree;
    ingest_row_begin(worker, sink);
    ingest_row_put_text(worker, sink, STR("Method"), answer->method);
    ingest_row_put_text(worker, sink, STR("Url"), answer->url);
    if (answer->has_status)
        ingest_row_put(
            worker, sink,
            &(JsonMember){.key = STR("Status"), .kind = DYN_LONG, .long_ = answer->status});
    dyn_builder_reset(worker->tree);
    if (body.len && json_to_dynamic(worker->parser, body, worker->tree, &why, &offset) &&
        dyn_finish(worker->tree, &tree, &why)) {
        JsonMember member = member_of(STR("Body"), tree);
        ingest_row_put(worker, sink, &member);
    }
    return ingest_row_end(worker, sink, &table->counts, &why);
}

// One object of a 2xx answer.
static bool
take_object(Answers *answers, const Answer *answer, Str text, bool is_page)
{
    IngestWorker *worker = answers->worker;
    Identity identity = {.arena = &answers->arena};
    AnswerTable *table = NULL;
    AnswerRoute route = {0};
    const char *why;
    size_t offset;
    if (json_walk_object(worker->parser, worker->tree, text, read_identity, &identity, &why,
                         &offset)) {
        route = answer_route(&answers->arena, answer->url, identity.id, identity.type, is_page);
        if (route.table.len)
            table = table_add(answers, route.table, NULL);
    }
    if (!table)
        return write_answer(answers, answers->rest, answer, text);
    if (answers->writing)
        return write_object(answers, table, &route, text);
    if (!table->declared && table->infer.records < INFER_RECORDS) {
        if (route.key.len)
            ingest_infer_name(&table->infer, route.key);
        ingest_infer_json(&table->infer, worker, text);
    }
    return true;
}

static bool
take_answer(Answers *answers, const Answer *answer)
{
    if (answer->has_status && (answer->status < 200 || answer->status > 299))
        return write_answer(answers, answers->errors, answer, answer->body);
    Str body = answer->body;
    if (!body.len || (body.ptr[0] != '{' && body.ptr[0] != '['))
        return write_answer(answers, answers->rest, answer, body);
    IngestRows rows = ingest_rows_of(body);
    IngestRecord row;
    bool any = false;
    while (ingest_rows_next(&rows, &row)) {
        any = true;
        if (!take_object(answers, answer, row.text, !rows.single))
            return false;
    }
    return any || write_answer(answers, answers->rest, answer, body);
}

static bool
visit_answer(void *context, const IngestChunk *chunk, const IngestRecord *record)
{
    Answers *answers = context;
    IngestWorker *worker = answers->worker;
    const char *why = record->problem;
    size_t offset;
    Answer answer = {0};
    Str text = record->text;
    arena_reset(&answers->arena);
    Reading reading = {&answers->arena, &answer};
    if (!why)
        text = ingest_redact(&answers->masked, text);
    bool read = !why && json_walk_object(worker->parser, worker->tree, text, read_member, &reading,
                                         &why, &offset);
    if (read && !answer.url.len && !answer.body.len) {
        read = false;
        why = "the record is no recorded answer: it has neither \"url\" nor \"body\"";
    }
    if (read)
        return take_answer(answers, &answer);
    return !answers->writing ||
           ingest_reject(answers->run, answers->file, chunk, record->text, why, false);
}

static bool
read_files(Answers *answers, IngestFile **files, size_t count, AzError *error)
{
    for (size_t i = 0; i < count && !answers->run->failed; i++) {
        answers->file = files[i];
        answers->run->progress_file = files[i]->path;
        if (!ingest_file_visit(answers->worker, files[i], visit_answer, answers))
            return error_set(error, AZ_IO, "%s", files[i]->problem);
    }
    return !answers->run->failed;
}

static bool
make_tables(Answers *answers, AzError *error)
{
    for (size_t i = 0; i < answers->tables.len; i++) {
        AnswerTable *table = answers->tables.entries[i].pointer;
        if (!table->declared)
            table->schema = ingest_infer_schema(&table->infer);
        if (!ingest_table_make(answers->run, table->name, &table->schema, table->kind,
                               &table->table, error))
            return false;
        table->sink = ingest_sink_new(answers->run, &table->table);
    }
    return true;
}

static bool
flush_tables(Answers *answers)
{
    bool done = true;
    for (size_t i = 0; i < answers->tables.len; i++) {
        AnswerTable *table = answers->tables.entries[i].pointer;
        done = done && (!table->sink || ingest_sink_flush(table->sink));
        ingest_sink_free(table->sink);
        table->sink = NULL;
    }
    return done;
}

static bool
report_tables(Answers *answers, Str file, AzError *error)
{
    IngestRun *run = answers->run;
    IngestReport *report = run->report;
    report->tables = ARENA_ARRAY(run->arena, IngestTableReport, answers->tables.len);
    IngestStatus *rows = ARENA_ARRAY(run->arena, IngestStatus, answers->tables.len);
    for (size_t i = 0; i < answers->tables.len; i++) {
        const AnswerTable *table = answers->tables.entries[i].pointer;
        if (!table->counts.rows)
            continue;
        rows[report->table_count] = (IngestStatus){.dataset = table->table.name,
                                                   .scope = STR("recording"),
                                                   .status = STR("collected"),
                                                   .rows = table->counts.rows};
        report->tables[report->table_count++] =
            (IngestTableReport){.table = table->table.name,
                                .file = file,
                                .rows = table->counts.rows,
                                .unmapped = table->counts.unmapped};
    }
    return ingest_status_write(run, rows, report->table_count, error);
}

bool
ingest_answers(Store *store, const char *const *files, size_t file_count,
               const IngestOptions *options, Arena *arena, IngestReport *report, AzError *error)
{
    *report = (IngestReport){0};
    if (!file_count)
        return error_set(error, AZ_INVALID, "an import of recorded answers needs a file");
    IngestRun run = {0};
    AzError failure = {0};
    ingest_run_begin(&run, store, options, arena, report);
    IngestFile **list = ingest_files_named(&run, files, file_count);
    Answers answers = {.run = &run, .worker = &run.workers[0]};
    map_init(&answers.tables, arena, true);
    add_fixed_tables(&answers);
    StoreImportInfo info = {str_from(files[0]), {0}, str_from(options->tool_version), true};
    run.writer = store_writer_new(store, &info, &failure);
    bool done = run.writer && read_files(&answers, list, file_count, &failure) &&
                make_tables(&answers, &failure);
    run.bytes_done = 0; // the second reading counts
    answers.writing = true;
    done = done && read_files(&answers, list, file_count, &failure);
    done = flush_tables(&answers) && done;
    done = done && report_tables(&answers, file_count == 1 ? list[0]->name : (Str){0}, &failure);
    if (!done && failure.code)
        ingest_run_fail(&run, &failure);
    arena_free(&answers.arena);
    buffer_free(&answers.masked);
    return ingest_run_end(&run, error);
}
