// Rows on their way to the folder, and the texts that are filled from rows.

#include "collect/collect_parts.h"

#include "collect/url.h"
#include "store/ingest_redact.h"

// The text of a scalar member, or false when there is none of that name.
static bool
field_text(Arena *arena, Dyn object, Str name, Str *out)
{
    Dyn member = dyn_get_ci(object, name);
    DynKind kind = dyn_kind(member);
    if (kind != DYN_STRING && kind != DYN_BOOL && kind != DYN_LONG)
        return false;
    Buffer text = {0};
    dyn_to_text(&text, member);
    *out = str_copy(arena, buffer_slice(&text));
    buffer_free(&text);
    return true;
}

typedef struct Texts {
    Arena *arena;
    const Str *names;
    Str *out;
    size_t count;
} Texts;

static bool
take_text(void *context, const JsonMember *member)
{
    Texts *texts = context;
    for (size_t i = 0; i < texts->count; i++) {
        if (!str_equal_ci(texts->names[i], member->key))
            continue;
        if (member->kind == DYN_STRING)
            texts->out[i] = str_copy(texts->arena, member->string);
        else if (member->kind == DYN_LONG || member->kind == DYN_BOOL)
            texts->out[i] = str_copy(texts->arena, str_trim(member->raw));
    }
    return true;
}

void
row_texts(Run *run, Arena *arena, Str json, const Str *names, Str *out, size_t count)
{
    Texts texts = {arena, names, out, count};
    const char *why;
    size_t offset;
    for (size_t i = 0; i < count; i++)
        out[i] = STR("");
    json_walk_object(run->parser, run->builder, json, take_text, &texts, &why, &offset);
}

// For an address: an id of Azure is a path and keeps its slashes; nothing else has any.
static void
put_encoded(Buffer *out, Str text, bool is_path)
{
    size_t from = 0;
    for (size_t i = 0; i <= text.len; i++) {
        if (i < text.len && !(is_path && text.ptr[i] == '/'))
            continue;
        url_encode(out, str_slice(text, from, i));
        if (i < text.len)
            buffer_char(out, '/');
        from = i + 1;
    }
}

Str
template_fill(Arena *arena, Str text, Dyn parent, Dyn own, bool encode)
{
    Buffer out = {0};
    for (size_t i = 0; i < text.len; i++) {
        size_t end = i;
        while (text.ptr[i] == '{' && end < text.len && text.ptr[end] != '}')
            end++;
        if (text.ptr[i] != '{' || end == text.len) {
            buffer_char(&out, text.ptr[i]);
            continue;
        }
        Str name = str_slice(text, i + 1, end), value;
        bool is_own = name.len && name.ptr[0] == '.';
        if (!field_text(arena, is_own ? own : parent, str_slice(name, is_own, name.len), &value))
            // What the object lacks is empty; what the parent gives is filled in before.
            value = is_own && own.ptr ? STR("") : str_slice(text, i, end + 1);
        else if (encode && i == 0 && (!value.len || value.ptr[0] != '/'))
            value = STR(""); // no id of Azure: must not become part of the host
        if (encode)
            put_encoded(&out, value, i == 0);
        else
            buffer_str(&out, value);
        i = end;
    }
    Str filled = str_copy(arena, buffer_slice(&out));
    buffer_free(&out);
    return filled;
}

typedef struct RowWrite {
    Run *run;
    const Source *source;
    Buffer *out;
    bool any, flat; // flat: the members of the flattened object
} RowWrite;

static bool
is_set(const Source *source, Str name)
{
    for (size_t i = 0; i < source->set_count; i++)
        if (str_equal(source->set[i].name, name))
            return true;
    return false;
}

static void
put_key(RowWrite *write, Str key)
{
    buffer_char(write->out, write->any ? ',' : '{');
    json_write_string(write->out, key, false);
    buffer_char(write->out, ':');
    write->any = true;
}

static bool
write_member(void *context, const JsonMember *member)
{
    RowWrite *write = context;
    Run *run = write->run;
    const Source *source = write->source;
    if (!write->flat && source->flatten.len && member->kind == DYN_BAG &&
        str_equal(member->key, source->flatten)) {
        const char *why;
        size_t offset;
        write->flat = true;
        bool done = json_walk_object(run->inner_parser, run->inner_builder, member->raw,
                                     write_member, write, &why, &offset);
        write->flat = false;
        return done;
    }
    if (is_set(source, member->key))
        return true;
    put_key(write, member->key);
    json_compact(write->out, str_trim(member->raw));
    return true;
}

// The columns of `set`, first.
static bool
write_set(RowWrite *write, const Task *task, Str row)
{
    Run *run = write->run;
    const Source *source = write->source;
    const char *why;
    size_t offset;
    Dyn own;
    dyn_builder_reset(run->builder);
    if (!json_to_dynamic(run->parser, row, run->builder, &why, &offset) ||
        !dyn_finish(run->builder, &own, &why))
        return false;
    for (size_t i = 0; i < source->set_count; i++) {
        put_key(write, source->set[i].name);
        json_write_string(
            write->out, template_fill(&run->scratch, task->values[i], (Dyn){0}, own, false), false);
    }
    return true;
}

bool
row_write(Run *run, const Task *task, Str row)
{
    size_t begin = run->rows.len;
    RowWrite write = {.run = run, .source = task->source, .out = &run->rows};
    const char *why;
    size_t offset;
    bool done =
        (!task->source->set_count || write_set(&write, task, row)) &&
        json_walk_object(run->parser, run->builder, row, write_member, &write, &why, &offset);
    if (!done) {
        run->rows.len = begin;
        return false;
    }
    buffer_text(&run->rows, write.any ? "}" : "{}");
    Str line = str_slice(buffer_slice(&run->rows), begin, run->rows.len);
    Str masked = ingest_redact(&run->masked, line);
    if (masked.ptr != line.ptr) {
        run->rows.len = begin;
        buffer_str(&run->rows, masked);
        line = str_slice(buffer_slice(&run->rows), begin, run->rows.len);
    }
    if (auth_knows(run->options->auth, line)) {
        buffer_clear(&run->masked);
        auth_mask(run->options->auth, &run->masked, line);
        run->rows.len = begin;
        buffer_str(&run->rows, buffer_slice(&run->masked));
    }
    buffer_char(&run->rows, '\n');
    return true;
}
