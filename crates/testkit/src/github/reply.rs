//! Answers of the API before they are rendered as bytes.

use serde_json::{Value, json};

/// An answer with a status of success.
pub(crate) struct Reply {
    /// The path in GitHub's description, below `/repos/{owner}/{repo}`; the whole path after a `!`.
    pub(crate) path: &'static str,
    pub(crate) status: u16,
    pub(crate) body: Body,
}

pub(crate) enum Body {
    /// No body, as in an answer with status 204.
    Empty,
    /// A single JSON value.
    Value(Value),
    /// A list, which is paged.
    List(Vec<Value>),
    /// A paged list below a key, and the other fields of its object.
    Wrapped(&'static str, Vec<Value>, Value),
    /// The bytes of a file.
    Raw(Vec<u8>),
}

impl Reply {
    pub(crate) fn value(path: &'static str, status: u16, value: Value) -> Result<Self, Refusal> {
        let body = Body::Value(value);
        Ok(Self { path, status, body })
    }

    pub(crate) fn list(path: &'static str, values: Vec<Value>) -> Result<Self, Refusal> {
        let body = Body::List(values);
        Ok(Self {
            path,
            status: 200,
            body,
        })
    }

    pub(crate) fn wrapped(
        path: &'static str,
        key: &'static str,
        values: Vec<Value>,
        fields: Value,
    ) -> Result<Self, Refusal> {
        let body = Body::Wrapped(key, values, fields);
        Ok(Self {
            path,
            status: 200,
            body,
        })
    }

    pub(crate) fn empty(path: &'static str) -> Result<Self, Refusal> {
        let body = Body::Empty;
        Ok(Self {
            path,
            status: 204,
            body,
        })
    }
}

/// A refusal, with GitHub's text where a client may depend on it.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) body: Value,
}

impl Refusal {
    pub(crate) fn new(status: u16, message: &str) -> Self {
        let body = json!({
            "message": message,
            "documentation_url": "https://docs.github.com/rest",
            "status": status.to_string(),
        });
        Self { status, body }
    }

    pub(crate) fn not_found() -> Self {
        Self::new(404, "Not Found")
    }

    pub(crate) fn not_permitted() -> Self {
        Self::new(403, "Resource not accessible by integration")
    }

    /// 422 with one error about a resource.
    pub(crate) fn invalid(resource: &str, field: &str, message: &str) -> Self {
        let mut refusal = Self::new(422, "Validation Failed");
        refusal.body["errors"] = json!([{
            "resource": resource, "code": "custom", "field": field, "message": message,
        }]);
        refusal
    }
}
