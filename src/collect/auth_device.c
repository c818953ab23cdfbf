// Device code: a person signs in by a browser on any machine.
//
// Source: Microsoft identity platform, "OAuth 2.0 device authorization grant". The refresh
// token gives the tokens after the first, also those of other services.

#include "collect/auth_parts.h"

#include <string.h>
#include <time.h>

// The Azure CLI's public client, which every tenant has.
static const char PUBLIC_CLIENT[] = "04b07795-8ddb-461a-bbee-02f9e1bf7b46";

enum { LEAST_INTERVAL = 1, MOST_WAIT = 900 };

static bool
device_is_set(const Auth *auth)
{
    (void)auth;
    return false;
}

static Str
client_of(const Auth *auth)
{
    return auth->client.len ? auth->client : str_from(PUBLIC_CLIENT);
}

// Takes the token and the refresh token of a good answer.
static bool
take(Auth *auth, const HttpAnswer *answer, AuthToken *out, AzError *error)
{
    Arena arena = {0};
    bool done = auth_read(auth, answer, out, error);
    Str refresh = done ? auth_member(&arena, answer->body, "refresh_token") : (Str){0};
    if (refresh.len) {
        auth_erase(&auth->refresh);
        buffer_str(&auth->refresh, refresh);
        explicit_bzero((char *)refresh.ptr, refresh.len);
    }
    arena_free(&arena);
    return done;
}

static bool
by_refresh(Auth *auth, Str scope, Str claims, AuthToken *out, AzError *error)
{
    Buffer form = {0};
    auth_form(&form, "client_id", client_of(auth));
    auth_form(&form, "scope", scope);
    auth_form(&form, "grant_type", STR("refresh_token"));
    auth_form(&form, "refresh_token", buffer_slice(&auth->refresh));
    if (claims.len)
        auth_form(&form, "claims", claims);
    HttpAnswer *answer = auth_post(auth, "token", &form);
    bool done = take(auth, answer, out, error);
    http_answer_free(answer);
    auth_erase(&form);
    buffer_free(&form);
    return done;
}

// Asks until the person has signed in, declined, or time is up.
static bool
wait_for_person(Auth *auth, Str code, int64_t interval, int64_t life, AuthToken *out,
                AzError *error)
{
    Buffer form = {0};
    int64_t end = (int64_t)time(NULL) + life;
    bool done = false, asked = true;
    auth_form(&form, "grant_type", STR("urn:ietf:params:oauth:grant-type:device_code"));
    auth_form(&form, "client_id", client_of(auth));
    auth_form(&form, "device_code", code);
    while (asked) {
        Arena arena = {0};
        nanosleep(&(struct timespec){(time_t)interval, 0}, NULL);
        HttpAnswer *answer = auth_post(auth, "token", &form);
        Str said = auth_member(&arena, answer->body, "error");
        bool slow = str_equal(said, STR("slow_down"));
        asked = slow || str_equal(said, STR("authorization_pending"));
        interval += slow ? 5 : 0;
        if (asked && (int64_t)time(NULL) >= end)
            asked = error_set(error, AZ_LIMIT, "nobody signed in with the code in time");
        else if (!asked)
            done = take(auth, answer, out, error);
        http_answer_free(answer);
        arena_free(&arena);
    }
    auth_erase(&form);
    buffer_free(&form);
    return done;
}

static int64_t
number_of(Arena *arena, Str json, const char *name, int64_t least, int64_t most)
{
    int64_t value = strtoll(str_cstr(arena, auth_member(arena, json, name)), NULL, 10);
    return value < least ? least : value > most ? most : value;
}

static bool
by_code(Auth *auth, Str scope, AuthToken *out, AzError *error)
{
    Arena arena = {0};
    Buffer form = {0};
    auth_form(&form, "client_id", client_of(auth));
    auth_form(&form, "scope", scope);
    HttpAnswer *answer = auth_post(auth, "devicecode", &form);
    Str code = auth_member(&arena, answer->body, "device_code");
    Str message = auth_member(&arena, answer->body, "message");
    bool done = answer->outcome == HTTP_ANSWERED && answer->status == 200 && code.len;
    if (done) {
        auth->options.tell(auth->options.tell_context, message);
        done = wait_for_person(
            auth, code, number_of(&arena, answer->body, "interval", LEAST_INTERVAL, 60),
            number_of(&arena, answer->body, "expires_in", 30, MOST_WAIT), out, error);
    } else {
        auth_fail(auth, answer, error);
    }
    http_answer_free(answer);
    buffer_free(&form);
    arena_free(&arena);
    return done;
}

static bool
device_get(Auth *auth, Service service, Str claims, AuthToken *out, AzError *error)
{
    if (!auth->tenant.len)
        auth->tenant = STR("organizations");
    if (!auth->options.tell)
        return error_set(error, AZ_INVALID, "there is nobody to show a code to");
    Str scope = str_format(&auth->arena, "%.*s offline_access",
                           STR_ARG(auth_scope(&auth->arena, auth, service)));
    if (auth->refresh.len)
        return by_refresh(auth, scope, claims, out, error);
    return by_code(auth, scope, out, error);
}

const AuthMethod AUTH_DEVICE_CODE = {"device-code", device_is_set, device_get, false};
