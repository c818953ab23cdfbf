// join, lookup and union: tables brought together.

#include "base/map.h"
#include "kql/bind_state.h"
#include "kql/signature.h"

#include <fnmatch.h>

// ---- join ----

static const struct {
    Str name;
    JoinKind kind;
} JOIN_KINDS[] = {
    {STR_INIT("innerunique"), JOIN_INNERUNIQUE}, {STR_INIT("inner"), JOIN_INNER},
    {STR_INIT("leftouter"), JOIN_LEFTOUTER},     {STR_INIT("rightouter"), JOIN_RIGHTOUTER},
    {STR_INIT("fullouter"), JOIN_FULLOUTER},     {STR_INIT("leftsemi"), JOIN_LEFTSEMI},
    {STR_INIT("semi"), JOIN_LEFTSEMI},           {STR_INIT("rightsemi"), JOIN_RIGHTSEMI},
    {STR_INIT("leftanti"), JOIN_LEFTANTI},       {STR_INIT("anti"), JOIN_LEFTANTI},
    {STR_INIT("leftantisemi"), JOIN_LEFTANTI},   {STR_INIT("rightanti"), JOIN_RIGHTANTI},
    {STR_INIT("rightantisemi"), JOIN_RIGHTANTI},
};

static bool
join_kind(Binder *b, const AstOperator *step, bool lookup, JoinKind *out)
{
    const AstParam *kind = operator_param(step, "kind");
    *out = lookup ? JOIN_LEFTOUTER : JOIN_INNERUNIQUE;
    if (!kind)
        return true;
    for (size_t i = 0; i < COUNT_OF(JOIN_KINDS); i++) {
        if (!str_equal_ci(kind->text, JOIN_KINDS[i].name))
            continue;
        *out = JOIN_KINDS[i].kind;
        if (lookup && *out != JOIN_LEFTOUTER && *out != JOIN_INNER)
            return bind_fail(b, kind->span, "lookup knows the kinds leftouter and inner");
        return true;
    }
    return bind_fail(b, kind->span, "there is no join kind '%.*s'", STR_ARG(kind->text));
}

typedef struct JoinKeys {
    Expr **left, **right;
    uint32_t count, cap;
} JoinKeys;

static bool
add_keys(Binder *b, JoinKeys *keys, Expr *left, Expr *right, Span span)
{
    if (!left || !right)
        return false;
    // A dynamic key is compared as the other side's type, two dynamics as text.
    Type type = type_common(left->type, right->type);
    if (left->type == TYPE_DYNAMIC || right->type == TYPE_DYNAMIC)
        type = left->type == right->type    ? TYPE_STRING
               : left->type == TYPE_DYNAMIC ? right->type
                                            : left->type;
    if (type == TYPE_NONE)
        return bind_fail(b, span, "the join compares a %s with a %s: convert one of them",
                         type_name(left->type), type_name(right->type));
    left = bind_convert(b, left, type);
    right = bind_convert(b, right, type);
    if (!left || !right)
        return false;
    if (keys->count == keys->cap) {
        uint32_t cap = keys->cap ? keys->cap * 2 : 4;
        Expr **grown_left = ARENA_ARRAY(b->arena, Expr *, cap);
        Expr **grown_right = ARENA_ARRAY(b->arena, Expr *, cap);
        for (uint32_t i = 0; i < keys->count; i++) {
            grown_left[i] = keys->left[i];
            grown_right[i] = keys->right[i];
        }
        keys->left = grown_left;
        keys->right = grown_right;
        keys->cap = cap;
    }
    keys->left[keys->count] = left;
    keys->right[keys->count++] = right;
    return true;
}

// -1 left, 1 right, 0 neither: which side `$left.a` or `$right.b` names.
static int
side_of(const AstExpr *ast)
{
    const AstExpr *base = ast;
    while (base->kind == AST_MEMBER || base->kind == AST_INDEX)
        base = base->base;
    if (base->kind != AST_NAME)
        return 0;
    return str_equal(base->name.text, STR("$left"))    ? -1
           : str_equal(base->name.text, STR("$right")) ? 1
                                                       : 0;
}

// `$left.a.b` with `$left` taken away.
static AstExpr *
without_side(Binder *b, const AstExpr *ast)
{
    AstExpr *copy = ARENA_NEW(b->arena, AstExpr);
    *copy = *ast;
    if (ast->kind == AST_MEMBER && ast->base->kind == AST_NAME) {
        copy->kind = AST_NAME;
        copy->base = NULL;
        return copy;
    }
    copy->base = without_side(b, ast->base);
    return copy;
}

static bool
bind_condition(Binder *b, const AstExpr *ast, Row *left, Row *right, JoinKeys *keys)
{
    if (ast->kind == AST_BINARY && str_equal(ast->op, STR("and")))
        return bind_condition(b, ast->base, left, right, keys) &&
               bind_condition(b, ast->args.items[0], left, right, keys);
    if (ast->kind == AST_NAME)
        return add_keys(b, keys, bind_expression(b, ast, left), bind_expression(b, ast, right),
                        ast->span);
    if (ast->kind != AST_BINARY || !str_equal(ast->op, STR("==")) || ast->negated)
        return bind_fail(b, ast->span, "a join condition is a column name, or $left.a == $right.b");
    const AstExpr *first = ast->base, *second = ast->args.items[0];
    if (side_of(first) * side_of(second) != -1)
        return bind_fail(b, ast->span,
                         "a join condition needs $left on one side and $right on the other");
    if (side_of(first) > 0) {
        const AstExpr *swap = first;
        first = second;
        second = swap;
    }
    return add_keys(b, keys, bind_expression(b, without_side(b, first), left),
                    bind_expression(b, without_side(b, second), right), ast->span);
}

static bool
is_right_key(const JoinKeys *keys, uint32_t column)
{
    for (uint32_t k = 0; k < keys->count; k++)
        if (keys->right[k]->kind == EXPR_COLUMN && keys->right[k]->column == column)
            return true;
    return false;
}

static void
join_columns(Binder *b, Plan *plan, const Schema *side, bool right, const JoinKeys *keys,
             bool skip_keys, ColumnNamer *namer)
{
    for (uint32_t c = 0; c < side->count; c++) {
        if (skip_keys && is_right_key(keys, c))
            continue;
        plan->join.columns[namer->len].from_right = right;
        plan->join.columns[namer->len].column = c;
        namer_add_auto(namer, side->columns[c].name, side->columns[c].type);
    }
    (void)b;
}

Plan *
bind_join(Binder *b, Plan *input, const AstOperator *step)
{
    bool lookup = str_equal(step->name, STR("lookup"));
    JoinKind kind;
    if (!join_kind(b, step, lookup, &kind))
        return NULL;
    if (step->expr) {
        bind_fail(b, step->expr->span, "a join needs 'on' and its conditions");
        return NULL;
    }
    Plan *right = bind_table(b, step->right);
    Plan *plan = right ? bind_plan(b, PLAN_JOIN, step->span) : NULL;
    if (!plan)
        return NULL;
    Row left_row = row_of(input), right_row = row_of(right);
    JoinKeys keys = {0};
    bool again = false;
    for (size_t i = 0; i < step->on.len; i++) {
        if (bind_condition(b, step->on.items[i].expr, &left_row, &right_row, &keys))
            continue;
        if (!bind_recover(b))
            return NULL;
        again = true;
    }
    if (again) {
        bind_again(b);
        return NULL;
    }
    plan->absent = input->absent ? input->absent : right->absent;
    plan->input = input;
    plan->join.kind = kind;
    plan->join.right = right;
    plan->join.left_keys = keys.left;
    plan->join.right_keys = keys.right;
    plan->join.key_count = keys.count;
    plan->join.columns = (struct JoinColumn *)arena_zalloc_array(
        b->arena, (size_t)input->schema.count + right->schema.count, sizeof(*plan->join.columns));
    ColumnNamer namer = {.arena = b->arena};
    bool only_left = kind == JOIN_LEFTSEMI || kind == JOIN_LEFTANTI;
    bool only_right = kind == JOIN_RIGHTSEMI || kind == JOIN_RIGHTANTI;
    if (!only_right)
        join_columns(b, plan, &input->schema, false, &keys, false, &namer);
    if (!only_left)
        join_columns(b, plan, &right->schema, true, &keys, lookup, &namer);
    plan->schema = namer_schema(&namer);
    plan->open = right->open && !only_left;
    return plan;
}

// ---- union ----

bool
union_add(Binder *b, UnionInputs *inputs, Plan *plan, Str name)
{
    if (!plan)
        return false;
    if (inputs->len == inputs->cap) {
        size_t cap = inputs->cap ? inputs->cap * 2 : 8;
        Plan **items = ARENA_ARRAY(b->arena, Plan *, cap);
        Str *names = ARENA_ARRAY(b->arena, Str, cap);
        for (size_t i = 0; i < inputs->len; i++) {
            items[i] = inputs->items[i];
            names[i] = inputs->names[i];
        }
        inputs->items = items;
        inputs->names = names;
        inputs->cap = cap;
    }
    inputs->items[inputs->len] = plan;
    inputs->names[inputs->len++] = name;
    return true;
}

typedef struct Matches {
    Arena *arena;
    Str pattern;
    Str *items;
    size_t len, cap;
} Matches;

static void
match_table(void *context, Str name)
{
    Matches *matches = context;
    if (fnmatch(matches->pattern.ptr, str_cstr(matches->arena, name), FNM_CASEFOLD) != 0)
        return;
    for (size_t i = 0; i < matches->len; i++)
        if (str_equal_ci(matches->items[i], name)) // a stored table is a declared one too
            return;
    ARRAY_PUSH(matches->arena, matches, str_copy(matches->arena, name));
}

// The pattern of a wildcard; database('*').T* has one too: all names of databases lead
// to this store. NULL pointer when `ast` is a plain table.
static Str
table_pattern(const AstExpr *ast)
{
    if (ast->kind == AST_STAR)
        return STR("*");
    if (ast->kind == AST_WILDCARD)
        return ast->name.text;
    if (ast->kind == AST_MEMBER && ast->index &&
        (ast->index->kind == AST_WILDCARD || ast->index->kind == AST_STAR))
        return table_pattern(ast->index);
    if (ast->kind == AST_MEMBER && !ast->index && str_find(ast->name.text, STR("*")) >= 0)
        return ast->name.text;
    return (Str){0};
}

// T*, *, database("d").T*: the tables whose names fit, of the database at hand or a place.
static bool
add_wildcard(Binder *b, UnionInputs *inputs, Str place, Str pattern, Span span)
{
    Matches matches = {.arena = b->arena};
    matches.pattern = (Str){str_cstr(b->arena, pattern), pattern.len};
    scope_each_view(b, b->scope, match_table, &matches);
    b->catalog->each_table(b->catalog->context, match_table, &matches);
    if (!matches.len)
        return bind_fail(b, span, "no table matches '%.*s'", STR_ARG(pattern));
    for (size_t i = 0; i < matches.len; i++) {
        Str name = matches.items[i];
        if (!table_is_visible(b, place, name))
            continue;
        Plan *plan =
            place.len ? bind_place_table(b, place, name, span) : bind_table_name(b, name, span);
        if (!union_add(b, inputs, plan, name))
            return false;
    }
    return true;
}

// isfuzzy=true: a table that is not there is left out.
bool
union_add_listed(Binder *b, UnionInputs *inputs, const AstExpr *ast, bool fuzzy, size_t ordinal,
                 const char *unnamed)
{
    Str place = STR("");
    Str pattern = table_pattern(ast);
    if (pattern.ptr && ast->kind == AST_MEMBER && !place_of(b, ast->base, &place))
        return bind_fail(b, ast->base->span, "a database is needed before the name of a table");
    if (pattern.ptr)
        return add_wildcard(b, inputs, place, pattern, ast->span);
    Str name =
        ast->kind == AST_NAME ? ast->name.text : str_format(b->arena, "%s%zu", unnamed, ordinal);
    b->attempts += fuzzy;
    uint32_t depth = b->depth;
    bool was_missing = b->missing_table;
    b->missing_table = false;
    Plan *plan = bind_table(b, ast);
    b->attempts -= fuzzy;
    // isfuzzy=true leaves out what is not there or cannot be reached.
    bool missing = b->missing_table && !plan && b->error->code == AZ_SEMANTIC;
    if (!plan && fuzzy && (missing || b->error->code == AZ_NOT_FOUND)) {
        if (inputs->left_out.code == AZ_OK)
            inputs->left_out = *b->error;
        b->missing_table = was_missing;
        b->silent = false;
        b->depth = depth;
        error_clear(b->error);
        return true;
    }
    b->missing_table |= was_missing;
    if (plan && plan->kind == PLAN_SCAN)
        name = plan->scan.table;
    return union_add(b, inputs, plan, name);
}

// What the inputs know of a column name: its types, and how many inputs have it.
typedef struct UnionName {
    uint32_t types; // bit set of Type
    uint32_t inputs;
    Type first;                // type of the first input that has it
    bool is_settled;           // the first two inputs that have it agree in type
    size_t output[TYPE_LIMIT]; // output column of each type + 1
} UnionName;

static void
collect_names(Binder *b, const UnionInputs *inputs, Map *names)
{
    for (size_t i = 0; i < inputs->len; i++) {
        const Schema *schema = &inputs->items[i]->schema;
        for (uint32_t c = 0; c < schema->count; c++) {
            MapEntry *entry = map_add(names, schema->columns[c].name, NULL);
            if (!entry->pointer)
                entry->pointer = ARENA_NEW(b->arena, UnionName);
            UnionName *name = entry->pointer;
            Type type = schema->columns[c].type;
            name->types |= 1u << type;
            if (++name->inputs == 1)
                name->first = type;
            else if (name->inputs == 2)
                name->is_settled = type == name->first;
        }
    }
}

// Adds an output column; a name that another one bears already gets a number.
static size_t
add_output(ColumnNamer *namer, Map *taken, Str name, Type type)
{
    bool is_new;
    map_add(taken, name, &is_new);
    if (is_new) {
        Column column = {name, type};
        ARRAY_PUSH(namer->arena, namer, column);
    } else {
        namer_add_auto(namer, name, type);
        map_add(taken, namer->items[namer->len - 1].name, NULL);
    }
    return namer->len;
}

// A name whose first two tables agree in type still stands for the column of that type
// when a later table has another one: one odd table among many does not take the name away
// (the official analyser does so too).
static const AbsentColumns *
add_split_names(Binder *b, const AbsentColumns *absent, const Map *names)
{
    struct {
        Column *items;
        size_t len, cap;
    } split = {0};
    for (size_t i = 0; i < names->len; i++) {
        const UnionName *name = names->entries[i].pointer;
        Column column = {names->entries[i].key, name->first};
        if (name->is_settled && (name->types & (name->types - 1)))
            ARRAY_PUSH(b->arena, &split, column);
    }
    if (!split.len)
        return absent;
    AbsentColumns *more = ARENA_NEW(b->arena, AbsentColumns);
    if (absent)
        *more = *absent;
    more->split = (Schema){split.items, (uint32_t)split.len};
    return more;
}

// Output columns: same name and type are one; same name, other types get the type as
// a suffix (language rules: union).
static void
merge_columns(Binder *b, const UnionInputs *inputs, const Map *names, bool inner,
              ColumnNamer *namer, int32_t **map)
{
    Map taken;
    map_init(&taken, b->arena, false);
    for (size_t i = 0; i < namer->len; i++)
        map_add(&taken, namer->items[i].name, NULL);
    for (size_t i = 0; i < inputs->len; i++) {
        const Schema *schema = &inputs->items[i]->schema;
        for (uint32_t c = 0; c < schema->count; c++) {
            const Column *column = &schema->columns[c];
            UnionName *known = map_get(names, column->name);
            if (known->output[column->type] || (inner && known->inputs < inputs->len))
                continue;
            bool one_type = (known->types & (known->types - 1)) == 0;
            Str name = one_type ? column->name : split_name(b->arena, column->name, column->type);
            known->output[column->type] = add_output(namer, &taken, name, column->type);
        }
    }
    for (size_t i = 0; i < inputs->len; i++) {
        const Schema *schema = &inputs->items[i]->schema;
        map[i] = ARENA_ARRAY(b->arena, int32_t, namer->len + 1);
        memset(map[i], 0xFF, (namer->len + 1) * sizeof(int32_t));
        for (uint32_t c = 0; c < schema->count; c++) {
            UnionName *known = map_get(names, schema->columns[c].name);
            size_t output = known->output[schema->columns[c].type];
            if (output)
                map[i][output - 1] = (int32_t)c;
        }
    }
}

Plan *
union_plan(Binder *b, const UnionInputs *inputs, const AstName *source, bool inner, Span span)
{
    Plan *plan = bind_plan(b, PLAN_UNION, span);
    if (!plan)
        return NULL;
    ColumnNamer namer = {.arena = b->arena};
    plan->union_.source_column = source ? 0 : -1;
    if (source && !namer_add(b, &namer, source, STR(""), TYPE_STRING))
        return NULL;
    for (size_t i = 0; i < inputs->len && !plan->absent; i++)
        plan->absent = inputs->items[i]->absent;
    plan->union_.inputs = inputs->items;
    plan->union_.names = inputs->names;
    plan->union_.count = (uint32_t)inputs->len;
    plan->union_.columns = ARENA_ARRAY(b->arena, int32_t *, inputs->len);
    Map names;
    map_init(&names, b->arena, false);
    collect_names(b, inputs, &names);
    merge_columns(b, inputs, &names, inner, &namer, plan->union_.columns);
    plan->absent = add_split_names(b, plan->absent, &names);
    // Inputs come one after another, each in its order.
    plan->serialized = true;
    for (size_t i = 0; i < inputs->len; i++)
        plan->serialized = plan->serialized && inputs->items[i]->serialized;
    plan->schema = namer_schema(&namer);
    for (size_t i = 0; i < inputs->len; i++)
        plan->open |= inputs->items[i]->open && !inner;
    return plan;
}

Plan *
bind_union(Binder *b, Plan *input, const AstOperator *step)
{
    const AstParam *kind = operator_param(step, "kind");
    const AstParam *source = operator_param(step, "withsource");
    if (!source)
        source = operator_param(step, "with_source");
    bool is_fuzzy = operator_flag(step, "isfuzzy");
    UnionInputs inputs = {0};
    if (input) {
        Str name = input->kind == PLAN_SCAN ? input->scan.table : STR("union_arg0");
        union_add(b, &inputs, input, name);
    }
    bool again = false;
    for (size_t i = 0; i < step->items.len; i++) {
        if (union_add_listed(b, &inputs, step->items.items[i].expr, is_fuzzy, i + (input ? 1 : 0),
                             "union_arg"))
            continue;
        if (!bind_recover(b))
            return NULL;
        again = b->doubtful = true;
    }
    if (again) {
        bind_again(b);
        return NULL;
    }
    if (!inputs.len) {
        const AzError *why = &inputs.left_out;
        if (why->code != AZ_OK && b->error->code == AZ_OK)
            error_at(b->error, why->code, why->span,
                     "none of the tables of this union can be read; of the first: %s",
                     why->message);
        bind_fail(b, step->span, "none of the tables of this union exists");
        return NULL;
    }
    AstName name = {source ? source->text : STR(""), source ? source->span : step->span};
    bool inner = kind && str_equal_ci(kind->text, STR("inner"));
    if (kind && !inner && !str_equal_ci(kind->text, STR("outer"))) {
        bind_fail(b, kind->span, "the kinds of union are inner and outer");
        return NULL;
    }
    return union_plan(b, &inputs, source ? &name : NULL, inner, step->span);
}
