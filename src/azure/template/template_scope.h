// The inside of a template's expansion: what its expressions see.
#pragma once

#include "azure/policy/program.h"
#include "azure/template/template.h"

typedef struct Expander { // of the whole deployment
    Arena *arena;
    const TemplateOptions *options;
    PlannedSet *out;
    AzError *error;
    uint64_t steps; // values that were evaluated: a bound for hostile loops
    uint32_t depth; // of templates in each other
    uint32_t chain; // of variables and parameters that ask for each other
} Expander;

typedef struct CopyFrame { // a loop around
    struct CopyFrame *up;
    Str name; // empty for the loop over a property's own members
    int64_t index;
} CopyFrame;

typedef struct LambdaFrame {
    struct LambdaFrame *up;
    Str name;
    PolicyValue value;
} LambdaFrame;

typedef enum SlotState { SLOT_OPEN, SLOT_BUSY, SLOT_DONE } SlotState;

typedef struct ScopeSlot { // a parameter or variable, evaluated when it is first asked for
    Dyn source;
    bool looped; // a variable of a copy loop: {name, count, input}
    SlotState state;
    PolicyValue value;
} ScopeSlot;

struct TemplateScope {
    Expander *expander;
    Map parameters, variables; // ScopeSlot*
    Dyn functions;
    Str target;                      // where it is deployed
    Str deployment;                  // its name
    PolicyValue group, subscription; // what resourceGroup() and subscription() give
    Dyn template;
    CopyFrame *copies;
    LambdaFrame *lambdas;
    uint32_t calls;
};

// Evaluates JSON in which strings may be expressions and properties may be copy loops.
bool scope_evaluate(TemplateScope *scope, const PolicyValue *json, PolicyValue *out);
bool scope_text(TemplateScope *scope, Dyn json, Str *out, PolicyValue *value);
// A count of a copy loop, checked.
bool scope_count(TemplateScope *scope, Dyn json, int64_t *out, bool *known);
bool scope_variable(Eval *eval, Str name, PolicyValue *out);
bool scope_parameter(Eval *eval, Str name, PolicyValue *out);
bool scope_user_call(Eval *eval, const PolicyExpr *call, PolicyValue *out);

PolicyValue scope_unknown(TemplateScope *scope, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
bool scope_fail(TemplateScope *scope, AzCode code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

// Fills the objects of resourceGroup() and subscription() for the target.
void scope_place(TemplateScope *scope);
Str scope_segment(Str id, const char *kind); // the segment behind /KIND/, empty when there is none

// Slots of the parameters: `given` are values, of the parameter file or of a nested deployment.
bool scope_parameters(TemplateScope *scope, Dyn declared, const PolicyValue *given);
bool scope_variables(TemplateScope *scope, Dyn variables);

bool expand_resources(TemplateScope *scope, Dyn resources, Str where);
