//! One request to a repository, and the values that most answers have.

use serde_json::{Value, json};

use super::reply::Refusal;
use super::state::{Account, Hosted, Permission};
use crate::Request;

/// A request of a known account about a known repository.
pub(crate) struct Call<'a> {
    pub(crate) request: &'a Request,
    pub(crate) account: &'a Account,
    pub(crate) full_name: &'a str,
    pub(crate) hosted: &'a mut Hosted,
    pub(crate) public_url: &'a str,
    pub(crate) server_url: &'a str,
}

impl Call<'_> {
    pub(crate) fn require(&self, permission: Permission) -> Result<(), Refusal> {
        if self.account.may_write.contains(&permission) {
            Ok(())
        } else {
            Err(Refusal::not_permitted())
        }
    }

    /// A required text in the request's body.
    pub(crate) fn text(&self, body: &Value, field: &'static str) -> Result<String, Refusal> {
        body[field]
            .as_str()
            .map(str::to_owned)
            .ok_or_else(|| Refusal::invalid("Request", field, &format!("{field} is missing")))
    }

    /// The commit that a hash, a branch or a full reference names.
    pub(crate) fn commit_sha(&self, revision: &str) -> Option<String> {
        if revision.starts_with('-') {
            return None;
        }

        let repository = &self.hosted.repository;
        [
            format!("refs/heads/{revision}"),
            format!("refs/{revision}"),
            revision.to_owned(),
        ]
        .iter()
        .find_map(|name| {
            let commit = format!("{name}^{{commit}}");
            repository
                .try_git(&["rev-parse", "--verify", "--quiet", &commit], b"")
                .ok()
        })
        .map(|sha| String::from_utf8_lossy(&sha).trim().to_owned())
    }

    pub(crate) fn repository_value(&self) -> Value {
        let (owner, name) = self.full_name.split_once('/').unwrap_or_default();
        json!({
            "id": Account::id_of(self.full_name),
            "name": name,
            "full_name": self.full_name,
            "owner": user(owner),
            "private": false,
            "fork": false,
            "default_branch": "main",
            "has_issues": self.hosted.issues.is_some(),
            "html_url": format!("{}/{}", self.server_url, self.full_name),
            "clone_url": format!("{}/{}.git", self.server_url, self.full_name),
            "url": self.url(""),
        })
    }

    /// The address of a part of this repository in the API.
    pub(crate) fn url(&self, rest: &str) -> String {
        format!("{}/repos/{}{rest}", self.public_url, self.full_name)
    }
}

/// An account as others see it.
pub(crate) fn user(login: &str) -> Value {
    let kind = if login.ends_with("[bot]") {
        "Bot"
    } else {
        "User"
    };
    json!({"login": login, "id": Account::id_of(login), "type": kind, "site_admin": false})
}

/// An app as others see it. The id of GitHub Actions is the real one.
pub(crate) fn app(slug: &str) -> Value {
    json!({"id": app_id(slug), "slug": slug, "name": slug, "owner": user("github")})
}

/// The number of an app.
pub(crate) fn app_id(slug: &str) -> u64 {
    if slug == "github-actions" {
        15_368
    } else {
        Account::id_of(slug)
    }
}

/// A time that grows with `count` and does not depend on the clock.
pub(crate) fn time(count: u64) -> String {
    let (minutes, seconds) = (count / 60, count % 60);
    let (hours, minutes) = (minutes / 60 % 24, minutes % 60);
    format!("2024-01-01T{hours:02}:{minutes:02}:{seconds:02}Z")
}
