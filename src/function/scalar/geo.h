// What the files of the geo_*() functions share.
#pragma once

#include "function/registry.h"
#include "function/scalar.h"
#include "value/geo_json.h"
#include "value/geo_module.h"
#include "value/geo_sphere.h"

// Meters, when a call gives no tolerance.
#define GEO_DEFAULT_TOLERANCE 10.0

// Bind hook of the functions that need the S2 module: opens it, or refuses the call.
bool geo_bind(Arena *arena, const FunctionDef *fn, Expr *const *args, uint32_t arg_count, Span span,
              Type *type, const void **bound, AzError *error);
// The open module; only for kernels of calls bound by geo_bind.
const GeoModule *geo_opened(void);

// Longitude and latitude from the arguments k and k + 1; false when they are out of range.
bool geo_position(const ScalarCall *call, uint32_t k, uint32_t i, double out[2]);
// A real argument that may be absent.
double geo_optional(const ScalarCall *call, uint32_t k, uint32_t i, double otherwise);
// A long argument that may be absent, within [0, max]; false when it is out of range.
bool geo_level(const ScalarCall *call, uint32_t k, uint32_t i, int otherwise, int max, int *out);
bool geo_flag(const ScalarCall *call, uint32_t k, uint32_t i); // absent is false

// The lines or polygons of an argument, kept from row to row while it stays the same.
typedef struct GeoArg {
    ScalarCall *call;
    uint32_t k;
    GeoKind kind;
    bool one_line; // no MultiLineString
    const void *seen;
    GeoReader reader;
    GeoFigure *figure;
} GeoArg;

GeoArg geo_arg(ScalarCall *call, uint32_t k, GeoKind kind);
// NULL when the value is no valid shape of the kind.
GeoFigure *geo_arg_figure(GeoArg *arg, uint32_t i);
void geo_arg_free(GeoArg *arg);

// The figures of an array of GeoJSON, or of one GeoJSON. False when one is not valid.
typedef struct GeoFigures {
    GeoFigure **items;
    uint32_t len;
} GeoFigures;
bool geo_figures_read(Dyn array, GeoKind kind, GeoFigures *out);
void geo_figures_free(GeoFigures *figures);

// Frees `figure` (NULL gives null) after writing it as the result of row i. `empty_is_null`:
// a figure without parts is null, else an empty GeometryCollection.
void geo_out_figure(ScalarCall *call, uint32_t i, GeoFigure *figure, bool empty_is_null);
void geo_out_point(ScalarCall *call, uint32_t i, const double position[2]);
void geo_out_ring(ScalarCall *call, uint32_t i, const double *coordinates, uint32_t count);

// The tokens as the result of row i, in the order of Kusto's sets.
void geo_out_token_set(ScalarCall *call, uint32_t i, const char (*tokens)[GEO_TOKEN_MAX],
                       uint32_t count);

#define GEO_IMPL(NAME)   static const ScalarImpl NAME##_impl = {NAME, geo_bind}
#define PLAIN_IMPL(NAME) static const ScalarImpl NAME##_impl = {NAME, NULL}

#define GEO_FUNCTION(NAME, SIGNATURE, DOC, EXAMPLE)                                                \
    {                                                                                              \
        "geo_" #NAME, NULL, SIGNATURE, DOC, EXAMPLE, FUNCTION_SCALAR, 0, &(NAME##_impl)            \
    }
