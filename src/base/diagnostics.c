#include "base/diagnostics.h"

#include <string.h>

static bool
is_noted(const AzError *items, uint32_t count, const AzError *error)
{
    for (uint32_t i = 0; i < count; i++)
        if (items[i].span.start == error->span.start && items[i].span.end == error->span.end &&
            strcmp(items[i].message, error->message) == 0)
            return true;
    return false;
}

bool
diagnostics_error(Diagnostics *diagnostics, const AzError *error)
{
    if (is_noted(diagnostics->errors, diagnostics->error_count, error))
        return true;
    if (diagnostics->error_count < DIAGNOSTICS_MAX)
        diagnostics->errors[diagnostics->error_count++] = *error;
    return diagnostics->error_count < DIAGNOSTICS_MAX;
}

void
diagnostics_warn(Diagnostics *diagnostics, Span span, const char *message)
{
    AzError warning = {0};
    error_at(&warning, AZ_INVALID, span, "%s", message);
    if (diagnostics->warning_count < DIAGNOSTICS_MAX &&
        !is_noted(diagnostics->warnings, diagnostics->warning_count, &warning))
        diagnostics->warnings[diagnostics->warning_count++] = warning;
}
