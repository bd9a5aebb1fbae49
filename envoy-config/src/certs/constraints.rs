//! The name constraint of an authority (RFC 5280, 4.2.1.10): whatever it signs, a URI in it is of its trust domain.

use rcgen::CustomExtension;
use yasna::Tag;

use super::spiffe::TrustDomain;

/// `id-ce-nameConstraints`
const OID: [u64; 4] = [2, 5, 29, 30];
/// `permittedSubtrees` of a `NameConstraints`.
const PERMITTED: u64 = 0;
/// `uniformResourceIdentifier` of a `GeneralName`.
const URI: u64 = 6;

/// Permits URIs of `domain` and no others. Critical: who does not understand it, refuses the authority.
pub(super) fn only(domain: &TrustDomain) -> CustomExtension {
    let content = yasna::construct_der(|writer| {
        writer.write_sequence(|writer| {
            writer.next().write_tagged_implicit(Tag::context(PERMITTED), |writer| {
                writer.write_sequence(|writer| {
                    writer.next().write_sequence(|writer| {
                        writer.next().write_tagged_implicit(Tag::context(URI), |writer| {
                            writer.write_ia5_string(domain.as_str());
                        });
                    });
                });
            });
        });
    });
    let mut extension = CustomExtension::from_oid_content(&OID, content);
    extension.set_criticality(true);
    extension
}
