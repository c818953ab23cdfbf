#include "cli/query_options.h"

#include "base/array.h"
#include "cli/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

bool
query_read_all(int fd, Buffer *out, const char *name)
{
    for (;;) {
        char *at = buffer_reserve(out, 1 << 16);
        ssize_t got = read(fd, at, 1 << 16);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            cli_fail("cannot read '%s': %s", name, strerror(errno));
            return false;
        }
        if (got == 0)
            return true;
        out->len += (size_t)got;
    }
}

// ---- maps ----

typedef struct MapList {
    PlaceMap *items;
    size_t len, cap;
} MapList;

// NAME=TARGET. Addresses stand without their query, so that the first = ends the name.
static bool
add_map(Arena *arena, Str text, MapList *out)
{
    ptrdiff_t equals = str_find(text, STR("="));
    Str name = str_trim(str_slice(text, 0, equals > 0 ? (size_t)equals : 0));
    Str target = equals > 0 ? str_trim(str_slice(text, (size_t)equals + 1, text.len)) : STR("");
    if (!name.len || !target.len) {
        cli_fail("a map is NAME=TARGET, for example workspace:contoso=. or "
                 "https://host/list.csv=list.csv, not '%.*s'",
                 STR_ARG(text));
        return false;
    }
    PlaceMap map = {str_cstr(arena, name), str_cstr(arena, target)};
    ARRAY_PUSH(arena, out, map);
    return true;
}

static bool
read_map_file(Arena *arena, const char *file, MapList *out)
{
    int fd = open(file, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        cli_fail("cannot open '%s': %s", file, strerror(errno));
        return false;
    }
    Buffer text = {0};
    bool done = query_read_all(fd, &text, file);
    close(fd);
    for (Str rest = buffer_slice(&text); done && rest.len;) {
        const char *end = memchr(rest.ptr, '\n', rest.len);
        size_t len = end ? (size_t)(end - rest.ptr) : rest.len;
        Str line = str_trim(str_slice(rest, 0, len));
        if (line.len && line.ptr[0] != '#')
            done = add_map(arena, line, out);
        rest = str_slice(rest, len + 1, rest.len);
    }
    buffer_free(&text);
    return done;
}

bool
query_read_maps(Arena *arena, const char *file, const char *const *words, DatabaseOptions *db)
{
    MapList maps = {0};
    if (file && !read_map_file(arena, file, &maps))
        return false;
    for (size_t i = 0; words[i]; i++)
        if (!add_map(arena, str_from(words[i]), &maps))
            return false;
    db->maps = maps.items;
    db->map_count = maps.len;
    return true;
}

// ---- parameters ----

bool
query_read_parameters(Arena *arena, const char *const *words, QueryOptions *options)
{
    size_t count = 0;
    while (words[count])
        count++;
    QueryParameter *parameters = ARENA_ARRAY(arena, QueryParameter, count + 1);
    for (size_t i = 0; i < count; i++) {
        Str text = str_from(words[i]);
        ptrdiff_t equals = str_find(text, STR("="));
        if (equals <= 0) {
            cli_fail("a query parameter is NAME=VALUE, not '%s'", words[i]);
            return false;
        }
        parameters[i].name = str_slice(text, 0, (size_t)equals);
        parameters[i].text = str_slice(text, (size_t)equals + 1, text.len);
    }
    options->parameters = parameters;
    options->parameter_count = count;
    return true;
}
