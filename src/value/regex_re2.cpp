// Regular expressions over RE2, whose running time is linear in the text whatever
// the pattern (Kusto docs, "RE2 syntax"). The only file that knows RE2.
//
// A regex keeps at most MEMORY bytes of automaton; patterns that need more are
// refused when they are compiled. What RE2 of this age does not know, the group
// name written (?<name>...), is rewritten to (?P<name>...).

extern "C" {
#include "base/buffer.h"
#include "value/regex.h"
}

#include <re2/re2.h>

#include <memory>
#include <new>
#include <string>

struct Regex {
    std::unique_ptr<RE2> re;
};

static constexpr int MEMORY = 32 << 20;
static constexpr int GROUPS = 32; // groups that fit the stack

// Copies the pattern, giving named groups the form RE2 knows. Escapes and classes
// are passed over; look-behind stays as it is and is refused by RE2.
static std::string
pattern_rewrite(Str pattern)
{
    std::string out;
    bool in_class = false;
    for (size_t i = 0; i < pattern.len; i++) {
        char c = pattern.ptr[i];
        out += c;
        if (c == '\\' && i + 1 < pattern.len) {
            out += pattern.ptr[++i];
        } else if (in_class) {
            in_class = c != ']';
        } else if (c == '[') {
            in_class = true;
            // A bracket that comes first is a member of the class.
            if (i + 1 < pattern.len && pattern.ptr[i + 1] == '^')
                out += pattern.ptr[++i];
            if (i + 1 < pattern.len && pattern.ptr[i + 1] == ']')
                out += pattern.ptr[++i];
        } else if (c == '(' && i + 3 < pattern.len && pattern.ptr[i + 1] == '?' &&
                   pattern.ptr[i + 2] == '<' && pattern.ptr[i + 3] != '=' &&
                   pattern.ptr[i + 3] != '!') {
            out += "?P<";
            i += 2;
        }
    }
    return out;
}

extern "C" Regex *
regex_new(Str pattern, bool ignore_case, AzError *error)
{
    try {
        RE2::Options options;
        options.set_log_errors(false);
        options.set_case_sensitive(!ignore_case);
        options.set_max_mem(MEMORY);
        std::unique_ptr<Regex> regex(new Regex);
        regex->re.reset(new RE2(pattern_rewrite(pattern), options));
        if (regex->re->ok())
            return regex.release();
        error_set(error, AZ_INVALID, "the regular expression '%.*s' is not valid: %s",
                  pattern.len > 200 ? 200 : static_cast<int>(pattern.len), pattern.ptr,
                  regex->re->error().c_str());
    } catch (const std::bad_alloc &) {
        error_set(error, AZ_LIMIT, "there is not enough memory for a regular expression");
    } catch (...) {
        error_set(error, AZ_INVALID, "the regular expression cannot be compiled");
    }
    return nullptr;
}

extern "C" void
regex_free(Regex *regex)
{
    delete regex;
}

extern "C" int
regex_group_count(const Regex *regex)
{
    return regex->re->NumberOfCapturingGroups();
}

extern "C" int
regex_group_named(const Regex *regex, Str name)
{
    try {
        const auto &groups = regex->re->NamedCapturingGroups();
        auto found = groups.find(std::string(name.ptr, name.len));
        return found == groups.end() ? -1 : found->second;
    } catch (...) {
        return -1;
    }
}

static bool
match(const Regex *regex, Str text, size_t from, re2::StringPiece *pieces, int count)
{
    if (from > text.len)
        return false;
    // RE2 wants a pointer also for an empty text, to tell groups that matched.
    re2::StringPiece piece(text.ptr ? text.ptr : "", text.len);
    return regex->re->Match(piece, from, text.len, RE2::UNANCHORED, pieces, count);
}

extern "C" bool
regex_find(const Regex *regex, Str text, size_t from, Str *groups, int count)
{
    try {
        int known = 1 + regex->re->NumberOfCapturingGroups();
        int wanted = count < known ? count : known;
        re2::StringPiece small[GROUPS];
        std::unique_ptr<re2::StringPiece[]> large;
        re2::StringPiece *pieces = small;
        if (wanted > GROUPS) {
            large.reset(new re2::StringPiece[static_cast<size_t>(wanted)]);
            pieces = large.get();
        }
        if (!match(regex, text, from, pieces, wanted))
            return false;
        for (int i = 0; i < count; i++) {
            groups[i].ptr = i < wanted ? pieces[i].data() : nullptr;
            groups[i].len = i < wanted ? pieces[i].size() : 0;
        }
        return true;
    } catch (...) {
        return false; // no memory: RE2 itself falls back to slower engines first
    }
}

extern "C" bool
regex_matches(const Regex *regex, Str text)
{
    return regex_find(regex, text, 0, nullptr, 0);
}

// Appends the replacement with \0 .. \9 filled in; "\\" is a backslash.
static void
put_replacement(Buffer *out, Str replacement, const Str *groups)
{
    for (size_t i = 0; i < replacement.len; i++) {
        char c = replacement.ptr[i];
        if (c == '\\' && i + 1 < replacement.len) {
            char next = replacement.ptr[i + 1];
            if (next >= '0' && next <= '9') {
                buffer_str(out, groups[next - '0']);
                i++;
                continue;
            }
            if (next == '\\')
                i++;
        }
        buffer_char(out, c);
    }
}

// Bytes of the character at `at`, so that an empty match does not cut one.
static size_t
character_bytes(Str text, size_t at)
{
    size_t end = at + 1;
    while (end < text.len && end - at < 4 && (text.ptr[end] & 0xc0) == 0x80)
        end++;
    return end - at;
}

extern "C" void
regex_replace_all(const Regex *regex, Str text, Str replacement, Buffer *out)
{
    Str groups[10];
    size_t at = 0;
    const char *last_end = nullptr; // end of the match before
    while (at <= text.len && regex_find(regex, text, at, groups, 10)) {
        const char *base = text.ptr ? text.ptr : groups[0].ptr;
        size_t start = static_cast<size_t>(groups[0].ptr - base);
        size_t end = start + groups[0].len;
        if (start > at)
            buffer_put(out, text.ptr + at, start - at);
        // An empty match right behind another match is none of its own.
        if (groups[0].len || groups[0].ptr != last_end)
            put_replacement(out, replacement, groups);
        at = end;
        last_end = base + end;
        if (!groups[0].len) {
            if (at >= text.len)
                return;
            size_t bytes = character_bytes(text, at);
            buffer_put(out, text.ptr + at, bytes);
            at += bytes;
        }
    }
    if (at < text.len)
        buffer_put(out, text.ptr + at, text.len - at);
}

extern "C" void
regex_quote(Str text, Buffer *out)
{
    static const char META[] = "\\.+*?()|[]{}^$#&-~";
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (c && std::char_traits<char>::find(META, sizeof(META) - 1, c))
            buffer_char(out, '\\');
        buffer_char(out, c);
    }
}
