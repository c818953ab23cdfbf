// GeoIp: where addresses are, from a file in MaxMind's format (function/geoip.c).
#pragma once

#include "base/error.h"
#include "function/ip.h"

typedef struct GeoIp GeoIp;

// Opens the file; NULL with an error when it cannot be read or is of another format.
GeoIp *geoip_open(const char *path, AzError *error);
void geoip_close(GeoIp *geoip); // NULL is fine

typedef struct GeoPlace {
    Str country, state, city; // in English; empty when unknown. They point into the file.
    double latitude, longitude;
    bool has_position;
} GeoPlace;

// False when the address is private or the file does not know it. May be called by
// several threads at once.
bool geoip_find(const GeoIp *geoip, const Ip *ip, GeoPlace *place);
