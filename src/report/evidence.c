#include "report/evidence.h"

#include "report/result.h"
#include "value/json.h"
#include "value/scalar.h"

#include <nettle/base16.h>
#include <nettle/sha2.h>
#include <stdio.h>
#include <string.h>

// What stands before the hashes and between them.
static const Str BEFORE_PREV = STR_INIT("{\"prev\":\"");
static const Str BEFORE_HASH = STR_INIT("\",\"hash\":\"");
static const Str BEFORE_BODY = STR_INIT("\",");

static void
chain_hash(const char *prev, Str body, char out[EVIDENCE_HASH + 1])
{
    struct sha256_ctx state;
    uint8_t digest[SHA256_DIGEST_SIZE];
    sha256_init(&state);
    sha256_update(&state, EVIDENCE_HASH, (const uint8_t *)prev);
    sha256_update(&state, 1, (const uint8_t *)"\n");
    sha256_update(&state, body.len, (const uint8_t *)body.ptr);
    sha256_digest(&state, sizeof digest, digest);
    base16_encode_update(out, sizeof digest, digest);
    out[EVIDENCE_HASH] = 0;
}

static void
chain_begin(char head[EVIDENCE_HASH + 1])
{
    memset(head, '0', EVIDENCE_HASH);
    head[EVIDENCE_HASH] = 0;
}

// Appends the line of a body and moves the head.
static void
chain_line(Buffer *out, Str body, char head[EVIDENCE_HASH + 1])
{
    char hash[EVIDENCE_HASH + 1];
    chain_hash(head, body, hash);
    buffer_str(out, BEFORE_PREV);
    buffer_put(out, head, EVIDENCE_HASH);
    buffer_str(out, BEFORE_HASH);
    buffer_put(out, hash, EVIDENCE_HASH);
    buffer_str(out, BEFORE_BODY);
    buffer_str(out, body);
    buffer_text(out, "}\n");
    memcpy(head, hash, sizeof hash);
}

static void
write_member(Buffer *out, const char *name, Str text)
{
    buffer_printf(out, ",\"%s\":", name);
    json_write_string(out, text, false);
}

static void
write_about(Buffer *body, const EvidenceAbout *about, const ResultTable *table)
{
    Buffer created = {0};
    datetime_print(&created, about->created);
    buffer_text(body, "\"about\":{\"format\":\"azimuth-evidence-1\"");
    write_member(body, "tool", about->tool_version);
    write_member(body, "created", buffer_slice(&created));
    write_member(body, "store", about->store);
    buffer_printf(body, ",\"snapshot\":%lld", (long long)about->snapshot);
    write_member(body, "query", about->query);
    if (about->note.len)
        write_member(body, "note", about->note);
    buffer_text(body, ",\"columns\":[");
    for (uint32_t c = 0; c < table->schema.count; c++) {
        buffer_text(body, c ? ",{\"name\":" : "{\"name\":");
        json_write_string(body, table->schema.columns[c].name, false);
        buffer_printf(body, ",\"type\":\"%s\"}", type_name(table->schema.columns[c].type));
    }
    buffer_text(body, "]}");
    buffer_free(&created);
}

static void
write_row(Buffer *body, const ResultTable *table, const Batch *batch, uint32_t row)
{
    buffer_text(body, "\"row\":{");
    for (uint32_t c = 0; c < table->schema.count; c++) {
        buffer_text(body, c ? "," : "");
        json_write_string(body, table->schema.columns[c].name, false);
        buffer_char(body, ':');
        result_write_json_cell(body, batch->columns[c], row);
    }
    buffer_char(body, '}');
}

bool
evidence_write(const EvidenceAbout *about, const ResultTable *table, EvidenceWrite write,
               void *context, char head[EVIDENCE_HASH + 1])
{
    enum { WRITE_AT = 1 << 16 };
    Buffer body = {0}, out = {0};
    uint64_t rows = 0;
    bool done = true;
    chain_begin(head);
    write_about(&body, about, table);
    chain_line(&out, buffer_slice(&body), head);
    for (uint32_t b = 0; b < table->batch_count && done; b++) {
        const Batch *batch = table->batches[b];
        for (uint32_t i = 0; i < batch->selected && done; i++) {
            buffer_clear(&body);
            write_row(&body, table, batch, batch_row(batch, i));
            chain_line(&out, buffer_slice(&body), head);
            rows++;
            if (out.len < WRITE_AT)
                continue;
            done = write(context, buffer_slice(&out));
            buffer_clear(&out);
        }
    }
    buffer_clear(&body);
    buffer_printf(&body, "\"end\":{\"rows\":%llu}", (unsigned long long)rows);
    chain_line(&out, buffer_slice(&body), head);
    done = done && write(context, buffer_slice(&out));
    buffer_free(&body);
    buffer_free(&out);
    return done;
}

// ---- verifying ----

// One line into its parts; false when it is not of the form.
static bool
line_parts(Str line, Str *prev, Str *hash, Str *body)
{
    size_t prev_at = BEFORE_PREV.len, hash_at = prev_at + EVIDENCE_HASH + BEFORE_HASH.len;
    size_t body_at = hash_at + EVIDENCE_HASH + BEFORE_BODY.len;
    if (line.len <= body_at || !str_ends(line, STR("}")))
        return false;
    *prev = str_slice(line, prev_at, prev_at + EVIDENCE_HASH);
    *hash = str_slice(line, hash_at, hash_at + EVIDENCE_HASH);
    *body = str_slice(line, body_at, line.len - 1);
    return str_starts(line, BEFORE_PREV) &&
           str_equal(str_slice(line, prev_at + EVIDENCE_HASH, hash_at), BEFORE_HASH) &&
           str_equal(str_slice(line, hash_at + EVIDENCE_HASH, body_at), BEFORE_BODY);
}

static bool
verify_fail(EvidenceReport *report, uint64_t line, const char *problem)
{
    report->bad_line = line;
    snprintf(report->problem, sizeof report->problem, "%s", problem);
    return false;
}

typedef struct AboutWalk {
    Arena *arena;
    EvidenceReport *report;
} AboutWalk;

static bool
take_about(void *context, const JsonMember *member)
{
    AboutWalk *walk = context;
    EvidenceReport *report = walk->report;
    const struct {
        Str key;
        Str *out;
    } texts[] = {{STR("query"), &report->query},
                 {STR("note"), &report->note},
                 {STR("created"), &report->created}};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (member->kind == DYN_STRING && str_equal(member->key, texts[i].key))
            *texts[i].out = str_copy(walk->arena, member->string);
    return true;
}

static bool
read_about(Str body, Arena *arena, EvidenceReport *report)
{
    static const Str BEGIN = STR_INIT("\"about\":");
    AboutWalk walk = {arena, report};
    JsonParser *parser = json_parser_new();
    DynBuilder *builder = dyn_builder_new();
    const char *why;
    size_t offset;
    bool read = str_starts(body, BEGIN) &&
                json_walk_object(parser, builder, str_slice(body, BEGIN.len, body.len), take_about,
                                 &walk, &why, &offset);
    dyn_builder_free(builder);
    json_parser_free(parser);
    return read;
}

// Takes one line; false when the chain breaks there or ends.
static bool
take_line(Str line, uint64_t number, Arena *arena, EvidenceReport *report)
{
    Str prev, hash, body;
    char expected[EVIDENCE_HASH + 1];
    if (report->whole)
        return verify_fail(report, number, "there is more behind the end");
    if (!line_parts(line, &prev, &hash, &body))
        return verify_fail(report, number, "the line is no line of evidence");
    if (memcmp(prev.ptr, report->head, EVIDENCE_HASH) != 0)
        return verify_fail(report, number,
                           "the line does not follow the one before it: a line was added, left out "
                           "or moved");
    chain_hash(report->head, body, expected);
    if (memcmp(hash.ptr, expected, EVIDENCE_HASH) != 0)
        return verify_fail(report, number, "the line was changed");
    if (number == 1 && !read_about(body, arena, report))
        return verify_fail(report, number, "the file does not begin with what it is");
    memcpy(report->head, expected, sizeof expected);
    if (str_starts(body, STR("\"row\":"))) {
        report->rows++;
    } else if (str_starts(body, STR("\"end\":"))) {
        Str end = str_format(arena, "\"end\":{\"rows\":%llu}", (unsigned long long)report->rows);
        if (!str_equal(end, body))
            return verify_fail(report, number, "the number of rows at the end is another");
        report->whole = true;
    } else if (number > 1) {
        return verify_fail(report, number, "the line holds neither a row nor the end");
    }
    return true;
}

bool
evidence_verify(const char *path, Arena *arena, EvidenceReport *report, AzError *error)
{
    *report = (EvidenceReport){0};
    chain_begin(report->head);
    FILE *file = fopen(path, "re");
    if (!file)
        return error_errno(error, "cannot open '%s'", path);
    char *line = NULL;
    size_t room = 0;
    uint64_t number = 0;
    ssize_t len;
    bool holds = true;
    while (holds && (len = getline(&line, &room, file)) > 0) {
        bool ended = line[len - 1] == '\n';
        number++;
        holds = ended ? take_line((Str){line, (size_t)len - 1}, number, arena, report)
                      : verify_fail(report, number, "the file ends inside the line");
    }
    bool read = !ferror(file) || error_errno(error, "cannot read '%s'", path);
    free(line);
    fclose(file);
    if (holds && !report->whole)
        verify_fail(report, number + 1, "the end is missing: the file was cut");
    report->whole = report->whole && !report->bad_line;
    return read;
}
