//! GitHub's OpenAPI description, reduced to the paths that are served, and made stricter.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::OnceLock;

use serde_json::{Map, Value, json};

/// The paths below `/repos/{owner}/{repo}` that the fake serves. A request to any other path
/// is answered by the contract proxy with 404, and so shows up as a violation.
const REPOSITORY_PATHS: &[&str] = &[
    "",
    "/actions/runs",
    "/actions/runs/{run_id}/jobs",
    "/branches",
    "/branches/{branch}",
    "/branches/{branch}/protection",
    "/check-runs",
    "/check-runs/{check_run_id}",
    "/collaborators/{username}/permission",
    "/commits",
    "/commits/{ref}",
    "/commits/{ref}/check-runs",
    "/commits/{ref}/check-suites",
    "/commits/{ref}/status",
    "/commits/{ref}/statuses",
    "/compare/{basehead}",
    "/contents/{path}",
    "/git/blobs/{file_sha}",
    "/git/commits/{commit_sha}",
    "/git/matching-refs/{ref}",
    "/git/ref/{ref}",
    "/git/refs",
    "/git/refs/{ref}",
    "/git/trees/{tree_sha}",
    "/issues",
    "/issues/comments/{comment_id}",
    "/issues/{issue_number}",
    "/issues/{issue_number}/assignees",
    "/issues/{issue_number}/comments",
    "/issues/{issue_number}/labels",
    "/issues/{issue_number}/labels/{name}",
    "/labels",
    "/labels/{name}",
    "/pulls",
    "/pulls/{pull_number}",
    "/pulls/{pull_number}/commits",
    "/pulls/{pull_number}/files",
    "/pulls/{pull_number}/merge",
    "/pulls/{pull_number}/requested_reviewers",
    "/pulls/{pull_number}/reviews",
    "/rules/branches/{branch}",
    "/statuses/{sha}",
];

/// Paths outside a repository.
const OTHER_PATHS: &[&str] = &["/user", "/rate_limit"];

/// The description, read once for each test binary because the file is large.
static CONTRACT: OnceLock<Contract> = OnceLock::new();

/// GitHub's description, reduced to these paths.
pub(crate) struct Contract {
    description: Value,
}

impl Contract {
    /// The description in `file`.
    pub(crate) fn load(file: &Path) -> &'static Self {
        CONTRACT.get_or_init(|| {
            let text =
                std::fs::read(file).unwrap_or_else(|error| panic!("`{}`: {error}", file.display()));
            let whole: Value = serde_json::from_slice(&text)
                .unwrap_or_else(|error| panic!("`{}`: {error}", file.display()));
            Self {
                description: cut(whole),
            }
        })
    }

    /// The description as text, for the contract proxy.
    pub(crate) fn text(&self) -> String {
        self.description.to_string()
    }

    /// Adds fields that an answer must have by its schema and that do not matter here: addresses,
    /// counters, flags. Fields that exist are not changed.
    pub(crate) fn complete(&self, method: &str, path: &str, status: u16, body: &mut Value) {
        let responses = &self.description["paths"][path][method]["responses"];
        let response = self.resolve(&responses[status.to_string()]);
        let schema = &response["content"]["application/json"]["schema"];
        if !schema.is_null() {
            self.fill(schema, body, 0);
        }
    }

    fn resolve<'a>(&'a self, value: &'a Value) -> &'a Value {
        match value["$ref"].as_str() {
            Some(reference) => self
                .description
                .pointer(reference.trim_start_matches('#'))
                .unwrap_or(&Value::Null),
            None => value,
        }
    }

    fn fill(&self, schema: &Value, value: &mut Value, depth: u32) {
        let schema = self.resolve(schema);
        if depth > 12 || value.is_null() {
            return;
        }

        for part in schema["allOf"].as_array().into_iter().flatten() {
            self.fill(part, value, depth + 1);
        }
        for choice in ["anyOf", "oneOf"] {
            let fitting = schema[choice]
                .as_array()
                .into_iter()
                .flatten()
                .find(|option| fits(self.resolve(option), value));
            if let Some(option) = fitting {
                self.fill(option, value, depth + 1);
            }
        }

        match value {
            Value::Object(object) => {
                self.fill_object(schema, object, depth);
            }
            Value::Array(items) => {
                for item in items {
                    self.fill(&schema["items"], item, depth + 1);
                }
            }
            _ => {}
        }
    }

    fn fill_object(&self, schema: &Value, object: &mut Map<String, Value>, depth: u32) {
        let properties = &schema["properties"];
        for name in schema["required"].as_array().into_iter().flatten() {
            let name = name.as_str().unwrap_or_default();
            if !object.contains_key(name) {
                let filler = self.filler(&properties[name], depth + 1);
                object.insert(name.to_owned(), filler);
            }
        }

        for (name, value) in object {
            self.fill(&properties[name.as_str()], value, depth + 1);
        }
    }

    /// The plainest value that a schema takes.
    fn filler(&self, schema: &Value, depth: u32) -> Value {
        let schema = self.resolve(schema);
        if schema["nullable"] == true {
            return Value::Null;
        }
        if let Some(first) = schema["enum"]
            .as_array()
            .and_then(|options| options.first())
        {
            return first.clone();
        }

        let options = schema["anyOf"].as_array();
        if options.is_some_and(|options| options.contains(&json!({"enum": [null]}))) {
            return Value::Null;
        }

        for choice in ["allOf", "anyOf", "oneOf"] {
            if let Some(first) = schema[choice]
                .as_array()
                .and_then(|options| options.first())
                && schema["type"].is_null()
            {
                return self.filler(first, depth + 1);
            }
        }

        match schema["type"].as_str() {
            Some("string") => json!(match schema["format"].as_str() {
                Some("uri") => "http://github.invalid/",
                Some("date-time") => "2024-01-01T00:00:00Z",
                Some("email") => "nobody@example.invalid",
                _ => "",
            }),
            Some("integer" | "number") => schema["minimum"].as_u64().unwrap_or(0).into(),
            Some("boolean") => json!(false),
            Some("array") => json!([]),
            _ => {
                let mut object = json!({});
                self.fill(schema, &mut object, depth + 1);
                object
            }
        }
    }
}

fn fits(schema: &Value, value: &Value) -> bool {
    match schema["type"].as_str() {
        Some("object") => value.is_object(),
        Some("array") => value.is_array(),
        Some("string") => value.is_string(),
        Some("integer" | "number") => value.is_number(),
        Some("boolean") => value.is_boolean(),
        _ => true,
    }
}

/// Keeps the served paths and the components that they reach.
fn cut(whole: Value) -> Value {
    let mut paths = Map::new();
    let served = REPOSITORY_PATHS
        .iter()
        .map(|path| format!("/repos/{{owner}}/{{repo}}{path}"))
        .chain(OTHER_PATHS.iter().map(|path| (*path).to_owned()));
    for path in served {
        let mut item = whole["paths"][&path].clone();
        assert!(
            item.is_object(),
            "GitHub's description has no path `{path}`"
        );
        for (_, operation) in item.as_object_mut().into_iter().flatten() {
            tighten(operation);
        }
        paths.insert(path, item);
    }

    let mut components: BTreeMap<String, Map<String, Value>> = BTreeMap::new();
    let mut open: Vec<String> = Vec::new();
    let mut seen = BTreeSet::new();

    references(&Value::Object(paths.clone()), &mut open);
    while let Some(reference) = open.pop() {
        if !seen.insert(reference.clone()) {
            continue;
        }
        let Some((kind, name)) = reference
            .strip_prefix("#/components/")
            .and_then(|rest| rest.split_once('/'))
        else {
            continue;
        };
        let component = whole["components"][kind][name].clone();
        references(&component, &mut open);
        components
            .entry(kind.to_owned())
            .or_default()
            .insert(name.to_owned(), component);
    }

    let mut description = json!({
        "openapi": whole["openapi"],
        "info": whole["info"],
        "paths": paths,
        "components": components,
    });
    spell_out_null(&mut description);

    description
}

/// Replaces `nullable` next to a schema without a `type` by a choice that JSON Schema has.
///
/// The proxy's validator cannot compile `nullable` without `type`, and the proxy takes a schema that
/// does not compile for one that admits everything, without a word: half of GitHub's answers would
/// go unchecked.
fn spell_out_null(value: &mut Value) {
    match value {
        Value::Object(object) => {
            object.values_mut().for_each(spell_out_null);
            if object.get("nullable") != Some(&json!(true)) {
                return;
            }
            // The proxy adds the null itself, and then finds it twice in the list.
            if let Some(options) = object.get_mut("enum").and_then(Value::as_array_mut) {
                options.retain(|option| !option.is_null());
            }

            if !object.contains_key("type") {
                object.remove("nullable");
                let rest = std::mem::take(object);
                object.insert("anyOf".to_owned(), json!([rest, {"enum": [null]}]));
            }
        }
        Value::Array(items) => items.iter_mut().for_each(spell_out_null),
        _ => {}
    }
}

fn references(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(object) => {
            for (key, value) in object {
                match value.as_str() {
                    Some(reference) if key == "$ref" => found.push(reference.to_owned()),
                    // Examples are not validated against, and are most of the file.
                    _ if key == "examples" => {}
                    _ => references(value, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}

/// Lets an operation speak GitHub's own media type too, and refuses unknown fields in a request's
/// body: without that a misspelt field passes unseen.
fn tighten(operation: &mut Value) {
    let Some(operation) = operation.as_object_mut() else {
        return;
    };

    if let Some(content) = operation
        .get_mut("requestBody")
        .map(|body| &mut body["content"])
    {
        let schema = &mut content["application/json"]["schema"];
        if let Some(schema) = schema.as_object_mut() {
            // Alternatives only narrow the schema above them; where one has a field of its own,
            // refusing unknown fields here would refuse that field.
            let plain = schema.contains_key("properties")
                && ["oneOf", "anyOf", "allOf"].iter().all(|key| {
                    let options = schema.get(*key).and_then(Value::as_array);
                    options
                        .into_iter()
                        .flatten()
                        .filter_map(|option| option["properties"].as_object())
                        .flat_map(Map::keys)
                        .all(|name| schema["properties"].get(name).is_some())
                });

            if plain {
                schema.insert("additionalProperties".to_owned(), json!(false));
            }
        }
    }

    for (_, response) in operation
        .get_mut("responses")
        .and_then(Value::as_object_mut)
        .into_iter()
        .flatten()
    {
        drop_examples(response);
        if let Some(content) = response.get_mut("content").and_then(Value::as_object_mut)
            && let Some(json) = content.get("application/json").cloned()
        {
            content.insert("application/vnd.github+json".to_owned(), json);
            // The one answer with an object form has a raw form too, of which the description
            // speaks in its text alone.
            if content
                .keys()
                .any(|kind| kind.starts_with("application/vnd.github.object"))
            {
                content.insert("application/vnd.github.raw".to_owned(), json!({}));
            }
        }
    }
}

fn drop_examples(response: &mut Value) {
    for (_, media) in response
        .get_mut("content")
        .and_then(Value::as_object_mut)
        .into_iter()
        .flatten()
    {
        if let Some(media) = media.as_object_mut() {
            media.remove("examples");
        }
    }
}
