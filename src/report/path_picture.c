// The picture as SVG. Colours come from the page's style by class; severity is also the
// dash of a line and the shape in a box of goals.

#include "report/path_picture.h"

#include "base/array.h"
#include "report/report_paths.h"
#include "report/result_text.h"

void
markup_text(Buffer *out, Arena *arena, Str text)
{
    static const struct {
        char c;
        const char *entity;
    } ENTITIES[] = {{'&', "&amp;"}, {'<', "&lt;"}, {'>', "&gt;"}, {'"', "&quot;"}, {'\'', "&#39;"}};
    Str clean = text_clean(arena, text);
    for (size_t i = 0; i < clean.len; i++) {
        const char *entity = NULL;
        for (size_t e = 0; e < COUNT_OF(ENTITIES); e++)
            if (ENTITIES[e].c == clean.ptr[i])
                entity = ENTITIES[e].entity;
        if (entity)
            buffer_text(out, entity);
        else
            buffer_char(out, clean.ptr[i]);
    }
}

const char *
svg_severity_shape(EdgeSeverity severity)
{
    static const char *const SHAPES[] = {"\u25cb", "\u25a0", "\u25b2", "\u25c6"};
    return SHAPES[severity];
}

static void
put_title(Buffer *out, Arena *arena, Str text)
{
    buffer_text(out, "<title>");
    markup_text(out, arena, text);
    buffer_text(out, "</title>");
}

void
svg_text(Buffer *out, Arena *arena, double x, double y, const char *class, Str text,
         uint32_t columns)
{
    Str clean = text_clean(arena, text);
    buffer_printf(out, "<text x=\"%.1f\" y=\"%.1f\" class=\"%s\">", x, y, class);
    if (text_display_width(clean) > columns) {
        Buffer cut = {0};
        put_title(out, arena, clean);
        text_put_middle(&cut, clean, columns);
        markup_text(out, arena, buffer_slice(&cut));
        buffer_free(&cut);
    } else {
        markup_text(out, arena, clean);
    }
    buffer_text(out, "</text>");
}

// Bytes of the first line of a name that takes two: up to the last sign after which a
// person would break it, all that fits when there is none.
static size_t
first_line(Str name, uint32_t columns)
{
    size_t fits = 0, nice = 0;
    for (size_t at = 0; at < name.len;) {
        size_t next = at + 1;
        while (next < name.len && ((unsigned char)name.ptr[next] & 0xC0) == 0x80)
            next++;
        if (text_display_width(str_slice(name, 0, next)) > columns)
            break;
        fits = next;
        char c = name.ptr[at];
        if (c == '-' || c == '_' || c == '.' || c == '@' || c == ' ' || c == '/' || c == ':')
            nice = next;
        at = next;
    }
    return nice > fits / 3 ? nice : fits;
}

static double
put_name(Buffer *out, Arena *arena, const PictureBox *box, double y)
{
    Str name = text_clean(arena, box->shown.len ? box->shown : STR("(no name)"));
    if (text_display_width(name) <= PICTURE_NAME_COLUMNS) {
        svg_text(out, arena, box->x + 10, y, "b", name, PICTURE_NAME_COLUMNS);
        return y;
    }
    size_t cut = first_line(name, PICTURE_NAME_COLUMNS);
    svg_text(out, arena, box->x + 10, y, "b", str_slice(name, 0, cut), PICTURE_NAME_COLUMNS);
    Str rest = str_slice(name, cut, name.len);
    svg_text(out, arena, box->x + 10, y + 16, "b", rest, PICTURE_NAME_COLUMNS);
    return y + 16;
}

static void
put_object(Buffer *out, Arena *arena, const PictureBox *box)
{
    buffer_printf(out,
                  "<g><rect class=\"box%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.0f\" height=\"%.0f\" "
                  "rx=\"%d\"/>",
                  box->is_start ? " start" : "", box->x, box->y, box->width, box->height,
                  box->is_start ? 20 : 5);
    put_title(out, arena,
              str_format(arena, "%.*s, %.*s", STR_ARG(box->name), STR_ARG(box->caption)));
    Str caption = box->is_start ? str_format(arena, "start \u00b7 %.*s", STR_ARG(box->caption))
                                : box->caption;
    svg_text(out, arena, box->x + 10, box->y + 17, "c", caption, 26);
    double y = put_name(out, arena, box, box->y + 33);
    if (box->reached.len)
        svg_text(out, arena, box->x + 10, y + 16, "k", box->reached, 23);
    buffer_text(out, "</g>\n");
}

static void
put_goals(Buffer *out, Arena *arena, const PictureBox *box)
{
    const char *word = edge_severity_name(box->severity);
    buffer_printf(out,
                  "<g><rect class=\"box goal s-%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.0f\" "
                  "height=\"%.0f\" rx=\"5\"/>",
                  word, box->x, box->y, box->width, box->height);
    buffer_printf(out, "<text x=\"%.1f\" y=\"%.1f\" class=\"f s-%s\">%s<title>%s</title></text>",
                  box->x + 10, box->y + 20, word, svg_severity_shape(box->severity), word);
    svg_text(out, arena, box->x + 28, box->y + 20, "c", box->caption, 36);
    for (size_t i = 0; i < box->goals.len; i++) {
        const BoxItem *item = &box->goals.items[i];
        double y = box->y + 39 + 19 * (double)i;
        svg_text(out, arena, box->x + 28, y, "b", item->name, 26);
        buffer_printf(out,
                      "<a href=\"#path-%u\"><text x=\"%.1f\" y=\"%.1f\" class=\"n\">path %u</text>"
                      "</a>",
                      item->path, box->x + box->width - 10, y, item->path);
    }
    buffer_text(out, "</g>\n");
}

static void
put_curve(Buffer *out, double x1, double y1, double x2, double y2)
{
    double half = (x2 - x1) / 2;
    if (half < 0) // against the order: out and around
        half = 60;
    buffer_printf(out, "C%.1f %.1f %.1f %.1f %.1f %.1f", x1 + half, y1, x2 - half, y2, x2, y2);
}

static void
put_line(Buffer *out, Arena *arena, const Picture *picture, const PictureLine *line)
{
    const PictureBox *boxes = picture->boxes.items;
    const PictureBox *from = &boxes[line->from], *to = &boxes[line->to];
    const char *word = edge_severity_name(line->severity);
    double x = from->x + from->width, y = from->y + from->height / 2;
    double tip_x = to->x, tip_y = to->y + to->height / 2;
    // Wider the more paths run over it, within bounds.
    double width = 1.3 + 0.22 * (line->paths < 14 ? line->paths : 14);
    buffer_printf(out, "<g><path class=\"l s-%s\" stroke-width=\"%.1f\" d=\"M%.1f %.1f", word,
                  width, x, y);
    for (size_t i = 0; i < line->bends.len; i++) {
        const PictureBox *bend = &boxes[line->bends.items[i]];
        double at = bend->y + bend->height / 2;
        put_curve(out, x, y, bend->x, at);
        buffer_printf(out, "H%.1f", bend->x + bend->width);
        x = bend->x + bend->width;
        y = at;
    }
    put_curve(out, x, y, tip_x - 7, tip_y);
    buffer_text(out, "\">");
    put_title(out, arena,
              str_format(arena, "%.*s \u2192 %.*s: %.*s, %s%s, %u path%s", STR_ARG(from->name),
                         STR_ARG(to->name.len ? to->name : to->caption), STR_ARG(line->kinds), word,
                         line->doubt ? ", not certain" : "", line->paths,
                         line->paths == 1 ? "" : "s"));
    buffer_printf(out, "</path><path class=\"a s-%s\" d=\"M%.1f %.1fl-9 -4.5v9z\"/></g>\n", word,
                  tip_x, tip_y);
}

// Where cutting helps: a label across the line, before what it leads to.
static void
put_badge(Buffer *out, Arena *arena, const Picture *picture, const PathModel *model,
          const PathList *list, const PictureLine *line)
{
    const ChokePoint *choke = &list->chokes[line->choke - 1];
    const PictureBox *to = &picture->boxes.items[line->to];
    double x = to->x - 40, y = to->y + to->height / 2;
    buffer_printf(out,
                  "<a href=\"#cut-%u\"><g class=\"cut\"><rect x=\"%.1f\" y=\"%.1f\" width=\"52\" "
                  "height=\"18\" rx=\"3\"/><text x=\"%.1f\" y=\"%.1f\">cuts %u</text>",
                  line->choke, x - 26, y - 9, x, y + 4, choke->paths);
    put_title(out, arena,
              str_format(arena, "Cut %u: %.*s. Cuts %u of %u paths.", line->choke,
                         STR_ARG(report_choke_text(arena, model, choke)), choke->paths,
                         list->found));
    buffer_text(out, "</g></a>\n");
}

uint32_t
path_picture_svg(Buffer *out, Arena *arena, const PathModel *model, const PathList *list)
{
    if (!list->count)
        return 0;
    Picture *picture = path_picture_build(arena, model, list);
    path_picture_place(picture);
    buffer_printf(out,
                  "<svg class=\"ap\" xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" "
                  "aria-label=\"%u attack paths from left to right; the numbered list below says "
                  "the same in words\" viewBox=\"0 0 %.0f %.0f\" width=\"%.0f\" height=\"%.0f\">\n",
                  picture->paths, picture->width, picture->height, picture->width, picture->height);
    for (size_t i = 0; i < picture->lines.len; i++)
        put_line(out, arena, picture, &picture->lines.items[i]);
    for (size_t i = 0; i < picture->boxes.len; i++) {
        const PictureBox *box = &picture->boxes.items[i];
        if (box->kind == BOX_OBJECT)
            put_object(out, arena, box);
        else if (box->kind == BOX_GOALS)
            put_goals(out, arena, box);
    }
    for (size_t i = 0; i < picture->lines.len; i++)
        if (picture->lines.items[i].choke)
            put_badge(out, arena, picture, model, list, &picture->lines.items[i]);
    buffer_text(out, "</svg>\n");
    return picture->paths;
}
