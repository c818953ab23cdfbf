// Names in scope, and the binder's errors.

#include "kql/bind_state.h"

bool
bind_fail(Binder *b, Span span, const char *format, ...)
{
    if (b->error && b->error->code != AZ_OK)
        return false;
    b->silent = false;
    va_list args;
    va_start(args, format);
    Str message = str_vformat(b->arena, format, args);
    va_end(args);
    return error_at(b->error, AZ_SEMANTIC, span, "%.*s", STR_ARG(message));
}

bool
bind_unsupported(Binder *b, Span span, const char *what)
{
    if (b->error && b->error->code != AZ_OK)
        return false;
    return error_at(b->error, AZ_UNSUPPORTED, span, "not supported yet: %s", what);
}

Binding *
scope_find(const Scope *scope, Str name)
{
    for (; scope; scope = scope->outer)
        for (Binding *binding = scope->bindings; binding; binding = binding->next)
            if (str_equal(binding->name, name))
                return binding;
    return NULL;
}

static bool
scope_is_view(const Binding *binding)
{
    return binding->kind == BINDING_FUNCTION && binding->function->is_view &&
           !binding->function->parameter_count;
}

Binding *
scope_add(Binder *b, Scope *scope, Str name, BindingKind kind)
{
    Binding *binding = ARENA_NEW(b->arena, Binding);
    binding->name = name;
    binding->kind = kind;
    binding->access = scope->access;
    binding->next = scope->bindings;
    scope->bindings = binding;
    return binding;
}

void
scope_each_view(Binder *b, const Scope *scope, void (*each)(void *context, Str name), void *context)
{
    size_t count = 0;
    for (const Scope *at = scope; at; at = at->outer)
        for (const Binding *binding = at->bindings; binding; binding = binding->next)
            count += scope_is_view(binding);
    Str *names = ARENA_ARRAY(b->arena, Str, count);
    size_t left = count;
    for (const Scope *at = scope; at; at = at->outer)
        for (const Binding *binding = at->bindings; binding; binding = binding->next)
            if (scope_is_view(binding))
                names[--left] = binding->name;
    for (size_t i = 0; i < count; i++)
        each(context, names[i]);
}

Scope *
scope_push(Binder *b, Scope *outer)
{
    Scope *scope = ARENA_NEW(b->arena, Scope);
    scope->outer = outer;
    scope->access = outer ? outer->access : NULL;
    return scope;
}

bool
bind_enter(Binder *b, Span span)
{
    if (++b->depth <= BINDER_DEPTH_MAX)
        return true;
    return bind_fail(b, span,
                     "functions and sub-queries are nested more than %d deep; is a "
                     "function calling itself?",
                     BINDER_DEPTH_MAX);
}

Plan *
bind_plan(Binder *b, PlanKind kind, Span span)
{
    if (++b->plans > BINDER_PLANS_MAX) {
        bind_fail(b, span,
                  "the query unfolds to more than %d operators; wrap tables that are used "
                  "often in materialize()",
                  BINDER_PLANS_MAX);
        return NULL;
    }
    return plan_new(b->arena, kind, span);
}

const AstParam *
operator_param(const AstOperator *step, const char *name)
{
    for (size_t i = 0; i < step->params.len; i++)
        if (str_equal_ci(step->params.items[i].name, str_from(name)))
            return &step->params.items[i];
    return NULL;
}

bool
operator_flag(const AstOperator *step, const char *name)
{
    const AstParam *flag = operator_param(step, name);
    return flag &&
           (str_equal_ci(flag->text, STR("true")) ||
            (flag->expr && flag->expr->value.type == TYPE_BOOL && flag->expr->value.boolean));
}

Row
row_of(const Plan *plan)
{
    return (Row){
        .schema = &plan->schema,
        .absent = plan->absent,
        .ignore_case = plan_ignores_case(plan),
        .serialized = plan->serialized,
        .open = plan->open,
    };
}
