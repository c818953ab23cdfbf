// Registry: every function by name, built from the sets that scalar/ and
// aggregate/ export, and open to rooms above (WhoCan(), prompt_risk() ...).
#pragma once

#include "function/aggregate.h"

typedef struct Registry Registry;

// All built-in rows. Cheap: names are hashed once; owned by the caller.
Registry *registry_new(void);
void registry_free(Registry *registry);
void registry_add(Registry *registry, FunctionSet set);

// Overloads of a name or alias (exact case), *count = 0 when unknown.
const FunctionDef *const *registry_find(const Registry *registry, Str name, size_t *count);
void registry_each(const Registry *registry, void (*each)(void *arg, const FunctionDef *fn),
                   void *arg);

// Under which family a function stands in the reference: "Text", "Time" ...; "Azure" for
// those of rooms above.
const char *registry_family(const FunctionDef *fn);

// The sets, one a file.
extern const FunctionSet OPERATOR_FUNCTIONS;        // scalar/operators*.c: + - == and ...
extern const FunctionSet STRING_OPERATOR_FUNCTIONS; // has, contains, in, matches regex ...
extern const FunctionSet CONVERSION_FUNCTIONS;      // tolong(), tostring(), gettype() ...
extern const FunctionSet CONDITION_FUNCTIONS;       // iff, case, coalesce, isnull, max_of ...
extern const FunctionSet STRING_FUNCTIONS;
extern const FunctionSet TEXT_FUNCTIONS;     // parse_url(), parse_csv(), parse_path() ...
extern const FunctionSet REGEX_FUNCTIONS;    // extract(), replace_regex() ...
extern const FunctionSet ENCODING_FUNCTIONS; // url, base64, gzip, punycode, new_guid ...
extern const FunctionSet DATETIME_FUNCTIONS;
extern const FunctionSet TIMEZONE_FUNCTIONS; // datetime_utc_to_local ...
extern const FunctionSet ROUNDING_FUNCTIONS; // bin, bin_at, ceiling
extern const FunctionSet MATH_FUNCTIONS;
extern const FunctionSet UNIT_FUNCTIONS;    // convert_length ...
extern const FunctionSet DYNAMIC_FUNCTIONS; // paths and bags
extern const FunctionSet ARRAY_FUNCTIONS;   // array_slice, pack_array, range, zip ...
extern const FunctionSet SET_FUNCTIONS;     // set_union, array_sort ...
extern const FunctionSet HASH_FUNCTIONS;
extern const FunctionSet IP_FUNCTIONS;
extern const FunctionSet SERIES_FUNCTIONS;           // element-wise and simple series functions
extern const FunctionSet SERIES_DECOMPOSE_FUNCTIONS; // season and trend, anomalies, periods
extern const FunctionSet SERIES_2LINES_FUNCTIONS;    // series_fit_2lines ...
extern const FunctionSet SERIES_FOURIER_FUNCTIONS;   // series_fft, series_ifft
extern const FunctionSet SERIES_POLY_FUNCTIONS;      // series_fit_poly
extern const FunctionSet XML_FUNCTIONS;              // parse_xml()
extern const FunctionSet USER_AGENT_FUNCTIONS;       // parse_user_agent()
extern const FunctionSet SESSION_FUNCTIONS;          // current_principal(), cursor_after() ...
extern const FunctionSet GEOIP_FUNCTIONS;            // geo_info_from_ip_address()
extern const FunctionSet GEO_POINT_FUNCTIONS;        // points, geohashes, WKT, planar edges
extern const FunctionSet GEO_SHAPE_FUNCTIONS;        // lines and polygons
extern const FunctionSet GEO_CELL_FUNCTIONS;         // S2 cells
extern const FunctionSet GEO_H3_FUNCTIONS;           // H3 cells
extern const FunctionSet WINDOW_FUNCTIONS;
extern const FunctionSet BASIC_AGGREGATES;   // count, sum, avg, min, max, stdev ...
extern const FunctionSet COLLECT_AGGREGATES; // make_list, make_set, make_bag, arg_max, take_any
extern const FunctionSet SKETCH_AGGREGATES;  // dcount, count_distinct, hll
extern const FunctionSet SCHEMA_AGGREGATES;  // buildschema
extern const FunctionSet PERCENTILE_AGGREGATES;
extern const FunctionSet DIGEST_AGGREGATES; // tdigest and its readers
