// Functions from a user's folders: see function_files.h.
//
// Three kinds of files are met in the wild: `.create-or-alter function` commands, plain
// queries named after the function, and the YAML in which Sentinel's parsers are
// published. Names of YAML functions stand inside the file, so an index is made by
// looking for the lines that hold them; only a function that is used is parsed.

#include "db/function_files.h"

#include "base/array.h"
#include "kql/parser.h"
#include "value/yaml.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_MAX = 64 << 20, FOLDER_DEPTH_MAX = 12 };

bool
content_read_file(Arena *arena, const char *path, Str *out, AzError *error)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return error_errno(error, "cannot open '%s'", path);
    struct stat info;
    if (fstat(fd, &info) || info.st_size < 0 || info.st_size > FILE_MAX) {
        close(fd);
        return error_set(error, AZ_INVALID, "'%s' is no content file (more than 64 MB)", path);
    }
    char *data = arena_alloc(arena, (size_t)info.st_size + 1);
    size_t len = 0;
    while (len < (size_t)info.st_size) {
        ssize_t got = read(fd, data + len, (size_t)info.st_size - len);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        len += (size_t)got;
    }
    close(fd);
    data[len] = 0;
    *out = (Str){data, len};
    return true;
}

// ---- forms ----

// The first character that is neither blank nor in a comment.
static Str
skip_comments(Str text)
{
    for (;;) {
        text = str_trim(text);
        if (!str_starts(text, STR("//")))
            return text;
        const char *end = memchr(text.ptr, '\n', text.len);
        text = end ? str_slice(text, (size_t)(end - text.ptr), text.len) : STR("");
    }
}

static AstFunctionFile *
parse_at(Arena *arena, Str text, Str path, AzError *error)
{
    AzError cause = {0};
    AstFunctionFile *file = kql_parse_function(arena, text, &cause);
    if (file) {
        file->path = path;
        return file;
    }
    uint32_t line = 0, column = 0;
    text_position(text, cause.span.start, &line, &column);
    error_set(error, cause.code, "%.*s:%u:%u: %s", STR_ARG(path), line, column, cause.message);
    return NULL;
}

AstFunctionFile *
function_parse(Arena *arena, Str name, Str text, Str path, AzError *error)
{
    Str start = skip_comments(text);
    if (start.len && start.ptr[0] == '.')
        return parse_at(arena, text, path, error);
    // One line with the text's first, so that lines in messages are the text's.
    AzError ignored = {0};
    Str lambda =
        str_format(arena, ".create-or-alter function ['%.*s'] %.*s", STR_ARG(name), STR_ARG(text));
    if (start.len && start.ptr[0] == '(') {
        AstFunctionFile *file = parse_at(arena, lambda, path, &ignored);
        if (file)
            return file;
    }
    Str body = str_format(arena, ".create-or-alter function ['%.*s'] () { %.*s\n}", STR_ARG(name),
                          STR_ARG(text));
    return parse_at(arena, body, path, error);
}

// ---- YAML ----

static YamlNode *
first_of(YamlNode *map, const char *a, const char *b)
{
    YamlNode *node = yaml_get(map, a);
    return node ? node : yaml_get(map, b);
}

// `Default: '*'` of a string is its text; of other types it is KQL.
static void
put_parameter(Buffer *out, Arena *arena, YamlNode *parameter, bool first)
{
    Str type = yaml_text(arena, yaml_get(parameter, "Type"));
    buffer_printf(out, "%s['%.*s']:%.*s", first ? "" : ", ",
                  STR_ARG(yaml_text(arena, yaml_get(parameter, "Name"))), STR_ARG(type));
    YamlNode *given = yaml_get(parameter, "Default");
    if (!given)
        return;
    Str value = yaml_text(arena, given);
    buffer_char(out, '=');
    bool quoted = value.len && (value.ptr[0] == '\'' || value.ptr[0] == '"');
    if (!str_equal_ci(type, STR("string")) || quoted) {
        buffer_str(out, value);
        return;
    }
    buffer_text(out, "@'");
    for (size_t i = 0; i < value.len; i++) {
        if (value.ptr[i] == '\'')
            buffer_char(out, '\'');
        buffer_char(out, value.ptr[i]);
    }
    buffer_char(out, '\'');
}

static AstFunctionFile *
parse_yaml(Arena *arena, Str name, Str path, AzError *error)
{
    YamlDoc *doc = yaml_load(path.ptr, error);
    if (!doc)
        return NULL;
    YamlNode *root = yaml_root(doc);
    YamlNode *query = first_of(root, "ParserQuery", "FunctionQuery");
    YamlNode *parameters = first_of(root, "ParserParams", "FunctionParams");
    AstFunctionFile *file = NULL;
    if (!query) {
        error_set(error, AZ_INVALID, "%.*s holds no ParserQuery or FunctionQuery", STR_ARG(path));
    } else {
        Buffer text = {0};
        buffer_printf(&text, ".create-or-alter function ['%.*s'] (", STR_ARG(name));
        for (size_t i = 0; yaml_is_list(parameters) && i < yaml_count(parameters); i++)
            put_parameter(&text, arena, yaml_item(parameters, i), i == 0);
        buffer_text(&text, ") {");
        for (uint32_t line = yaml_line(query); line > 1; line--)
            buffer_char(&text, '\n'); // lines in messages are the file's
        buffer_str(&text, yaml_text(arena, query));
        buffer_text(&text, "\n}");
        file = parse_at(arena, str_copy(arena, buffer_slice(&text)), path, error);
        buffer_free(&text);
    }
    yaml_free(doc);
    return file;
}

// ---- folders ----

typedef struct FunctionPlace {
    Str path;
    bool is_yaml;
} FunctionPlace;

void
function_files_init(FunctionFiles *files, Arena *arena)
{
    *files = (FunctionFiles){.arena = arena};
    map_init(&files->names, arena, false);
    map_init(&files->parsed, arena, false);
}

static bool
has_ending(Str name)
{
    static const Str ENDINGS[] = {STR_INIT(".kql"), STR_INIT(".csl"), STR_INIT(".txt"),
                                  STR_INIT(".yaml"), STR_INIT(".yml")};
    for (size_t i = 0; i < COUNT_OF(ENDINGS); i++)
        if (str_ends(name, ENDINGS[i]))
            return true;
    return false;
}

static void
list_folder(FunctionFiles *files, const char *dir, int depth)
{
    DIR *folder = depth < FOLDER_DEPTH_MAX ? opendir(dir) : NULL;
    struct dirent *entry;
    while (folder && (entry = readdir(folder))) {
        Str path = str_format(files->arena, "%s/%s", dir, entry->d_name);
        struct stat info;
        if (entry->d_name[0] == '.' || stat(path.ptr, &info))
            continue;
        if (S_ISDIR(info.st_mode))
            list_folder(files, path.ptr, depth + 1);
        else if (S_ISREG(info.st_mode) && has_ending(path))
            ARRAY_PUSH(files->arena, &files->found, path);
    }
    if (folder)
        closedir(folder);
}

static int
path_order(const void *a, const void *b)
{
    return str_compare(*(const Str *)a, *(const Str *)b);
}

bool
function_files_add(FunctionFiles *files, const char *dir, AzError *error)
{
    struct stat info;
    if (stat(dir, &info) || !S_ISDIR(info.st_mode))
        return error_set(error, AZ_NOT_FOUND, "the folder of functions '%s' does not exist", dir);
    size_t first = files->found.len;
    list_folder(files, dir, 0);
    if (files->found.len > first)
        qsort(files->found.items + first, files->found.len - first, sizeof(Str), path_order);
    files->indexed = false;
    return true;
}

static void
add_name(FunctionFiles *files, Str name, Str path, bool is_yaml)
{
    if (!name.len || map_get(&files->names, name))
        return;
    FunctionPlace *place = ARENA_NEW(files->arena, FunctionPlace);
    *place = (FunctionPlace){path, is_yaml};
    map_put(&files->names, name, place);
}

static Str
base_name(Str path)
{
    size_t from = path.len, to = path.len;
    while (from && path.ptr[from - 1] != '/')
        from--;
    while (to > from && path.ptr[to - 1] != '.')
        to--;
    return str_slice(path, from, to > from ? to - 1 : path.len);
}

static Str
unquoted(Str text)
{
    text = str_trim(text);
    bool quoted = text.len >= 2 && (text.ptr[0] == '\'' || text.ptr[0] == '"') &&
                  text.ptr[text.len - 1] == text.ptr[0];
    return quoted ? str_slice(text, 1, text.len - 1) : text;
}

// The names under which a YAML file's function can be called.
static void
index_yaml(FunctionFiles *files, Str path, Str text)
{
    static const Str KEYS[] = {STR_INIT("FunctionAlias:"), STR_INIT("FunctionName:"),
                               STR_INIT("ParserName:"), STR_INIT("EquivalentBuiltInParser:"),
                               STR_INIT("EquivalentBuiltInFunction:")};
    while (text.len) {
        const char *end = memchr(text.ptr, '\n', text.len);
        size_t len = end ? (size_t)(end - text.ptr) : text.len;
        Str line = str_slice(text, 0, len);
        for (size_t i = 0; i < COUNT_OF(KEYS); i++)
            if (str_starts(line, KEYS[i]))
                add_name(files, unquoted(str_slice(line, KEYS[i].len, line.len)), path, true);
        text = str_slice(text, len + 1, text.len);
    }
}

// The name in `.create-or-alter function [with (...)] Name(`; empty when it is no command.
static Str
command_name(FunctionFiles *files, Str text)
{
    Str start = skip_comments(text);
    if (!start.len || start.ptr[0] != '.')
        return STR("");
    AzError ignored = {0};
    AstFunctionFile *file = kql_parse_function(files->arena, text, &ignored);
    return file ? file->name.text : STR("");
}

static void
index_files(FunctionFiles *files)
{
    for (size_t i = 0; i < files->found.len && !files->indexed; i++) {
        Str path = files->found.items[i], text;
        bool is_yaml = str_ends(path, STR(".yaml")) || str_ends(path, STR(".yml"));
        if (!content_read_file(files->arena, path.ptr, &text, NULL))
            continue;
        if (is_yaml) {
            index_yaml(files, path, text);
            continue;
        }
        Str name = command_name(files, text);
        add_name(files, name.len ? name : base_name(path), path, false);
    }
    files->indexed = true;
}

const AstFunctionFile *
function_files_find(FunctionFiles *files, Str name, AzError *error)
{
    index_files(files);
    AstFunctionFile *file = map_get(&files->parsed, name);
    const FunctionPlace *place = file ? NULL : map_get(&files->names, name);
    if (!place)
        return file;
    Str text;
    if (place->is_yaml)
        file = parse_yaml(files->arena, name, place->path, error);
    else if (content_read_file(files->arena, place->path.ptr, &text, error))
        file = function_parse(files->arena, name, text, place->path, error);
    if (file)
        map_put(&files->parsed, str_copy(files->arena, name), file);
    return file;
}

void
function_files_each(FunctionFiles *files, void (*each)(void *arg, Str name), void *arg)
{
    index_files(files);
    for (size_t i = 0; i < files->names.len; i++)
        each(arg, files->names.entries[i].key);
}
