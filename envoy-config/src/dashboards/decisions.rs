//! What the filters have decided, and what that costs: denials, faults, tokens, keys, series.

use outrigger_core::telemetry::{
    self, AUTHORIZATION_POLICY, AUTHZ_DRY_RUN, AuthzStat, DRY_RUN_DENIED, FAULT_PREFIX, FaultStat, JwtStat,
    REQUEST_AUTHENTICATION, VIRTUAL_SERVICE,
};

use super::grafana::{Dashboard, Panel};
use super::panels::lines;
use super::query::{self, MODULES_NOT_FETCHED, RELOADS, VMS, WINDOW};

/// The dashboard.
pub(super) fn dashboard() -> Dashboard {
    Dashboard::new(
        "outrigger-decisions",
        "Outrigger: decisions",
        "Which policies refuse requests, which faults are injected, how tokens and their keys fare",
    )
    .row("Authorization", vec![denials(), share_of_denials(), audits()])
    .row("Policies on dry run", vec![disagreements(), dry_run()])
    .row("Faults", vec![active(), injected(), tried_out()])
    .row("Tokens", vec![refusals(), cache(), tokens_tried_out()])
    .row("Keys of tokens", vec![fetches()])
    .row("The filters themselves", vec![series(), overflow(), vms(), crashes()])
}

fn by_policy(title: &str, stat: AuthzStat, description: &'static str) -> Panel {
    lines(title, "reqps", description)
        .query(query::rate(stat.metric(), &[], WINDOW, AUTHORIZATION_POLICY), "{{authorization_policy}}")
}

fn denials() -> Panel {
    let description = "Denials a second, by the policy whose rule has refused (none: no ALLOW policy has let the request through)";
    by_policy("Denials by policy", AuthzStat::Denied, description)
}

fn share_of_denials() -> Panel {
    let denied = query::rate(AuthzStat::Denied.metric(), &[], WINDOW, "instance");
    let all = query::under_policies(&[], WINDOW);
    lines("Share of requests denied", "percentunit", "By proxy; of a sidecar's, those for its workload")
        .query(format!("{denied} / {all}"), "{{instance}}")
}

fn audits() -> Panel {
    by_policy(
        "Audited by policy",
        AuthzStat::Audited,
        "Requests a second that a rule of an AUDIT policy marks",
    )
}

fn disagreements() -> Panel {
    let description = "Requests a second of which the verdict would be another if the policy were enforced";
    by_policy("Disagreements", AuthzStat::Disagreements, description)
}

fn dry_run() -> Panel {
    lines("Verdicts on dry run", "reqps", "What the policies on dry run would make of requests").query(
        query::rate(AUTHZ_DRY_RUN, &[], WINDOW, "authz_dry_run_action, authz_dry_run_result"),
        "{{authz_dry_run_action}} {{authz_dry_run_result}}",
    )
}

fn fault(stat: FaultStat) -> String {
    format!("{FAULT_PREFIX}{}", stat.metric())
}

fn active() -> Panel {
    lines("Requests under a fault", "short", "Held, or aborted and not yet gone, by VirtualService")
        .query(query::total(&fault(FaultStat::Active), &[], VIRTUAL_SERVICE), "{{virtual_service}}")
}

fn injected() -> Panel {
    let rate = |stat| query::rate(&fault(stat), &[], WINDOW, VIRTUAL_SERVICE);
    lines("Faults injected", "reqps", "By VirtualService; spared: there were too many under a fault already")
        .query(rate(FaultStat::Aborts), "{{virtual_service}} aborts")
        .query(rate(FaultStat::Delays), "{{virtual_service}} delays")
        .query(rate(FaultStat::Overflow), "{{virtual_service}} spared")
}

fn tried_out() -> Panel {
    let rate = |stat| query::rate(&fault(stat), &[], WINDOW, VIRTUAL_SERVICE);
    lines("Faults on dry run", "reqps", "What would be injected")
        .query(rate(FaultStat::DryRunAborts), "{{virtual_service}} aborts")
        .query(rate(FaultStat::DryRunDelays), "{{virtual_service}} delays")
}

fn refusals() -> Panel {
    // No stat counts what the filters alone refuse.
    let description = "Requests a second that were answered by 401: by the filters, which refuse tokens so, or by the application behind them. The access log tells which";
    lines("Answers of 401", "reqps", description)
        .query(query::under_policies(&["response_code=\"401\""], WINDOW), "{{instance}}")
}

fn cache() -> Panel {
    let rate = |stat: JwtStat| query::rate(stat.name(), &[], WINDOW, "");
    lines("Tokens known from before", "reqps", "Verified tokens are kept; evicted: one made room for another")
        .query(rate(JwtStat::CacheHit), "known")
        .query(rate(JwtStat::CacheMiss), "new")
        .query(rate(JwtStat::CacheEvicted), "evicted")
}

fn tokens_tried_out() -> Panel {
    lines("Refusals on dry run", "reqps", "What RequestAuthentications on dry run would refuse")
        .query(query::rate(DRY_RUN_DENIED, &[], WINDOW, REQUEST_AUTHENTICATION), "{{request_authentication}}")
}

fn fetches() -> Panel {
    let total = |stat: JwtStat| query::total(stat.name(), &[], "instance");
    lines("Fetches of keys", "short", "Since the proxy has started")
        .query(total(JwtStat::FetchSuccess), "{{instance}} good")
        .query(total(JwtStat::FetchFailed), "{{instance}} failed")
}

fn series() -> Panel {
    lines("Series", "short", "Label sets of Istio's metrics, by proxy")
        .query(query::total(telemetry::SERIES, &[], "instance"), "{{instance}}")
}

fn overflow() -> Panel {
    lines(
        "Beyond the bound",
        "reqps",
        "Requests a second whose labels found no room, and which count as `overflow`",
    )
    .query(query::rate(telemetry::SERIES_OVERFLOW, &[], WINDOW, "instance"), "{{instance}}")
}

fn vms() -> Panel {
    let description =
        "By proxy; no line: no module has been loaded, and requests fail. Crashed ones may be among them";
    lines("WebAssembly VMs", "short", description).query(query::total(VMS, &[], "instance"), "{{instance}}")
}

fn crashes() -> Panel {
    let description = "Since the proxy has started: modules that could not be fetched; VMs that took the place of a crashed one, and requests in between";
    lines("Modules not fetched, VMs crashed", "short", description)
        .query(query::total(MODULES_NOT_FETCHED, &[], "instance"), "{{instance}} not fetched")
        .query(query::total(&query::named(RELOADS), &[], "instance"), "{{instance}} crashed")
}
