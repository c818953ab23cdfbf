// GeoJSON (RFC 7946) to arrays and back, and WKT to GeoJSON.
//
// What is read is checked here as far as numbers and counts go: longitude in [-180, 180],
// latitude in [-90, 90], at least two points a line, rings that close with at least four
// entries. Positions may have more than two numbers; the rest is not read.
#pragma once

#include "base/buffer.h"
#include "value/dynamic.h"
#include "value/geo_s2.h"

// Reads shapes again and again into the same memory.
typedef struct GeoReader {
    Buffer coordinates; // double, two a point
    Buffer path_ends;   // uint32_t
    Buffer polygon_ends;
} GeoReader;

void geo_reader_free(GeoReader *reader);

bool geo_valid_position(double longitude, double latitude);

// A LineString or MultiLineString, or a Polygon or MultiPolygon. False when `json` is no
// valid one. *out is valid until the next read.
bool geo_read(GeoReader *reader, Dyn json, GeoKind kind, GeoShape *out);
// Exactly one LineString.
bool geo_read_line(GeoReader *reader, Dyn json, GeoShape *out);

// Pushes a number as JSON would have it: a whole one without a fraction.
void geo_push_number(DynBuilder *out, double number);
void geo_push_position(DynBuilder *out, const double position[2]);
// Pushes {"type":"Point","coordinates":[longitude,latitude]}.
void geo_push_point(DynBuilder *out, const double position[2]);
// Pushes a polygon of one ring that does not close yet.
void geo_push_ring(DynBuilder *out, const double *coordinates, uint32_t count);
// Pushes the parts as one geometry: alone, as Multi..., or mixed as a GeometryCollection.
// Shapes without parts count for nothing; no part at all is an empty collection.
void geo_push_shapes(DynBuilder *out, const GeoShape *shapes, size_t count);
// As geo_push_shapes, of one shape, but keeps the given type, Multi... or not.
void geo_push_shape(DynBuilder *out, const GeoShape *shape, bool multi);

// Pushes the GeoJSON of a well-known text. False (and part of it pushed) when it is none.
bool geo_push_wkt(DynBuilder *out, Str wkt);
