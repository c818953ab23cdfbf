// Paths for a terminal: one line a step, and under it what it stands on and how to break it.

#include "report/path_report.h"

#include "azure/arm.h"

typedef struct TextOut {
    Buffer *out;
    Arena *arena;
    TreeText tree;
    const PathModel *model;
} TextOut;

static const char *
severity_color(EdgeSeverity severity)
{
    static const char *const COLORS[] = {"2", "33", "31", "1;31"};
    return COLORS[severity];
}

static void
put_note(TextOut *text, const char *label, Str words, bool is_command)
{
    if (!words.len)
        return;
    tree_paint(&text->tree, "2");
    buffer_printf(text->out, "  │      %-10s", label);
    Str clean = text_clean(text->arena, words);
    // A command is there to be copied: it is never cut.
    uint32_t indent = 19;
    if (!is_command && text->tree.style->width > indent + 20)
        text_put_middle(text->out, clean, text->tree.style->width - indent);
    else
        buffer_str(text->out, clean);
    tree_paint(&text->tree, "0");
    buffer_char(text->out, '\n');
}

static Str
evidence_text(TextOut *text, const PathStep *step)
{
    if (!step->evidence)
        return (Str){0};
    Str id = step->evidence->id, words = step->evidence->text;
    if (!id.len || !words.len)
        return id.len ? id : words;
    return str_format(text->arena, "%.*s (%.*s)", STR_ARG(words), STR_ARG(id));
}

static Str
technique_text(TextOut *text, const EdgeKind *kind)
{
    if (!kind->attack.len && !kind->atlas.len)
        return (Str){0};
    return str_format(text->arena, "%.*s%s%.*s", STR_ARG(kind->attack),
                      kind->attack.len && kind->atlas.len ? ", " : "", STR_ARG(kind->atlas));
}

static void
put_step(TextOut *text, const PathStep *step)
{
    const PathObject *target = path_object(text->model, step->target);
    buffer_text(text->out, "  ├─ ");
    tree_put(&text->tree, path_step_source(text->model, text->arena, step));
    buffer_text(text->out, "  ");
    tree_paint(&text->tree, severity_color(step->kind->severity));
    tree_put(&text->tree, step->kind->name);
    tree_paint(&text->tree, "0");
    buffer_text(text->out, "  →  ");
    tree_put(&text->tree, path_label(text->model, step->target));
    buffer_printf(
        text->out, " (%s)%s\n",
        target->kind == OBJECT_RESOURCE && target->type.len
            ? str_cstr(text->arena, text_clean(text->arena, arm_last_segment(target->type)))
            : object_kind_name(target->kind),
        step->doubt ? ", not certain" : "");
    put_note(text, "technique", technique_text(text, step->kind), false);
    put_note(text, "because", evidence_text(text, step), false);
    Str command = path_step_command(text->model, text->arena, step);
    put_note(text, "break", command.len ? command : step->kind->remedy, command.len > 0);
}

static void
put_path(TextOut *text, uint32_t number, const AttackPath *path)
{
    const PathObject *start = path_object(text->model, path->start);
    buffer_printf(text->out, "%3u. ", number);
    tree_paint(&text->tree, severity_color(path->severity));
    buffer_text(text->out, edge_severity_name(path->severity));
    tree_paint(&text->tree, "0");
    buffer_text(text->out, "  ");
    tree_paint(&text->tree, "1");
    tree_put(&text->tree, path_label(text->model, path->start));
    buffer_char(text->out, ' ');
    tree_put(&text->tree, path_goal_text(text->model, text->arena, path));
    tree_paint(&text->tree, "0");
    buffer_printf(text->out, ", %u step%s\n", path->count, path->count == 1 ? "" : "s");
    buffer_text(text->out, "  ");
    tree_put(&text->tree, path_label(text->model, path->start));
    buffer_printf(text->out, " (%s)\n", object_kind_name(start->kind));
    for (uint32_t i = 0; i < path->count; i++)
        put_step(text, &path->steps[i]);
    buffer_text(text->out, "  └─ ");
    tree_put(&text->tree, path_goal_text(text->model, text->arena, path));
    buffer_text(text->out, "\n\n");
}

static void
put_choke(TextOut *text, uint32_t number, const ChokePoint *choke, uint32_t found)
{
    const PathStep *step = &choke->step;
    buffer_printf(text->out, "%3u. cuts %u of %u", number, choke->paths, found);
    if (choke->tried)
        buffer_printf(text->out, ", %u without another way", choke->closed);
    buffer_text(text->out, ": ");
    bool is_role = step->evidence && step->evidence->id.len && step->evidence->text.len;
    tree_put(&text->tree, path_step_source(text->model, text->arena, step));
    buffer_text(text->out, is_role ? ", " : "  ");
    tree_put(&text->tree, is_role ? step->evidence->text : step->kind->name);
    if (!is_role) {
        buffer_text(text->out, "  →  ");
        tree_put(&text->tree, path_label(text->model, step->target));
    }
    buffer_char(text->out, '\n');
    Str command = path_step_command(text->model, text->arena, step);
    put_note(text, "break", command.len ? command : step->kind->remedy, command.len > 0);
}

void
path_report_text(Buffer *out, const PathModel *model, const PathList *list, const TreeStyle *style)
{
    Arena arena = {0};
    TextOut text = {out, &arena, {out, &arena, style}, model};
    if (!list->found)
        buffer_text(out, "No path.\n");
    for (uint32_t i = 0; i < list->count; i++)
        put_path(&text, i + 1, &list->paths[i]);
    if (list->count < list->found)
        buffer_printf(out, "%u more; --limit 0 shows all.\n\n", list->found - list->count);
    if (list->choke_count)
        buffer_text(out, "Where cutting helps most:\n");
    for (uint32_t i = 0; i < list->choke_count; i++)
        put_choke(&text, i + 1, &list->chokes[i], list->found);
    arena_free(&arena);
}
