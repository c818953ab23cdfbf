// Opens the S2 module (geo_s2.h) when it is first needed, once a process.
#pragma once

#include "base/error.h"
#include "value/geo_s2.h"

// The module's table, or NULL with an error that says where it was looked for. Fast once
// it is open. Any thread may ask.
const GeoModule *geo_module(AzError *error);
