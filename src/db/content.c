// The content folder. Functions are files named after the function; tables are declared by
// the files of schemas/ (schema_files.h).

#include "db/content.h"
#include "db/schema_files.h"

#include "base/array.h"
#include "base/buffer.h"
#include "base/map.h"
#include "kql/parser.h"

#include <dirent.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

typedef struct NameList {
    Str *items;
    size_t len, cap;
} NameList;

struct Content {
    Arena arena;
    char *dir;
    bool schemas_read, parsers_read;
    SchemaFiles schemas;
    Map functions; // name -> AstFunctionFile, once parsed
    NameList function_folders;
    FunctionFiles brought; // from the user's folders
    pthread_mutex_t mutex;
};

static bool
is_folder(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

// The folder of the running program, without its name.
static bool
program_folder(char *out, size_t size)
{
    ssize_t len = readlink("/proc/self/exe", out, size - 1);
    if (len <= 0)
        return false;
    out[len] = 0;
    char *slash = strrchr(out, '/');
    if (slash)
        *slash = 0;
    return slash != NULL;
}

static char *
default_dir(Arena *arena)
{
    const char *named = getenv("AZIMUTH_CONTENT");
    if (named && *named)
        return str_cstr(arena, str_from(named));
    char program[PATH_MAX];
    if (!program_folder(program, sizeof(program)))
        return str_cstr(arena, STR(""));
    static const char *const PLACES[] = {"%s/../content", "%s/content", "%s/../../content",
                                         "%s/../share/azimuth/content"};
    for (size_t i = 0; i < COUNT_OF(PLACES); i++) {
        char path[PATH_MAX + 64], real[PATH_MAX];
        snprintf(path, sizeof(path), "%s%s", program, PLACES[i] + 2);
        if (is_folder(path) && realpath(path, real))
            return str_cstr(arena, str_from(real));
    }
    return str_cstr(arena, STR(""));
}

Content *
content_open(const char *dir, AzError *error)
{
    if (dir && !is_folder(dir)) {
        error_set(error, AZ_NOT_FOUND, "the content folder '%s' does not exist", dir);
        return NULL;
    }
    Content *content = calloc(1, sizeof(*content));
    if (!content) {
        error_set(error, AZ_LIMIT, "out of memory");
        return NULL;
    }
    content->dir = dir ? str_cstr(&content->arena, str_from(dir)) : default_dir(&content->arena);
    schema_files_init(&content->schemas, &content->arena);
    map_init(&content->functions, &content->arena, false);
    function_files_init(&content->brought, &content->arena);
    pthread_mutex_init(&content->mutex, NULL);
    return content;
}

void
content_close(Content *content)
{
    if (!content)
        return;
    pthread_mutex_destroy(&content->mutex);
    arena_free(&content->arena);
    free(content);
}

const char *
content_dir(const Content *content)
{
    return content->dir;
}

static int
name_order(const void *a, const void *b)
{
    return str_compare(*(const Str *)a, *(const Str *)b);
}

// Files of a folder of content with that ending, in name order.
static NameList
list_files(Arena *arena, const char *dir, Str ending)
{
    NameList names = {0};
    DIR *folder = opendir(dir);
    struct dirent *entry;
    while (folder && (entry = readdir(folder)))
        if (entry->d_name[0] != '.' && str_ends(str_from(entry->d_name), ending))
            ARRAY_PUSH(arena, &names, str_copy(arena, str_from(entry->d_name)));
    if (folder)
        closedir(folder);
    if (names.len)
        qsort(names.items, names.len, sizeof(Str), name_order);
    return names;
}

// ---- schemas ----

// Tables of a snapshot come from the files of Resource Graph and Microsoft Graph, and
// CollectionStatus is written with them; all others grow.
static TableKind
file_kind(Str name)
{
    bool inventory = str_starts(name, STR("resource-graph")) ||
                     str_starts(name, STR("microsoft-graph")) || str_starts(name, STR("snapshot"));
    return inventory ? TABLE_INVENTORY : TABLE_LOG;
}

// Tables that stand for functions of a workspace, products' parsers. Few queries are about them, so
// their file is read when no other declares the table.
static const Str PARSERS = STR_INIT("community-parsers");

static void
read_schemas(Content *content, bool parsers)
{
    bool *read = parsers ? &content->parsers_read : &content->schemas_read;
    if (*read || !*content->dir)
        return;
    *read = true;
    Str dir = str_format(&content->arena, "%s/schemas", content->dir);
    NameList names = list_files(&content->arena, dir.ptr, STR(".kql"));
    for (size_t i = 0; i < names.len; i++) {
        Str path = str_format(&content->arena, "%.*s/%.*s", STR_ARG(dir), STR_ARG(names.items[i]));
        Str file = str_slice(names.items[i], 0, names.items[i].len - 4);
        if (str_equal(file, PARSERS) == parsers)
            schema_files_add(&content->schemas, path, file, file_kind(file));
    }
}

// The declaration of a table; NULL when there is none.
static const SchemaEntry *
find_entry(Content *content, Str table)
{
    pthread_mutex_lock(&content->mutex);
    read_schemas(content, false);
    SchemaEntry *entry = schema_files_find(&content->schemas, table);
    if (!entry) {
        read_schemas(content, true);
        entry = schema_files_find(&content->schemas, table);
    }
    pthread_mutex_unlock(&content->mutex);
    return entry;
}

bool
content_schema(Content *content, Str table, Str *canonical, const Schema **schema, TableKind *kind)
{
    const SchemaEntry *entry = find_entry(content, table);
    if (!entry || entry->broken)
        return false;
    *canonical = entry->name;
    *schema = &entry->schema;
    *kind = entry->kind;
    return true;
}

bool
content_find_schema(void *content, Str table, Arena *arena, Str *canonical, Schema *schema,
                    TableKind *kind)
{
    const Schema *declared;
    if (!content_schema(content, table, canonical, &declared, kind))
        return false;
    *schema = schema_copy(arena, declared);
    return true;
}

void
content_each_table(Content *content, ContentTables which, void (*each)(void *arg, Str name),
                   void *arg)
{
    pthread_mutex_lock(&content->mutex);
    if (which & CONTENT_TABLES)
        read_schemas(content, false);
    if (which & CONTENT_PARSERS)
        read_schemas(content, true);
    pthread_mutex_unlock(&content->mutex);
    const Map *names = &content->schemas.names;
    for (size_t i = 0; i < names->len; i++) {
        const SchemaEntry *entry = names->entries[i].pointer;
        if (which & (str_equal(entry->source, PARSERS) ? CONTENT_PARSERS : CONTENT_TABLES))
            each(arg, entry->name);
    }
}

Str
content_table_source(Content *content, Str table)
{
    const SchemaEntry *entry = find_entry(content, table);
    return entry ? entry->source : STR("");
}

Str
content_table_doc(Content *content, Str table)
{
    const SchemaEntry *entry = find_entry(content, table);
    return entry ? entry->doc : STR("");
}

// ---- functions ----

static bool
is_file_name(Str name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '_'))
            return false;
    }
    return name.len > 0 && name.len < 200;
}

// functions/ and its sub-folders, each with a slash behind.
static const NameList *
function_folders(Content *content)
{
    NameList *folders = &content->function_folders;
    if (folders->len)
        return folders;
    Str top = str_format(&content->arena, "%s/functions/", content->dir);
    NameList names = list_files(&content->arena, top.ptr, STR(""));
    ARRAY_PUSH(&content->arena, folders, top);
    for (size_t i = 0; i < names.len; i++) {
        Str folder =
            str_format(&content->arena, "%.*s%.*s/", STR_ARG(top), STR_ARG(names.items[i]));
        if (is_folder(folder.ptr))
            ARRAY_PUSH(&content->arena, folders, folder);
    }
    return folders;
}

static bool
function_path(Content *content, Str name, Str *path)
{
    const NameList *folders = function_folders(content);
    for (size_t i = 0; i < folders->len; i++) {
        char file[PATH_MAX];
        int len =
            snprintf(file, sizeof(file), "%.*s%.*s.kql", STR_ARG(folders->items[i]), STR_ARG(name));
        if (len <= 0 || (size_t)len >= sizeof(file) || access(file, R_OK))
            continue;
        *path = str_from(str_cstr(&content->arena, str_from(file)));
        return true;
    }
    return false;
}

bool
content_add_functions(Content *content, const char *dir, AzError *error)
{
    return function_files_add(&content->brought, dir, error);
}

const AstFunctionFile *
content_brought_function(Content *content, Str name, AzError *error)
{
    return function_files_find(&content->brought, name, error);
}

const AstFunctionFile *
content_function(Content *content, Str name, AzError *error)
{
    AzError brought = {0};
    const AstFunctionFile *found = content_brought_function(content, name, &brought);
    if (found || brought.code != AZ_OK) {
        if (error && !found)
            *error = brought;
        return found;
    }
    AstFunctionFile *file = map_get(&content->functions, name);
    if (file || !*content->dir || !is_file_name(name))
        return file;
    Str path;
    if (!function_path(content, name, &path))
        return NULL;
    Str text;
    AzError cause = {0};
    if (!content_read_file(&content->arena, path.ptr, &text, error))
        return NULL;
    file = kql_parse_function(&content->arena, text, &cause);
    if (!file) {
        uint32_t line = 0, column = 0;
        text_position(text, cause.span.start, &line, &column);
        error_set(error, cause.code, "%.*s:%u:%u: %s", STR_ARG(path), line, column, cause.message);
        return NULL;
    }
    if (!str_equal(file->name.text, name)) {
        error_set(error, AZ_INVALID,
                  "%.*s defines the function '%.*s'; its file must be named "
                  "after it",
                  STR_ARG(path), STR_ARG(file->name.text));
        return NULL;
    }
    file->path = path;
    map_put(&content->functions, file->name.text, file);
    return file;
}

void
content_each_function(Content *content, void (*each)(void *arg, Str name), void *arg)
{
    function_files_each(&content->brought, each, arg);
    if (!*content->dir)
        return;
    const NameList *folders = function_folders(content);
    for (size_t f = 0; f < folders->len; f++) {
        NameList names = list_files(&content->arena, folders->items[f].ptr, STR(".kql"));
        for (size_t i = 0; i < names.len; i++)
            each(arg, str_slice(names.items[i], 0, names.items[i].len - 4));
    }
}

// ---- version ----

static void
hash_folder(XXH3_state_t *state, Arena *arena, const char *dir, int depth)
{
    NameList names = list_files(arena, dir, STR(""));
    for (size_t i = 0; i < names.len; i++) {
        Str path = str_format(arena, "%s/%.*s", dir, STR_ARG(names.items[i]));
        if (is_folder(path.ptr)) {
            if (depth < 8)
                hash_folder(state, arena, path.ptr, depth + 1);
            continue;
        }
        Str text;
        XXH3_128bits_update(state, names.items[i].ptr, names.items[i].len);
        if (content_read_file(arena, path.ptr, &text, NULL))
            XXH3_128bits_update(state, text.ptr, text.len);
    }
}

Str
content_hash(Content *content, Arena *arena)
{
    if (!*content->dir)
        return STR("");
    Arena scratch = {0};
    XXH3_state_t *state = XXH3_createState();
    XXH3_128bits_reset(state);
    hash_folder(state, &scratch, content->dir, 0);
    XXH128_hash_t hash = XXH3_128bits_digest(state);
    XXH3_freeState(state);
    arena_free(&scratch);
    return str_format(arena, "%016llx%016llx", (unsigned long long)hash.high64,
                      (unsigned long long)hash.low64);
}
