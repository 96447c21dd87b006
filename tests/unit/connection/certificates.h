/*
 * Certificates for tests, made on the spot: an authority, and names that it has signed, as files in
 * test_folder().
 */
#ifndef UNIT_CONNECTION_CERTIFICATES_H
#define UNIT_CONNECTION_CERTIFICATES_H

#include "harness/test.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>

struct identity {
    EVP_PKEY *key;
    X509 *certificate;
    char certificate_file[512];
    char key_file[512];
};

static inline void add_extension(X509 *certificate, X509 *issuer, int number, const char *value)
{
    X509V3_CTX about;
    X509V3_set_ctx(&about, issuer, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &about, number, value);
    REQUIRE(extension != NULL && X509_add_ext(certificate, extension, -1) == 1);
    X509_EXTENSION_free(extension);
}

static inline void write_files(struct identity *identity, const char *name)
{
    snprintf(identity->certificate_file, sizeof identity->certificate_file, "%s/%s.crt",
             test_folder(), name);
    snprintf(identity->key_file, sizeof identity->key_file, "%s/%s.key", test_folder(), name);
    FILE *file = fopen(identity->certificate_file, "we");
    REQUIRE(file != NULL && PEM_write_X509(file, identity->certificate) == 1);
    fclose(file);
    file = fopen(identity->key_file, "we");
    REQUIRE(file != NULL &&
            PEM_write_PrivateKey(file, identity->key, NULL, NULL, 0, NULL, NULL) == 1);
    fclose(file);
}

/* `names`: "DNS:host,IP:127.0.0.1"; NULL: an authority. `authority` NULL: signed by itself. */
static inline struct identity make_identity(const char *name, const char *names,
                                            const struct identity *authority)
{
    struct identity identity = {.key = EVP_EC_gen("P-256"), .certificate = X509_new()};
    X509 *certificate = identity.certificate;
    X509 *issuer = authority == NULL ? certificate : authority->certificate;
    REQUIRE(identity.key != NULL && certificate != NULL);
    X509_set_version(certificate, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1 + (long)name[0]);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
    X509_set_pubkey(certificate, identity.key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
                               (const unsigned char *)name, -1, -1, 0);
    X509_set_issuer_name(certificate, X509_get_subject_name(issuer));
    add_extension(certificate, issuer, NID_basic_constraints,
                  names == NULL ? "critical,CA:TRUE" : "critical,CA:FALSE");
    if (names != NULL) {
        add_extension(certificate, issuer, NID_subject_alt_name, names);
    }
    REQUIRE(X509_sign(certificate, authority == NULL ? identity.key : authority->key,
                      EVP_sha256()) > 0);
    write_files(&identity, name);
    return identity;
}

static inline void free_identity(struct identity *identity)
{
    EVP_PKEY_free(identity->key);
    X509_free(identity->certificate);
}

#endif
