// Recorded answers of Azure through the collector.
//
//     collect_cases RECORDED_DIR
//
// Each request/answer pair of the folder's *.jsonl.gz becomes a source of its own and is
// answered by replay/wire.c, with the pauses that refusals ask for. What must come of it: an
// answer 2xx gives its objects as rows, or the source is named with why it fills no table;
// every other answer gives a reason in words that a person understands, with what the service
// said. Prints each failure, a line a kind, and "N passed, N failed"; exit status 1 when one
// failed.

#include "base/array.h"
#include "collect/collect.h"
#include "replay/wire.h"
#include "value/json.h"

#include <ftw.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

typedef struct Pair {
    int status;
    Str body, said; // said: the service's own words in an error
    HttpHeader headers[WIRE_HEADERS];
    size_t header_count;
    bool is_graph, one;
    int64_t objects; // that must become rows; -1: none can
    const char *file;
} Pair;

typedef struct Pairs {
    Pair *items;
    size_t len, cap;
} Pairs;

typedef struct Reader {
    Arena arena;
    Pairs pairs;
    JsonParser *parser;
    DynBuilder *builder;
} Reader;

static Dyn
member(Dyn node, const char *name)
{
    return dyn_get_ci(node, str_from(name));
}

// The words of an error that a reason must repeat: the deepest text of a message.
static Str
said_in(Dyn body)
{
    static const char *const inner[] = {"error", "odata.error"};
    for (size_t i = 0; i < COUNT_OF(inner); i++)
        if (dyn_kind(member(body, inner[i])) == DYN_BAG)
            body = member(body, inner[i]);
    Dyn message = member(body, "message");
    if (dyn_kind(message) == DYN_BAG)
        message = member(message, "value");
    return dyn_string(message);
}

// Objects of a list answer; 1 of an answer that is an object; -1 of anything else.
static int64_t
objects_in(Dyn body, bool *one)
{
    Dyn list = dyn_kind(body) == DYN_ARRAY ? body : dyn_get(body, STR("value"));
    if (dyn_kind(list) != DYN_ARRAY && dyn_kind(dyn_get(body, STR("data"))) == DYN_ARRAY)
        list = dyn_get(body, STR("data"));
    *one = dyn_kind(list) != DYN_ARRAY && dyn_kind(body) == DYN_BAG;
    if (*one)
        return 1;
    if (dyn_kind(list) != DYN_ARRAY)
        return -1;
    for (uint32_t i = 0; i < dyn_count(list); i++)
        if (dyn_kind(dyn_at(list, i)) != DYN_BAG)
            return -1;
    return dyn_count(list);
}

static void
read_headers(Reader *reader, Dyn headers, Pair *pair)
{
    for (uint32_t i = 0; i < dyn_count(headers) && pair->header_count < WIRE_HEADERS; i++) {
        Dyn value = dyn_at(headers, i);
        if (dyn_kind(value) == DYN_STRING)
            pair->headers[pair->header_count++] =
                (HttpHeader){str_copy(&reader->arena, dyn_key_at(headers, i)),
                             str_copy(&reader->arena, dyn_string(value))};
    }
}

static bool
read_pair(Reader *reader, Str line, const char *file)
{
    const char *why;
    size_t offset;
    Dyn root;
    Pair pair = {.file = file};
    dyn_builder_reset(reader->builder);
    if (!json_to_dynamic(reader->parser, line, reader->builder, &why, &offset) ||
        !dyn_finish(reader->builder, &root, &why))
        return false;
    Dyn body = member(root, "body");
    Buffer text = {0};
    if (dyn_kind(body) != DYN_NULL)
        dyn_to_text(&text, body);
    pair.body = str_copy(&reader->arena, buffer_slice(&text));
    buffer_free(&text);
    pair.status = (int)dyn_long(member(root, "status"));
    pair.said = str_copy(&reader->arena, said_in(body));
    pair.objects = objects_in(body, &pair.one);
    pair.is_graph = str_find(dyn_string(member(root, "url")), STR("//graph.microsoft")) > 0;
    read_headers(reader, member(root, "headers"), &pair);
    ARRAY_PUSH(&reader->arena, &reader->pairs, pair);
    return true;
}

static bool
read_file(Reader *reader, const char *path)
{
    gzFile file = gzopen(path, "rb");
    Buffer text = {0};
    bool done = file != NULL;
    const char *name = strrchr(path, '/') + 1;
    for (int got = 1; done && got > 0;) {
        got = gzread(file, buffer_reserve(&text, 1 << 20), 1 << 20);
        text.len += got > 0 ? (size_t)got : 0;
        done = got >= 0;
    }
    for (size_t at = 0; done && at < text.len;) {
        const char *end = memchr(text.data + at, '\n', text.len - at);
        size_t len = end ? (size_t)(end - text.data) - at : text.len - at;
        done =
            read_pair(reader, (Str){text.data + at, len}, str_cstr(&reader->arena, str_from(name)));
        at += len + 1;
    }
    buffer_free(&text);
    if (file)
        gzclose(file);
    return done || (fprintf(stderr, "%s cannot be read\n", path), false);
}

// ---- the services ----

static void
answer(void *context, const HttpRequest *request, uint64_t sent, uint64_t now, WireAnswer *out)
{
    const Pairs *pairs = context;
    (void)sent;
    (void)now;
    *out = (WireAnswer){.outcome = HTTP_ANSWERED, .status = 200};
    ptrdiff_t at = str_find(request->url, STR("/pair/"));
    if (str_find(request->url, STR("/oauth2/v2.0/token")) >= 0) {
        buffer_text(&out->body, "{\"token_type\":\"Bearer\",\"expires_in\":86399,"
                                "\"access_token\":\"a-token-of-the-cases\"}");
    } else if (at < 0) { // the next page of a recorded list
        buffer_text(&out->body, "{\"value\":[]}");
    } else {
        Str number = str_slice(request->url, (size_t)at + 6, request->url.len);
        const Pair *pair = &pairs->items[strtoul(str_cstr(&out->arena, number), NULL, 10)];
        out->status = pair->status;
        buffer_str(&out->body, pair->body);
        memcpy(out->headers, pair->headers, sizeof(pair->headers));
        out->header_count = pair->header_count;
    }
}

// ---- what came of it ----

typedef struct Tally {
    size_t passed, failed, rows, named, reasons, none;
} Tally;

static void
fail(Tally *tally, const Pair *pair, size_t number, const char *what, Str reason)
{
    tally->failed++;
    printf("FAILED: pair %zu of %s (%d): %s: %.*s\n", number, pair->file, pair->status, what,
           STR_ARG(reason));
}

static const CollectGap *
gap_of(const CollectReport *report, Str source)
{
    for (size_t i = 0; i < report->gap_count; i++)
        if (str_equal(report->gaps[i].source, source))
            return &report->gaps[i];
    return NULL;
}

static bool
count_line(void *context, Str line)
{
    size_t *rows = context;
    *rows += line.len > 0;
    return true;
}

static int64_t
rows_of(const char *folder, const Source *source)
{
    Arena arena = {0};
    AzError error = {0};
    size_t rows = 0;
    char *path = str_cstr(&arena, str_format(&arena, "%s/%.*s.%.*s.jsonl", folder,
                                             STR_ARG(source->table), STR_ARG(source->name)));
    RawFile file = {.path = path, .fd = -1};
    bool done = raw_each(&file, count_line, &rows, &error);
    arena_free(&arena);
    return done ? (int64_t)rows : -1;
}

// Words for a person: a sentence of its own, the number, what the service said, and no
// markup of any kind.
static const char *
reason_problem(const Pair *pair, Str reason)
{
    static const char *const sentences[] = {
        "not permitted: it needs",   "not found: it was deleted meanwhile",
        "the token was refused",     "refused for its pace",
        "the service is in trouble", "the service refused the call",
        "the tenant has no licence", "the service wants to send the call elsewhere",
    };
    bool known = false;
    for (size_t i = 0; i < COUNT_OF(sentences); i++)
        known = known || str_starts(reason, str_from(sentences[i]));
    if (!known)
        return "no sentence that is known";
    char number[16];
    snprintf(number, sizeof(number), "%d", pair->status);
    if (str_find(reason, str_from(number)) < 0)
        return "the status is not told";
    if (str_find(reason, STR("{\"")) >= 0 || str_find(reason, STR("</")) >= 0 ||
        str_find(reason, STR("\\\"")) >= 0)
        return "markup instead of words";
    bool nested = memchr(pair->said.ptr, '{', pair->said.len) != NULL;
    Str words = str_slice(pair->said, 0, 30);
    bool plain = words.len && !memchr(words.ptr, '\n', words.len);
    if (plain && !nested && str_find(reason, words) < 0)
        return "what the service said is not told";
    return NULL;
}

static void
check(Tally *tally, const Pair *pair, size_t number, const Source *source,
      const CollectReport *report, const char *folder)
{
    const CollectGap *gap = gap_of(report, source->name);
    Str reason = gap ? gap->reason : STR("");
    bool good = pair->status >= 200 && pair->status <= 299;
    if (good && pair->objects >= 0) {
        int64_t rows = rows_of(folder, source);
        // A list whose next page is elsewhere keeps its rows, too.
        if (rows != pair->objects)
            fail(tally, pair, number, "its objects are no rows", reason);
        else
            tally->rows += (size_t)rows;
        tally->passed += rows == pair->objects;
        return;
    }
    if (good) {
        bool named = str_find(reason, STR("the answer is")) >= 0;
        if (!named)
            fail(tally, pair, number, "it is not named as no table", reason);
        tally->named += named;
        tally->passed += named;
        return;
    }
    const char *problem = gap ? reason_problem(pair, reason) : NULL;
    if (problem) {
        fail(tally, pair, number, problem, reason);
        return;
    }
    tally->passed++;
    tally->reasons += gap != NULL;
    tally->none += gap == NULL; // the service says that there is none of it
}

static void
make_sources(Arena *arena, const Pairs *pairs, Quota *quota, SourceSet *set)
{
    static Str none[] = {STR_INIT("MissingSubscriptionRegistration")};
    set->items = ARENA_ARRAY(arena, Source, pairs->len);
    set->len = pairs->len;
    set->absent = none;
    set->absent_count = COUNT_OF(none);
    set->hash = STR("cases");
    for (size_t i = 0; i < pairs->len; i++)
        set->items[i] = (Source){.name = str_format(arena, "pair-%zu", i),
                                 .table = STR("recorded"),
                                 .service = pairs->items[i].is_graph ? SERVICE_GRAPH : SERVICE_ARM,
                                 .quota = quota,
                                 .cost = 1,
                                 .path = str_format(arena, "/pair/%zu", i),
                                 .version = STR("2025-01-01"),
                                 .one = pairs->items[i].one,
                                 .need = STR("Reader"),
                                 .number = i};
}

static int
drop_file(const char *path, const struct stat *info, int kind, struct FTW *place)
{
    (void)info;
    (void)kind;
    (void)place;
    return remove(path);
}

static int
run(Reader *reader)
{
    Arena arena = {0};
    Quota quota = {.name = STR("all"), .burst = 1e6, .rate = 1e6};
    SourceSet set = {0};
    Cloud cloud = {.name = STR("public"), .login = STR("https://login.microsoftonline.com")};
    cloud.endpoint[SERVICE_ARM] = cloud.audience[SERVICE_ARM] = STR("https://management.azure.com");
    cloud.endpoint[SERVICE_GRAPH] = cloud.audience[SERVICE_GRAPH] =
        STR("https://graph.microsoft.com");
    make_sources(&arena, &reader->pairs, &quota, &set);
    WireService service = {.answer = answer, .context = &reader->pairs};
    wire_serve(&service);
    setenv("AZURE_TENANT_ID", "22222222-2222-2222-2222-222222222222", 1);
    setenv("AZURE_CLIENT_ID", "44444444-4444-4444-4444-444444444444", 1);
    setenv("AZURE_CLIENT_SECRET", "a-secret-of-the-cases", 1);
    char folder[] = "/tmp/azimuth-cases-XXXXXX";
    AzError error = {0};
    CollectReport report;
    Tally tally = {0};
    Http *http = http_new(&(HttpOptions){0}, &error);
    Auth *auth = auth_new(&(AuthOptions){.cloud = &cloud, .method = "secret"}, http);
    CollectOptions options = {.folder = mkdtemp(folder),
                              .sources = &set,
                              .cloud = &cloud,
                              .auth = auth,
                              .http = http,
                              .identity = STR("cases"),
                              .most_in_flight = 64,
                              .most_pages = 100};
    if (options.folder && collect_run(&options, &arena, &report, &error))
        for (size_t i = 0; i < set.len; i++)
            check(&tally, &reader->pairs.items[i], i, &set.items[i], &report, folder);
    else
        fprintf(stderr, "collect_cases: %s\n", error.message);
    nftw(folder, drop_file, 16, FTW_DEPTH | FTW_PHYS);
    printf("%zu rows; %zu answers named as no table; %zu errors with a reason, %zu mean none\n",
           tally.rows, tally.named, tally.reasons, tally.none);
    printf("%zu passed, %zu failed\n", tally.passed, tally.failed);
    auth_free(auth);
    http_free(http);
    arena_free(&arena);
    return tally.failed || !tally.passed;
}

int
main(int argc, char **argv)
{
    Reader reader = {0};
    glob_t found = {0};
    char pattern[4096];
    if (argc != 2) {
        fprintf(stderr, "usage: collect_cases RECORDED_DIR\n");
        return 2;
    }
    reader.parser = json_parser_new();
    reader.builder = dyn_builder_new();
    snprintf(pattern, sizeof(pattern), "%s/*.jsonl.gz", argv[1]);
    bool done = glob(pattern, 0, NULL, &found) == 0;
    for (size_t i = 0; done && i < found.gl_pathc; i++)
        done = read_file(&reader, found.gl_pathv[i]);
    int status = done ? run(&reader) : 2;
    globfree(&found);
    json_parser_free(reader.parser);
    dyn_builder_free(reader.builder);
    arena_free(&reader.arena);
    return status;
}
