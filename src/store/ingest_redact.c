// What is masked while files are read.
//
// Azure's answers hold live secrets where somebody asked for them: listKeys and
// listConnectionStrings answers, app settings, deployment parameters, SAS URLs. A
// store of inventory must not become a store of credentials, so their values become
// "***" before they are parsed. Two kinds of rule:
//
// - member rules (`rules` below): the string behind a JSON member of that name,
//   also inside JSON that is itself quoted in a string (\"name\":\"value\");
// - text rules: inside any text, what follows AccountKey=, SharedAccessKey=, sig=
//   and their like, up to the next separator.
//
// A member called "value" or "key" is secret only when its text looks like one (a
// long run of base64 or hex), since most are not: "keys": [{"keyName": "key1",
// "value": "..."}] is, {"key": "env", "value": "prod"} is not.
//
// Almost no record holds any of this. ingest_may_hold_secret looks for the last
// letters of the names before a quote and for "=" after them, many bytes at once;
// only names found so are looked at, and only a record that
// holds a secret is copied.

#include "store/ingest_redact.h"

#include "base/array.h"

#include <string.h>

#ifdef __SSE2__
#include <immintrin.h>
#endif

typedef enum When { ALWAYS, IF_RANDOM } When;

typedef struct SecretRule {
    Str name; // lower case
    When when;
} SecretRule;

// Each name must end in one of the endings that ingest_may_hold_secret knows.
static const SecretRule rules[] = {
    // Keys of Storage, Cosmos DB, Cognitive Services, Search, Event Hubs, IoT ...
    {STR_INIT("primarykey"), ALWAYS},
    {STR_INIT("secondarykey"), ALWAYS},
    {STR_INIT("primarymasterkey"), ALWAYS},
    {STR_INIT("secondarymasterkey"), ALWAYS},
    {STR_INIT("primaryreadonlymasterkey"), ALWAYS},
    {STR_INIT("secondaryreadonlymasterkey"), ALWAYS},
    {STR_INIT("primarysharedkey"), ALWAYS},
    {STR_INIT("secondarysharedkey"), ALWAYS},
    {STR_INIT("accountkey"), ALWAYS},
    {STR_INIT("accesskey"), ALWAYS},
    {STR_INIT("sharedkey"), ALWAYS},
    {STR_INIT("sharedaccesskey"), ALWAYS},
    {STR_INIT("storageaccountkey"), ALWAYS},
    {STR_INIT("storageaccountaccesskey"), ALWAYS},
    {STR_INIT("masterkey"), ALWAYS},
    {STR_INIT("adminkey"), IF_RANDOM},
    {STR_INIT("apikey"), IF_RANDOM},
    {STR_INIT("api-key"), IF_RANDOM},
    {STR_INIT("api_key"), IF_RANDOM},
    {STR_INIT("subscription-key"), IF_RANDOM},
    {STR_INIT("key"), IF_RANDOM},
    {STR_INIT("key1"), IF_RANDOM},
    {STR_INIT("key2"), IF_RANDOM},
    {STR_INIT("authkey1"), ALWAYS},
    {STR_INIT("authkey2"), ALWAYS},
    {STR_INIT("privatekey"), ALWAYS},
    {STR_INIT("value"), IF_RANDOM},
    // Passwords and secrets of applications, servers, virtual machines.
    {STR_INIT("password"), ALWAYS},
    {STR_INIT("adminpassword"), ALWAYS},
    {STR_INIT("administratorloginpassword"), ALWAYS},
    {STR_INIT("certificatepassword"), ALWAYS},
    {STR_INIT("publishingpassword"), ALWAYS},
    {STR_INIT("clientsecret"), ALWAYS},
    {STR_INIT("client_secret"), ALWAYS},
    {STR_INIT("appsecret"), ALWAYS},
    {STR_INIT("secret"), IF_RANDOM},
    {STR_INIT("secrettext"), ALWAYS},
    // Connection strings and tokens.
    {STR_INIT("connectionstring"), ALWAYS},
    {STR_INIT("primaryconnectionstring"), ALWAYS},
    {STR_INIT("secondaryconnectionstring"), ALWAYS},
    {STR_INIT("aliasprimaryconnectionstring"), ALWAYS},
    {STR_INIT("aliassecondaryconnectionstring"), ALWAYS},
    {STR_INIT("accesstoken"), IF_RANDOM},
    {STR_INIT("access_token"), ALWAYS},
    {STR_INIT("refreshtoken"), ALWAYS},
    {STR_INIT("refresh_token"), ALWAYS},
    {STR_INIT("id_token"), ALWAYS},
    {STR_INIT("registrationtoken"), ALWAYS},
    {STR_INIT("sastoken"), ALWAYS},
    {STR_INIT("accountsastoken"), ALWAYS},
    {STR_INIT("servicesastoken"), ALWAYS},
    {STR_INIT("token"), IF_RANDOM},
};

// Words before "=" whose value is masked in any text.
static const Str assignments[] = {
    STR_INIT("accountkey"),   STR_INIT("sharedaccesskey"), STR_INIT("sharedsecret"),
    STR_INIT("sig"),          STR_INIT("password"),        STR_INIT("pwd"),
    STR_INIT("clientsecret"), STR_INIT("accesskey"),       STR_INIT("client_secret"),
    STR_INIT("access_token"), STR_INIT("api-key"),         STR_INIT("apikey"),
    STR_INIT("primarykey"),   STR_INIT("secondarykey"),
};

// Words that make a name suspicious in a record that could not be read.
static const Str suspicious[] = {
    STR_INIT("password"),   STR_INIT("passwd"), STR_INIT("pwd"),  STR_INIT("secret"),
    STR_INIT("key"),        STR_INIT("token"),  STR_INIT("sas"),  STR_INIT("connectionstring"),
    STR_INIT("credential"), STR_INIT("sig"),    STR_INIT("auth"), STR_INIT("passphrase"),
    STR_INIT("connstr"),
};

// Base64, base64url or hex.
static bool
is_key_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '+' ||
           c == '/' || c == '=' || c == '-' || c == '_' || c == '.' || c == '~';
}

static char
lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

// Sixteen bytes at once (GCC and Clang vector types: one instruction an operation).
typedef uint8_t Bytes __attribute__((vector_size(16)));

static inline Bytes
bytes_at(const char *p)
{
    Bytes bytes;
    memcpy(&bytes, p, sizeof(bytes));
    return bytes;
}

// The last letters of the names in `rules`, and the last letter of `assignments`.
#define SECRET_END(a, b, c)                                                                        \
    (((a == 'k') & (b == 'e') & (c == 'y')) | ((a == 'o') & (b == 'r') & (c == 'd')) |             \
     ((a == 'e') & (b == 'y') & ((c == '1') | (c == '2'))) |                                       \
     ((a == 'r') & (b == 'e') & (c == 't')) | ((a == 'e') & (b == 'x') & (c == 't')) |             \
     ((a == 'i') & (b == 'n') & (c == 'g')) | ((a == 'k') & (b == 'e') & (c == 'n')) |             \
     ((a == 'l') & (b == 'u') & (c == 'e')))
#define ASSIGN_END(c) ((c == 'y') | (c == 'g') | (c == 'd') | (c == 't') | (c == 'n'))

// Which of the 16 places p[0..15] begin three bytes that end a name: before a quote (or the
// backslash of a quoted one), or before "=". Reads 19 bytes; a byte of all bits is a yes.
static inline Bytes
secrets_near(const char *p)
{
    Bytes a = bytes_at(p) | 32, b = bytes_at(p + 1) | 32, c = bytes_at(p + 2) | 32;
    Bytes next = bytes_at(p + 3);
    return (Bytes)((SECRET_END(a, b, c) & ((next == '"') | (next == '\\'))) |
                   (ASSIGN_END(c) & (next == '=')));
}

enum { STEP = 16, READ = 19, NAME_END = 3 };

#ifdef __SSE2__
// The same 32 places at a time. Each ending of SECRET_END has a bit; a table gives for one half
// of a byte (its lower or its upper four bits) those whose letter at that place has this half.
// An ending is there when its bit is set by both halves of all three letters.
enum { KEY = 1, ORD = 2, EY12 = 4, RET = 8, EXT = 16, ING = 32, KEN = 64, LUE = 128 };
enum { ASSIGN = KEY | ORD | RET | EXT | ING | KEN }; // whose last letter is one of ASSIGN_END
typedef struct Letters {
    uint8_t lower[16], upper[16];
} Letters;
static const Letters FIRST = {
    {[0xB] = KEY | KEN, [0xF] = ORD, [5] = EY12 | EXT, [2] = RET, [9] = ING, [0xC] = LUE},
    {[4] = 0xFF - RET, [6] = 0xFF - RET, [5] = RET, [7] = RET}};
static const Letters SECOND = {
    {[5] = KEY | RET | KEN | LUE, [2] = ORD, [9] = EY12, [8] = EXT, [0xE] = ING},
    {[4] = KEY | RET | KEN | ING,
     [6] = KEY | RET | KEN | ING,
     [5] = ORD | EY12 | EXT | LUE,
     [7] = ORD | EY12 | EXT | LUE}};
static const Letters LAST = {
    {[9] = KEY, [4] = ORD | RET | EXT, [1] = EY12, [2] = EY12, [7] = ING, [0xE] = KEN, [5] = LUE},
    {[4] = ORD | ING | KEN | LUE,
     [6] = ORD | ING | KEN | LUE,
     [5] = KEY | RET | EXT,
     [7] = KEY | RET | EXT,
     [3] = EY12}};

#define LOOK_UP(letters, bytes)                                                                    \
    _mm256_and_si256(                                                                              \
        _mm256_shuffle_epi8(letters##_lower, _mm256_and_si256(bytes, half)),                       \
        _mm256_shuffle_epi8(letters##_upper, _mm256_and_si256(_mm256_srli_epi16(bytes, 4), half)))

__attribute__((target("avx2"))) static __m256i
table_load(const uint8_t table[16])
{
    return _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)table));
}

// Up to where fewer than a step and a name's end are left; *at moves to the place found, or there.
__attribute__((target("avx2"))) static bool
name_end_avx2(Str text, size_t *at)
{
    enum { WIDE = 32 };
    const __m256i half = _mm256_set1_epi8(15), quote = _mm256_set1_epi8('"');
    const __m256i slash = _mm256_set1_epi8('\\'), equal = _mm256_set1_epi8('=');
    const __m256i assign = _mm256_set1_epi8(ASSIGN), none = _mm256_setzero_si256();
    const __m256i first_lower = table_load(FIRST.lower), first_upper = table_load(FIRST.upper);
    const __m256i second_lower = table_load(SECOND.lower), second_upper = table_load(SECOND.upper);
    const __m256i last_lower = table_load(LAST.lower), last_upper = table_load(LAST.upper);
    size_t i = *at;
    for (; i + WIDE + NAME_END <= text.len; i += WIDE) {
        const char *p = text.ptr + i;
        __m256i a = _mm256_loadu_si256((const __m256i *)(const void *)p);
        __m256i b = _mm256_loadu_si256((const __m256i *)(const void *)(p + 1));
        __m256i c = _mm256_loadu_si256((const __m256i *)(const void *)(p + 2));
        __m256i next = _mm256_loadu_si256((const __m256i *)(const void *)(p + 3));
        __m256i last = LOOK_UP(last, c);
        __m256i named =
            _mm256_and_si256(_mm256_and_si256(LOOK_UP(first, a), LOOK_UP(second, b)), last);
        __m256i quoted =
            _mm256_or_si256(_mm256_cmpeq_epi8(next, quote), _mm256_cmpeq_epi8(next, slash));
        __m256i assigned = _mm256_and_si256(last, assign);
        __m256i hit = _mm256_or_si256(_mm256_and_si256(named, quoted),
                                      _mm256_and_si256(assigned, _mm256_cmpeq_epi8(next, equal)));
        uint32_t misses = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(hit, none));
        if (misses != UINT32_MAX) {
            *at = i + NAME_END + (size_t)__builtin_ctz(~misses);
            return true;
        }
    }
    *at = i;
    return false;
}
#endif

// The first place from `at` on where a name ends (behind its last letter), or text.len.
static size_t
next_name_end(Str text, size_t at)
{
#ifdef __SSE2__
    if (__builtin_cpu_supports("avx2") && name_end_avx2(text, &at))
        return at;
#endif
    size_t i = at;
    for (; i < text.len; i += STEP) {
        char rest[READ] = {0};
        const char *p = text.ptr + i;
        if (i + READ > text.len) {
            memcpy(rest, p, text.len - i);
            p = rest;
        }
        Bytes hit = secrets_near(p);
        uint64_t halves[2];
        memcpy(halves, &hit, sizeof(halves));
        if (halves[0])
            return i + NAME_END + (size_t)__builtin_ctzll(halves[0]) / 8;
        if (halves[1])
            return i + NAME_END + 8 + (size_t)__builtin_ctzll(halves[1]) / 8;
    }
    return text.len;
}

bool
ingest_may_hold_secret(Str text)
{
    return next_name_end(text, 0) < text.len;
}

// Whether the name ends as one of the rules' does: hardly any name of a log does, and each is asked.
static inline bool
ends_as_secret(Str name)
{
    if (name.len < 3)
        return false;
    const char *end = name.ptr + name.len;
    int a = end[-3] | 32, b = end[-2] | 32, c = end[-1] | 32;
    return SECRET_END(a, b, c);
}

static const SecretRule *
find_rule(Str name)
{
    if (!ends_as_secret(name))
        return NULL;
    char first = (char)(name.ptr[0] | 32);
    for (size_t i = 0; i < COUNT_OF(rules); i++)
        if (rules[i].name.len == name.len && rules[i].name.ptr[0] == first &&
            str_equal_ci(rules[i].name, name))
            return &rules[i];
    return NULL;
}

bool
ingest_secret_name(Str name)
{
    return find_rule(name) != NULL;
}

// Whether the text is one long run of key characters with letters and digits, and
// not a GUID (32 hex digits and dashes), a path, a host name or a version.
static bool
looks_random(Str text)
{
    enum { SHORTEST_KEY = 32 };
    size_t digits = 0, letters = 0, dashes = 0, dots = 0, slashes = 0;
    if (text.len < SHORTEST_KEY)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (!is_key_char(c) && c != '\\')
            return false;
        digits += c >= '0' && c <= '9';
        letters += lower(c) >= 'a' && lower(c) <= 'z';
        dashes += c == '-';
        dots += c == '.';
        slashes += c == '/';
    }
    bool jwt = dots == 2 && text.len > 60;
    return digits >= 2 && letters >= 4 && dashes < 4 && (dots == 0 || jwt) &&
           (text.ptr[0] != '/' || slashes < 3);
}

bool
ingest_is_secret(Str name, Str value)
{
    const SecretRule *rule = find_rule(name);
    return rule && value.len && (rule->when == ALWAYS || looks_random(value));
}

// End of the value that begins at text[from]: the closing quote that has as many
// backslashes before it as the opening one.
static size_t
quoted_end(Str text, size_t from, size_t slashes)
{
    for (size_t i = from; i < text.len; i++) {
        if (text.ptr[i] != '"')
            continue;
        size_t before = 0;
        while (before < i - from && text.ptr[i - before - 1] == '\\')
            before++;
        if (before == slashes || (slashes == 0 && before % 2 == 0))
            return i - slashes;
    }
    return text.len;
}

// The member whose ":" is at `colon`: its name, and where the string value behind it
// begins. False when the value is no string.
static bool
member_at(Str text, size_t colon, Str *name, size_t *value, size_t *slashes)
{
    size_t end = colon, i = colon + 1;
    while (end > 0 && (text.ptr[end - 1] == ' ' || text.ptr[end - 1] == '\t'))
        end--;
    if (end == 0 || text.ptr[end - 1] != '"')
        return false;
    end--;
    while (end > 0 && text.ptr[end - 1] == '\\')
        end--;
    size_t from = end;
    while (from > 0 && text.ptr[from - 1] != '"')
        from--;
    while (i < text.len && (text.ptr[i] == ' ' || text.ptr[i] == '\t' || text.ptr[i] == '\n' ||
                            text.ptr[i] == '\r'))
        i++;
    *slashes = 0;
    while (i < text.len && text.ptr[i] == '\\') {
        i++;
        ++*slashes;
    }
    *name = str_slice(text, from, end);
    *value = i + 1;
    return from > 0 && i < text.len && text.ptr[i] == '"';
}

static bool
ends_in_assignment(Str text, size_t equals)
{
    for (size_t i = 0; i < COUNT_OF(assignments); i++) {
        Str word = assignments[i];
        if (equals >= word.len && str_equal_ci(word, str_slice(text, equals - word.len, equals)) &&
            (equals == word.len || lower(text.ptr[equals - word.len - 1]) < 'a' ||
             lower(text.ptr[equals - word.len - 1]) > 'z'))
            return true;
    }
    return false;
}

static size_t
assigned_end(Str text, size_t from)
{
    size_t i = from;
    while (i < text.len && !strchr(";&\"'\\<>,) \t\r\n", text.ptr[i]))
        i++;
    return i;
}

// A value that would be masked: text[from, end) behind the sign (':' or '='); none when end <= from.
typedef struct Secret {
    size_t sign, from, end;
} Secret;

// What the name that ends before text[at] makes a secret.
static Secret
secret_behind(Str text, size_t at)
{
    if (text.ptr[at] == '=')
        return (Secret){at, at + 1, ends_in_assignment(text, at) ? assigned_end(text, at + 1) : at};
    size_t colon = at, value, slashes;
    while (colon < text.len && text.ptr[colon] == '\\')
        colon++;
    if (colon == text.len || text.ptr[colon++] != '"')
        return (Secret){0};
    while (colon < text.len && (text.ptr[colon] == ' ' || text.ptr[colon] == '\t'))
        colon++;
    Str name;
    if (colon == text.len || text.ptr[colon] != ':' ||
        !member_at(text, colon, &name, &value, &slashes))
        return (Secret){0};
    const SecretRule *rule = find_rule(name);
    if (!rule)
        return (Secret){0};
    Str text_value = str_slice(text, value, quoted_end(text, value, slashes));
    // A connection string keeps what is no secret in it: the text rules mask it.
    bool assigns = text_value.len && memchr(text_value.ptr, '=', text_value.len) &&
                   memchr(text_value.ptr, ';', text_value.len);
    if (assigns || (rule->when == IF_RANDOM && !looks_random(text_value)))
        return (Secret){0};
    return (Secret){colon, value, value + text_value.len};
}

Str
ingest_redact(Buffer *scratch, Str text)
{
    static const Str mask = STR_INIT("***");
    size_t copied = 0;
    bool found = false;
    for (size_t at = next_name_end(text, 0); at < text.len;
         at = next_name_end(text, at + 1 - NAME_END)) {
        Secret secret = secret_behind(text, at);
        if (secret.end <= secret.from || secret.sign < copied ||
            str_equal(str_slice(text, secret.from, secret.end), mask))
            continue;
        if (!found)
            buffer_clear(scratch);
        found = true;
        buffer_str(scratch, str_slice(text, copied, secret.from));
        buffer_str(scratch, mask);
        copied = secret.end;
    }
    if (!found)
        return text;
    buffer_str(scratch, str_slice(text, copied, text.len));
    return buffer_slice(scratch);
}

// End of the name-like run at text[at], and whether a suspicious word is in it.
static size_t
word_end(Str text, size_t at, bool *is_suspicious)
{
    size_t end = at;
    while (end < text.len && (is_key_char(text.ptr[end]) && text.ptr[end] != '='))
        end++;
    *is_suspicious = false;
    Str word = str_slice(text, at, end);
    for (size_t i = 0; i < COUNT_OF(suspicious) && !*is_suspicious; i++)
        for (size_t k = 0; k + suspicious[i].len <= word.len && !*is_suspicious; k++)
            *is_suspicious = str_equal_ci(suspicious[i], str_slice(word, k, k + suspicious[i].len));
    return end;
}

// What a suspicious name is followed by, to the end of its value: a quoted string,
// else all up to a separator; behind a bracket, all up to the closing one.
static size_t
suspicious_end(Str text, size_t at)
{
    size_t i = at;
    while (i < text.len && strchr(" \t\r\n\\\"':=", text.ptr[i]) && text.ptr[i])
        i++;
    if (i == at)
        return at;
    if (i < text.len && (text.ptr[i] == '[' || text.ptr[i] == '{')) {
        size_t depth = 0;
        for (; i < text.len; i++) {
            depth += text.ptr[i] == '[' || text.ptr[i] == '{';
            if ((text.ptr[i] == ']' || text.ptr[i] == '}') && --depth == 0)
                return i + 1;
        }
        return text.len;
    }
    if (text.ptr[i - 1] == '"')
        return quoted_end(text, i, 0);
    while (i < text.len && !strchr(",;&}]\"\r\n", text.ptr[i]))
        i++;
    return i;
}

void
ingest_redact_broken(Buffer *out, Str text)
{
    size_t i = 0;
    while (i < text.len) {
        bool secret;
        size_t end = word_end(text, i, &secret);
        if (end == i) {
            buffer_char(out, text.ptr[i++]);
            continue;
        }
        Str word = str_slice(text, i, end);
        if (looks_random(word)) {
            buffer_text(out, "***");
            i = end;
            continue;
        }
        buffer_str(out, word);
        i = end;
        size_t masked = secret ? suspicious_end(text, end) : end;
        if (masked <= end)
            continue;
        // Keep the punctuation between name and value, so that the place stays readable.
        size_t value = end;
        while (value < masked && strchr(" \t\r\n\\\"':=", text.ptr[value]) && text.ptr[value])
            buffer_char(out, text.ptr[value++]);
        if (value < masked)
            buffer_text(out, "***");
        i = masked;
    }
}
