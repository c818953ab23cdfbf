// The inside of reading Terraform plans: bodies by the mapping table.
//
// A line of the table: {"terraform": TYPE, "type": RESOURCE TYPE, "parent": attribute with the
// parent's id, "below": what stands between that and the name, "parent_name": attribute with the
// parent's name, "name": a fixed name,
// "set": {PATH: SOURCE}}. A source is
//   "attribute.of.block"                        its value; the first of a block is meant
//   "attribute|older_name"                      the first that the plan has
//   {"from": A, "map": {"true": X, "*": Y}}     a value by the attribute's text; "*" any other
//   {"not": A}                                  the opposite of a truth value
//   {"join": [A, B], "by": "_"}                 texts put together
//   {"list": A, "by": ","}                      a list of texts put together
//   {"each": A, "set": {...}}                   a list of objects by the members of a block
//   {"each": A, "as": NAME}                     a list of objects of one property
//   {"value": X}                                a fixed value
#pragma once

#include "azure/template/template.h"

typedef struct Terraform {
    Dyn plan;
    Str scope;
    PlannedSet *set;
    Map table; // Dyn* by Terraform type
} Terraform;

typedef struct TerraformSource { // one planned resource, or a block in it
    PlannedSet *set;
    Dyn after, unknown; // values, and which of them are known after apply
    Str address, scope;
} TerraformSource;

// The body by a line of the table; an empty id is unknown, with the name. None when too deep.
Dyn terraform_body(const TerraformSource *source, Dyn map, Str id);
Dyn terraform_azapi_body(const TerraformSource *source, Str id);
// Below a resource or a place; empty when one of them is.
Str terraform_child_id(Arena *arena, Str parent, Str type, Str name);
