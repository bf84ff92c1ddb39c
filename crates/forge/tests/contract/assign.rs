//! Assignees and reviewers of pull requests.

use patchgate_forge::Forge as _;
use patchgate_forge::publish::Publisher;

use crate::bed::{Bed, client, only, proposal, run};

pub(crate) async fn assignees_are_added_when_none_is_there(bed: &impl Bed) {
    run(bed, "2").await;
    bed.let_see_permissions();
    let (_, number, _) = only(bed).await;
    let (wanted, commit) = proposal(bed, "2").await;
    let forge = bed.forge();
    let http = client();
    let publisher = Publisher {
        forge,
        identity: bed.identity(),
        http: &http,
        target: bed.target(),
        base: "main",
        labels: &["security".to_owned()],
    };
    let done = publisher
        .publish(&wanted, std::slice::from_ref(&commit))
        .await
        .unwrap();
    let assign = async |logins: &[&str]| {
        let logins: Vec<String> = logins.iter().map(|&login| login.to_owned()).collect();
        publisher.assign(&done, &logins).await
    };
    let assigned = async || {
        forge.open_requests("main").await.unwrap()[0]
            .assignees
            .clone()
    };

    // An account that does not exist is a warning, and nothing else is lost.
    let errors = assign(&["nobody-of-this-name"]).await;
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert!(
        errors[0].starts_with("Nobody could be assigned: "),
        "{errors:?}"
    );
    assert_eq!(assigned().await, Vec::<String>::new());

    assert_eq!(assign(&["jane"]).await, Vec::<String>::new());
    assert_eq!(assigned().await, ["jane"]);
    bed.proxy().arm(None);
    assert_eq!(assign(&["Jane", "other"]).await, Vec::<String>::new());
    assert_eq!(bed.proxy().writes(), 0, "one of them is assigned already");
    assert_eq!(assign(&[]).await, Vec::<String>::new());
    assert_eq!(assigned().await, ["jane"]);
    assert!(bed.state(number).0);
    assert_eq!(bed.violations(), Vec::<String>::new());
}

pub(crate) async fn reviewers_are_asked_once(bed: &impl Bed) {
    run(bed, "2").await;
    bed.let_see_permissions();
    let (_, number, _) = only(bed).await;
    let forge = bed.forge();
    let ask = async |logins: &[&str]| {
        let logins: Vec<String> = logins.iter().map(|&login| login.to_owned()).collect();
        forge.ask_to_review(number, &logins).await
    };

    assert!(ask(&["nobody-of-this-name"]).await.is_err());
    ask(&["jane"]).await.unwrap();
    bed.proxy().arm(None);
    ask(&["jane"]).await.unwrap();
    ask(&["Jane", "other"]).await.unwrap();
    assert_eq!(bed.proxy().writes(), 0, "one of them is asked already");
    ask(&[]).await.unwrap();
    assert_eq!(bed.violations(), Vec::<String>::new());
}
