//! Answers of the API before they are bytes.

use serde_json::{Value, json};

/// A good answer.
pub(crate) struct Reply {
    /// Path in GitHub's description, below `/repos/{owner}/{repo}`; whole when it starts with `!`.
    pub(crate) path: &'static str,
    pub(crate) status: u16,
    pub(crate) body: Body,
}

pub(crate) enum Body {
    /// Nothing (204).
    Empty,
    /// One value.
    Value(Value),
    /// A list, given in pages.
    List(Vec<Value>),
    /// A list below a key, given in pages, with what stands beside it.
    Wrapped(&'static str, Vec<Value>, Value),
    /// Bytes of a file.
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
        beside: Value,
    ) -> Result<Self, Refusal> {
        let body = Body::Wrapped(key, values, beside);
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

/// A refusal, in GitHub's words where a client may look at them.
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
