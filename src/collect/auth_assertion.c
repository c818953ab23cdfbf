// The client assertion of a certificate: a JSON web token signed with its key.
//
// Header and claims as Microsoft's own libraries send them: RSASSA-PSS with SHA-256 and a
// salt of 32 bytes, the certificate named by its SHA-256. The chain is added when
// AZURE_CLIENT_SEND_CERTIFICATE_CHAIN asks for it (trust by subject name and issuer).
// Sources: RFC 7515, RFC 7518 (PS256); Microsoft identity platform, "Certificate credentials".

#include "collect/auth_parts.h"

#include "collect/crypto_library.h"
#include "value/base64.h"

#include <string.h>
#include <sys/random.h>
#include <time.h>

enum { LIFE = 600 }; // seconds

static const CryptoLibrary *crypto; // set by the first use

static void
add_certificate(Auth *auth, X509 *certificate)
{
    unsigned char *der = NULL;
    int len = crypto->i2d_X509(certificate, &der);
    if (len <= 0)
        return;
    if (!auth->chain.len) {
        unsigned char digest[EVP_MAX_MD_SIZE];
        unsigned digest_len = 0;
        crypto->EVP_Digest(der, (size_t)len, digest, &digest_len, crypto->EVP_sha256(), NULL);
        base64url_put(&auth->thumbprint, (Str){(const char *)digest, digest_len});
    } else {
        buffer_char(&auth->chain, ',');
    }
    buffer_char(&auth->chain, '"');
    base64_put(&auth->chain, (Str){(const char *)der, (size_t)len});
    buffer_char(&auth->chain, '"');
    crypto->CRYPTO_free(der, __FILE__, __LINE__);
}

static int
give_password(char *out, int size, int writing, void *context)
{
    Str password = auth_env("AZURE_CLIENT_CERTIFICATE_PASSWORD");
    (void)writing;
    (void)context;
    int len = password.len < (size_t)size ? (int)password.len : 0;
    memcpy(out, password.ptr ? password.ptr : "", (size_t)len);
    return len;
}

static void
read_pem(Auth *auth, BIO *file)
{
    auth->key = crypto->PEM_read_bio_PrivateKey(file, NULL, give_password, NULL);
    crypto->BIO_ctrl(file, BIO_C_FILE_SEEK, 0, NULL);
    for (X509 *one; (one = crypto->PEM_read_bio_X509(file, NULL, NULL, NULL));
         crypto->X509_free(one))
        add_certificate(auth, one);
}

static void
free_certificate(void *certificate)
{
    crypto->X509_free(certificate);
}

static void
read_pkcs12(Auth *auth, BIO *file)
{
    Str password = auth_env("AZURE_CLIENT_CERTIFICATE_PASSWORD");
    X509 *own = NULL;
    STACK_OF(X509) *others = NULL;
    PKCS12 *box = crypto->d2i_PKCS12_bio(file, NULL);
    if (box &&
        crypto->PKCS12_parse(box, password.len ? password.ptr : "", &auth->key, &own, &others) &&
        own) {
        add_certificate(auth, own);
        for (int i = 0; i < crypto->OPENSSL_sk_num((const OPENSSL_STACK *)others); i++)
            add_certificate(auth, crypto->OPENSSL_sk_value((const OPENSSL_STACK *)others, i));
    }
    crypto->X509_free(own);
    crypto->OPENSSL_sk_pop_free((OPENSSL_STACK *)others, free_certificate);
    crypto->PKCS12_free(box);
}

void
auth_drop_certificate(Auth *auth)
{
    if (auth->key)
        crypto->EVP_PKEY_free(auth->key);
    auth->key = NULL;
    auth_erase(&auth->chain);
    auth_erase(&auth->thumbprint);
}

bool
auth_read_certificate(Auth *auth, AzError *error)
{
    Str path = auth_env("AZURE_CLIENT_CERTIFICATE_PATH");
    if (!path.len)
        return error_set(error, AZ_INVALID, "AZURE_CLIENT_CERTIFICATE_PATH is not set");
    crypto = crypto_library(error);
    if (!crypto)
        return false;
    BIO *file = crypto->BIO_new_file(path.ptr, "rb");
    if (!file)
        return error_set(error, AZ_IO, "cannot read the certificate '%s'", path.ptr);
    read_pem(auth, file);
    if (!auth->key && !auth->chain.len) {
        crypto->BIO_ctrl(file, BIO_C_FILE_SEEK, 0, NULL);
        read_pkcs12(auth, file);
    }
    crypto->BIO_free(file);
    crypto->ERR_clear_error();
    if (auth->key && auth->chain.len && crypto->EVP_PKEY_get_base_id(auth->key) == EVP_PKEY_RSA)
        return true;
    const char *lacks = !auth->key         ? "no private key that opens"
                        : !auth->chain.len ? "no certificate"
                                           : "no RSA key";
    auth_drop_certificate(auth);
    return error_set(error, AZ_INVALID,
                     "'%s' holds %s: it must be a PEM or PKCS#12 file with the certificate and its "
                     "RSA key (password: AZURE_CLIENT_CERTIFICATE_PASSWORD)",
                     path.ptr, lacks);
}

static void
write_header(const Auth *auth, Buffer *out)
{
    Str chain = auth_env("AZURE_CLIENT_SEND_CERTIFICATE_CHAIN");
    buffer_text(out, "{\"alg\":\"PS256\",\"typ\":\"JWT\",\"x5t#S256\":\"");
    buffer_str(out, buffer_slice(&auth->thumbprint));
    buffer_char(out, '"');
    if (str_equal_ci(chain, STR("true")) || str_equal(chain, STR("1"))) {
        buffer_text(out, ",\"x5c\":[");
        buffer_str(out, buffer_slice(&auth->chain));
        buffer_char(out, ']');
    }
    buffer_char(out, '}');
}

static bool
write_claims(const Auth *auth, Str audience, Buffer *out)
{
    unsigned char id[16];
    long long now = (long long)time(NULL);
    if (getrandom(id, sizeof(id), 0) != sizeof(id))
        return false;
    id[6] = (unsigned char)((id[6] & 0x0f) | 0x40); // a random UUID
    id[8] = (unsigned char)((id[8] & 0x3f) | 0x80);
    buffer_printf(out, "{\"aud\":\"%.*s\",\"exp\":%lld,\"iss\":\"%.*s\",\"sub\":\"%.*s\"",
                  STR_ARG(audience), now + LIFE, STR_ARG(auth->client), STR_ARG(auth->client));
    buffer_printf(out, ",\"nbf\":%lld,\"jti\":\"", now);
    for (size_t i = 0; i < sizeof(id); i++)
        buffer_printf(out, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", id[i]);
    buffer_printf(out, "\",\"iat\":%lld}", now);
    return true;
}

static bool
sign(EVP_PKEY *key, Buffer *token)
{
    EVP_MD_CTX *context = crypto->EVP_MD_CTX_new();
    EVP_PKEY_CTX *options = NULL;
    unsigned char signature[1024];
    size_t len = sizeof(signature);
    bool done =
        context &&
        crypto->EVP_DigestSignInit(context, &options, crypto->EVP_sha256(), NULL, key) == 1 &&
        crypto->EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING) == 1 &&
        crypto->EVP_PKEY_CTX_set_rsa_pss_saltlen(options, 32) == 1 &&
        crypto->EVP_DigestSign(context, signature, &len, (const unsigned char *)token->data,
                               token->len) == 1;
    if (done) {
        buffer_char(token, '.');
        base64url_put(token, (Str){(const char *)signature, len});
    }
    crypto->EVP_MD_CTX_free(context);
    return done;
}

bool
auth_assertion(Auth *auth, Str audience, Buffer *out, AzError *error)
{
    Buffer part = {0};
    write_header(auth, &part);
    base64url_put(out, buffer_slice(&part));
    buffer_char(out, '.');
    buffer_clear(&part);
    bool done = write_claims(auth, audience, &part);
    base64url_put(out, buffer_slice(&part));
    buffer_free(&part);
    done = done && sign(auth->key, out);
    crypto->ERR_clear_error();
    return done || error_set(error, AZ_INVALID,
                             "the certificate's key could not sign: it must be RSA of 2048 to "
                             "8192 bits");
}
