// The login of the Azure CLI: asks the program az for a token. No shell is between.

#include "collect/auth_parts.h"

#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { WAIT_NS_PER_S = 1000000000, WAIT_SECONDS = 10, MOST_OUTPUT = 1 << 20 };

typedef struct Child {
    pid_t pid;
    int out, err;
} Child;

static bool
child_start(char *const *words, Child *child, AzError *error)
{
    int out[2], err[2];
    if (pipe2(out, O_CLOEXEC))
        return error_errno(error, "cannot start az");
    if (pipe2(err, O_CLOEXEC)) {
        close(out[0]);
        close(out[1]);
        return error_errno(error, "cannot start az");
    }
    child->pid = fork();
    if (child->pid == 0) {
        int nothing = open("/dev/null", O_RDONLY);
        dup2(nothing, STDIN_FILENO);
        dup2(out[1], STDOUT_FILENO);
        dup2(err[1], STDERR_FILENO);
        execvp(words[0], words);
        _exit(127);
    }
    close(out[1]);
    close(err[1]);
    child->out = out[0];
    child->err = err[0];
    if (child->pid > 0)
        return true;
    close(out[0]);
    close(err[0]);
    return error_errno(error, "cannot start az");
}

static bool
read_some(int fd, Buffer *into)
{
    char *room = buffer_reserve(into, 4096);
    ssize_t got = read(fd, room, 4096);
    if (got < 0)
        return errno == EINTR;
    into->len += (size_t)got;
    return got > 0 && into->len < MOST_OUTPUT;
}

// Reads both pipes to their ends. False when time ran out.
static bool
child_read(const Child *child, Buffer *out, Buffer *err)
{
    uint64_t end = clock_monotonic_ns() + (uint64_t)WAIT_SECONDS * WAIT_NS_PER_S;
    struct pollfd pipes[] = {{child->out, POLLIN, 0}, {child->err, POLLIN, 0}};
    while (pipes[0].fd >= 0 || pipes[1].fd >= 0) {
        uint64_t now = clock_monotonic_ns();
        if (now >= end)
            return false;
        if (poll(pipes, 2, (int)((end - now) / 1000000) + 1) < 0 && errno != EINTR)
            return false;
        if (pipes[0].revents && !read_some(child->out, out))
            pipes[0].fd = -1;
        if (pipes[1].revents && !read_some(child->err, err))
            pipes[1].fd = -1;
    }
    return true;
}

// "2026-11-22 12:35:50.000000", local time.
static int64_t
local_time(Arena *arena, Str text)
{
    struct tm parts = {.tm_isdst = -1};
    if (!strptime(str_cstr(arena, text), "%Y-%m-%d %H:%M:%S", &parts))
        return 0;
    return (int64_t)mktime(&parts);
}

static bool
read_answer(Arena *arena, Str json, AuthToken *out)
{
    Str token = auth_member(arena, json, "accessToken");
    Str on = auth_member(arena, json, "expires_on");
    int64_t now = (int64_t)time(NULL);
    out->expires = on.len ? strtoll(str_cstr(arena, on), NULL, 10)
                          : local_time(arena, auth_member(arena, json, "expiresOn"));
    if (out->expires <= now)
        out->expires = now + 60;
    buffer_str(&out->text, token);
    return token.len > 0;
}

static bool
cli_is_set(const Auth *auth)
{
    (void)auth;
    return false;
}

static bool
fail(Auth *auth, int status, Str said, AzError *error)
{
    if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
        return error_set(error, AZ_NOT_FOUND, "the Azure CLI (az) is not installed");
    Buffer text = {0};
    said = str_trim(said);
    ptrdiff_t line = str_find(said, STR("\n"));
    auth_mask(auth, &text, str_slice(said, 0, line >= 0 ? (size_t)line : said.len));
    error_set(error, AZ_INVALID, "az gave no token: %.*s",
              STR_ARG(str_slice(buffer_slice(&text), 0, 300)));
    buffer_free(&text);
    return false;
}

static bool
cli_get(Auth *auth, Service service, Str claims, AuthToken *token, AzError *error)
{
    Arena arena = {0};
    Child child = {.pid = -1, .out = -1, .err = -1};
    Buffer out = {0}, err = {0};
    char *words[] = {"az",
                     "account",
                     "get-access-token",
                     "--resource",
                     str_cstr(&arena, auth->options.cloud->audience[service]),
                     "-o",
                     "json",
                     auth->options.tenant ? "--tenant" : NULL,
                     (char *)auth->options.tenant,
                     NULL};
    (void)claims; // the program answers challenges itself, by asking the person
    bool done = child_start(words, &child, error);
    if (done) {
        int status = 0;
        done = child_read(&child, &out, &err);
        if (!done)
            kill(child.pid, SIGKILL);
        close(child.out);
        close(child.err);
        while (waitpid(child.pid, &status, 0) < 0 && errno == EINTR)
            ;
        if (!done)
            error_set(error, AZ_LIMIT, "az did not answer within %d seconds", WAIT_SECONDS);
        else if (!WIFEXITED(status) || WEXITSTATUS(status) != 0 ||
                 !read_answer(&arena, buffer_slice(&out), token))
            done = fail(auth, status, buffer_slice(&err), error);
    }
    auth_erase(&out);
    buffer_free(&out);
    buffer_free(&err);
    arena_free(&arena);
    return done;
}

const AuthMethod AUTH_CLI = {"cli", cli_is_set, cli_get, true};
