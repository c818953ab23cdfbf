// Deployments before they run: the resources that a template or a Terraform plan would create.
//
// An ARM template is expanded as Azure Resource Manager expands it: parameters, variables, copy
// loops, conditions, nested templates, user-defined functions, children with whole names and ids.
// What only the running deployment knows (reference(), list*(), newGuid(), secrets) stays
// unknown, with the reason; it is never guessed. Outputs are not looked at.
// Sources: Microsoft Learn, "Understand the structure and syntax of ARM templates", "ARM template
// functions", "Resource iteration in ARM templates", "Using linked and nested templates".
#pragma once

#include "azure/policy/policy.h"

typedef struct PlannedResource {
    Dyn body;   // as the request would send it, with id, type, name and apiVersion
    Str where;  // in the template or plan: "resources[2].resources[0]", an address of Terraform
    Str unsure; // why it is not certain that it is deployed at all; empty when it is
} PlannedResource;

typedef struct PlannedSet {
    Arena *arena;
    PlannedResource *items;
    uint32_t count;
    Str *unknowns; // reasons of unknown values, by their number
    uint32_t unknown_count;
    Str *notes; // what was left out, and why
    uint32_t note_count;
} PlannedSet;

typedef struct TemplateOptions {
    Str scope;      // id of the resource group, subscription or management group, or "/"
    Dyn parameters; // of a parameter file, or its `parameters`; may be absent
    int64_t now;    // ticks: utcNow()
    // The object that resourceGroup() or subscription() gives for an id; NULL when not known.
    const PolicyValue *(*container)(void *data, Str id);
    // A linked template (templateLink.relativePath); none when it cannot be read.
    Dyn (*linked)(void *data, Arena *arena, Str path);
    void *data;
} TemplateOptions;

// False with an error that says where and why: AZ_SYNTAX, AZ_SEMANTIC, AZ_INVALID (parameters),
// AZ_LIMIT. All memory is in the arena.
bool template_expand(Arena *arena, const TemplateOptions *options, Dyn template, PlannedSet *out,
                     AzError *error);

// Comments, which templates may have, become spaces, in place.
void template_blank_comments(char *text, size_t len);

// `terraform show -json PLAN`: what azurerm and azapi resources would become, by the mapping
// table of the content folder (content/azure/terraform.jsonl). What is known after apply is
// unknown; resources of types that the table lacks are noted. `scope` gives the subscription
// where the plan does not say it.
bool terraform_expand(Arena *arena, const char *content, Str scope, Dyn plan, PlannedSet *out,
                      AzError *error);
bool terraform_is_plan(Dyn json);

// For makers of plans.
void planned_add(PlannedSet *set, const PlannedResource *resource);
void planned_note(PlannedSet *set, Str note);
PolicyValue planned_unknown(PlannedSet *set, Str why); // the same reason once
// The id of a resource by type ("A.B/c/d") and name ("x/y") below a scope; extensions inside the
// type ("A.B/c/providers/E.F/g" with "x/E.F/y") too. *plain_type becomes the innermost type.
// Empty when the numbers of segments do not fit.
Str planned_id(Arena *arena, Str scope, Str type, Str name, Str *plain_type);
