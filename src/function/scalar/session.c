// Functions about the one who asks and the place where the data lies. A store keeps no
// database cursors, extents or row stores as a cluster does; these functions answer what
// their pages say for data that belongs to none. Sources: Kusto docs, current_principal(),
// current_principal_details(), current_principal_is_member_of(), current_cluster_endpoint(),
// cursor_after(), extent_id(), extent_tags().

#include "base/array.h"
#include "function/registry.h"

#include <pwd.h>
#include <unistd.h>

static void
fill_text(ScalarCall *call, Str text)
{
    for (uint32_t i = 0; i < call->count; i++)
        out_view(call, i, text);
}

// The name of the system's user; its number when it has no name.
static Str
user_name(Arena *arena)
{
    struct passwd entry, *found = NULL;
    char memory[4096];
    bool known = getpwuid_r(geteuid(), &entry, memory, sizeof(memory), &found) == 0 && found;
    return known ? str_format(arena, "%s", entry.pw_name)
                 : str_format(arena, "%lu", (unsigned long)geteuid());
}

static Str
principal(Arena *arena)
{
    return str_format(arena, "osuser=%.*s", STR_ARG(user_name(arena)));
}

static void
current_principal(ScalarCall *call)
{
    fill_text(call, principal(call->arena));
}

static void
current_principal_details(ScalarCall *call)
{
    Str name = user_name(call->arena), full = principal(call->arena);
    for (uint32_t i = 0; i < call->count; i++) {
        DynBuilder *dyn = call->scratch->dyn;
        dyn_builder_reset(dyn);
        dyn_begin_bag(dyn);
        dyn_key(dyn, STR("Type"));
        dyn_push_string(dyn, STR("osuser"));
        dyn_key(dyn, STR("DisplayName"));
        dyn_push_string(dyn, name);
        dyn_key(dyn, STR("FQN"));
        dyn_push_string(dyn, full);
        dyn_end_bag(dyn);
        out_dyn(call, i);
    }
}

// Whether one of the names is the caller; a user of the system is in no directory group.
static void
principal_is_member(ScalarCall *call)
{
    Str full = principal(call->arena);
    for (uint32_t i = 0; i < call->count; i++) {
        bool member = false;
        for (uint32_t k = 0; k < call->arg_count; k++) {
            if (arg_is_null(call, k, i))
                continue;
            if (call->args[k].type == TYPE_STRING) {
                member |= str_equal_ci(arg_str(call, k, i), full);
                continue;
            }
            Dyn names = arg_dyn(call, k, i);
            bool is_array = dyn_kind(names) == DYN_ARRAY;
            for (uint32_t e = 0; e < (is_array ? dyn_count(names) : 1); e++) {
                Dyn name = is_array ? dyn_at(names, e) : names;
                member |= dyn_kind(name) == DYN_STRING && str_equal_ci(dyn_string(name), full);
            }
        }
        ((uint8_t *)call->out)[i] = member;
    }
}

static bool
group_bind(Arena *arena, const FunctionDef *fn, Expr *const *args, uint32_t arg_count, Span span,
           Type *type, const void **bound, AzError *error)
{
    (void)arena, (void)span, (void)type, (void)bound;
    for (uint32_t k = 0; k < arg_count; k++)
        if (!type_is_text(args[k]->type))
            return error_at(error, AZ_SEMANTIC, args[k]->span,
                            "%s() takes names of principals as strings or an array, not a %s",
                            fn->name, type_name(args[k]->type));
    return true;
}

static void
this_machine(ScalarCall *call)
{
    fill_text(call, STR("localhost"));
}

static void
empty_text(ScalarCall *call)
{
    fill_text(call, STR(""));
}

// The result's payloads are zeroed: an empty guid.
static void
empty_guid(ScalarCall *call)
{
    (void)call;
}

static void
no_value(ScalarCall *call)
{
    for (uint32_t i = 0; i < call->count; i++)
        out_null(call, i);
}

// ---- cursors ----

// The empty cursor stands before all data; it is the only one there is.
static bool
cursor_bind(Arena *arena, const FunctionDef *fn, Expr *const *args, uint32_t arg_count, Span span,
            Type *type, const void **bound, AzError *error)
{
    (void)arena, (void)arg_count, (void)span, (void)type, (void)bound;
    const Expr *cursor = args[0];
    if (cursor->kind != EXPR_CONST)
        return error_at(error, AZ_SEMANTIC, cursor->span, "the cursor of %s() must be a constant",
                        fn->name);
    if (cursor->value.text.len)
        return error_at(error, AZ_SEMANTIC, cursor->span,
                        "a store keeps no database cursors: %s() takes only the empty one, '', "
                        "which is what cursor_current() gives; compare a column of time instead",
                        fn->name);
    return true;
}

static void
cursor_after(ScalarCall *call)
{
    for (uint32_t i = 0; i < call->count; i++)
        ((uint8_t *)call->out)[i] = true;
}

static void
cursor_before(ScalarCall *call)
{
    for (uint32_t i = 0; i < call->count; i++)
        ((uint8_t *)call->out)[i] = false;
}

// ---- rows ----

#define IMPL(NAME, BIND) static const ScalarImpl NAME##_impl = {NAME, BIND}
IMPL(current_principal, NULL);
IMPL(current_principal_details, NULL);
IMPL(principal_is_member, group_bind);
IMPL(this_machine, NULL);
IMPL(empty_text, NULL);
IMPL(empty_guid, NULL);
IMPL(no_value, NULL);
IMPL(cursor_after, cursor_bind);
IMPL(cursor_before, cursor_bind);

#define FUNCTION(NAME, ALIASES, SIGNATURE, DOC, EXAMPLE, FLAGS, KERNEL)                            \
    {                                                                                              \
        NAME, ALIASES, SIGNATURE, DOC, EXAMPLE, FUNCTION_SCALAR, FLAGS, &(KERNEL##_impl)           \
    }

static const FunctionDef ROWS[] = {
    FUNCTION("current_principal", NULL, "() : string", "Who runs the query.",
             "current_principal() startswith 'osuser='", 0, current_principal),
    FUNCTION("current_principal_details", NULL, "() : dynamic", "Who runs the query, as a bag.",
             "tostring(current_principal_details().FQN) == current_principal()", 0,
             current_principal_details),
    FUNCTION("current_principal_is_member_of", NULL, "(group:scalar...) : bool",
             "Whether one of the names is the one who runs the query.",
             "current_principal_is_member_of(current_principal())", FN_OWN_NULLS,
             principal_is_member),
    FUNCTION("current_cluster_endpoint", "current_node_id", "() : string",
             "The host that answers the query.", "current_cluster_endpoint() == 'localhost'", 0,
             this_machine),
    FUNCTION("cursor_current", "current_cursor", "() : string",
             "The database cursor: empty, as a store keeps none.", "cursor_current() == ''", 0,
             empty_text),
    FUNCTION("cursor_after", NULL, "(cursor:string) : bool",
             "Whether the row came after a database cursor; of the empty one every row did.",
             "cursor_after('')", 0, cursor_after),
    FUNCTION("cursor_before_or_at", NULL, "(cursor:string) : bool",
             "Whether the row came up to a database cursor; of the empty one no row did.",
             "not(cursor_before_or_at(''))", 0, cursor_before),
    FUNCTION("extent_id", "extentid", "() : guid",
             "The extent of the row: an empty guid, as rows here belong to none.",
             "extent_id() == guid(00000000-0000-0000-0000-000000000000)", 0, empty_guid),
    FUNCTION("extent_tags", NULL, "() : dynamic",
             "The tags of the row's extent: null, as rows here belong to none.",
             "isnull(extent_tags())", 0, no_value),
    FUNCTION("row_id", NULL, "() : string",
             "The row's name in its extent: empty, as rows here belong to none.", "row_id() == ''",
             0, empty_text),
    FUNCTION("rowstore_ordinal_range", NULL, "() : dynamic",
             "The range of the row's row store: null, as rows here belong to none.",
             "isnull(rowstore_ordinal_range())", 0, no_value),
};

const FunctionSet SESSION_FUNCTIONS = {ROWS, COUNT_OF(ROWS)};
