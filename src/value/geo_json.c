// GeoJSON to arrays and back.

#include "value/geo_json.h"

#include "base/array.h"

#include <math.h>

// ---- reading ----

void
geo_reader_free(GeoReader *reader)
{
    buffer_free(&reader->coordinates);
    buffer_free(&reader->path_ends);
    buffer_free(&reader->polygon_ends);
}

bool
geo_valid_position(double longitude, double latitude)
{
    return longitude >= -180 && longitude <= 180 && latitude >= -90 && latitude <= 90;
}

static uint32_t
points_read(const GeoReader *reader)
{
    return (uint32_t)(reader->coordinates.len / (2 * sizeof(double)));
}

static void
end_path(GeoReader *reader)
{
    uint32_t end = points_read(reader);
    buffer_put(&reader->path_ends, &end, sizeof(end));
}

static bool
read_position(GeoReader *reader, Dyn json)
{
    double position[2];
    if (dyn_kind(json) != DYN_ARRAY || dyn_count(json) < 2 ||
        !dyn_number(dyn_at(json, 0), &position[0]) || !dyn_number(dyn_at(json, 1), &position[1]) ||
        !geo_valid_position(position[0], position[1]))
        return false;
    buffer_put(&reader->coordinates, position, sizeof(position));
    return true;
}

static bool
read_positions(GeoReader *reader, Dyn json, uint32_t at_least)
{
    if (dyn_kind(json) != DYN_ARRAY || dyn_count(json) < at_least)
        return false;
    for (uint32_t i = 0; i < dyn_count(json); i++)
        if (!read_position(reader, dyn_at(json, i)))
            return false;
    return true;
}

static bool
read_line(GeoReader *reader, Dyn json)
{
    if (!read_positions(reader, json, 2))
        return false;
    end_path(reader);
    return true;
}

static bool
read_ring(GeoReader *reader, Dyn json)
{
    size_t first = reader->coordinates.len, position = 2 * sizeof(double);
    if (!read_positions(reader, json, 4))
        return false;
    reader->coordinates.len -= position; // the closing point
    const double *start = (const double *)(reader->coordinates.data + first);
    const double *end = (const double *)(reader->coordinates.data + reader->coordinates.len);
    if (start[0] != end[0] || start[1] != end[1])
        return false;
    end_path(reader);
    return true;
}

static bool
read_polygon(GeoReader *reader, Dyn json)
{
    if (dyn_kind(json) != DYN_ARRAY || dyn_count(json) == 0)
        return false;
    for (uint32_t i = 0; i < dyn_count(json); i++)
        if (!read_ring(reader, dyn_at(json, i)))
            return false;
    uint32_t end = (uint32_t)(reader->path_ends.len / sizeof(uint32_t));
    buffer_put(&reader->polygon_ends, &end, sizeof(end));
    return true;
}

static bool
read_shape(GeoReader *reader, Dyn json, Str single, Str multi, bool (*read_part)(GeoReader *, Dyn))
{
    buffer_clear(&reader->coordinates);
    buffer_clear(&reader->path_ends);
    buffer_clear(&reader->polygon_ends);
    Dyn type = dyn_get(json, STR("type")), parts = dyn_get(json, STR("coordinates"));
    if (dyn_kind(type) != DYN_STRING)
        return false;
    if (str_equal(dyn_string(type), single))
        return read_part(reader, parts);
    if (!multi.len || !str_equal(dyn_string(type), multi) || dyn_kind(parts) != DYN_ARRAY ||
        dyn_count(parts) == 0)
        return false;
    for (uint32_t i = 0; i < dyn_count(parts); i++)
        if (!read_part(reader, dyn_at(parts, i)))
            return false;
    return true;
}

static GeoShape
shape_read(const GeoReader *reader, GeoKind kind)
{
    return (GeoShape){
        .kind = kind,
        .coordinates = (const double *)reader->coordinates.data,
        .path_ends = (const uint32_t *)reader->path_ends.data,
        .polygon_ends = (const uint32_t *)reader->polygon_ends.data,
        .point_count = points_read(reader),
        .path_count = (uint32_t)(reader->path_ends.len / sizeof(uint32_t)),
        .polygon_count = (uint32_t)(reader->polygon_ends.len / sizeof(uint32_t)),
    };
}

bool
geo_read(GeoReader *reader, Dyn json, GeoKind kind, GeoShape *out)
{
    bool done =
        kind == GEO_POLYGONS
            ? read_shape(reader, json, STR("Polygon"), STR("MultiPolygon"), read_polygon)
            : read_shape(reader, json, STR("LineString"), STR("MultiLineString"), read_line);
    *out = shape_read(reader, kind);
    return done;
}

bool
geo_read_line(GeoReader *reader, Dyn json, GeoShape *out)
{
    bool done = read_shape(reader, json, STR("LineString"), (Str){0}, read_line);
    *out = shape_read(reader, GEO_LINES);
    return done;
}

// ---- writing ----

void
geo_push_number(DynBuilder *out, double number)
{
    if (number == floor(number) && fabs(number) < 1e15)
        dyn_push_long(out, (int64_t)number);
    else
        dyn_push_real(out, number);
}

void
geo_push_position(DynBuilder *out, const double position[2])
{
    dyn_begin_array(out);
    geo_push_number(out, position[0]);
    geo_push_number(out, position[1]);
    dyn_end_array(out);
}

static void
begin_geometry(DynBuilder *out, const char *type, const char *members)
{
    dyn_begin_bag(out);
    dyn_key(out, STR("type"));
    dyn_push_string(out, str_from(type));
    dyn_key(out, str_from(members));
}

void
geo_push_point(DynBuilder *out, const double position[2])
{
    begin_geometry(out, "Point", "coordinates");
    geo_push_position(out, position);
    dyn_end_bag(out);
}

// The positions [from, to), and the first again when they are a ring.
static void
push_path(DynBuilder *out, const double *coordinates, uint32_t from, uint32_t to, bool ring)
{
    dyn_begin_array(out);
    for (uint32_t i = from; i < to; i++)
        geo_push_position(out, coordinates + 2 * i);
    if (ring)
        geo_push_position(out, coordinates + 2 * from);
    dyn_end_array(out);
}

void
geo_push_ring(DynBuilder *out, const double *coordinates, uint32_t count)
{
    begin_geometry(out, "Polygon", "coordinates");
    dyn_begin_array(out);
    push_path(out, coordinates, 0, count, true);
    dyn_end_array(out);
    dyn_end_bag(out);
}

static uint32_t
part_count(const GeoShape *shape)
{
    switch (shape->kind) {
    case GEO_POINTS: return shape->point_count;
    case GEO_LINES: return shape->path_count;
    default: return shape->polygon_count;
    }
}

static void
push_path_of(DynBuilder *out, const GeoShape *shape, uint32_t path)
{
    push_path(out, shape->coordinates, path ? shape->path_ends[path - 1] : 0,
              shape->path_ends[path], shape->kind == GEO_POLYGONS);
}

// The coordinates of one part.
static void
push_part(DynBuilder *out, const GeoShape *shape, uint32_t part)
{
    if (shape->kind == GEO_POINTS) {
        geo_push_position(out, shape->coordinates + 2 * part);
    } else if (shape->kind == GEO_LINES) {
        push_path_of(out, shape, part);
    } else {
        dyn_begin_array(out);
        for (uint32_t ring = part ? shape->polygon_ends[part - 1] : 0;
             ring < shape->polygon_ends[part]; ring++)
            push_path_of(out, shape, ring);
        dyn_end_array(out);
    }
}

static const char *const SINGLE[] = {"Point", "LineString", "Polygon"};
static const char *const MULTI[] = {"MultiPoint", "MultiLineString", "MultiPolygon"};

static void
push_single(DynBuilder *out, const GeoShape *shape, uint32_t part)
{
    begin_geometry(out, SINGLE[shape->kind], "coordinates");
    push_part(out, shape, part);
    dyn_end_bag(out);
}

void
geo_push_shape(DynBuilder *out, const GeoShape *shape, bool multi)
{
    if (!multi) {
        push_single(out, shape, 0);
        return;
    }
    begin_geometry(out, MULTI[shape->kind], "coordinates");
    dyn_begin_array(out);
    for (uint32_t part = 0; part < part_count(shape); part++)
        push_part(out, shape, part);
    dyn_end_array(out);
    dyn_end_bag(out);
}

void
geo_push_shapes(DynBuilder *out, const GeoShape *shapes, size_t count)
{
    const GeoShape *only = NULL;
    size_t kinds = 0;
    for (size_t i = 0; i < count; i++)
        if (part_count(&shapes[i])) {
            only = &shapes[i];
            kinds++;
        }
    if (kinds == 1) {
        geo_push_shape(out, only, part_count(only) > 1);
        return;
    }
    begin_geometry(out, "GeometryCollection", "geometries");
    dyn_begin_array(out);
    for (size_t i = 0; i < count; i++)
        for (uint32_t part = 0; part < part_count(&shapes[i]); part++)
            push_single(out, &shapes[i], part);
    dyn_end_array(out);
    dyn_end_bag(out);
}
