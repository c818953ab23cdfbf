#include "cli/cli.h"

#include "db/db.h"

#include "base/clock.h"
#include "value/scalar.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

void
cli_error(const AzError *error, Str text)
{
    Arena arena = {0};
    Str rendered = error_render(&arena, error, db_hide_secrets(&arena, text));
    fprintf(stderr, "azimuth: %.*s\n", STR_ARG(rendered));
    arena_free(&arena);
}

void
cli_diagnostics(const Diagnostics *diagnostics, Str text)
{
    for (uint32_t i = 0; i < diagnostics->error_count; i++)
        cli_error(&diagnostics->errors[i], text);
    if (diagnostics->error_count == DIAGNOSTICS_MAX)
        fprintf(stderr, "azimuth: there may be more errors; these are the first %d\n",
                DIAGNOSTICS_MAX);
    Arena arena = {0};
    for (uint32_t i = 0; i < diagnostics->warning_count; i++)
        fprintf(stderr, "azimuth: %.*s\n",
                STR_ARG(error_render_as(&arena, "warning", &diagnostics->warnings[i], text)));
    arena_free(&arena);
}

void
cli_fail(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fputs("azimuth: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
}

static void
print_help(const CliCommand *command, const CliOption *options, size_t count)
{
    printf("usage: azimuth %s\n\n%s\n\noptions:\n", command->usage, command->help);
    for (size_t i = 0; i < count; i++) {
        char left[64];
        snprintf(left, sizeof(left), "%s%s%s", options[i].name,
                 options[i].value && !options[i].flag ? " " : "",
                 options[i].value ? options[i].value : "");
        printf("  %-26s %s\n", left, options[i].help);
    }
    printf("  %-26s %s\n", "--help", "shows this");
}

static const CliOption *
find_option(const CliOption *options, size_t count, Str name)
{
    for (size_t i = 0; i < count; i++)
        if (str_equal(str_from(options[i].name), name))
            return &options[i];
    return NULL;
}

static bool
unknown_option(const CliCommand *command, const CliOption *options, size_t count, const char *name)
{
    Str names[64];
    for (size_t i = 0; i < count && i < 64; i++)
        names[i] = str_from(options[i].name);
    ptrdiff_t near = str_nearest(str_from(name), names, count < 64 ? count : 64);
    if (near >= 0)
        cli_fail("'%s' has no option '%s'; did you mean '%s'?", command->name, name,
                 options[near].name);
    else
        cli_fail("'%s' has no option '%s'; see azimuth %s --help", command->name, name,
                 command->name);
    return false;
}

const char **
cli_values(int argc)
{
    const char **values = calloc((size_t)argc + 1, sizeof(*values));
    if (!values)
        abort();
    return values;
}

// Where the option's next value goes.
static const char **
option_slot(const CliOption *option)
{
    const char **slot = option->text;
    if (str_ends(str_from(option->value), STR("...")))
        while (*slot)
            slot++;
    return slot;
}

bool
cli_options(const CliCommand *command, const CliOption *options, size_t count, int *argc,
            char **argv, int *exit_status)
{
    int kept = 1;
    bool only_words = false;
    *exit_status = AZIMUTH_EXIT_ERROR;
    for (int i = 1; i < *argc; i++) {
        Str word = str_from(argv[i]);
        if (only_words || !str_starts(word, STR("-")) || word.len == 1) {
            argv[kept++] = argv[i];
            continue;
        }
        if (str_equal(word, STR("--"))) {
            only_words = true;
            continue;
        }
        if (str_equal(word, STR("--help")) || str_equal(word, STR("-h"))) {
            print_help(command, options, count);
            *exit_status = AZIMUTH_EXIT_OK;
            return false;
        }
        ptrdiff_t equals = str_find(word, STR("="));
        Str name = equals > 0 ? str_slice(word, 0, (size_t)equals) : word;
        const CliOption *option = find_option(options, count, name);
        if (!option)
            return unknown_option(command, options, count, argv[i]);
        if (option->flag && equals > 0 && !option->text) {
            cli_fail("option '%s' takes no argument", option->name);
            return false;
        }
        if (option->flag) {
            *option->flag = true;
            if (equals > 0)
                *option->text = argv[i] + equals + 1;
        } else if (equals > 0) {
            *option_slot(option) = argv[i] + equals + 1;
        } else if (i + 1 < *argc) {
            *option_slot(option) = argv[++i];
        } else {
            cli_fail("option '%s' needs %s", option->name, option->value);
            return false;
        }
    }
    *argc = kept;
    argv[kept] = NULL;
    return true;
}

bool
cli_parse_number(const char *text, int64_t least, int64_t most, const char *option, int64_t *out)
{
    char *end;
    errno = 0;
    long long number = strtoll(text, &end, 10);
    if (errno || end == text || *end || number < least || number > most) {
        cli_fail("option '%s' takes a number from %lld to %lld, not '%s'", option, (long long)least,
                 (long long)most, text);
        return false;
    }
    *out = number;
    return true;
}

bool
cli_parse_time(const char *text, const char *option, int64_t *out)
{
    if (!text || datetime_parse(str_from(text), out))
        return true;
    cli_fail("option '%s' takes a time such as 2026-01-31T12:00:00Z, not '%s'", option, text);
    return false;
}

bool
cli_is_terminal(int fd)
{
    const char *term = getenv("TERM");
    return isatty(fd) && term && strcmp(term, "dumb") != 0;
}

bool
cli_use_color(int fd)
{
    const char *no_color = getenv("NO_COLOR");
    return cli_is_terminal(fd) && !(no_color && *no_color);
}

uint32_t
cli_terminal_width(void)
{
    struct winsize size;
    if (!isatty(STDOUT_FILENO) || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) || size.ws_col < 20)
        return 0;
    return size.ws_col;
}

void
cli_progress(const char *what, uint64_t done, uint64_t total, const char *note)
{
    static uint64_t last;
    if (!cli_is_terminal(STDERR_FILENO))
        return;
    uint64_t now = clock_monotonic_ns();
    if (now - last < 50000000 && done != total)
        return;
    last = now;
    enum { WIDTH = 24 };
    char bar[WIDTH * 3 + 1];
    size_t len = 0;
    unsigned filled = total ? (unsigned)(done > total ? WIDTH : done * WIDTH / total) : 0;
    for (unsigned i = 0; i < WIDTH; i++) {
        const char *cell = i < filled ? "\u2588" : "\u2591";
        memcpy(bar + len, cell, 3);
        len += 3;
    }
    bar[len] = 0;
    fprintf(stderr, "\r\033[K%-10.10s %s %3u%%  %.40s", what, bar,
            total ? (unsigned)(done * 100 / total) : 0, note ? note : "");
    fflush(stderr);
}

void
cli_progress_end(void)
{
    if (cli_is_terminal(STDERR_FILENO)) {
        fputs("\r\033[K", stderr);
        fflush(stderr);
    }
}

// `path` NULL: standard output, or what the caller has no name of.
static bool
write_all(int fd, const char *path, Str text)
{
    while (text.len) {
        ssize_t written = write(fd, text.ptr, text.len);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0) {
            if (errno != EPIPE && path)
                cli_fail("cannot write '%s': %s", path, strerror(errno));
            else if (errno != EPIPE)
                cli_fail("cannot write the output: %s", strerror(errno));
            return false;
        }
        text.ptr += written;
        text.len -= (size_t)written;
    }
    return true;
}

bool
cli_write(int fd, Str text)
{
    return write_all(fd, NULL, text);
}

bool
cli_output_open(CliOutput *output, const char *path)
{
    struct stat info;
    *output = (CliOutput){.fd = STDOUT_FILENO, .path = path};
    if (!path)
        return true;
    if (stat(path, &info) == 0 && !S_ISREG(info.st_mode)) {
        output->fd = open(path, O_WRONLY | O_CLOEXEC);
    } else {
        Buffer name = {0};
        buffer_printf(&name, "%s.tmp.%ld", path, (long)getpid());
        output->temporary = name.data;
        output->fd = open(name.data, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    }
    if (output->fd >= 0)
        return true;
    cli_fail("cannot write '%s': %s", path, strerror(errno));
    free(output->temporary);
    return false;
}

bool
cli_output_write(void *output, Str text)
{
    const CliOutput *out = output;
    return write_all(out->fd, out->path, text);
}

bool
cli_output_close(CliOutput *output, bool keep)
{
    if (!output->path)
        return keep;
    bool done = !keep || !output->temporary || fsync(output->fd) == 0;
    done = close(output->fd) == 0 && done;
    if (keep && done && output->temporary)
        done = rename(output->temporary, output->path) == 0;
    if (!done)
        cli_fail("cannot write '%s': %s", output->path, strerror(errno));
    if (output->temporary && !(keep && done))
        unlink(output->temporary);
    free(output->temporary);
    return keep && done;
}

bool
cli_write_file(const char *path, Str text)
{
    CliOutput output;
    return cli_output_open(&output, path) &&
           cli_output_close(&output, cli_output_write(&output, text));
}
