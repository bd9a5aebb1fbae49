//! A registry that holds other bytes than it says.

use super::command::image;
use super::registry::Registry;

#[test]
fn a_blob_or_manifest_with_other_bytes_is_found() {
    let registry = Registry::open();
    let reference = registry.image("a:1");
    let pushed = image(&["push", &reference, "--module", "metrics", "-o", "json"]).json();
    let seen = image(&["inspect", &reference, "-o", "json"]).json();
    let hex = |digest: &serde_json::Value| digest.as_str().unwrap().trim_start_matches("sha256:").to_owned();
    for digest in [hex(&seen[0]["layers"][0]["digest"]), hex(&seen[0]["config"]["digest"])] {
        let file = registry.file(&digest);
        let good = std::fs::read(&file).unwrap();
        let mut bad = good.clone();
        *bad.last_mut().unwrap() ^= 1;
        std::fs::write(&file, bad).unwrap();
        let said = image(&["inspect", &reference]);
        assert_eq!(said.code, 1, "{said:?}");
        assert!(said.stdout.contains(&format!("refused     the blob sha256:{digest} has bytes")), "{said:?}");
        std::fs::write(&file, good).unwrap();
    }
    assert_eq!(image(&["inspect", &reference]).code, 0);

    // A manifest of another image under this tag: it is whole, and not what was expected.
    let sha256 = pushed[0]["sha256"].as_str().unwrap();
    assert_eq!(image(&["push", &reference, "--module", "fault"]).code, 0);
    let said = image(&["inspect", &reference, "--sha256", sha256]);
    assert!(said.code == 1 && said.stdout.contains(&format!("not sha256:{sha256}")), "{said:?}");
}
