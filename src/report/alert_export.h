// Alerts in the forms that other systems take.
#pragma once

#include "base/buffer.h"
#include "detect/alert.h"

// One line an alert in the Common Event Format, CEF:0|Azimuth|azimuth|VERSION|RULE|NAME|0-10|...
// (ArcSight CEF implementation standard, version 25): rt, start, end in milliseconds, externalId,
// cnt, msg, suser, src, shost, request, filePath of the first entity of a kind, tactics and
// techniques as cs1 and cs2, all entities as JSON in cs3. Texts are escaped as the standard says.
void alerts_cef(Buffer *out, const AlertList *alerts, const char *version);

// One JSON object a line: Detection Finding (2004) of the Open Cybersecurity Schema Framework,
// version 1.3.0, with the attacks of MITRE ATT&CK and the entities as observables.
void alerts_ocsf(Buffer *out, const AlertList *alerts, const char *version);
