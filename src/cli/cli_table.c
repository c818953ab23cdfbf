#include "cli/cli_table.h"

#include "cli/cli.h"

#include <unistd.h>

bool
cli_print_table(const char *format, const ResultTable *table, AzError *error)
{
    ResultFormat form;
    if (!result_format_parse(format, &form))
        return error_set(error, AZ_INVALID,
                         "there is no format '%s'; there are table, json, jsonl, csv, markdown",
                         format);
    ResultStyle style = {.width = cli_terminal_width(), .color = cli_use_color(STDOUT_FILENO)};
    Buffer out = {0};
    result_write(&out, table, form, &style);
    bool done = cli_write(STDOUT_FILENO, buffer_slice(&out));
    buffer_free(&out);
    return done;
}
