use super::*;

const SHOP: &str = "\
# Our shop.
version: \"3.8\"

x-env: &env
  TIER: gold

services:
  gateway:
    image: outrigger:local
    command: [run, --file=/etc/outrigger/resources]
    labels:
      outrigger.io/gateway: \"true\"
    ports: [\"80:8080\"]

  # The front.
  a:
    image: shop/a
    labels: {sidecar.istio.io/inject: \"true\", version: v1}
    expose: [\"8080\"]
    environment:
      B: http://b:9090   # goes by the sidecar
    depends_on:
    - b
    - db

  b:
    image: shop/b
    labels:
    - sidecar.istio.io/inject=true
    - outrigger.io/app-port=9090
    - outrigger.io/namespace=back
    networks:
      back: {aliases: [bee], ipv4_address: 10.9.0.2}
    environment: *env

  db:
    image: postgres

networks:
  back:

volumes: {}
";

fn settings() -> Settings {
    Settings {
        image: "outrigger:local".to_owned(),
        resources: "./istio".to_owned(),
        ca: None,
        namespace: "default".to_owned(),
        trust_domain: "cluster.local".to_owned(),
    }
}

fn injected(text: &str) -> Injected {
    inject(text, &settings()).unwrap_or_else(|problems| panic!("{problems:#?}"))
}

fn problems(text: &str) -> Vec<String> {
    let of = |problem: ComposeError| match problem.position {
        Some(at) => format!("{at}: {problem}"),
        None => problem.to_string(),
    };
    inject(text, &settings()).unwrap_err().into_iter().map(of).collect()
}

fn golden(name: &str, actual: &str) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, actual).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(actual, expected, "{} differs; UPDATE_GOLDEN=1 rewrites it", path.display());
}

#[test]
fn a_sidecar_stands_beside_each_service_that_asks() {
    let injected = injected(SHOP);
    golden("compose.yaml", &injected.compose);
    golden("compose-services.yaml", &injected.services);
    assert_eq!(injected.with_sidecar, ["a", "b"]);
    assert!(injected.warnings.is_empty(), "{:?}", injected.warnings);
}

#[test]
fn once_more_changes_nothing_and_everything_can_be_taken_out() {
    for text in [SHOP.to_owned(), SHOP.trim_end().to_owned(), format!("{SHOP}\n# The end.\n\n")] {
        let once = injected(&text).compose;
        assert_eq!(injected(&once).compose, once);
        assert_eq!(marks::remove(&once).unwrap().trim_end(), text.trim_end());
    }
}

#[test]
fn other_settings_take_the_place_of_those_before() {
    let once = injected(SHOP).compose;
    let other = Settings { image: "outrigger:2".to_owned(), ..settings() };
    assert_eq!(inject(&once, &other).unwrap().compose, inject(SHOP, &other).unwrap().compose);
}

#[test]
fn a_file_without_labels_stays_as_it_is() {
    let text = "services:\n  a: {image: x}\n";
    let injected = injected(text);
    assert_eq!(injected.compose, text);
    assert!(injected.warnings[0].message.contains("no service asks"));
}

#[test]
fn every_way_to_write_a_service_is_kept() {
    for (was, wanted) in [
        // A list of variables at the depth of its key.
        ("    environment:\n    - A=1\n", "    - A=1\n    # >>>"),
        // In one line: written anew.
        ("    environment: {A: b}\n", "      A: b\n      http_proxy:"),
        ("    environment: [A=b]\n", "      - A=b\n      - http_proxy="),
        // Nothing yet.
        ("    environment:\n", "    environment:\n      http_proxy:"),
        ("    networks: [default, other]\n", "    #outrigger-was:networks: [default, other]\n"),
        (
            "    networks:\n    - default\n\n    # why\n",
            "    #outrigger-was:networks:\n    #outrigger-was:- default\n",
        ),
        ("    command: |\n      # not a comment\n      networks:\n", "      networks:\n    # >>>"),
        ("    environment:\n      HTTP_PROXY: mine\n      NO_PROXY: x\n", "      NO_PROXY: x\n    # >>>"),
    ] {
        for after in ["", "  z:\n    image: z\n", "\nvolumes:\n  v:\n"] {
            let text = format!(
                "services:\n  a:\n    image: x\n    labels: [sidecar.istio.io/inject=true]\n    expose: [80]\n{was}{after}"
            );
            let once = injected(&text).compose;
            assert!(once.contains(wanted), "{once}");
            assert_eq!(injected(&once).compose, once);
            assert_eq!(marks::remove(&once).unwrap(), text);
        }
    }
}

#[test]
fn all_services_get_one_where_the_file_says_so() {
    let text = "x-outrigger: {inject: true}\nservices:\n  a:\n    expose: [80]\n  b:\n    labels: {sidecar.istio.io/inject: \"false\"}\n";
    assert_eq!(injected(text).with_sidecar, ["a"]);
}

#[test]
fn what_does_not_go_with_a_sidecar_is_refused() {
    let service =
        |lines: &str| format!("services:\n  a:\n    labels: [sidecar.istio.io/inject=true]\n{lines}");
    for (text, said) in [
        (service(""), "2:3: nothing says on which port service `a` listens"),
        (service("    ports: [\"8000-8010\"]\n"), "2:3: an entry of `ports`"),
        (service("    ports: [\"${PORT}\"]\n"), "2:3: an entry of `ports`"),
        (service("    expose: [80]\n    network_mode: host\n"), "5:5: service `a` has a `network_mode`"),
        (service("    expose: [80]\n  a-sidecar:\n    image: x\n"), "5:3: `services.a-sidecar` is a name"),
        (
            service("    expose: [80]\n    environment: {A: 1.50}\n"),
            "5:18: `environment` has to be written anew",
        ),
        (
            "services:\n  a: {labels: [sidecar.istio.io/inject=true], expose: [80]}\n".to_owned(),
            "2:3: service `a` is written",
        ),
        (
            "services: {a: {labels: [sidecar.istio.io/inject=true], expose: [80]}}\n".to_owned(),
            "1:12: service `a`",
        ),
        (service("    expose: [80]\n").replace("=true", "=true, 'outrigger.io/app-port=$P'"), "3:5: label"),
        (service("    expose: [80]\n").replace("=true", "=true, outrigger.io/direct=c"), "2:3: label"),
        (service("    expose: [80]\n").replace("=true", "=true, outrigger.io/namespace=A B"), "3:5: label"),
        (
            service("    expose: [80]\n").replace("=true", "=true, outrigger.io/service-account=a/b"),
            "3:5: label",
        ),
        (
            service("").replace(
                "sidecar.istio.io/inject=true",
                "outrigger.io/gateway=true, outrigger.io/namespace=A",
            ),
            "3:5: label `outrigger.io/namespace` of service `a`",
        ),
        (
            service("    expose: [80]\n").replace("  a:", "  my_app:"),
            "2:3: `my_app` is not the name of a host",
        ),
        (service("    expose: [80]\n").replace("  a:", "  App:"), "2:3: `App` is not the name of a host"),
        (
            service("    expose: [80]\n").replace("  a:", &format!("  {}:", "a".repeat(60))),
            "is not the name of a host",
        ),
        (
            service("    expose: [80]\n    extends: {service: b}\n  b:\n    networks: [x]\n"),
            "5:5: service `a` extends",
        ),
        (service("    expose: [80]\n    extends: {service: b, file: b.yaml}\n"), "5:5: service `a` extends"),
        (service("    expose: [80]\n  b:\n    extends: a\n"), "6:5: service `b` extends `a`"),
        (service("    expose: [80]\n  b:\n    extends:\n      service: a\n"), "6:5: service `b` extends `a`"),
        (
            service("    expose: [80]\n").replace("=true", "=yes"),
            "3:5: label `sidecar.istio.io/inject` of service `a`: `yes`",
        ),
        (service("    expose: [80]\n").replace("=true", "=True"), "3:5: label `sidecar.istio.io/inject`"),
        (
            service("").replace("sidecar.istio.io/inject=true", "outrigger.io/gateway=on"),
            "3:5: label `outrigger.io/gateway` of service `a`: `on`",
        ),
        (
            "x-outrigger:\n  inject: \"on\"\nservices:\n  a:\n    expose: [80]\n".to_owned(),
            "2:3: `x-outrigger.inject`: `on`",
        ),
        (
            service("    expose: [80]\n    stop_grace_period: ${LONG}\n"),
            "5:5: `stop_grace_period` of service `a`: `${LONG}` is not a duration",
        ),
        (
            service(
                "    expose: [80]\n    links: [\"b:back\"]\n  b:\n    expose: [80]\n    labels: [sidecar.istio.io/inject=true]\n",
            ),
            "5:5: service `a` knows `b` as `back`",
        ),
        ("a: 1\n".to_owned(), "there are no `services`"),
        ("services: {a: [}\n".to_owned(), "1:"),
        ("services: {}\n---\nservices: {}\n".to_owned(), "one document"),
    ] {
        let found = problems(&text);
        assert!(found.iter().any(|problem| problem.contains(said)), "{text}\n{found:?}");
    }
}

#[test]
fn a_sidecar_finds_the_hosts_that_its_application_knows() {
    let service = "    profiles: [shop]\n    dns: 10.0.0.2\n    extra_hosts:\n    - \"legacy:10.0.0.5\"\n";
    let text =
        format!("services:\n  a:\n    labels: [sidecar.istio.io/inject=true]\n    expose: [80]\n{service}");
    let compose = injected(&text).compose;
    let sidecar = compose.split("a-sidecar:").nth(1).unwrap().split("outrigger-certs:").next().unwrap();
    for line in ["    dns: \"10.0.0.2\"", "      - legacy:10.0.0.5", "      - shop"] {
        assert!(sidecar.lines().any(|one| one == line), "{line}\n{sidecar}");
    }
}

#[test]
fn a_sidecar_stops_no_sooner_than_it_has_drained_nor_than_its_application() {
    for (own, wanted) in [
        ("", "40s"),
        ("    stop_grace_period: 10s\n", "40s"),
        ("    stop_grace_period: 1m30s\n", "\"1m30s\""),
    ] {
        let text =
            format!("services:\n  a:\n    labels: [sidecar.istio.io/inject=true]\n    expose: [80]\n{own}");
        let compose = injected(&text).compose;
        let sidecar = compose.split("a-sidecar:").nth(1).unwrap().split("outrigger-certs:").next().unwrap();
        assert!(sidecar.contains(&format!("    stop_grace_period: {wanted}\n")), "{sidecar}");
    }
}

#[test]
fn a_link_may_give_another_name_to_what_is_asked_past_the_sidecar() {
    let text = "services:\n  a:\n    labels: {sidecar.istio.io/inject: True}\n    expose: [80]\n    links: [\"db:data\"]\n  db:\n    image: x\n";
    assert!(injected(text).compose.contains("no_proxy: \"localhost,127.0.0.1,db"));
}

#[test]
fn published_ports_are_named() {
    let text = "services:\n  a:\n    labels: [sidecar.istio.io/inject=true]\n    ports: [\"80:8080\", {target: 9090}, \"53:53/udp\"]\n";
    let injected = injected(text);
    assert_eq!(injected.warnings[0].position.unwrap().line, 4);
    assert!(
        injected.compose.contains("--app-port=8080=8080")
            && injected.compose.contains("--app-port=9090=9090")
    );
    assert!(!injected.compose.contains("53=53"));
}

#[test]
fn labels_about_other_things_are_left_out() {
    let text = "services:\n  a:\n    expose: [80]\n    labels:\n      sidecar.istio.io/inject: \"true\"\n      version: v1\n      \
                com.example.description: \"Accounting webapp\"\n      traefik.http.routers.a.rule: Host(`a.example`)\n      release: ${TAG}\n";
    let injected = injected(text);
    let warning = &injected.warnings[0];
    assert_eq!(warning.position.unwrap().line, 4);
    for (label, kept) in [
        ("version", true),
        ("com.example.description", false),
        ("traefik.http.routers.a.rule", false),
        ("release", false),
    ] {
        assert_eq!(warning.message.contains(&format!("`{label}`")), !kept, "{warning}");
        assert_eq!(injected.compose.contains(&format!("--label={label}=")), kept, "{}", injected.compose);
        assert_eq!(injected.services.contains(&format!("      {label}: ")), kept, "{}", injected.services);
    }
    let read = outrigger_api::parse_yaml(injected.services.as_bytes(), "services.yaml", "default");
    assert!(read.problems.is_empty(), "{:?}", read.problems);
}
