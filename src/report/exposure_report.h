// From where a target is reached and what it reaches, hop by hop, as text and JSON.
#pragma once

#include "azure/network/exposure.h"
#include "azure/network/outbound.h"
#include "report/result_text.h"

// The target, then each exposure: verdict, who and on which ports, every hop with what decided
// there, why it is unknown and how names resolve; then the same of what it reaches outside. Either
// list may be NULL: nobody asks, or it is no target, or no compute.
void exposure_report_text(Buffer *out, const NetResource *target, const ExposureList *list,
                          const OutboundList *outbound, const TreeStyle *style);

// {"target":{"id","name","type"},"exposures":[{"source","sourceId","from","verdict","ports","via",
// "because","reason","dns","hops":[{"kind","state","object","text"}]}],"outbound":[{"destination",
// "to","verdict","ports","subnetId","via","because","reason","hops":[...]}]}
void exposure_report_json(Buffer *out, const NetResource *target, const ExposureList *list,
                          const OutboundList *outbound);
