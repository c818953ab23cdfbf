#include "collect/reason.h"

enum { MESSAGE_LENGTH = 240, CODE_LENGTH = 80 }; // of a service's words

// The service's words, cut, on one line and without secrets.
static Str
safe_words(Arena *arena, const Auth *auth, Str words)
{
    Buffer text = {0}, line = {0};
    auth_mask(auth, &text, words);
    for (size_t i = 0; i < text.len && line.len < MESSAGE_LENGTH; i++) {
        unsigned char c = (unsigned char)text.data[i];
        buffer_char(&line, c < ' ' || c == 0x7f ? ' ' : (char)c);
    }
    size_t end = line.len;
    while (end < text.len && end && ((unsigned char)line.data[end - 1] & 0xc0) == 0x80)
        end--; // not in the middle of a character
    if (end < line.len && end)
        end--;
    Str safe = str_copy(arena, str_trim((Str){line.data, end}));
    buffer_free(&text);
    buffer_free(&line);
    return safe;
}

static bool
is_licence_code(Str code)
{
    return str_equal_ci(code, STR("Authentication_RequestFromNonPremiumTenantOrB2CTenant")) ||
           str_equal_ci(code, STR("AadPremiumLicenseRequired")) ||
           str_equal_ci(code, STR("Authentication_RequestFromUnsupportedUserRole"));
}

Str
refused_reason(Arena *arena, const Auth *auth, const Refused *refused)
{
    int status = refused->status;
    Str code = safe_words(arena, auth, str_slice(refused->said.code, 0, CODE_LENGTH));
    Str message = safe_words(arena, auth, refused->said.message);
    Str words = code.len || message.len
                    ? str_format(arena, ": %.*s%s%.*s", STR_ARG(code),
                                 code.len && message.len ? ": " : "", STR_ARG(message))
                    : STR("");
    if (is_licence_code(refused->said.code))
        return str_format(
            arena, "the tenant has no licence for it: it needs %.*s (%.*s)",
            STR_ARG(refused->licence.len ? refused->licence : STR("Microsoft Entra ID P1 or P2")),
            STR_ARG(code));
    switch (status) {
    case 401:
        return str_format(arena, "the token was refused, also after a new sign-in (401%.*s)",
                          STR_ARG(words));
    case 403:
        return str_format(arena, "not permitted: it needs %.*s (403%.*s)",
                          STR_ARG(refused->need.len ? refused->need : STR("a permission to read")),
                          STR_ARG(words));
    case 404:
        return str_format(arena, "not found: it was deleted meanwhile, or is not there (404%.*s)",
                          STR_ARG(words));
    case 429:
        return str_format(arena, "refused for its pace %d times (429%.*s)", refused->refusals,
                          STR_ARG(words));
    default: break;
    }
    if (status >= 300 && status < 400)
        return str_format(arena, "the service wants to send the call elsewhere (%d): not followed",
                          status);
    if (status >= 500)
        return str_format(arena, "the service is in trouble (%d%.*s), tried %d times", status,
                          STR_ARG(words), refused->tries);
    return str_format(arena, "the service refused the call (%d%.*s)", status, STR_ARG(words));
}
