// Paths in words: what is held at the end, who acts, the command that breaks a step.

#include "azure/path/path_list.h"

#include "base/buffer.h"

const char *
path_capability_phrase(PathCapability capability)
{
    static const char *const PHRASES[PATH_CAPABILITY_COUNT] = {
        [CAP_CONTROL] = "acts as",
        [CAP_ANY_ROLE] = "may assign any role at",
        [CAP_KEYS] = "holds the keys of",
        [CAP_LOCAL_AUTH] = "turns keys on at",
        [CAP_REACH] = "gets through to",
        [CAP_LOGIN] = "signs in to",
        [CAP_POLICY] = "changes who may use",
        [CAP_SECRETS] = "reads secrets of",
        [CAP_READ] = "reads the data of",
        [CAP_WRITE] = "writes the data of",
        [CAP_INVOKE] = "asks the models of",
        [CAP_PROMPTS] = "reads prompts in",
        [CAP_PROMPT_LOGS] = "reads the prompt logs of",
        [CAP_NO_DIAGNOSTICS] = "can silence the logs of",
        [CAP_NO_FILTER] = "can switch off the content filters of",
        [CAP_NO_DEFENDER] = "can switch off Defender for",
        [CAP_AGENT] = "talks to the agents of",
        [CAP_IMPERSONATE] = "acts as any user to the agents of",
        [CAP_EDIT_AGENT] = "edits the agents of",
        [CAP_DEPLOY] = "deploys models in",
        [CAP_FINE_TUNE] = "fine-tunes models of",
        [CAP_REPLACE] = "replaces models of",
        [CAP_MODEL] = "takes the models of",
        [CAP_POISON] = "poisons what is retrieved by",
        [CAP_NOTEBOOK] = "edits the notebooks of",
        [CAP_GATEWAY] = "changes the gateway",
        [CAP_BROKERED] = "may be told the data of",
    };
    return PHRASES[capability];
}

Str
path_goal_text(const PathModel *model, Arena *arena, const AttackPath *path)
{
    const PathNode *node = path_node(model, path->goal);
    const PathObject *object = path_object(model, node->object);
    Str label = path_label(model, node->object);
    if (object->kind == OBJECT_GRANT || object->kind == OBJECT_DIRECTORY_ROLE ||
        object->kind == OBJECT_PERMISSION)
        return str_format(arena, "holds %.*s", STR_ARG(label));
    if (object->kind == OBJECT_TENANT && node->capability == CAP_ANY_ROLE)
        return STR("may assign any directory role");
    if (object->kind == OBJECT_GROUP && node->capability == CAP_CONTROL)
        return str_format(arena, "is a member of %.*s", STR_ARG(label));
    if (object->kind == OBJECT_RESOURCE && node->capability == CAP_CONTROL)
        return str_format(arena, "runs code on %.*s", STR_ARG(label));
    return str_format(arena, "%s %.*s", path_capability_phrase((PathCapability)node->capability),
                      STR_ARG(label));
}

Str
path_step_source(const PathModel *model, Arena *arena, const PathStep *step)
{
    if (step->source_count == 1)
        return path_label(model, step->sources[0]);
    Buffer text = {0};
    for (uint32_t i = 0; i < step->source_count; i++) {
        buffer_text(&text, i ? " + " : "");
        buffer_str(&text, path_label(model, step->sources[i]));
    }
    Str joined = str_copy(arena, buffer_slice(&text));
    buffer_free(&text);
    return joined;
}

// Ids come from the tenant, and commands are made to be pasted: what a shell would read as
// its own is quoted.
static void
put_word(Buffer *out, Str word)
{
    bool plain = word.len > 0;
    for (size_t i = 0; i < word.len; i++) {
        char c = word.ptr[i];
        plain &= (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                 c == '/' || c == '-' || c == '_' || c == '.' || c == '@' || c == ':';
    }
    if (plain) {
        buffer_str(out, word);
        return;
    }
    buffer_char(out, '\'');
    for (size_t i = 0; i < word.len; i++) {
        if (word.ptr[i] == '\'')
            buffer_text(out, "'\\''");
        else
            buffer_char(out, word.ptr[i]);
    }
    buffer_char(out, '\'');
}

// A role at a scope has no id that a person could use.
static Str
target_word(const PathModel *model, uint32_t target)
{
    const PathObject *object = path_object(model, target);
    bool is_role = object->kind == OBJECT_GRANT || object->kind == OBJECT_DIRECTORY_ROLE;
    return is_role ? path_label(model, target) : object->id;
}

Str
path_step_command(const PathModel *model, Arena *arena, const PathStep *step)
{
    const Str *of_type = map_get(&step->kind->commands, path_object(model, step->target)->type);
    Str template = of_type ? *of_type : step->kind->command;
    Str evidence = step->evidence ? step->evidence->id : (Str){0};
    const struct {
        Str name, value;
    } WORDS[] = {
        {STR("{source}"), step->source_count ? path_object(model, step->sources[0])->id : (Str){0}},
        {STR("{target}"), target_word(model, step->target)},
        {STR("{evidence}"), evidence},
    };
    if (str_find(template, STR("{evidence}")) >= 0 && (!evidence.len || step->activated))
        return (Str){0};
    Buffer out = {0};
    for (size_t at = 0; at < template.len;) {
        Str rest = str_slice(template, at, template.len);
        size_t i = 0;
        while (i < 3 && !str_starts(rest, WORDS[i].name))
            i++;
        if (i < 3) {
            put_word(&out, WORDS[i].value);
            at += WORDS[i].name.len;
        } else {
            buffer_char(&out, template.ptr[at++]);
        }
    }
    Str command = str_copy(arena, buffer_slice(&out));
    buffer_free(&out);
    return command;
}
