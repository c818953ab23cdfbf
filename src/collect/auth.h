// Auth: signs in, and keeps tokens in memory only.
//
// Where a token comes from, in this order unless one is asked for by name, which is the order
// of the default credential of Azure's SDKs (after what is given by hand):
//
//   token        AZIMUTH_ARM_TOKEN, AZIMUTH_GRAPH_TOKEN; for logs AZIMUTH_LOGS_TOKEN,
//                AZIMUTH_STORAGE_TOKEN
//   secret       AZURE_TENANT_ID, AZURE_CLIENT_ID, AZURE_CLIENT_SECRET
//   certificate  AZURE_TENANT_ID, AZURE_CLIENT_ID, AZURE_CLIENT_CERTIFICATE_PATH
//   workload     AZURE_TENANT_ID, AZURE_CLIENT_ID, AZURE_FEDERATED_TOKEN_FILE
//   managed      IDENTITY_ENDPOINT and IDENTITY_HEADER, else the machine's metadata service
//   cli          az account get-access-token
//   device-code  a person signs in by a browser elsewhere; only when asked for
//
// The first that gives a token is used for the whole run. A source whose variables are set
// and that is refused ends the search: silently signing in as somebody else would be worse.
// Secrets come from the environment, never from the command line, which others can read.
#pragma once

#include "base/buffer.h"
#include "collect/cloud.h"
#include "collect/http.h"

typedef struct Auth Auth;

typedef struct AuthOptions {
    const Cloud *cloud;
    const char *method; // name of the list above; NULL: the first that works
    const char *tenant; // NULL: AZURE_TENANT_ID
    const char *client; // NULL: AZURE_CLIENT_ID
    // Shows the person what to do (device code). May be NULL: then that method fails.
    void (*tell)(void *context, Str message);
    void *tell_context;
} AuthOptions;

// Reads the environment; asks nobody yet. Both pointers must outlive it. From now on the
// process leaves no core file when it crashes: it would hold secrets.
Auth *auth_new(const AuthOptions *options, Http *http);
void auth_free(Auth *auth); // overwrites what was secret

// The variable's value, empty when it is not set.
Str auth_env(const char *name);

// A token for the service, from the cache or a new one; a view that is good until the next
// call. Renewed when less than five minutes, or a tenth of its life, remain. `*generation`
// counts the renewals. An error says what each source answered.
bool auth_token(Auth *auth, Service service, Str *token, uint32_t *generation, AzError *error);

// The service refused the token of this generation: the next call of auth_token gets another
// one, which answers the claims challenge when there was one (continuous access evaluation).
void auth_refused(Auth *auth, Service service, uint32_t generation, Str claims);

// The method in use ("secret" ...), empty before the first token.
Str auth_method(const Auth *auth);

// Appends `text` with every secret this object knows, and everything that looks like a
// token, as "***". True when something was masked.
bool auth_mask(const Auth *auth, Buffer *out, Str text);
// One more secret to be masked: the key or signature of a storage account.
void auth_keep_secret(Auth *auth, Str secret);
// Whether the text holds one of the secrets.
bool auth_knows(const Auth *auth, Str text);
