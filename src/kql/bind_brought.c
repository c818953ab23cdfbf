// Functions of the user before tables. What is saved in the store or brought in a folder is what
// the user wants read under its name: a product's parser rather than the declared table that says
// which columns it has. So it is in Kusto, where a bare name is a stored function's before it is a
// table's.

#include "kql/bind_state.h"

// The function that the user saved or brought and that the bare name calls: it takes no argument
// and yields a table. Inside itself its name is that of the table it stands for. False when the
// function cannot be read.
static bool
find_brought(Binder *b, Str name, const AstFunctionFile **out)
{
    AzError error = {0};
    *out = NULL;
    const AstFunctionFile *file =
        scope_find(b->scope, name)
            ? NULL
            : b->catalog->find_brought_function(b->catalog->context, name, &error);
    if (error.code != AZ_OK && b->error->code == AZ_OK)
        *b->error = error;
    if (!file)
        return error.code == AZ_OK;
    for (const OpenFunction *open = b->open_functions; open; open = open->outer)
        if (open->file == file)
            return true;
    for (uint32_t i = 0; i < file->function->parameter_count; i++)
        if (!file->function->parameters[i].default_)
            return true;
    if (function_is_tabular(b, file->function, NULL))
        *out = file;
    return true;
}

// A name by itself; table("T") is the table.
Plan *
bind_bare_name(Binder *b, const AstExpr *ast)
{
    const AstFunctionFile *file;
    if (!find_brought(b, ast->name.text, &file))
        return NULL;
    if (!file)
        return bind_table_name(b, ast->name.text, ast->span);
    if (!name_is_visible(b, STR(""), ast->name.text)) {
        bind_hidden(b, ast->name.text, ast->span);
        return NULL;
    }
    return call_function(b, file->function, NULL, file, NULL, NULL, ast->span);
}
