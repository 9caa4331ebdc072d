//! Certificates made afresh at every start, good ones and each kind of bad one.
//!
//! Nothing is kept in files: a certificate in the repository would expire one day and take the
//! tests with it.

use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

/// What the gateway shows to its clients. All but [`Certificate::Good`] must be turned down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Certificate {
    /// For localhost, 127.0.0.1 and ::1, from the authority in `ca_pem`.
    Good,
    /// Good until the end of 2020.
    Expired,
    /// From the right authority, for somebody else's name.
    WrongName,
    /// Like the good one, from an authority that is not in `ca_pem`.
    OtherAuthority,
    /// From no authority but itself.
    SelfSigned,
}

/// What a server needs for TLS, and what its clients need to trust it.
pub struct Identity {
    pub server: Arc<ServerConfig>,
    /// The authority's certificate as PEM.
    pub ca_pem: String,
    /// The same for servers that read files: their certificate and its key.
    pub certificate_pem: String,
    pub key_pem: String,
}

// Making keys and signing with them fails for lack of randomness or for parameters that make no
// sense; the first cannot be helped, the second cannot happen with these.
const SOUND: &str = "certificate parameters are sound";

impl Identity {
    pub fn make(kind: Certificate) -> Self {
        let (ca_pem, trusted) = authority("pretend authority");
        let (_, other) = authority("another authority");

        let names: &[&str] = match kind {
            Certificate::WrongName => &["gateway.example"],
            _ => &["localhost", "127.0.0.1", "::1"],
        };
        let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        let mut leaf = CertificateParams::new(names).expect(SOUND);
        leaf.distinguished_name.push(DnType::CommonName, "pretend gateway");
        leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        leaf.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        leaf.use_authority_key_identifier_extension = true;
        if kind == Certificate::Expired {
            leaf.not_before = date_time_ymd(2020, 1, 1);
            leaf.not_after = date_time_ymd(2020, 12, 31);
        }

        let key = KeyPair::generate().expect(SOUND);
        let certificate = match kind {
            Certificate::SelfSigned => leaf.self_signed(&key),
            Certificate::OtherAuthority => leaf.signed_by(&key, &other),
            _ => leaf.signed_by(&key, &trusted),
        };
        let certificate = certificate.expect(SOUND);
        let server = Arc::new(server_config(certificate.der().clone(), &key));
        let (certificate_pem, key_pem) = (certificate.pem(), key.serialize_pem());
        Self { server, ca_pem, certificate_pem, key_pem }
    }
}

/// For a server that reads files: its authority, its certificate for these names, and its key, as PEM.
pub fn as_files(names: &[&str]) -> [String; 3] {
    let (ca, issuer) = authority("pretend authority");
    let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
    let mut leaf = CertificateParams::new(names).expect(SOUND);
    leaf.extended_key_usages =
        vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    leaf.use_authority_key_identifier_extension = true;
    let key = KeyPair::generate().expect(SOUND);
    let certificate = leaf.signed_by(&key, &issuer).expect(SOUND);
    [ca, certificate.pem(), key.serialize_pem()]
}

fn authority(name: &str) -> (String, Issuer<'static, KeyPair>) {
    let mut ca = CertificateParams::default();
    ca.distinguished_name.push(DnType::CommonName, name);
    ca.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    ca.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let key = KeyPair::generate().expect(SOUND);
    let pem = ca.self_signed(&key).expect(SOUND).pem();
    (pem, Issuer::new(ca, key))
}

fn server_config(certificate: CertificateDer<'static>, key: &KeyPair) -> ServerConfig {
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    // The provider is named here, so that no test depends on a process-wide default.
    let mut server =
        ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("ring has the default versions")
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .expect("the key was made for the certificate");
    server.alpn_protocols = vec![b"http/1.1".to_vec()];
    server
}
