#include "report/explain_report.h"

#include "base/array.h"
#include "report/result_text.h"
#include "value/json.h"

// ---- text ----

// Whether another row of this depth follows under the same operator.
static bool
has_sibling(const Explain *explain, uint32_t row, uint32_t depth)
{
    for (uint32_t i = row + 1; i < explain->count && explain->rows[i].depth >= depth; i++)
        if (explain->rows[i].depth == depth)
            return true;
    return false;
}

// The branches of the tree before a row, and its operator.
static Str
tree_cell(Arena *arena, const Explain *explain, uint32_t row)
{
    const ExplainRow *r = &explain->rows[row];
    Buffer text = {0};
    for (uint32_t depth = 1; depth <= r->depth; depth++) {
        bool more = has_sibling(explain, row, depth);
        if (depth == r->depth)
            buffer_text(&text, more ? "\u251c " : "\u2514 ");
        else
            buffer_text(&text, more ? "\u2502 " : "  ");
    }
    buffer_text(&text, r->name);
    Str cell = str_copy(arena, buffer_slice(&text));
    buffer_free(&text);
    return cell;
}

static Str
milliseconds(Arena *arena, uint64_t ns)
{
    return str_format(arena, "%.2f", (double)ns / 1e6);
}

// Row groups of a scan: how many were read, and how many needed not be.
static Str
groups_cell(Arena *arena, const ProfileCounters *counters)
{
    uint64_t all = counters->groups_read + counters->groups_skipped;
    return all ? str_format(arena, "%llu/%llu", (unsigned long long)counters->groups_read,
                            (unsigned long long)all)
               : STR("");
}

// Megabytes that the operator wrote to temporary files.
static Str
spilled_cell(Arena *arena, const ProfileCounters *counters)
{
    return counters->spilled ? str_format(arena, "%.1f", (double)counters->spilled / (1 << 20))
                             : STR("");
}

static Str
details_cell(Arena *arena, const ExplainRow *row)
{
    Str details = text_clean(arena, row->details);
    uint64_t rows = row->counters.left_out;
    return rows ? str_format(arena,
                             "%.*s; %llu rows of groups that are not among the first left out",
                             STR_ARG(details), (unsigned long long)rows)
                : details;
}

enum { SPILLED_CELL = 7, CELLS = 9 };

static void
number_cells(Arena *arena, const ProfileCounters *counters, Str cells[CELLS])
{
    cells[1] = str_format(arena, "%llu", (unsigned long long)counters->rows_in);
    cells[2] = str_format(arena, "%llu", (unsigned long long)counters->rows_out);
    cells[3] = str_format(arena, "%llu", (unsigned long long)counters->batches);
    cells[4] = milliseconds(arena, counters->wall_ns);
    cells[5] = milliseconds(arena, counters->cpu_ns);
    cells[6] = groups_cell(arena, counters);
    cells[SPILLED_CELL] = spilled_cell(arena, counters);
}

static void
put_lines(Buffer *out, Str (*cells)[CELLS], size_t rows, bool numbers, const ResultStyle *style)
{
    uint32_t widths[CELLS] = {0};
    for (size_t r = 0; r < rows; r++)
        for (size_t c = 0; c < CELLS - 1; c++) {
            uint32_t width = text_display_width(cells[r][c]);
            widths[c] = width > widths[c] ? width : widths[c];
        }
    for (size_t r = 0; r < rows; r++) {
        uint32_t used = widths[0] + 2;
        buffer_str(out, cells[r][0]);
        buffer_printf(out, "%*s", (int)(widths[0] + 2 - text_display_width(cells[r][0])), "");
        for (size_t c = 1; numbers && c < CELLS - 1; c++) {
            if (!widths[c])
                continue;
            buffer_printf(out, "%*s%.*s  ", (int)(widths[c] - cells[r][c].len), "",
                          STR_ARG(cells[r][c]));
            used += widths[c] + 2;
        }
        uint32_t room = style->width > used + 8 ? style->width - used : 8;
        if (style->width)
            text_put_middle(out, cells[r][CELLS - 1], room);
        else
            buffer_str(out, cells[r][CELLS - 1]);
        while (out->len && out->data[out->len - 1] == ' ')
            out->len--;
        buffer_char(out, '\n');
    }
}

static uint64_t
spilled_bytes(const Explain *explain)
{
    uint64_t bytes = explain->answer.spilled;
    for (uint32_t i = 0; i < explain->count; i++)
        bytes += explain->rows[i].counters.spilled;
    return bytes;
}

static void
put_totals(Buffer *out, const Explain *explain)
{
    uint64_t read = 0, skipped = 0;
    for (uint32_t i = 0; i < explain->count; i++) {
        read += explain->rows[i].counters.rows_read;
        skipped += explain->rows[i].counters.rows_skipped;
    }
    buffer_printf(out,
                  "\nparse %.2f ms, plan %.2f ms, run %.2f ms on %zu thread%s; rows read %llu, "
                  "skipped %llu; memory peak %.1f MB",
                  explain->parse_ms, explain->plan_ms, explain->run_ms, explain->threads,
                  explain->threads == 1 ? "" : "s", (unsigned long long)read,
                  (unsigned long long)skipped, (double)explain->memory_peak / (1 << 20));
    uint64_t spilled = spilled_bytes(explain);
    if (spilled)
        buffer_printf(out, ", on disk %.1f MB", (double)spilled / (1 << 20));
    buffer_char(out, '\n');
}

void
explain_write_text(Buffer *out, const Explain *explain, const ResultStyle *style)
{
    Arena arena = {0};
    size_t rows = 0;
    Str(*cells)[CELLS] = arena_alloc(&arena, (explain->count + 2) * sizeof(*cells));
    memset(cells, 0, (explain->count + 2) * sizeof(*cells));
    if (explain->analyzed) {
        static const Str HEAD[CELLS] = {
            STR_INIT("operator"), STR_INIT("rows in"), STR_INIT("rows out"),
            STR_INIT("batches"),  STR_INIT("wall ms"), STR_INIT("CPU ms"),
            STR_INIT("groups"),   STR_INIT("disk MB"), STR_INIT("details")};
        memcpy(cells[rows], HEAD, sizeof(HEAD));
        if (!spilled_bytes(explain))
            cells[rows][SPILLED_CELL] = STR("");
        rows++;
    }
    for (uint32_t i = 0; i < explain->count; i++, rows++) {
        cells[rows][0] = tree_cell(&arena, explain, i);
        number_cells(&arena, &explain->rows[i].counters, cells[rows]);
        bool is_source =
            i + 1 == explain->count || explain->rows[i + 1].depth <= explain->rows[i].depth;
        if (is_source)
            cells[rows][1] = STR("");
        cells[rows][CELLS - 1] = details_cell(&arena, &explain->rows[i]);
    }
    if (explain->analyzed) {
        cells[rows][0] = STR("(answer)");
        number_cells(&arena, &explain->answer, cells[rows]);
        cells[rows][2] = cells[rows][3] = STR("");
        rows++;
    }
    put_lines(out, cells, rows, explain->analyzed, style);
    if (explain->analyzed)
        put_totals(out, explain);
    arena_free(&arena);
}

// ---- JSON ----

static void
put_counters(Buffer *out, const ProfileCounters *c)
{
    buffer_printf(out,
                  ",\"rowsIn\":%llu,\"rowsOut\":%llu,\"batches\":%llu,\"wallMs\":%.3f,"
                  "\"cpuMs\":%.3f",
                  (unsigned long long)c->rows_in, (unsigned long long)c->rows_out,
                  (unsigned long long)c->batches, (double)c->wall_ns / 1e6,
                  (double)c->cpu_ns / 1e6);
    if (c->groups_read || c->groups_skipped)
        buffer_printf(out,
                      ",\"groupsRead\":%llu,\"groupsSkipped\":%llu,\"rowsRead\":%llu,"
                      "\"rowsSkipped\":%llu",
                      (unsigned long long)c->groups_read, (unsigned long long)c->groups_skipped,
                      (unsigned long long)c->rows_read, (unsigned long long)c->rows_skipped);
    if (c->spilled)
        buffer_printf(out, ",\"spilledBytes\":%llu", (unsigned long long)c->spilled);
    if (c->left_out)
        buffer_printf(out, ",\"rowsLeftOut\":%llu", (unsigned long long)c->left_out);
}

void
explain_write_json(Buffer *out, const Explain *explain)
{
    uint32_t open = 0; // operators whose object is not closed yet
    buffer_text(out, "{\"plans\":[");
    for (uint32_t i = 0; i < explain->count; i++) {
        const ExplainRow *row = &explain->rows[i];
        for (; open > row->depth; open--)
            buffer_text(out, "]}");
        if (i && row->depth <= explain->rows[i - 1].depth)
            buffer_char(out, ',');
        buffer_text(out, "{\"operator\":");
        json_write_string(out, str_from(row->name), false);
        buffer_text(out, ",\"details\":");
        json_write_string(out, row->details, false);
        if (explain->analyzed)
            put_counters(out, &row->counters);
        buffer_text(out, ",\"inputs\":[");
        open++;
    }
    for (; open; open--)
        buffer_text(out, "]}");
    buffer_printf(out, "],\"parseMs\":%.3f,\"planMs\":%.3f", explain->parse_ms, explain->plan_ms);
    if (explain->analyzed)
        buffer_printf(out,
                      ",\"runMs\":%.3f,\"answerMs\":%.3f,\"threads\":%zu,"
                      "\"memoryPeakBytes\":%zu",
                      explain->run_ms, (double)explain->answer.wall_ns / 1e6, explain->threads,
                      explain->memory_peak);
    buffer_text(out, "}\n");
}
