// The report's page as compiled in by script/embed.py from src/report/page/.
#pragma once

#include <stddef.h>

extern const char REPORT_PAGE_HTML[];
extern const size_t REPORT_PAGE_HTML_LEN;
extern const char REPORT_PAGE_CSS[];
extern const size_t REPORT_PAGE_CSS_LEN;
extern const char REPORT_PAGE_JS[];
extern const size_t REPORT_PAGE_JS_LEN;
