// The command line: options, help, and one file a command. Nothing here is worth a
// test of its own; what a command does lives in the rooms below.
#pragma once

#include "base/buffer.h"
#include "base/diagnostics.h"

#define AZIMUTH_EXIT_OK       0
#define AZIMUTH_EXIT_FINDINGS 1 // assess: findings at or above the threshold
#define AZIMUTH_EXIT_ERROR    2 // could not run

// One option a command takes. `value` names its argument in the help; NULL = a flag. When
// it ends in "..." the option may be repeated, and `text` is the first of as many NULLs as
// the command line has words (see cli_values), filled in order.
typedef struct CliOption {
    const char *name; // "--store"
    const char *value;
    const char *help;
    const char **text; // where the argument goes, or
    bool *flag;        // where the flag goes; with `text` too, `--flag=argument` is taken as well
} CliOption;

typedef struct CliCommand {
    const char *name;
    const char *usage; // "import --store DIR TENANT_DIR"
    const char *help;  // one sentence
    int (*run)(int argc, char **argv);
} CliCommand;

extern const CliCommand CLI_COLLECT, CLI_IMPORT, CLI_QUERY, CLI_ASSESS, CLI_ACCESS, CLI_PATHS,
    CLI_EXPOSURE, CLI_POLICY, CLI_CONTROLS, CLI_CONTENT, CLI_DETECT, CLI_TIMELINE, CLI_EVIDENCE,
    CLI_EXPORT, CLI_STORE, CLI_FUNCTIONS, CLI_HELP;

// Reads options; what is none stays in argv[1 ..] (*argc counts it, argv[0] is the
// command). False when an option is unknown or lacks its argument (said on stderr with
// the nearest name) or when help was asked for and printed (*exit_status is then 0).
bool cli_options(const CliCommand *command, const CliOption *options, size_t count, int *argc,
                 char **argv, int *exit_status);

// "azimuth: " and the error, rendered with its place in `text`, to stderr.
void cli_error(const AzError *error, Str text);
// All that is wrong with a query, then its warnings.
void cli_diagnostics(const Diagnostics *diagnostics, Str text);
// A message of our own in the same form.
void cli_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

// Room for the values of an option that may be repeated, on a line of `argc` words; free().
const char **cli_values(int argc);

bool cli_parse_number(const char *text, int64_t least, int64_t most, const char *option,
                      int64_t *out);

// A time such as 2026-01-31T12:00:00Z, as ticks; false, said on stderr, when it is none. A NULL
// text leaves *out as it is.
bool cli_parse_time(const char *text, const char *option, int64_t *out);

bool cli_is_terminal(int fd);      // and TERM is not dumb
bool cli_use_color(int fd);        // a terminal, and NO_COLOR is not set
uint32_t cli_terminal_width(void); // columns of stdout; 0 when it is no terminal

// Progress on stderr while it is a terminal: a bar that redraws at most 20 times a
// second. `done` and `total` in any unit; total 0 = unknown.
void cli_progress(const char *what, uint64_t done, uint64_t total, const char *note);
void cli_progress_end(void); // removes the bar

// Writes all of `text`; false with an error on stderr when that fails (a closed pipe
// ends quietly).
bool cli_write(int fd, Str text);
bool cli_write_file(const char *path, Str text); // temporary file, then rename

// Where a command's output goes: standard output, or a file that is complete or not there (a
// temporary file beside it gets its name at the end; what is no regular file is written directly).
typedef struct CliOutput {
    int fd;
    const char *path; // NULL: standard output
    char *temporary;  // NULL: none
} CliOutput;

bool cli_output_open(CliOutput *output, const char *path); // false with an error on stderr
bool cli_output_write(void *output, Str text);             // as cli_write; the CliOutput
// Gives the file its name, or with `keep` false removes it.
bool cli_output_close(CliOutput *output, bool keep);
