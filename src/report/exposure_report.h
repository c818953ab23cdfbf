// From where a target is reached, hop by hop, as text and JSON.
#pragma once

#include "azure/network/exposure.h"
#include "report/result_text.h"

// The target, then each exposure: verdict, who and on which ports, every hop with what decided
// there, why it is unknown and how names resolve.
void exposure_report_text(Buffer *out, const NetResource *target, const ExposureList *list,
                          const TreeStyle *style);

// {"target":{"id","name","type"},"exposures":[{"source","sourceId","from","verdict","ports","via",
// "because","reason","dns","hops":[{"kind","state","object","text"}]}]}
void exposure_report_json(Buffer *out, const NetResource *target, const ExposureList *list);
