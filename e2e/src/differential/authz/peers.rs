//! Who connects: certificates of an authority of the test's own, as meshes give them and as they should not.

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result};
use rcgen::string::Ia5String;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    SanType,
};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, Error, SignatureScheme, StreamOwned};
use socket2::{Domain, Socket, Type};

use super::connection::{Stream, prepared};
use super::wire::Wire;

/// A certificate: the name it goes by here, its URIs, its DNS name and its common name.
pub(super) struct Identity {
    pub(super) name: &'static str,
    pub(super) uris: &'static [&'static str],
    dns: Option<&'static str>,
    common_name: Option<&'static str>,
}

const fn spiffe(name: &'static str, uris: &'static [&'static str]) -> Identity {
    Identity { name, uris, dns: None, common_name: None }
}

/// Everybody.
pub(super) const IDENTITIES: &[Identity] = &[
    spiffe("cart", &["spiffe://cluster.local/ns/shop/sa/cart"]),
    spiffe("cart-v2", &["spiffe://cluster.local/ns/shop/sa/cart-v2"]),
    spiffe("shopping", &["spiffe://cluster.local/ns/shopping/sa/cart"]),
    spiffe("web", &["spiffe://cluster.local/ns/default/sa/web"]),
    spiffe("old", &["spiffe://old.local/ns/shop/sa/cart"]),
    spiffe("td", &["spiffe://td.example.com/ns/default/sa/web"]),
    spiffe("sub-td", &["spiffe://x.td.example.com/ns/shop/sa/cart"]),
    spiffe("no-account", &["spiffe://cluster.local/ns/shop"]),
    spiffe("no-account/", &["spiffe://cluster.local/ns/shop/"]),
    spiffe("region", &["spiffe://cluster.local/region/eu/ns/shop/sa/cart"]),
    spiffe("zone", &["spiffe://cluster.local/ns/shop/zone/a/sa/cart/host/x"]),
    spiffe("slash", &["spiffe://cluster.local/ns/shop/sa/cart/"]),
    spiffe("twice", &["spiffe://cluster.local/ns/shop/ns/default/sa/web/sa/cart"]),
    spiffe("empty-parts", &["spiffe://cluster.local//ns/shop//sa/cart"]),
    spiffe("empty-namespace", &["spiffe://cluster.local/ns//sa/cart"]),
    spiffe("no-domain", &["spiffe:///ns/shop/sa/cart"]),
    spiffe("domain-only", &["spiffe://cluster.local"]),
    spiffe("urn", &["urn:x:/ns/shop/sa/cart"]),
    spiffe("upper", &["SPIFFE://cluster.local/ns/shop/sa/cart"]),
    spiffe("Shop", &["spiffe://cluster.local/ns/Shop/sa/Cart"]),
    spiffe("star", &["spiffe://cluster.local/ns/shop*/sa/*"]),
    spiffe("late", &["spiffe://cluster.local/x/spiffe://cluster.local/ns/shop/sa/cart"]),
    spiffe("two", &["spiffe://cluster.local/ns/shop/sa/cart", "spiffe://old.local/ns/default/sa/web"]),
    Identity {
        name: "uri-and-dns",
        uris: &["spiffe://cluster.local/ns/default/sa/web"],
        dns: Some("cart.shop.test"),
        common_name: Some("cart"),
    },
    Identity { name: "dns", uris: &[], dns: Some("cart.shop.test"), common_name: None },
    Identity { name: "common-name", uris: &[], dns: None, common_name: Some("cart") },
    Identity { name: "nothing", uris: &[], dns: None, common_name: None },
];

/// How clients connect, and what listeners need for it.
#[derive(Debug)]
pub(super) struct Peers {
    /// By the name of the certificate: for clients that ask for a server's name, and for those that do not.
    clients: BTreeMap<Option<&'static str>, [Arc<ClientConfig>; 2]>,
    files: Files,
}

/// Where a listener's certificate is.
#[derive(Debug)]
pub(super) struct Files {
    /// The authority's.
    pub(super) root: PathBuf,
    pub(super) chain: PathBuf,
    pub(super) key: PathBuf,
}

impl Peers {
    /// With new certificates; those of listeners go to `folder`.
    pub(super) fn new(folder: &Path) -> Result<Self> {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
        let root = params.self_signed(&key)?.pem();
        let issuer = Issuer::new(params, key);
        let files = Files {
            root: folder.join("root.pem"),
            chain: folder.join("server.pem"),
            key: folder.join("server.key"),
        };
        let (chain, own) = issued(&IDENTITIES[0], &issuer)?;
        for (file, text) in [(&files.root, &root), (&files.chain, &chain), (&files.key, &own)] {
            std::fs::write(file, text)?;
        }
        let mut clients = BTreeMap::from([(None, client(None)?)]);
        for identity in IDENTITIES {
            clients.insert(Some(identity.name), client(Some(issued(identity, &issuer)?))?);
        }
        Ok(Self { clients, files })
    }

    pub(super) fn files(&self) -> &Files {
        &self.files
    }

    /// Connects to `address`.
    pub(super) fn connect(&self, address: SocketAddr, wire: &Wire) -> Result<Box<dyn Stream>> {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
        if let Some(source) = wire.source {
            socket.bind(&SocketAddr::from((source, 0)).into())?;
        }
        socket.connect(&address.into()).with_context(|| format!("no connection to {address}"))?;
        let stream = prepared(TcpStream::from(socket))?;
        let Some(tls) = &wire.tls else { return Ok(Box::new(stream)) };
        let configs = self.clients.get(&tls.peer).context("no such certificate")?;
        let (config, name) = match &tls.server_name {
            Some(name) => (&configs[0], ServerName::try_from(name.clone())?),
            None => (&configs[1], ServerName::from(address.ip())),
        };
        Ok(Box::new(StreamOwned::new(ClientConnection::new(Arc::clone(config), name)?, stream)))
    }
}

/// A certificate and its key, in PEM.
fn issued(identity: &Identity, issuer: &Issuer<'_, KeyPair>) -> Result<(String, String)> {
    let mut params = CertificateParams::default();
    let text = |text: &str| Ia5String::try_from(text);
    for uri in identity.uris {
        params.subject_alt_names.push(SanType::URI(text(uri)?));
    }
    if let Some(dns) = identity.dns {
        params.subject_alt_names.push(SanType::DnsName(text(dns)?));
    }
    params.distinguished_name = DistinguishedName::new();
    if let Some(name) = identity.common_name {
        params.distinguished_name.push(DnType::CommonName, name);
    }
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.use_authority_key_identifier_extension = true;
    let key = KeyPair::generate()?;
    Ok((params.signed_by(&key, issuer)?.pem(), key.serialize_pem()))
}

fn client(shown: Option<(String, String)>) -> Result<[Arc<ClientConfig>; 2]> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider));
    let builder = builder.with_safe_default_protocol_versions()?.dangerous();
    let builder = builder.with_custom_certificate_verifier(Arc::new(Anyone(provider)));
    let mut config = match shown {
        None => builder.with_no_client_auth(),
        Some((chain, key)) => {
            let chain = CertificateDer::from_pem_slice(chain.as_bytes()).context("a certificate")?;
            let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).context("a key")?;
            builder.with_client_auth_cert(vec![chain], key)?
        }
    };
    config.resumption = rustls::client::Resumption::disabled();
    let mut nameless = config.clone();
    nameless.enable_sni = false;
    Ok([Arc::new(config), Arc::new(nameless)])
}

/// Takes any server: who that is, is not what is tried.
#[derive(Debug)]
struct Anyone(Arc<CryptoProvider>);

impl ServerCertVerifier for Anyone {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
