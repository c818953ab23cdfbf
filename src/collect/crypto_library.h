// libcrypto, opened when a certificate signs in: no other command pays for it.
#pragma once

#include "base/error.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

// Only real functions: OpenSSL's macros (BIO_seek, OPENSSL_free, sk_X509_num) are calls of
// some of these.
#define CRYPTO_FUNCTIONS(X)                                                                        \
    X(BIO_ctrl)                                                                                    \
    X(BIO_free)                                                                                    \
    X(BIO_new_file)                                                                                \
    X(CRYPTO_free)                                                                                 \
    X(ERR_clear_error)                                                                             \
    X(EVP_Digest)                                                                                  \
    X(EVP_DigestSign)                                                                              \
    X(EVP_DigestSignInit)                                                                          \
    X(EVP_MD_CTX_free)                                                                             \
    X(EVP_MD_CTX_new)                                                                              \
    X(EVP_PKEY_CTX_set_rsa_padding)                                                                \
    X(EVP_PKEY_CTX_set_rsa_pss_saltlen)                                                            \
    X(EVP_PKEY_free)                                                                               \
    X(EVP_PKEY_get_base_id)                                                                        \
    X(EVP_sha256)                                                                                  \
    X(OPENSSL_sk_num)                                                                              \
    X(OPENSSL_sk_pop_free)                                                                         \
    X(OPENSSL_sk_value)                                                                            \
    X(PEM_read_bio_PrivateKey)                                                                     \
    X(PEM_read_bio_X509)                                                                           \
    X(PKCS12_free)                                                                                 \
    X(PKCS12_parse)                                                                                \
    X(X509_free)                                                                                   \
    X(d2i_PKCS12_bio)                                                                              \
    X(i2d_X509)

#define CRYPTO_MEMBER(name) typeof(name) *name;
typedef struct CryptoLibrary {
    CRYPTO_FUNCTIONS(CRYPTO_MEMBER)
} CryptoLibrary;
#undef CRYPTO_MEMBER

// The library, or NULL with an error that says what to install. Once a process.
const CryptoLibrary *crypto_library(AzError *error);
