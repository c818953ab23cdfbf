// Rights that no role assignment gives, as assignments of the access model.
//
// Azure Lighthouse: a registration assignment delegates a subscription or resource group to
// another tenant; its definition says which principals there hold which roles, or may
// activate them. What applies to roles applies to these, but for three limits: no Owner,
// nothing of the data plane, and User Access Administrator only for giving the listed roles
// to managed identities.
// Source: Microsoft Learn, "Tenants, users, and roles in Azure Lighthouse scenarios";
// REST reference of Microsoft.ManagedServices.
//
// Classic administrators (service administrator, co-administrators) had what an Owner of
// the subscription has, until the roles were retired. Records that are left are told, and
// give nothing since.
// Source: Microsoft Learn, "Azure classic subscription administrators".
#pragma once

#include "azure/rbac/access.h"

typedef struct Delegation {
    Str id;     // of the registration assignment: SCOPE/providers/Microsoft.ManagedServices/...
    Str offer;  // name of the definition
    Str tenant; // that manages
    Dyn authorizations, eligible; // [{principalId, principalIdDisplayName, roleDefinitionId,
                                  //   delegatedRoleDefinitionIds}]
} Delegation;

// Returns how many of its authorizations could not be read; 1 when there is none at all, as
// when the definition is not in the data. Principals that the model does not know become
// foreign ones.
uint32_t access_add_delegation(AccessModel *model, Arena *scratch, const Delegation *delegation);

// `user` is the id of the user with that address, empty when there is none in the data; the
// address then stands for it. `roles` as Azure writes them: "ServiceAdministrator;..."; the
// account administrator, who only pays, has no right. False when nothing is left to add.
bool access_add_classic(AccessModel *model, Arena *scratch, Str id, Str address, Str user,
                        Str roles);
