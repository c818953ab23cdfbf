// The compiled form of a definition: condition nodes, expressions and fields in one arena.
#pragma once

#include "azure/policy/policy.h"

typedef struct Eval Eval;
typedef struct TemplateScope TemplateScope; // azure/template
typedef struct PolicyExpr PolicyExpr;
typedef struct PolicyField PolicyField;
typedef struct CountScope CountScope;

enum {
    TRACE_LIMIT = 64,
    STAR_LIMIT = 8,
    COUNT_LIMIT = 32,
    RESULT_LIMIT = 131072, // characters that a function may give
    STEP_LIMIT = 20000000, // conditions in one evaluation: a bound for hostile counts
};

// Paths ---------------------------------------------------------------------

typedef struct PathSegment {
    Str key;
    bool star; // [*]: the members of what the segments before give
} PathSegment;

typedef struct PolicyPath {
    PathSegment *segments;
    uint16_t count, stars;
} PolicyPath;
bool path_parse(Arena *arena, Str text, PolicyPath *out);

// Fields --------------------------------------------------------------------

typedef enum FieldKind {
    FIELD_NAME,
    FIELD_FULL_NAME,
    FIELD_TYPE,
    FIELD_KIND,
    FIELD_ID,
    FIELD_LOCATION,
    FIELD_API_VERSION,
    FIELD_TAG,     // one tag, named by `key`
    FIELD_PATH,    // a path from the root whatever the type: tags, identity.type, path mode
    FIELD_ALIAS,   // a path by the type of the resource
    FIELD_UNKNOWN, // a name that is none of these
} FieldKind;

typedef struct FieldVersion {
    Str apis; // "2019-01-01,2020-01-01"
    PolicyPath path;
} FieldVersion;

typedef struct FieldTarget {
    const AliasType *type; // NULL: any (FIELD_PATH)
    PolicyPath path;
    FieldVersion *versions;
    uint32_t version_count;
    Modifiable modifiable;
} FieldTarget;

struct PolicyField {
    FieldKind kind;
    Str name;
    Str key;
    FieldTarget *targets;
    uint32_t target_count;
    uint16_t stars;
    // Inside a count: how many counts up (1 = the nearest) the one lies whose current
    // member this field goes through, and how many stars they share; 0 = none.
    uint16_t scope_up, scope_stars;
};

typedef struct FieldScopes {          // names of the field counts around, outermost first
    const PolicyField *const *fields; // NULL for a value count
    uint32_t count;
} FieldScopes;

// Never NULL; a name that means nothing is FIELD_UNKNOWN.
PolicyField *field_parse(Arena *arena, const PolicyCompileOptions *options, Str name,
                         const FieldScopes *scopes);

typedef bool (*FieldVisit)(void *context, const PolicyValue *value); // false stops
// Visits each value the field selects. One that selects a single value visits null when it is
// not there; one with stars visits nothing then.
void field_each(Eval *eval, const PolicyResource *resource, const PolicyField *field,
                FieldVisit visit, void *context);
// As the function field() gives it: an array for stars, "" for what is not there.
PolicyValue field_value(Eval *eval, const PolicyResource *resource, const PolicyField *field);

// The path that holds for the type and API version; NULL when the alias has none.
const PolicyPath *field_path(const Eval *eval, const PolicyResource *resource,
                             const PolicyField *field);
// The count around whose current member the field goes through; NULL when there is none.
const CountScope *field_scope(const Eval *eval, const PolicyField *field);
uint32_t path_after(const PolicyPath *path, uint32_t stars); // first segment behind so many stars

// Expressions ---------------------------------------------------------------

typedef enum ExprKind {
    EXPR_LITERAL,
    EXPR_PARAMETER, // args[0] when computed, else slot
    EXPR_FIELD,     // field, or args[0] when computed
    EXPR_CURRENT,   // name or field, neither = the nearest
    EXPR_CALL,
    EXPR_MEMBER, // args[0] . args[1]
    EXPR_ARRAY,  // JSON with expressions inside
    EXPR_OBJECT,
} ExprKind;

typedef bool (*FunctionRun)(Eval *eval, const PolicyValue *args, uint32_t count, PolicyValue *out);
typedef bool (*FunctionLazy)(Eval *eval, const PolicyExpr *call, PolicyValue *out);

typedef struct PolicyFunction {
    const char *name;
    int8_t least, most; // arguments; most -1 = any number
    bool template_only; // templates have it, policies do not
    FunctionRun run;
    FunctionLazy lazy; // evaluates what it needs itself
} PolicyFunction;
const PolicyFunction *function_find(Str name); // any case; NULL when there is none
const char *function_refused(Str name);        // why policies may not use it; NULL = unknown

// Functions by topic; each table ends with a NULL name.
extern const PolicyFunction FUNCTIONS_LOGIC[], FUNCTIONS_NUMBER[], FUNCTIONS_TEXT[],
    FUNCTIONS_COLLECTION[], FUNCTIONS_TIME[], FUNCTIONS_CONTEXT[], FUNCTIONS_ENCODING[],
    FUNCTIONS_FORMAT[];
// Of templates (azure/template).
extern const PolicyFunction FUNCTIONS_TEMPLATE[], FUNCTIONS_LAMBDA[], FUNCTIONS_CIDR[],
    FUNCTION_USER;
// Gives a text that a function made, freeing the buffer; fails when it is longer than a value may be.
bool function_give(Eval *eval, Buffer *text, PolicyValue *out);
bool function_two_texts(const PolicyValue *args); // whether the first two are texts

struct PolicyExpr {
    ExprKind kind;
    uint16_t slot;
    uint32_t count;
    PolicyExpr **args;
    Str *keys; // of an object
    PolicyValue literal;
    const PolicyFunction *function;
    PolicyField *field;
    Str name;   // of current()
    Str source; // of the whole expression, on its root
};

// The compiler's state while it reads a definition.
typedef struct Compiler {
    Arena *arena;
    const PolicyCompileOptions *options;
    AzError *error;
    Map parameters; // name -> slot + 1
    const PolicyField *scopes[COUNT_LIMIT];
    Str scope_names[COUNT_LIMIT];
    uint32_t scope_count;
    uint32_t conditions, functions, depth;
    bool bad_alias;     // of the `if`
    bool uses_location; // somewhere in the `if` or in an expression
    bool asks_identity; // of the caller: requestContext().identity
} Compiler;

// A JSON value in which strings may be expressions.
PolicyExpr *expr_compile(Compiler *compiler, const PolicyValue *json);
bool expr_is_expression(const PolicyValue *json); // a string that is one
PolicyExpr *expr_literal(Arena *arena, PolicyValue value);
PolicyField *compile_field(Compiler *compiler, Str name);

bool expr_evaluate(Eval *eval, const PolicyExpr *expr, PolicyValue *out);
// As a condition: true, false, "true", "false".
bool expr_truth(Eval *eval, const PolicyValue *value, bool *out);
// A field whose name is computed; NULL when that fails.
PolicyField *eval_field(Eval *eval, const PolicyExpr *name);

// Conditions ----------------------------------------------------------------

typedef enum PolicyOperator {
    OPERATOR_EQUALS,
    OPERATOR_LIKE,
    OPERATOR_MATCH,
    OPERATOR_MATCH_CI,
    OPERATOR_CONTAINS,
    OPERATOR_IN,
    OPERATOR_CONTAINS_KEY,
    OPERATOR_LESS,
    OPERATOR_LESS_OR_EQUALS,
    OPERATOR_GREATER,
    OPERATOR_GREATER_OR_EQUALS,
    OPERATOR_EXISTS,
} PolicyOperator;

typedef struct OperatorName {
    const char *name;
    PolicyOperator op;
    bool negated;
} OperatorName;
const OperatorName *condition_operator(Str name); // any case
bool operator_holds(Arena *arena, PolicyOperator op, const PolicyValue *left,
                    const PolicyValue *right);
bool policy_value_equal(const PolicyValue *left, const PolicyValue *right);

typedef enum NodeKind {
    NODE_ALL,
    NODE_ANY,
    NODE_NOT,
    NODE_FIELD,
    NODE_VALUE,
    NODE_COUNT_FIELD,
    NODE_COUNT_VALUE,
} NodeKind;

typedef struct PolicyNode {
    NodeKind kind;
    const OperatorName *op;
    uint32_t child_count;
    struct PolicyNode **children; // NOT: one; COUNT: the `where`, or none
    PolicyField *field;           // FIELD, COUNT_FIELD; NULL when computed
    PolicyExpr *left;             // VALUE, COUNT_VALUE; the name of a computed field
    PolicyExpr *right;
    Str name; // of a value count
} PolicyNode;

PolicyNode *node_compile(Compiler *compiler, Dyn json);

typedef struct PolicyOperation {
    Str operation;
    PolicyExpr *field, *value, *condition;
} PolicyOperation;

struct PolicyDefinition {
    Str display_name, mode_text;
    PolicyMode mode;
    Map parameters; // name -> slot + 1
    Dyn declared;   // the declarations
    uint32_t parameter_count;
    Str *parameter_names;
    PolicyNode *condition;
    PolicyExpr *effect;
    Dyn details;
    PolicyExpr *details_expr; // without existenceCondition and deployment
    PolicyOperation *operations;
    uint32_t operation_count;
    PolicyExpr *conflict_effect;
    PolicyExpr *related_type, *related_name, *related_group, *related_scope;
    PolicyNode *existence;
    PolicyExpr *default_state;
    bool bad_alias, uses_location, asks_identity;
    bool has_type, has_name, has_kind, has_other; // conditions of the `if`
    const PolicyCompileOptions *options;          // a copy
};

struct PolicyBinding {
    const PolicyDefinition *definition;
    PolicyValue *values; // by slot
    bool *bound;
    PolicyEffect effect;
    Str effect_text;
};

// Evaluation ----------------------------------------------------------------

struct CountScope {
    CountScope *up;
    const PolicyField *field; // NULL for a value count
    Str name;
    PolicyValue current;
    Dyn members[STAR_LIMIT]; // the current member at each star
};

typedef struct TraceEntry {
    Str left;
    const char *op;
    PolicyValue found, wanted;
    bool holds;
} TraceEntry;

typedef struct Trace {
    TraceEntry entries[TRACE_LIMIT];
    uint32_t len;
} Trace;

struct Eval {
    Arena *arena;
    const PolicyBinding *binding;
    const PolicyContext *context;
    const PolicyResource *subject; // that of the `if`: what field() means
    const PolicyResource
        *resource; // that conditions mean: the related one in an existenceCondition
    CountScope *scope;
    Trace *trace;
    uint64_t steps;
    uint32_t depth;
    bool failed;
    Str why;
    // Conditions on unknown values hold when `assume` says so (`not` turns it around): both
    // ways give the bounds of what the rule says.
    bool assume, met_unknown, failed_unknown;
    int64_t unknown;         // the first that was met
    TemplateScope *template; // of expressions of a template
};

bool eval_fail(Eval *eval, const char *format, ...) __attribute__((format(printf, 2, 3)));
// Notes that the outcome depends on an unknown value; gives what to assume.
bool eval_unknown(Eval *eval, const PolicyValue *value);
bool node_holds(Eval *eval, const PolicyNode *node, bool *holds);
// Applicability: only conditions on type, name and kind count.
typedef struct ApplicabilityView {
    bool type, name, kind; // which of these are looked at
} ApplicabilityView;
bool node_applies(Eval *eval, const PolicyNode *node, ApplicabilityView view, bool negated,
                  bool *applies);
