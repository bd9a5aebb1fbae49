//! Every scenario, before every judge. All must agree with what the scenario expects, and so with each other.

use outrigger_e2e::engine_judge::Judge;
use outrigger_e2e::launch::{Compose, Launcher, Local, docker_answers};
use outrigger_e2e::scenario::Scenario;
use outrigger_e2e::tally::check;

#[test]
fn the_engine_alone() {
    let mut failures = Vec::new();
    for scenario in Scenario::all().unwrap() {
        let mut judge = match Judge::new(&scenario) {
            Ok(judge) => judge,
            Err(error) => {
                failures.push(format!("{}: {error:#}", scenario.name));
                continue;
            }
        };
        for exchange in &scenario.requests {
            let seen = judge.decide_all(exchange).unwrap();
            if let Err(difference) = check(exchange, &seen) {
                failures.push(format!("{}: {}: {difference}", scenario.name, exchange.send));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

#[test]
fn envoy_in_a_process() {
    judge(&Local::start().unwrap());
}

#[test]
fn envoy_in_a_process_with_five_separate_filters() {
    judge(&Local::start().unwrap().with_separate_filters());
}

#[test]
fn envoy_in_a_container() {
    if !docker_answers() {
        eprintln!("\n!!! NO DOCKER ENGINE ANSWERS HERE: the scenarios ran with local processes only.\n");
        return;
    }
    judge(&Compose::start().unwrap());
}

fn judge(launcher: &dyn Launcher) {
    let mut failures = Vec::new();
    for scenario in Scenario::all().unwrap() {
        eprintln!("{}: {}", launcher.name(), scenario.name);
        let running = match launcher.launch(&scenario) {
            Ok(running) => running,
            Err(error) => {
                failures.push(format!("{}: {error:#}", scenario.name));
                continue;
            }
        };
        for exchange in &scenario.requests {
            let difference = match running.send_all(exchange) {
                Ok(seen) => check(exchange, &seen).err(),
                Err(error) => Some(format!("{error:#}")),
            };
            if let Some(difference) = difference {
                failures.push(format!("{}: {}: {difference}", scenario.name, exchange.send));
            }
        }
    }
    assert!(failures.is_empty(), "with {}:\n{}", launcher.name(), failures.join("\n\n"));
}
