// geo_info_from_ip_address(): where an address is. Source: Kusto docs, the page of that name.
//
// What is known comes from a database the user gives (function/geoip.c); it reaches the call
// as its bound value. Without one every answer is null, and the binder warns.

#include "function/geoip.h"

#include "base/array.h"
#include "function/registry.h"

static void
push_place(DynBuilder *dyn, const GeoPlace *place)
{
    const struct {
        const char *name;
        Str text;
    } NAMES[] = {{"country", place->country}, {"state", place->state}, {"city", place->city}};
    dyn_begin_bag(dyn);
    for (size_t i = 0; i < COUNT_OF(NAMES); i++) {
        dyn_key(dyn, str_from(NAMES[i].name));
        dyn_push_string(dyn, NAMES[i].text);
    }
    const double position[] = {place->latitude, place->longitude};
    const char *const axes[] = {"latitude", "longitude"};
    for (size_t i = 0; i < COUNT_OF(axes); i++) {
        dyn_key(dyn, str_from(axes[i]));
        if (place->has_position)
            dyn_push_real(dyn, position[i]);
        else
            dyn_push_null(dyn);
    }
    dyn_end_bag(dyn);
}

static void
geo_info_from_ip_address(ScalarCall *call)
{
    const GeoIp *geoip = call->bound;
    for (uint32_t i = 0; i < call->count; i++) {
        Ip ip;
        GeoPlace place;
        if (!geoip || !ip_read_v6(arg_str(call, 0, i), &ip) || !geoip_find(geoip, &ip, &place)) {
            out_null(call, i);
            continue;
        }
        dyn_builder_reset(call->scratch->dyn);
        push_place(call->scratch->dyn, &place);
        out_dyn(call, i);
    }
}

static const ScalarImpl IMPL = {.kernel = geo_info_from_ip_address};

static const FunctionDef ROWS[] = {
    {"geo_info_from_ip_address", NULL, "(ip:string) : dynamic",
     "Country, state, city and position of an address, from the database named with --geoip "
     "or AZIMUTH_GEOIP; null without one.",
     "isnull(geo_info_from_ip_address('10.0.0.1'))", FUNCTION_SCALAR, FN_GEOIP, &IMPL},
};

const FunctionSet GEOIP_FUNCTIONS = {ROWS, COUNT_OF(ROWS)};
