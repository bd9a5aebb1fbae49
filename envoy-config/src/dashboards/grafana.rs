//! Grafana's dashboards, as far as ours have a use for them.

use serde::Serialize;
use serde_json::{Value, json};

/// The version of Grafana's format: that of Grafana 10.4 and 11.
const SCHEMA: u32 = 39;

/// Columns of Grafana's grid.
const COLUMNS: u32 = 24;

/// A dashboard.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Dashboard {
    uid: &'static str,
    title: &'static str,
    description: &'static str,
    tags: [&'static str; 2],
    schema_version: u32,
    version: u32,
    editable: bool,
    refresh: &'static str,
    time: Value,
    timezone: &'static str,
    templating: Templating,
    panels: Vec<Panel>,
    /// Where the next row begins.
    #[serde(skip)]
    bottom: u32,
}

#[derive(Debug, Clone, Serialize)]
struct Templating {
    list: Vec<Value>,
}

/// A panel, or the heading of a row of them.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Panel {
    id: u32,
    #[serde(rename = "type")]
    kind: &'static str,
    title: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    datasource: Option<Value>,
    grid_pos: Place,
    targets: Vec<Target>,
    #[serde(skip_serializing_if = "Value::is_null")]
    field_config: Value,
    #[serde(skip_serializing_if = "Value::is_null")]
    options: Value,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    transformations: Vec<Value>,
}

#[derive(Debug, Clone, Copy, Default, Serialize)]
struct Place {
    x: u32,
    y: u32,
    w: u32,
    h: u32,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Target {
    ref_id: String,
    datasource: Value,
    expr: String,
    legend_format: &'static str,
    /// One value now, and not a line.
    instant: bool,
    range: bool,
    format: &'static str,
}

/// The data source that the user has chosen.
fn chosen() -> Value {
    json!({"type": "prometheus", "uid": "${datasource}"})
}

impl Dashboard {
    /// An empty one, with the choice of a data source.
    pub(super) fn new(uid: &'static str, title: &'static str, description: &'static str) -> Self {
        let datasource = json!({
            "name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus", "current": {},
            "hide": 0, "includeAll": false, "multi": false, "refresh": 1
        });
        Self {
            uid,
            title,
            description,
            tags: ["outrigger", "istio"],
            schema_version: SCHEMA,
            version: 1,
            editable: true,
            refresh: "15s",
            time: json!({"from": "now-30m", "to": "now"}),
            timezone: "browser",
            templating: Templating { list: vec![datasource] },
            panels: Vec::new(),
            bottom: 0,
        }
    }

    /// With a variable whose values are those of a label of `series`. `all`: several of them, or all, can be chosen.
    pub(super) fn variable(
        mut self,
        name: &'static str,
        shown: &str,
        series: &str,
        label: &str,
        all: bool,
    ) -> Self {
        let query = format!("label_values({series}, {label})");
        self.templating.list.push(json!({
            "name": name, "label": shown, "type": "query", "datasource": chosen(), "definition": query,
            "query": {"query": query, "refId": name}, "refresh": 2, "sort": 1, "hide": 0, "multi": all,
            "includeAll": all, "allValue": if all { json!(".*") } else { Value::Null },
            "current": if all { json!({"selected": true, "text": ["All"], "value": ["$__all"]}) } else { json!({}) }
        }));
        self
    }

    /// With a variable whose values a regular expression takes out of the series that `query` brings. Several, or all, can
    /// be chosen.
    pub(super) fn variable_of(mut self, name: &'static str, shown: &str, query: &str, regex: &str) -> Self {
        let query = format!("query_result({query})");
        self.templating.list.push(json!({
            "name": name, "label": shown, "type": "query", "datasource": chosen(), "definition": query,
            "query": {"query": query, "refId": name}, "regex": regex, "refresh": 2, "sort": 1, "hide": 0, "multi": true,
            "includeAll": true, "allValue": ".*",
            "current": {"selected": true, "text": ["All"], "value": ["$__all"]}
        }));
        self
    }

    /// With the choice of who has reported.
    pub(super) fn reporter(mut self) -> Self {
        let option =
            |value: &str, selected: bool| json!({"selected": selected, "text": value, "value": value});
        self.templating.list.push(json!({
            "name": "reporter", "label": "Reporter", "type": "custom", "query": "source,destination,waypoint",
            "current": {"selected": true, "text": ["source", "destination"], "value": ["source", "destination"]},
            "options": [option("source", true), option("destination", true), option("waypoint", false)],
            "hide": 0, "multi": true, "includeAll": false
        }));
        self
    }

    /// With a heading and panels below it, as wide as they can be beside each other.
    pub(super) fn row(mut self, title: &str, panels: Vec<Panel>) -> Self {
        let heading =
            Panel { grid_pos: Place { w: COLUMNS, h: 1, ..Place::default() }, ..Panel::heading(title) };
        self.place(heading, 0);
        self.bottom += 1;
        let width = COLUMNS / u32::try_from(panels.len()).unwrap_or(1).max(1);
        let height = panels.iter().map(|panel| panel.grid_pos.h).max().unwrap_or(0);
        for (panel, x) in panels.into_iter().zip((0..COLUMNS).step_by(width as usize)) {
            let place = Place { w: width, h: height, ..Place::default() };
            self.place(Panel { grid_pos: place, ..panel }, x);
        }
        self.bottom += height;
        self
    }

    fn place(&mut self, mut panel: Panel, x: u32) {
        panel.id = u32::try_from(self.panels.len()).unwrap_or(u32::MAX) + 1;
        (panel.grid_pos.x, panel.grid_pos.y) = (x, self.bottom);
        self.panels.push(panel);
    }
}

impl Panel {
    fn heading(title: &str) -> Self {
        Self {
            id: 0,
            kind: "row",
            title: title.to_owned(),
            description: None,
            datasource: None,
            grid_pos: Place::default(),
            targets: Vec::new(),
            field_config: Value::Null,
            options: Value::Null,
            transformations: Vec::new(),
        }
    }

    /// A panel of a kind, `height` rows high, without anything to show yet.
    pub(super) fn new(
        kind: &'static str,
        title: &str,
        unit: &str,
        description: &'static str,
        height: u32,
    ) -> Self {
        Self {
            kind,
            description: Some(description),
            datasource: Some(chosen()),
            grid_pos: Place { h: height, ..Place::default() },
            field_config: json!({"defaults": {"unit": unit}, "overrides": []}),
            ..Self::heading(title)
        }
    }

    /// Further options of its kind.
    pub(super) fn options(self, options: Value) -> Self {
        Self { options, ..self }
    }

    /// What is done to the answers before they are shown.
    pub(super) fn transformed(self, transformations: Vec<Value>) -> Self {
        Self { transformations, ..self }
    }

    /// Asks a query too, and calls its series by `legend`.
    pub(super) fn query(mut self, expr: String, legend: &'static str) -> Self {
        let number = u8::try_from(self.targets.len()).unwrap_or(25).min(25);
        let line = self.kind == "timeseries";
        self.targets.push(Target {
            ref_id: char::from(b'A' + number).to_string(),
            datasource: chosen(),
            expr,
            legend_format: legend,
            instant: !line,
            range: line,
            format: if self.kind == "table" { "table" } else { "time_series" },
        });
        self
    }
}
