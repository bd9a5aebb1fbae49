use super::*;
use crate::envoy::scalars::Address;

fn workload(name: &str, place: &str, labels: &[(&str, &str)]) -> Workload {
    let labels = labels.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    Workload { locality: locality::parse(place), labels, ..Workload::at(name, 80) }
}

/// `region/zone/subzone=weight@priority: endpoints`
fn groups(own: &str, labels: &[(&str, &str)], mode: Option<LocalityMode>, all: &[Workload]) -> Vec<String> {
    let own = locality::parse(own);
    let labels = labels.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    let setting = mode.map(|mode| LocalityLb { enabled: None, mode });
    let choice = Choice { own: &own, labels: &labels, setting: setting.as_ref(), fails_over: true };
    let write = |workload: &Workload| LbEndpoint::at(workload.address.clone());
    let text = |group: LocalityEndpoints| {
        let Locality { region, zone, sub_zone } = group.locality;
        let weight = group.load_balancing_weight.map(|weight| format!("={weight}")).unwrap_or_default();
        let names = group.lb_endpoints.iter().map(|endpoint| match &endpoint.endpoint.address {
            Address::SocketAddress { address, .. } => address.clone(),
            Address::Pipe { path } => path.clone(),
        });
        let names = names.collect::<Vec<_>>().join(" ");
        format!("{region}/{zone}/{sub_zone}{weight}@{}: {names}", group.priority)
    };
    choice.groups(all, write).into_iter().map(text).collect()
}

fn everywhere() -> Vec<Workload> {
    let places = [("a", "eu/1/x"), ("b", "eu/1/y"), ("c", "eu/2/x"), ("d", "us/1/x"), ("e", "as/1/x")];
    places.map(|(name, place)| workload(name, place, &[])).to_vec()
}

#[test]
fn the_nearest_come_first() {
    let expected = ["eu/1/x@0: a", "eu/1/y@1: b", "eu/2/x@2: c", "as/1/x@3: e", "us/1/x@3: d"];
    assert_eq!(groups("eu/1/x", &[], None, &everywhere()), expected);
    let expected = ["eu/2/x@0: c", "eu/1/x@1: a", "eu/1/y@1: b", "as/1/x@2: e", "us/1/x@2: d"];
    assert_eq!(groups("eu/2/x", &[], None, &everywhere()), expected);
}

#[test]
fn without_a_place_all_are_equally_far() {
    let all: Vec<_> = groups("", &[], None, &everywhere());
    assert!(all.iter().all(|group| group.contains("@0")), "{all:?}");
}

#[test]
fn failover_names_the_next_region() {
    let mode = LocalityMode::Failover(vec![("eu".to_owned(), "us".to_owned())]);
    let expected = ["eu/1/x=1@0: a", "eu/1/y=1@1: b", "eu/2/x=1@2: c", "us/1/x=1@3: d", "as/1/x=1@4: e"];
    assert_eq!(groups("eu/1/x", &[], Some(mode), &everywhere()), expected);
}

#[test]
fn distribute_gives_shares_and_nothing_to_the_rest() {
    let to = |to: &[(&str, u32)]| to.iter().map(|(to, share)| ((*to).to_owned(), *share)).collect();
    let mode = LocalityMode::Distribute(vec![
        ("us/*".to_owned(), to(&[("us/*", 100)])),
        ("eu/1/*".to_owned(), to(&[("eu/1/*", 70), ("eu/2", 20), ("us/*", 10)])),
    ]);
    let mut all = everywhere();
    all.push(Workload { weight: Some(3), ..workload("f", "eu/1/x", &[]) });
    let expected = ["eu/1/x=56@0: a f", "eu/1/y=14@0: b", "eu/2/x=20@0: c", "us/1/x=10@0: d"];
    assert_eq!(groups("eu/1/x", &[], Some(mode.clone()), &all), expected);
    // Nobody speaks of `as`: all by their own shares.
    assert_eq!(groups("as/1", &[], Some(mode), &all).len(), 5);
}

#[test]
fn labels_decide_what_is_near() {
    let all = [
        workload("a", "", &[("rack", "1"), ("row", "1")]),
        workload("b", "", &[("rack", "1"), ("row", "2")]),
        workload("c", "", &[("rack", "2"), ("row", "1")]),
    ];
    let own = [("rack", "1"), ("row", "1")];
    let mode = |labels: &[&str]| {
        let labels = labels.iter().map(|label| (*label).to_owned()).collect();
        LocalityMode::FailoverPriority { labels, regions: Vec::new() }
    };
    let by = |labels: &[&str]| groups("", &own, Some(mode(labels)), &all);
    assert_eq!(by(&["rack", "row"]), ["//=1@0: a", "//=1@1: b", "//=1@2: c"]);
    assert_eq!(by(&["row"]), ["//=2@0: a c", "//=1@1: b"]);
    assert_eq!(by(&["rack=2"]), ["//=1@0: c", "//=2@1: a b"]);
    let near = [workload("n", "eu/1", &[]), workload("f", "us/1", &[])];
    let mode = mode(&["topology.kubernetes.io/region"]);
    assert_eq!(groups("eu/1", &own, Some(mode), &near), ["eu/1/=1@0: n", "us/1/=1@1: f"]);
}

#[test]
fn of_those_alike_by_labels_the_nearest_come_first() {
    let all = [
        workload("a", "us/1", &[("version", "v1")]),
        workload("b", "as/1", &[("version", "v1")]),
        workload("c", "eu/1", &[("version", "v2")]),
        workload("d", "eu/2", &[("version", "v1")]),
    ];
    let regions = vec![("eu".to_owned(), "us".to_owned())];
    let mode = LocalityMode::FailoverPriority { labels: vec!["version".to_owned()], regions };
    let expected = ["eu/2/=1@0: d", "us/1/=1@1: a", "as/1/=1@2: b", "eu/1/=1@3: c"];
    assert_eq!(groups("eu/1", &[("version", "v1")], Some(mode), &all), expected);
}

#[test]
fn a_switched_off_preference_and_no_outlier_detection_leave_all_alike() {
    let (own, labels) = (locality::parse("eu/1/x"), Labels::new());
    let write = |workload: &Workload| LbEndpoint::at(workload.address.clone());
    let off = LocalityLb { enabled: Some(false), mode: LocalityMode::Default };
    for (setting, fails_over) in [(Some(&off), true), (None, false)] {
        let choice = Choice { own: &own, labels: &labels, setting, fails_over };
        assert!(choice.groups(&everywhere(), write).iter().all(|group| group.priority == 0));
        assert!(!choice.weighted());
    }
}
