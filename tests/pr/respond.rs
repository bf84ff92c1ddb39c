//! `patchgate respond`: commands in comments, on a real Gitea and on an event of a fake GitHub.

use patchgate_testkit::{Account, GiteaUser, Permission, call_api};
use serde_json::json;

use super::gitea::OnGitea;
use crate::support::forge_sandbox::{ForgeSandbox, REPO, TOKEN, reasons_against, writer};

/// Comments on pull requests of the Gitea repository.
impl OnGitea {
    fn comment(&self, author: &GiteaUser, number: u64, text: &str) -> u64 {
        let path = format!("/repos/jane/storefront/issues/{number}/comments");
        let body = json!({ "body": text });
        let comment = self.server.expect(author, "POST", &path, &body, 201);
        comment["id"].as_u64().unwrap()
    }

    fn texts(&self, number: u64) -> Vec<String> {
        let comments = self.get(&format!("/issues/{number}/comments"));
        let comments = comments.as_array().unwrap().iter();
        comments
            .map(|comment| comment["body"].as_str().unwrap().to_owned())
            .collect()
    }

    /// Writes a command as the owner, lets Patchgate answer, and returns the answer.
    #[track_caller]
    fn command(&self, number: u64, text: &str) -> String {
        let id = self.comment(&self.person, number, text);
        self.check_out();
        let argument = number.to_string();
        self.run("respond", &["--pull-request", &argument, "repo"])
            .expect(0);
        let mark = format!("<!-- patchgate:comment answer-{id} -->");
        let mut answers = self.texts(number);
        answers.retain(|text| text.starts_with(&mark));
        assert_eq!(answers.len(), 1, "{answers:#?}");
        answers.remove(0)
    }

    fn labels(&self, number: u64) -> Vec<String> {
        let pull = self.pull(number);
        let labels = pull["labels"].as_array().unwrap().iter();
        labels
            .map(|label| label["name"].as_str().unwrap().to_owned())
            .collect()
    }
}

#[test]
fn commands_of_people_who_may_write_are_carried_out_once() {
    let Some(forge) = OnGitea::new() else {
        return;
    };
    let role = json!({ "permission": "admin" });
    let path = format!("/repos/jane/storefront/collaborators/{}", forge.bot.login);
    forge.server.expect(&forge.person, "PUT", &path, &role, 204);
    forge.pr(&[], "opened #1 ");

    // A hold is a label that the gate understands. Its reason mentions nobody.
    let answer = forge.command(1, "/patchgate hold until @joe says\n/close");
    assert!(answer.contains("Held: "), "{answer}");
    assert!(
        answer.contains("Reason: until @&#8203;joe says"),
        "{answer}"
    );
    assert_eq!(forge.labels(1), ["hold"]);
    let gate = ["--pull-request", "1", "--format", "json"];
    assert!(reasons_against(&forge.run("gate", &gate)).contains(&"hold".to_owned()));
    let before = forge.texts(1);
    forge
        .run("respond", &["--pull-request", "1", "repo"])
        .expect(0);
    forge.run("respond", &["--all", "repo"]).expect(0);
    assert_eq!(forge.texts(1), before, "a command is answered once");
    assert!(
        forge
            .command(1, "/patchgate resume")
            .contains("Resumed: `hold`")
    );
    assert!(forge.labels(1).is_empty());

    // An answer that is lost is written again, and undoes nothing that came later.
    let answers = forge.get("/issues/1/comments");
    let held = answers.as_array().unwrap().iter().find(|comment| {
        let text = comment["body"].as_str().unwrap();
        text.contains("Held: ")
    });
    let path = format!(
        "/repos/jane/storefront/issues/comments/{}",
        held.unwrap()["id"]
    );
    forge
        .server
        .expect(&forge.person, "DELETE", &path, &json!(null), 204);
    forge
        .run("respond", &["--pull-request", "1", "repo"])
        .expect(0);
    let last = forge.texts(1).pop().unwrap();
    assert!(last.contains("a later command was carried out"), "{last}");
    assert!(forge.labels(1).is_empty());

    // People who may not write, edited comments, and texts that are no commands.
    let stranger = forge.server.user("mallory", "all");
    forge.comment(&stranger, 1, "/patchgate hold it");
    forge.comment(&forge.person, 1, "> /patchgate hold it");
    let edited = forge.comment(&forge.person, 1, "thanks");
    // Gitea's times have whole seconds.
    std::thread::sleep(std::time::Duration::from_millis(1_100));
    let path = format!("/repos/jane/storefront/issues/comments/{edited}");
    let body = json!({ "body": "/patchgate hold it" });
    forge
        .server
        .expect(&forge.person, "PATCH", &path, &body, 200);
    let before = forge.texts(1);
    let run = forge
        .run("respond", &["--pull-request", "1", "repo"])
        .expect(0);
    assert!(
        run.stdout
            .contains("#1: not obeyed, its author may not write"),
        "{run:?}"
    );
    assert!(
        run.stdout
            .contains("#1: not obeyed, the comment was edited"),
        "{run:?}"
    );
    assert_eq!(forge.texts(1), before);
    assert!(forge.labels(1).is_empty());

    let answer = forge.command(1, "/patchgate merge @joe");
    assert!(
        answer.contains("Not done: there is no command merge.\n\nThe commands are"),
        "{answer}"
    );
    let answer = forge.command(1, "/patchgate explain CVE-2020-11023");
    assert!(answer.contains("CVE-2020-11023"), "{answer}");
    assert!(answer.contains("jquery"), "{answer}");
    let answer = forge.command(1, "/patchgate explain CVE-1999-0001");
    assert!(
        answer.contains("Not done: no record has the id"),
        "{answer}"
    );
    let answer = forge.command(1, "/patchgate approve");
    assert!(answer.contains("Approve in a review"), "{answer}");
    assert!(
        forge
            .command(1, "/patchgate rollback")
            .contains("Not done: the pull request is not merged")
    );
}

#[test]
fn what_changes_the_repository_is_proposed_and_never_pushed_to_the_base() {
    let Some(forge) = OnGitea::new() else {
        return;
    };
    let role = json!({ "permission": "admin" });
    let path = format!("/repos/jane/storefront/collaborators/{}", forge.bot.login);
    forge.server.expect(&forge.person, "PUT", &path, &role, 204);
    forge.pr(&[], "opened #1 ");
    let head = |number: u64| {
        let sha = forge.pull(number)["head"]["sha"].clone();
        sha.as_str().unwrap().to_owned()
    };
    let first = head(1);

    // The same code as `pr` renews the branch when the base moved.
    let answer = forge.command(1, "/patchgate rebase");
    assert!(answer.contains("Nothing changed"), "{answer}");
    let main = forge
        .repository
        .commit("main", "a note", &[("NOTES.md", b"x\n")]);
    let answer = forge.command(1, "/patchgate recreate");
    assert!(answer.contains("The branch is renewed"), "{answer}");
    assert_ne!(head(1), first);

    // An ignore entry is a pull request of its own.
    let text = "/patchgate ignore CVE-2020-11023 until 2099-01-31 because \"it\" is: #1 of @joe";
    let answer = forge.command(1, text);
    assert!(answer.contains("#2 proposes it."), "{answer}");
    let pull = forge.pull(2);
    assert_eq!(pull["title"], "Accept CVE-2020-11023 until 2099-01-31");
    let body = pull["body"].as_str().unwrap();
    assert!(body.contains("#&#8203;1 of @&#8203;joe"), "{body}");
    let settings = |commit: &str| {
        forge.repository.fetch();
        let bytes = forge
            .repository
            .scratch()
            .file(commit, ".patchgate.yml")
            .unwrap();
        String::from_utf8(bytes).unwrap()
    };
    let proposed = settings(&head(2));
    let entry = "\nignore:\n  - id: \"CVE-2020-11023\"\n    until: 2099-01-31\n    reason: \"\\\"it\\\" is: #1 of @joe\"\n";
    assert_eq!(proposed, format!("{}{entry}", settings(&main)));
    assert_eq!(forge.repository.tip("main"), Some(main));
    let again = forge.command(1, text);
    assert!(again.contains("#2 proposes it."), "{again}");
    assert_eq!(forge.get("/pulls?state=all").as_array().unwrap().len(), 2);
    let past = forge.command(1, "/patchgate ignore CVE-1 until 2020-01-01 because late");
    assert!(
        past.contains("Not done: 2020-01-01 is in the past"),
        "{past}"
    );

    // The way back from a merge, too.
    let locked = |commit: &str| {
        forge.repository.fetch();
        forge
            .repository
            .scratch()
            .file(commit, "package-lock.json")
            .unwrap()
    };
    let before = locked(&forge.repository.tip("main").unwrap());
    let merge = json!({ "Do": "merge" });
    let path = "/repos/jane/storefront/pulls/1/merge";
    // The server finds out in the background whether a pull request can be merged.
    let is_merged = (0..50).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(200));
        forge.server.call(&forge.person, "POST", path, &merge).0 == 200
    });
    assert!(is_merged);
    let merged = forge.repository.tip("main").unwrap();
    assert!(locked(&merged) != before);
    let answer = forge.command(1, "/patchgate rollback");
    assert!(answer.contains("#3 proposes it."), "{answer}");
    assert!(locked(&head(3)) == before);
    assert_eq!(forge.repository.tip("main"), Some(merged));

    // Nothing is overwritten that changed since.
    forge
        .repository
        .commit("main", "more", &[("package-lock.json", b"{}\n")]);
    let answer = forge.command(1, "/patchgate rollback");
    assert!(answer.contains("has changed since the merge"), "{answer}");
}

#[test]
fn an_event_answers_its_own_comment_as_it_was_written() {
    const PERSON: &str = "ghp_jane0123456789";
    let person = Account {
        login: "jane".to_owned(),
        token: PERSON.to_owned(),
        app: None,
        may_write: vec![Permission::Issues],
    };
    let Some(mut forge) = ForgeSandbox::new(vec![writer(), person]) else {
        return;
    };
    forge.sandbox.set("GITHUB_TOKEN", TOKEN);
    forge.github.let_write(REPO, "jane");
    forge.repository.commit("main", "start", &[("a", b"a\n")]);
    forge.repository.git(&["branch", "feature", "main"]);
    forge.repository.commit("feature", "more", &[("a", b"b\n")]);
    let number = forge.open_pull_request("feature").number;
    let comment = |text: &str| {
        let path = format!("/repos/{REPO}/issues/{number}/comments");
        let body = json!({ "body": text });
        let (status, answer) = call_api(&forge.github.api_url(), PERSON, "POST", &path, &body);
        assert_eq!(status, 201, "{answer:#}");
        answer["id"].as_u64().unwrap()
    };
    let other = comment("/patchgate hold another one");
    let own = comment("/patchgate hold this one");
    let path = forge.sandbox.path("event.json");
    forge
        .sandbox
        .set("GITHUB_EVENT_PATH", path.to_str().unwrap());
    let respond = |action: &str, id: u64, text: &str| {
        let event = json!({
            "action": action, "issue": { "number": number, "pull_request": {} },
            "comment": { "id": id, "body": text },
        });
        std::fs::write(&path, event.to_string()).unwrap();
        forge.run("respond", &[]).expect(0)
    };

    let run = respond("edited", own, "/patchgate hold this one");
    assert!(
        run.stdout.starts_with("nothing to answer: an edited"),
        "{run:?}"
    );
    let run = respond("created", own, "/patchgate rollback");
    assert!(
        run.stdout
            .contains("not obeyed, the comment was edited: `/patchgate hold this"),
        "{run:?}"
    );
    assert!(forge.pull(number).labels.is_empty());
    respond("created", own, "/patchgate hold this one");
    respond("created", own, "/patchgate hold this one");
    let comments = forge.github.comments(REPO);
    let answers: Vec<&String> = comments
        .iter()
        .filter(|comment| comment.author != "jane")
        .map(|comment| &comment.body)
        .collect();
    let [answer] = &answers[..] else {
        panic!("{answers:#?}");
    };
    assert!(answer.contains(&format!("answer-{own} ")), "{answer}");
    assert!(!answer.contains(&format!("answer-{other} ")), "{answer}");
    assert!(forge.pull(number).labels.contains("hold"));
    forge.assert_contract_kept();
}
