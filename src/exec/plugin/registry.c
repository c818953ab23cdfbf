// The table of plugins: one set a file.

#include "base/array.h"
#include "exec/plugin.h"

static const PluginSet *const BUILT_IN[] = {
    &BASIC_PLUGINS,           &BAG_UNPACK_PLUGINS,        &PIVOT_PLUGINS,
    &IP_LOOKUP_PLUGINS,       &ACTIVITY_METRICS_PLUGINS,  &ACTIVITY_WINDOWS_PLUGINS,
    &NEW_ACTIVITY_PLUGINS,    &FUNNEL_SEQUENCE_PLUGINS,   &FUNNEL_COMPLETION_PLUGINS,
    &SEQUENCE_DETECT_PLUGINS, &SCHEMA_MERGE_PLUGINS,      &CLUSTER_PLUGINS,
    &DIFFPATTERNS_PLUGINS,    &DIFFPATTERNS_TEXT_PLUGINS, &ROLLING_PLUGINS,
    &ROWS_NEAR_PLUGINS,       &DCOUNT_INTERSECT_PLUGINS,  &GEO_LOOKUP_PLUGINS,
    &SERVICE_PLUGINS,
};

const PluginDef *
plugin_find(Str name)
{
    for (size_t s = 0; s < COUNT_OF(BUILT_IN); s++)
        for (size_t i = 0; i < BUILT_IN[s]->count; i++)
            if (str_equal(name, str_from(BUILT_IN[s]->rows[i].name)))
                return &BUILT_IN[s]->rows[i];
    return NULL;
}

void
plugin_each(void (*each)(void *arg, const PluginDef *plugin), void *arg)
{
    for (size_t s = 0; s < COUNT_OF(BUILT_IN); s++)
        for (size_t i = 0; i < BUILT_IN[s]->count; i++)
            each(arg, &BUILT_IN[s]->rows[i]);
}

bool
plugin_bind(PluginBind *bind)
{
    const PluginImpl *impl = bind->call->plugin->impl;
    if (impl->bind)
        return impl->bind(bind);
    bind->call->schema = bind->call->input->schema;
    bind->call->open = bind->call->input->open;
    bind->call->serialized = bind->call->input->serialized;
    return true;
}

bool
build_evaluate(Exec *exec, const Plan *plan, Pipeline *out, AzError *error)
{
    const PluginCall *call = plan->evaluate.call;
    const PluginImpl *impl = call->plugin->impl;
    PluginRun run = {exec, plan, call, error};
    if (impl->build)
        return impl->build(&run, out);
    ResultTable *table = impl->run(&run);
    return table && pipeline_from_table(exec, table, out);
}
