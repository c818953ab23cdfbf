// azimuth detect --follow: alerts as they come.
#pragma once

#include "cli/detect_delivery.h"
#include "detect/follow.h"

// Follows until it is stopped; alerts go to standard output in the format ("text", "json", "cef",
// "ocsf"), a line each, after they were kept. The exit code.
int detect_follow_command(const DetectOptions *options, FollowOptions *follow, const char *format,
                          Deliveries *deliveries);

// Whether the format is one that alerts can be streamed in; said on stderr when not.
bool detect_follow_format(const char *format);
