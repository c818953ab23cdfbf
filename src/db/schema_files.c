#include "db/schema_files.h"

#include "base/buffer.h"
#include "kql/parser.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum { PIECE = 32 << 10 };

static const Str COMMAND = STR_INIT(".create table ");
static const Str COMMENT = STR_INIT("//");

void
schema_files_init(SchemaFiles *files, Arena *arena)
{
    files->arena = arena;
    map_init(&files->names, arena, true);
}

// ---- where the commands stand ----

typedef struct Scan {
    SchemaFiles *files;
    SchemaEntry file;   // what every entry of the file is made of
    SchemaEntry *last;  // ends where the next begins
    size_t comment;     // where the comment before this line began
    bool after_comment; // whether the line before was one
} Scan;

static void
add_entry(Scan *scan, Str line, size_t offset)
{
    size_t end = COMMAND.len;
    while (end < line.len && !strchr(" (", line.ptr[end]))
        end++;
    size_t start = scan->after_comment ? scan->comment : offset;
    if (scan->last)
        scan->last->end = start;
    SchemaEntry *entry = ARENA_NEW(scan->files->arena, SchemaEntry);
    *entry = scan->file;
    entry->name = str_copy(scan->files->arena, str_slice(line, COMMAND.len, end));
    entry->start = start;
    entry->command = offset;
    entry->end = SIZE_MAX;
    scan->last = entry;
    if (!map_get(&scan->files->names, entry->name))
        map_put(&scan->files->names, entry->name, entry);
}

static void
scan_line(Scan *scan, Str line, size_t offset)
{
    line = str_trim(line);
    bool is_comment = str_starts(line, COMMENT);
    if (str_starts(line, COMMAND))
        add_entry(scan, line, offset);
    else if (is_comment && !scan->after_comment)
        scan->comment = offset;
    scan->after_comment = is_comment;
}

// The lines of `text`, which stands at `offset` of the file, up to its last line end; all of
// it at the end of the file. Returns how much that was.
static size_t
scan_lines(Scan *scan, Str text, size_t offset, bool at_end)
{
    size_t at = 0;
    while (at < text.len) {
        const char *found = memchr(text.ptr + at, '\n', text.len - at);
        if (!found && !at_end)
            break;
        size_t end = found ? (size_t)(found - text.ptr) : text.len;
        scan_line(scan, str_slice(text, at, end), offset + at);
        at = end + 1;
    }
    return at < text.len ? at : text.len;
}

static ssize_t
read_piece(int fd, char *out, size_t size, size_t offset)
{
    ssize_t got;
    do
        got = pread(fd, out, size, (off_t)offset);
    while (got < 0 && errno == EINTR);
    return got;
}

void
schema_files_add(SchemaFiles *files, Str path, Str source, TableKind kind)
{
    const char *name = str_cstr(files->arena, path);
    int fd = open(name, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    Scan scan = {.files = files, .file = {.source = source, .kind = kind, .path = name}};
    Buffer text = {0};
    size_t offset = 0; // of `text` in the file
    for (;;) {
        ssize_t got = read_piece(fd, buffer_reserve(&text, PIECE), PIECE, offset + text.len);
        text.len += got > 0 ? (size_t)got : 0;
        size_t done = scan_lines(&scan, buffer_slice(&text), offset, got <= 0);
        if (got <= 0)
            break;
        memmove(text.data, text.data + done, text.len - done);
        text.len -= done;
        offset += done;
    }
    close(fd);
    buffer_free(&text);
}

// ---- one table ----

// The comment over the command: its lines without the slashes, one blank between them.
static Str
comment_text(Arena *arena, Str text)
{
    Buffer out = {0};
    while (str_starts(text = str_trim(text), COMMENT)) {
        const char *found = memchr(text.ptr, '\n', text.len);
        size_t end = found ? (size_t)(found - text.ptr) : text.len;
        if (out.len)
            buffer_char(&out, ' ');
        buffer_str(&out, str_trim(str_slice(text, COMMENT.len, end)));
        text = str_slice(text, end, text.len);
    }
    Str doc = str_copy(arena, buffer_slice(&out));
    buffer_free(&out);
    return doc;
}

static bool
read_text(const SchemaEntry *entry, Buffer *text)
{
    int fd = open(entry->path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    size_t wanted = entry->end - entry->start;
    ssize_t got = 1;
    while (got > 0 && text->len < wanted) {
        size_t piece = wanted - text->len < PIECE ? wanted - text->len : PIECE;
        got = read_piece(fd, buffer_reserve(text, piece), piece, entry->start + text->len);
        text->len += got > 0 ? (size_t)got : 0;
    }
    close(fd);
    return got >= 0;
}

static void
read_entry(SchemaFiles *files, SchemaEntry *entry)
{
    Buffer buffer = {0};
    AstTableSchema table;
    AzError error = {0};
    size_t offset = entry->command - entry->start;
    entry->read = true;
    bool read = read_text(entry, &buffer);
    Str text = str_copy(files->arena, buffer_slice(&buffer));
    buffer_free(&buffer);
    entry->doc = comment_text(files->arena, text);
    entry->broken = !read || !kql_parse_create_table(files->arena, text, &offset, &table, &error) ||
                    !str_equal(table.name.text, entry->name);
    if (entry->broken)
        return;
    entry->schema.count = (uint32_t)table.columns.len;
    entry->schema.columns = ARENA_ARRAY(files->arena, Column, table.columns.len);
    for (size_t i = 0; i < table.columns.len; i++)
        entry->schema.columns[i] =
            (Column){table.columns.items[i].name.text, table.columns.items[i].type};
}

SchemaEntry *
schema_files_find(SchemaFiles *files, Str table)
{
    SchemaEntry *entry = map_get(&files->names, table);
    if (entry && !entry->read)
        read_entry(files, entry);
    return entry;
}
