//! TLS settings: of a Gateway's server, and towards a service.

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::{cursor::Cursor, object::Object};
use crate::types::{
    destination_rule::{ClientTls, ClientTlsMode},
    gateway::{CertificateSource, ServerTls, ServerTlsMode, TlsVersion},
};

const CIPHERS: [&str; 15] = [
    "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE-RSA-AES128-GCM-SHA256",
    "ECDHE-ECDSA-AES256-GCM-SHA384",
    "ECDHE-RSA-AES256-GCM-SHA384",
    "ECDHE-ECDSA-CHACHA20-POLY1305",
    "ECDHE-RSA-CHACHA20-POLY1305",
    "ECDHE-ECDSA-AES128-SHA",
    "ECDHE-RSA-AES128-SHA",
    "ECDHE-ECDSA-AES256-SHA",
    "ECDHE-RSA-AES256-SHA",
    "AES128-GCM-SHA256",
    "AES256-GCM-SHA384",
    "AES128-SHA",
    "AES256-SHA",
    "DES-CBC3-SHA",
];

/// The length of a SHA-256 in bytes.
const HASH: usize = 32;

const VERSIONS: [(&str, Option<TlsVersion>); 5] = [
    ("TLS_AUTO", None),
    ("TLSV1_0", Some(TlsVersion::V1_0)),
    ("TLSV1_1", Some(TlsVersion::V1_1)),
    ("TLSV1_2", Some(TlsVersion::V1_2)),
    ("TLSV1_3", Some(TlsVersion::V1_3)),
];

/// Istio's ServerTLSSettings.
pub(crate) fn server(tls: &Cursor<'_>) -> Option<ServerTls> {
    tls.object(|fields| {
        let version = |name| fields.get(name, |version| version.one_of(&VERSIONS)).flatten();
        let settings = ServerTls {
            https_redirect: fields.flag("httpsRedirect"),
            mode: mode(fields),
            certificates: certificates(fields),
            ca_certificates: fields.text("caCertificates"),
            ca_crl: fields.text("caCrl"),
            ca_cert_credential_name: fields.text("caCertCredentialName"),
            subject_alt_names: fields.list("subjectAltNames", |at| at.string()),
            verify_certificate_spki: fields.list("verifyCertificateSpki", |at| at.checked(key_hash)),
            verify_certificate_hash: fields.list("verifyCertificateHash", |at| at.checked(certificate_hash)),
            min_protocol_version: version("minProtocolVersion"),
            max_protocol_version: version("maxProtocolVersion"),
            cipher_suites: ciphers(fields),
            insecure_skip_verify: fields.flag("insecureSkipVerify"),
        };
        server_fits(tls, &settings);
        Some(settings)
    })
}

/// The same without anything but the mode.
pub(crate) fn server_mode(tls: &Cursor<'_>) -> Option<ServerTls> {
    tls.object(|fields| {
        fields.ignore_rest();
        Some(ServerTls { mode: mode(fields), ..ServerTls::default() })
    })
}

fn mode(fields: &Object<'_>) -> ServerTlsMode {
    let mode = fields.get("mode", |mode| {
        mode.one_of(&[
            ("PASSTHROUGH", ServerTlsMode::Passthrough),
            ("SIMPLE", ServerTlsMode::Simple),
            ("MUTUAL", ServerTlsMode::Mutual),
            ("AUTO_PASSTHROUGH", ServerTlsMode::AutoPassthrough),
            ("ISTIO_MUTUAL", ServerTlsMode::IstioMutual),
            ("OPTIONAL_MUTUAL", ServerTlsMode::OptionalMutual),
        ])
    });
    mode.unwrap_or_default()
}

fn certificates(fields: &Object<'_>) -> Vec<CertificateSource> {
    let own = files(fields.text("serverCertificate"), fields.text("privateKey"), None);
    let single = fields.text("credentialName").map(CertificateSource::Credential);
    let several = fields.list("credentialNames", |name| name.non_empty().map(CertificateSource::Credential));
    let listed = fields.list("tlsCertificates", |entry| {
        entry.object(|fields| {
            let certificate = fields.required("serverCertificate", |at| at.non_empty());
            let key = fields.required("privateKey", |at| at.non_empty());
            files(certificate, key, fields.text("caCertificates"))
        })
    });
    let own_complete = matches!(&own, Some(CertificateSource::Files { certificate, private_key, .. }) if !certificate.is_empty() && !private_key.is_empty());
    let given = [own_complete, single.is_some(), !several.is_empty(), !listed.is_empty()];
    if given.iter().filter(|given| **given).count() > 1 {
        fields.cursor.error(
            "only one of `credentialName`, `credentialNames`, `serverCertificate` with `privateKey`, and `tlsCertificates` can be given",
        );
    }
    own.into_iter().chain(single).chain(several).chain(listed).collect()
}

fn files(
    certificate: Option<String>,
    key: Option<String>,
    ca_certificates: Option<String>,
) -> Option<CertificateSource> {
    (certificate.is_some() || key.is_some()).then(|| CertificateSource::Files {
        certificate: certificate.unwrap_or_default(),
        private_key: key.unwrap_or_default(),
        ca_certificates,
    })
}

/// Unknown and repeated ciphers are left out, as Istio does.
fn ciphers(fields: &Object<'_>) -> Vec<String> {
    let mut ciphers: Vec<String> = Vec::new();
    for cipher in fields.list("cipherSuites", |cipher| {
        let name = cipher.string()?;
        let is_expression = name.is_empty()
            || name == "ALL"
            || !name.starts_with(|first: char| first.is_ascii_alphanumeric());
        if !is_expression && !CIPHERS.contains(&name.as_str()) {
            cipher.warn(format_args!("cipher `{}` is unknown and left out", super::cursor::shorten(&name)));
            return None;
        }
        Some(name)
    }) {
        if ciphers.contains(&cipher) {
            fields.cursor.warn(format_args!("cipher `{cipher}` is given twice"));
        } else {
            ciphers.push(cipher);
        }
    }
    ciphers
}

/// The SHA-256 of a public key in base64. Istio takes any text, and Envoy then refuses every connection.
fn key_hash(text: &str) -> Result<(), String> {
    match STANDARD.decode(text) {
        Ok(hash) if hash.len() == HASH => Ok(()),
        _ => Err("is not a SHA-256 in base64 (44 characters)".to_owned()),
    }
}

/// The SHA-256 of a certificate: 64 hexadecimal digits, or pairs of them with colons between.
fn certificate_hash(text: &str) -> Result<(), String> {
    let is_pair = |pair: &str| pair.len() == 2 && pair.bytes().all(|digit| digit.is_ascii_hexdigit());
    let plain = text.len() == 2 * HASH && text.bytes().all(|digit| digit.is_ascii_hexdigit());
    let paired = text.split(':').count() == HASH && text.split(':').all(is_pair);
    match plain || paired {
        true => Ok(()),
        false => {
            Err("is not a SHA-256 in hexadecimal digits (64, or 32 pairs with colons between)".to_owned())
        }
    }
}

fn server_fits(cursor: &Cursor<'_>, tls: &ServerTls) {
    let by_credential =
        tls.certificates.iter().any(|source| matches!(source, CertificateSource::Credential(_)));
    if tls.min_protocol_version.is_some_and(|version| version < TlsVersion::V1_2)
        && tls.cipher_suites.is_empty()
    {
        cursor.warn("TLS below 1.2 needs `cipherSuites` which it can speak: the default ones it can't");
    }
    match tls.mode {
        ServerTlsMode::IstioMutual => {
            if !tls.certificates.is_empty() || tls.ca_certificates.is_some() {
                cursor.error("mode ISTIO_MUTUAL brings its own certificates, so none can be given");
            }
            return;
        }
        ServerTlsMode::Passthrough | ServerTlsMode::AutoPassthrough => {
            if !tls.certificates.is_empty() || tls.ca_certificates.is_some() || tls.ca_crl.is_some() {
                cursor.warn("certificates have no effect: the mode passes TLS through");
            }
            return;
        }
        ServerTlsMode::Simple | ServerTlsMode::Mutual | ServerTlsMode::OptionalMutual => {}
    }
    if by_credential {
        if tls.ca_crl.is_some() {
            cursor.error("`caCrl` has no effect with a credential: put it into the secret");
        }
        return;
    }
    let asks_clients = matches!(tls.mode, ServerTlsMode::Mutual | ServerTlsMode::OptionalMutual);
    if asks_clients && tls.ca_certificates.is_none() {
        cursor.error("missing `caCertificates`: modes MUTUAL and OPTIONAL_MUTUAL need it");
    }
    let complete = |source: &CertificateSource| matches!(source, CertificateSource::Files { certificate, private_key, .. } if !certificate.is_empty() && !private_key.is_empty());
    if tls.certificates.is_empty() || !tls.certificates.iter().all(complete) {
        cursor.error("missing `serverCertificate` with `privateKey`, or `credentialName`");
    }
    if tls.certificates.len() > 2 {
        cursor.warn("only the first two of `tlsCertificates` are used");
    }
    if tls.mode == ServerTlsMode::Simple && tls.ca_crl.is_some() {
        cursor.error("`caCrl` has no place in mode SIMPLE, which asks for no client certificate");
    }
}

/// Istio's ClientTLSSettings.
pub(crate) fn client(tls: &Cursor<'_>) -> Option<ClientTls> {
    tls.object(|fields| {
        let settings = ClientTls {
            mode: fields
                .get("mode", |mode| {
                    mode.one_of(&[
                        ("DISABLE", ClientTlsMode::Disable),
                        ("SIMPLE", ClientTlsMode::Simple),
                        ("MUTUAL", ClientTlsMode::Mutual),
                        ("ISTIO_MUTUAL", ClientTlsMode::IstioMutual),
                    ])
                })
                .unwrap_or_default(),
            client_certificate: fields.text("clientCertificate"),
            private_key: fields.text("privateKey"),
            ca_certificates: fields.text("caCertificates"),
            credential_name: fields.text("credentialName"),
            subject_alt_names: fields.list("subjectAltNames", |at| at.string()),
            sni: fields.text("sni"),
            insecure_skip_verify: fields.get("insecureSkipVerify", |at| at.bool()),
            ca_crl: fields.text("caCrl"),
        };
        client_fits(tls, &settings);
        Some(settings)
    })
}

fn client_fits(cursor: &Cursor<'_>, tls: &ClientTls) {
    let speaks = matches!(tls.mode, ClientTlsMode::Simple | ClientTlsMode::Mutual);
    if tls.insecure_skip_verify == Some(true) && speaks {
        let by_credential = tls.mode == ClientTlsMode::Simple && tls.credential_name.is_some();
        if tls.ca_certificates.is_some() || !tls.subject_alt_names.is_empty() || by_credential {
            cursor.error("with `insecureSkipVerify` no CA and no `subjectAltNames` can be given");
        }
    }
    if speaks && tls.credential_name.is_some() {
        let files = [&tls.client_certificate, &tls.private_key, &tls.ca_certificates, &tls.ca_crl];
        if files.iter().any(|file| file.is_some()) {
            cursor.error("with `credentialName` no certificate, key, CA or CRL can be given");
        }
        return;
    }
    if tls.mode == ClientTlsMode::Mutual && (tls.client_certificate.is_none() || tls.private_key.is_none()) {
        cursor.error("mode MUTUAL needs `clientCertificate` and `privateKey`, or `credentialName`");
    }
}
