// Going on behind an error, so that a query's errors are told in one go.
//
// Whoever binds a list of things (statements, operators, items, arguments) and sees one
// fail calls bind_recover: it notes the error and lets the others be bound. The list as a
// whole fails then with bind_again, an error that is already told. What depends on the
// failed part must not be reported as a mistake of its own: its names are broken, and
// using one fails silently; once an operator failed, a column that is not found is no
// news either.

#include "kql/bind_state.h"

bool
bind_recover(Binder *b)
{
    if (!b->error || b->error->code == AZ_OK || !b->diagnostics || b->attempts)
        return false;
    AzCode code = b->error->code;
    if (code == AZ_LIMIT || code == AZ_IO || code == AZ_CORRUPT || code == AZ_CANCELLED)
        return false;
    if (!b->silent && !diagnostics_error(b->diagnostics, b->error))
        return false;
    b->failed = true;
    b->silent = false;
    error_clear(b->error);
    return true;
}

bool
bind_again(Binder *b)
{
    if (b->error->code != AZ_OK)
        return false;
    b->silent = true;
    return error_set(b->error, AZ_SEMANTIC, "this follows from an error before");
}

void
bind_warn(Binder *b, Span span, const char *format, ...)
{
    if (!b->diagnostics || b->attempts || b->hypothetical)
        return;
    va_list args;
    va_start(args, format);
    Str message = str_vformat(b->arena, format, args);
    va_end(args);
    diagnostics_warn(b->diagnostics, span, str_cstr(b->arena, message));
}

void
break_item_names(Binder *b, const AstItemList *items)
{
    for (size_t i = 0; i < items->len; i++)
        for (size_t n = 0; n < items->items[i].name_count; n++)
            ARRAY_PUSH(b->arena, &b->broken_columns, items->items[i].names[n].text);
}

void
break_operator(Binder *b, const AstOperator *step)
{
    break_item_names(b, &step->items);
    break_item_names(b, &step->by);
    for (size_t i = 0; i < step->parts.len; i++)
        if (step->parts.items[i].column.text.len)
            ARRAY_PUSH(b->arena, &b->broken_columns, step->parts.items[i].column.text);
    static const Str SAME[] = {STR_INIT("where"), STR_INIT("sort"),   STR_INIT("top"),
                               STR_INIT("take"),  STR_INIT("sample"), STR_INIT("serialize")};
    for (size_t i = 0; i < COUNT_OF(SAME); i++)
        if (str_equal(step->name, SAME[i]))
            return; // the columns stay what they are
    b->doubtful = true;
}

bool
column_is_broken(const Binder *b, Str name)
{
    for (size_t i = 0; i < b->broken_columns.len; i++)
        if (str_equal(b->broken_columns.items[i], name))
            return true;
    return false;
}

// Operators that keep what they do not name.
static bool
keeps_absent(const AstOperator *step)
{
    static const Str KEEPS[] = {
        STR_INIT("extend"),       STR_INIT("mv-expand"),      STR_INIT("mvexpand"),
        STR_INIT("mv-apply"),     STR_INIT("parse"),          STR_INIT("parse-where"),
        STR_INIT("parse-kv"),     STR_INIT("join"),           STR_INIT("lookup"),
        STR_INIT("project-away"), STR_INIT("project-rename"), STR_INIT("project-reorder"),
        STR_INIT("serialize"),    STR_INIT("union"),
    };
    for (size_t i = 0; i < COUNT_OF(KEEPS); i++)
        if (str_equal(step->name, KEEPS[i]))
            return true;
    return false;
}

// The operators of a pipeline over `plan`. Behind one that fails the others are bound
// over what it was given, only to see their own mistakes.
Plan *
bind_pipeline(Binder *b, Plan *plan, const AstExpr *pipeline)
{
    bool failed = false;
    if (!plan) {
        if (!bind_recover(b) || !(plan = bind_plan(b, PLAN_VALUES, pipeline->span)))
            return NULL;
        b->doubtful = failed = true;
    }
    for (size_t i = 0; i < pipeline->operator_count; i++) {
        Plan *next = bind_operator(b, plan, pipeline->operators[i]);
        if (!next) {
            if (!bind_recover(b))
                return NULL;
            failed = true;
            break_operator(b, pipeline->operators[i]);
            continue;
        }
        if (keeps_absent(pipeline->operators[i]) && next != plan && !next->absent)
            next->absent = plan->absent;
        plan = next;
    }
    if (failed)
        bind_again(b);
    return failed ? NULL : plan;
}
