#include "collect/raw_manifest.h"

#include "base/array.h"
#include "value/json.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

typedef struct Reading {
    Arena *arena;
    RawLine *line;
} Reading;

static bool
read_member(void *context, const JsonMember *member)
{
    Reading *reading = context;
    RawLine *line = reading->line;
    const struct {
        Str name;
        Str *text;
        int64_t *number;
    } members[] = {
        {STR("kind"), &line->kind, NULL},       {STR("task"), &line->task, NULL},
        {STR("file"), &line->file, NULL},       {STR("next"), &line->next, NULL},
        {STR("end"), NULL, &line->end},         {STR("rows"), NULL, &line->rows},
        {STR("version"), NULL, &line->version}, {STR("identity"), &line->identity, NULL},
        {STR("time"), &line->time, NULL},       {STR("last"), &line->last, NULL},
        {STR("how"), &line->how, NULL},         {STR("read"), &line->read, NULL},
        {STR("delta"), &line->delta, NULL},
    };
    for (size_t i = 0; i < COUNT_OF(members); i++) {
        if (!str_equal(members[i].name, member->key))
            continue;
        if (members[i].text && member->kind == DYN_STRING)
            *members[i].text = str_copy(reading->arena, member->string);
        else if (members[i].number && member->kind == DYN_LONG)
            *members[i].number = member->long_;
    }
    return true;
}

static bool
read_all(int fd, Buffer *out, const char *path, AzError *error)
{
    for (;;) {
        ssize_t got = read(fd, buffer_reserve(out, 1 << 16), 1 << 16);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_errno(error, "cannot read '%s'", path);
        if (got == 0)
            return true;
        out->len += (size_t)got;
    }
}

bool
raw_manifest_read(int fd, const char *path, Arena *arena, RawTakeLine take, void *context,
                  size_t *good, AzError *error)
{
    Buffer text = {0};
    JsonParser *parser = json_parser_new();
    DynBuilder *builder = dyn_builder_new();
    bool done = read_all(fd, &text, path, error);
    size_t at = 0;
    while (done && at < text.len) {
        const char *end = memchr(text.data + at, '\n', text.len - at), *why;
        size_t offset;
        if (!end)
            break;
        Str json = {text.data + at, (size_t)(end - text.data) - at};
        RawLine line = {0};
        Reading reading = {arena, &line};
        if (!json_walk_object(parser, builder, json, read_member, &reading, &why, &offset))
            done = error_set(error, AZ_CORRUPT, "'%s' is damaged at byte %zu", path, at);
        else
            done = take(context, &line, error);
        at = (size_t)(end - text.data) + 1;
    }
    *good = at;
    buffer_free(&text);
    dyn_builder_free(builder);
    json_parser_free(parser);
    return done;
}

bool
raw_is_file_name(Str name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        if (!((c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z') || c == '-' ||
              (c == '.' && i > 0)))
            return false;
    }
    return name.len > 0;
}
