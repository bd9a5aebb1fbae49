//! An authority from its making to its end.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use super::*;
use crate::identity::Identity;

fn wanted(id: &str, seconds: u64) -> Wanted {
    Wanted { id: id.parse().unwrap(), names: Vec::new(), lifetime: Duration::from_secs(seconds) }
}

fn authority(folder: &Path) -> Authority {
    Authority::create(folder, &"mesh.test".parse().unwrap()).unwrap()
}

const A: &str = "spiffe://mesh.test/ns/default/sa/a";

#[test]
fn a_certificate_names_its_workload_and_its_key_is_for_its_owner() {
    let folder = tempfile::tempdir().unwrap();
    let (ca, out) = (folder.path().join("ca"), folder.path().join("deep/a"));
    let authority = authority(&ca);
    let wanted = Wanted { names: vec!["a.test".to_owned()], ..wanted(A, 3600) };
    let ends = authority.issue(&wanted, &out).unwrap();
    let identity = Identity::read(&out).unwrap();
    assert_eq!((identity.id.as_str(), identity.names.as_slice()), (A, ["a.test".to_owned()].as_slice()));
    assert!((identity.ends - ends).whole_seconds().abs() <= 1);
    for (path, mode) in [(ca.join("ca-key.pem"), 0o600), (out.join("key.pem"), 0o600), (ca.clone(), 0o700)] {
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, mode, "{}", path.display());
    }
    assert!(!format!("{authority:?} {identity:?}").contains("PRIVATE KEY"));
}

#[test]
fn an_authority_signs_for_its_own_domain_and_is_never_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let authority = authority(folder.path());
    let foreign = authority.issue(&wanted("spiffe://other.test/ns/a/sa/b", 60), &folder.path().join("x"));
    assert!(matches!(foreign, Err(CertsError::Foreign { .. })), "{foreign:?}");
    let again = Authority::create(folder.path(), &"mesh.test".parse().unwrap());
    assert!(matches!(again, Err(CertsError::Exists(_))), "{again:?}");
}

#[test]
fn an_intermediate_of_the_users_own_signs_with_the_way_to_its_root() {
    use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let ca = |name: &str| {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        (params, KeyPair::generate().unwrap())
    };
    let ((root, root_key), (middle, middle_key)) = (ca("root"), ca("middle"));
    let root_pem = root.self_signed(&root_key).unwrap().pem();
    let middle_pem = middle.signed_by(&middle_key, &Issuer::from_params(&root, &root_key)).unwrap().pem();
    fs::write(path("root.pem"), &root_pem).unwrap();
    fs::write(path("middle.pem"), &middle_pem).unwrap();
    fs::write(path("key.pem"), middle_key.serialize_pem()).unwrap();
    let adopt = |to: &str, key: &str, root: Option<&str>| {
        let root = root.map(path);
        Authority::adopt(&path(to), &path("middle.pem"), &path(key), root.as_deref())
    };
    let authority = adopt("ca", "key.pem", Some("root.pem")).unwrap();
    authority.issue(&wanted("spiffe://any.test/x", 60), &path("x")).unwrap();
    let chain = fs::read_to_string(path("x/cert-chain.pem")).unwrap();
    assert_eq!(chain.matches("BEGIN CERTIFICATE").count(), 2);
    assert_eq!(Identity::read(&path("x")).unwrap().id.as_str(), "spiffe://any.test/x");
    fs::write(path("other.pem"), KeyPair::generate().unwrap().serialize_pem()).unwrap();
    assert!(matches!(adopt("other", "other.pem", Some("root.pem")), Err(CertsError::Key(_))));
    let stranger = ca("stranger");
    fs::write(path("stranger.pem"), stranger.0.self_signed(&stranger.1).unwrap().pem()).unwrap();
    assert!(matches!(adopt("lost", "key.pem", Some("stranger.pem")), Err(CertsError::Chain { .. })));
}

#[test]
fn what_does_not_fit_together_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let authority = authority(&folder.path().join("ca"));
    let out = folder.path().join("a");
    let files = |name: &str| out.join(name);
    authority.issue(&wanted(A, 3600), &out).unwrap();
    let key = fs::read_to_string(files("key.pem")).unwrap();
    authority.issue(&wanted(A, 3600), &out).unwrap();
    let own = fs::read_to_string(files("key.pem")).unwrap();
    fs::write(files("key.pem"), key).unwrap();
    let error = Identity::read(&out).unwrap_err().to_string();
    assert!(error.contains("does not belong"), "{error}");
    fs::write(files("key.pem"), own).unwrap();
    Identity::read(&out).unwrap();
    let other = Authority::create(&folder.path().join("other"), &"mesh.test".parse().unwrap()).unwrap();
    fs::write(files("root-cert.pem"), &other.roots).unwrap();
    let error = Identity::read(&out).unwrap_err().to_string();
    assert!(error.contains("is not signed"), "{error}");
}

#[test]
fn a_certificate_ends_and_is_renewed_before() {
    let folder = tempfile::tempdir().unwrap();
    let ca = folder.path().join("ca");
    authority(&ca);
    let out = folder.path().join("a");
    let mut keeper = Keeper::new(ca.clone(), vec![Workload { wanted: wanted(A, 2), folder: out.clone() }]);
    let issued = |told: Vec<Told>| matches!(told.as_slice(), [Told::Issued(0, _)]);
    assert!(issued(keeper.look()));
    assert!(keeper.look().is_empty());
    std::thread::sleep(Duration::from_millis(2100));
    let error = Identity::read(&out).unwrap_err().to_string();
    assert!(error.contains("has ended"), "{error}");
    assert!(issued(keeper.look()));
    Identity::read(&out).unwrap();
    fs::remove_file(ca.join("ca-key.pem")).unwrap();
    assert!(matches!(keeper.look().as_slice(), [Told::Failed(0, _)]));
    assert!(keeper.look().is_empty(), "what stays wrong is told once");
}

#[test]
fn a_root_is_replaced_while_both_are_trusted() {
    let folder = tempfile::tempdir().unwrap();
    let ca = folder.path().join("ca");
    authority(&ca);
    let out = folder.path().join("a");
    let mut keeper = Keeper::new(ca.clone(), vec![Workload { wanted: wanted(A, 3600), folder: out.clone() }]);
    keeper.look();
    let roots = || fs::read_to_string(out.join("root-cert.pem")).unwrap();
    let old = roots();
    assert!(matches!(Rotation::step(&ca, Step::Switch), Err(CertsError::Turn(_))));
    assert_eq!(Rotation::step(&ca, Step::Begin).unwrap(), Rotation::Begun);
    assert!(matches!(Rotation::step(&ca, Step::Begin), Err(CertsError::Turn(_))));
    for (step, trusted) in [(None, 2), (Some(Step::Switch), 2), (Some(Step::Finish), 1)] {
        if let Some(step) = step {
            Rotation::step(&ca, step).unwrap();
        }
        keeper.look();
        Identity::read(&out).unwrap();
        assert_eq!(roots().matches("BEGIN CERTIFICATE").count(), trusted, "{step:?}");
        assert!(keeper.look().is_empty());
    }
    assert!(!roots().contains(&old));
    assert_eq!(Rotation::of(&ca).unwrap(), Rotation::None);
}
