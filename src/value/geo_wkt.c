// Well-known text (OGC Simple Features) to GeoJSON. The functions read like the grammar:
//
//   geometry   = POINT position | LINESTRING path | POLYGON ring list | MULTI... |
//                GEOMETRYCOLLECTION ( geometry, ... )
//   path       = ( number number, ... )
//
// Only two-dimensional texts are read; empty geometries have no GeoJSON here.

#include "value/geo_json.h"

#include "value/scalar.h"

#include <ctype.h>
#include <string.h>

typedef struct Wkt {
    const char *at, *end;
    DynBuilder *out;
    uint32_t depth;
    bool ok;
} Wkt;

enum { WKT_MAX_DEPTH = 64 };

static void
skip_blanks(Wkt *wkt)
{
    while (wkt->at < wkt->end && isspace((unsigned char)*wkt->at))
        wkt->at++;
}

static bool
accept(Wkt *wkt, char c)
{
    skip_blanks(wkt);
    if (wkt->at >= wkt->end || *wkt->at != c)
        return false;
    wkt->at++;
    return true;
}

static void
expect(Wkt *wkt, char c)
{
    if (!accept(wkt, c))
        wkt->ok = false;
}

static Str
word(Wkt *wkt)
{
    skip_blanks(wkt);
    const char *from = wkt->at;
    while (wkt->at < wkt->end && isalpha((unsigned char)*wkt->at))
        wkt->at++;
    return (Str){from, (size_t)(wkt->at - from)};
}

static double
number(Wkt *wkt)
{
    skip_blanks(wkt);
    const char *from = wkt->at;
    while (wkt->at < wkt->end && *wkt->at && strchr("+-.0123456789eE", *wkt->at))
        wkt->at++;
    double value = 0;
    if (!real_parse((Str){from, (size_t)(wkt->at - from)}, &value))
        wkt->ok = false;
    return value;
}

static void
position(Wkt *wkt, double out[2])
{
    out[0] = number(wkt);
    out[1] = number(wkt);
    if (!geo_valid_position(out[0], out[1]))
        wkt->ok = false;
}

// ( position, position ... ) with at least `at_least`; a ring must close.
static void
path(Wkt *wkt, uint32_t at_least, bool ring)
{
    double first[2] = {0}, at[2] = {0};
    uint32_t count = 0;
    expect(wkt, '(');
    dyn_begin_array(wkt->out);
    do {
        position(wkt, at);
        geo_push_position(wkt->out, at);
        if (count++ == 0)
            memcpy(first, at, sizeof(first));
    } while (wkt->ok && accept(wkt, ','));
    dyn_end_array(wkt->out);
    expect(wkt, ')');
    if (count < at_least || (ring && (first[0] != at[0] || first[1] != at[1])))
        wkt->ok = false;
}

static void
line(Wkt *wkt)
{
    path(wkt, 2, false);
}

static void
ring(Wkt *wkt)
{
    path(wkt, 4, true);
}

// ( item, item ... )
static void
list(Wkt *wkt, void (*item)(Wkt *))
{
    expect(wkt, '(');
    dyn_begin_array(wkt->out);
    do {
        item(wkt);
    } while (wkt->ok && accept(wkt, ','));
    dyn_end_array(wkt->out);
    expect(wkt, ')');
}

static void
rings(Wkt *wkt)
{
    list(wkt, ring);
}

static void
lines(Wkt *wkt)
{
    list(wkt, line);
}

static void
polygons(Wkt *wkt)
{
    list(wkt, rings);
}

static void
point(Wkt *wkt)
{
    double at[2];
    expect(wkt, '(');
    position(wkt, at);
    expect(wkt, ')');
    geo_push_position(wkt->out, at);
}

// A point of a MULTIPOINT stands with or without parentheses.
static void
bare_point(Wkt *wkt)
{
    double at[2];
    bool open = accept(wkt, '(');
    position(wkt, at);
    if (open)
        expect(wkt, ')');
    geo_push_position(wkt->out, at);
}

static void
points(Wkt *wkt)
{
    list(wkt, bare_point);
}

static void geometry(Wkt *wkt);

static void
geometries(Wkt *wkt)
{
    list(wkt, geometry);
}

static void
geometry(Wkt *wkt)
{
    static const struct {
        Str word;
        const char *type, *members;
        void (*read)(Wkt *);
    } KINDS[] = {
        {STR_INIT("POINT"), "Point", "coordinates", point},
        {STR_INIT("LINESTRING"), "LineString", "coordinates", line},
        {STR_INIT("POLYGON"), "Polygon", "coordinates", rings},
        {STR_INIT("MULTIPOINT"), "MultiPoint", "coordinates", points},
        {STR_INIT("MULTILINESTRING"), "MultiLineString", "coordinates", lines},
        {STR_INIT("MULTIPOLYGON"), "MultiPolygon", "coordinates", polygons},
        {STR_INIT("GEOMETRYCOLLECTION"), "GeometryCollection", "geometries", geometries},
    };
    Str name = word(wkt);
    for (size_t i = 0; i < sizeof(KINDS) / sizeof(KINDS[0]) && wkt->depth < WKT_MAX_DEPTH; i++) {
        if (!str_equal_ci(name, KINDS[i].word))
            continue;
        wkt->depth++;
        dyn_begin_bag(wkt->out);
        dyn_key(wkt->out, STR("type"));
        dyn_push_string(wkt->out, str_from(KINDS[i].type));
        dyn_key(wkt->out, str_from(KINDS[i].members));
        KINDS[i].read(wkt);
        dyn_end_bag(wkt->out);
        wkt->depth--;
        return;
    }
    wkt->ok = false;
}

bool
geo_push_wkt(DynBuilder *out, Str text)
{
    Wkt wkt = {.at = text.ptr, .end = text.ptr + text.len, .out = out, .ok = true};
    geometry(&wkt);
    skip_blanks(&wkt);
    return wkt.ok && wkt.at == wkt.end;
}
