// What the ways to sign in share.
#pragma once

#include "base/buffer.h"
#include "collect/auth.h"

#include <openssl/types.h>

typedef struct AuthToken {
    Buffer text;
    int64_t expires, begun; // seconds since 1970
    int64_t retry_at;       // a renewal failed: not before
    uint32_t generation;
} AuthToken;

typedef struct AuthMethod {
    const char *name;
    // Whether the environment names what this method needs.
    bool (*is_set)(const Auth *auth);
    // A new token. `claims` answers a challenge; empty otherwise.
    bool (*get)(Auth *auth, Service service, Str claims, AuthToken *out, AzError *error);
    bool always; // tried also when nothing names it
} AuthMethod;

struct Auth {
    AuthOptions options;
    Http *http;
    Arena arena;
    Str tenant, client, login;
    const AuthMethod *method; // in use
    AuthToken tokens[SERVICE_COUNT];
    Buffer claims[SERVICE_COUNT];
    Buffer secret;      // the client secret
    Buffer refresh;     // the refresh token of a device code
    Buffer other;       // a secret of somebody else, masked like ours
    EVP_PKEY *key;      // of the certificate
    Buffer chain;       // its DER certificates as JSON strings
    Buffer thumbprint;  // base64url of the SHA-256 of the certificate
    bool managed_found; // the metadata service has answered
};

extern const AuthMethod AUTH_SECRET, AUTH_CERTIFICATE, AUTH_WORKLOAD, AUTH_MANAGED, AUTH_CLI,
    AUTH_DEVICE_CODE;

void auth_erase(Buffer *buffer);

// "&name=value", encoded.
void auth_form(Buffer *form, const char *name, Str value);
// The scope of a service's tokens.
Str auth_scope(Arena *arena, const Auth *auth, Service service);
// POSTs the form to the tenant's token endpoint (`what` = "token", or "devicecode").
HttpAnswer *auth_post(Auth *auth, const char *what, const Buffer *form);
// Tries again what may be tried again (429, 5xx, no connection), then reads the token.
bool auth_request(Auth *auth, const Buffer *form, AuthToken *out, AzError *error);
// Reads access_token, expires_in, expires_on of an answer.
bool auth_read(Auth *auth, const HttpAnswer *answer, AuthToken *out, AzError *error);
bool auth_read_text(Str json, AuthToken *out);
// A member of a JSON object as text; numbers too. Empty when absent.
Str auth_member(Arena *arena, Str json, const char *name);
// "it said AADSTS700016 (unauthorized_client): ..." without secrets.
bool auth_fail(Auth *auth, const HttpAnswer *answer, AzError *error);

// The signed assertion of the certificate for the token endpoint `audience`.
bool auth_assertion(Auth *auth, Str audience, Buffer *out, AzError *error);
bool auth_read_certificate(Auth *auth, AzError *error);
void auth_drop_certificate(Auth *auth);
