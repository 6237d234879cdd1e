//! What every forge holds, told as a story by two people.

use modelyard::forge::{
    Body, Deployment, DeploymentState, Forge, Marker, MergeState, PullRequest, State, Status,
    StatusState, Verdict, Wish,
};

/// A forge with the yard `acme/yard`, and what people do there by hand.
pub(crate) trait Stage {
    /// The forge, as we are.
    fn forge(&self) -> &dyn Forge;
    /// A new commit on a branch, which is made from main where there is none; its id.
    fn commit(&self, branch: &str) -> String;
    /// Somebody else, `reviewer`, approves.
    fn approve(&self, number: u64);
    /// Somebody merges.
    fn merge(&self, number: u64);
    /// Somebody removes a branch.
    fn remove_branch(&self, branch: &str);
    /// Somebody else, `reviewer`, comments.
    fn remark(&self, number: u64, text: &str);
    /// All comments, as they are.
    fn comments(&self, number: u64) -> Vec<String>;
    /// Its labels.
    fn labels(&self, number: u64) -> Vec<String>;
    /// Writes into a pull request's text.
    fn write(&self, number: u64, body: &str);
    /// The states of a commit's deployment in an environment, the newest first, where the forge
    /// has such.
    fn deployments(&self, _environment: &str) -> Option<Vec<String>> {
        None
    }
}

pub(crate) const BRANCH: &str = "promote/vision/digits/1.0.0";

pub(crate) fn wish(title: &str, section: &str) -> Wish {
    Wish {
        branch: BRANCH.to_owned(),
        base: "main".to_owned(),
        title: title.to_owned(),
        body: Body::new(section, Some("- [ ] read".to_owned())),
        draft: false,
    }
}

pub(crate) async fn open(stage: &dyn Stage, title: &str, section: &str) -> PullRequest {
    stage.forge().open(&wish(title, section)).await.unwrap()
}

/// All of it, from a branch to its merge and what comes after.
pub(crate) async fn holds(stage: &dyn Stage) {
    let forge = stage.forge();
    assert_eq!(forge.find(BRANCH).await.unwrap(), None);
    let head = stage.commit(BRANCH);
    let opened = open(stage, "Release it", "It is *good*.").await;
    assert_eq!(opened.state, State::Open);
    assert_eq!((&*opened.branch, &*opened.base), (BRANCH, "main"));
    assert_eq!((&*opened.title, &*opened.head), ("Release it", &*head));
    assert!(opened.url.contains("acme/yard"), "{}", opened.url);
    let number = opened.number;

    updated(stage, number).await;
    labelled_and_reviewed(stage, number).await;
    commented(stage, number).await;
    statuses(stage, &head).await;
    deployed(stage, &head).await;
    closed_and_reopened(stage, number).await;

    assert_eq!(forge.pull_request_of(&head).await.unwrap(), None);
    let last = forge.pull_request(number).await.unwrap().head;
    let at = forge.pull_request_at(&last).await.unwrap().unwrap();
    assert_eq!((at.number, at.state), (number, State::Open));
    assert_eq!(forge.pull_request_at(&"0".repeat(40)).await.unwrap(), None);
    merged(stage, number).await;
    assert_eq!(forge.find(BRANCH).await.unwrap().unwrap().number, number);

    // What comes after the merge is a new one, also where the branch was removed.
    stage.remove_branch(BRANCH);
    assert_eq!(forge.find(BRANCH).await.unwrap().unwrap().number, number);
    stage.commit(BRANCH);
    let next = open(stage, "Once more", "Again.").await;
    assert_ne!(next.number, number);
    assert_eq!(next.state, State::Open);
}

async fn merged(stage: &dyn Stage, number: u64) {
    let forge = stage.forge();
    stage.merge(number);
    let merged = forge.pull_request(number).await.unwrap();
    let State::Merged {
        commit: Some(commit),
    } = &merged.state
    else {
        panic!("{merged:?}");
    };
    assert_eq!(forge.pull_request_at(&merged.head).await.unwrap(), None);
    // By whom, and what, is told of the commit on main that brought it.
    let of = forge.pull_request_of(commit).await.unwrap().unwrap();
    assert_eq!((of.number, &of.url), (number, &merged.url));
    assert_eq!((&of.head, &*of.author), (&merged.head, "bot"));
    assert_eq!(of.state, merged.state);
    assert_eq!(forge.approvals(&of).await.unwrap(), ["reviewer"]);
    // A commit that nobody brought.
    let nobodys = "0".repeat(40);
    assert_eq!(forge.pull_request_of(&nobodys).await.unwrap(), None);
}

async fn updated(stage: &dyn Stage, number: u64) {
    let again = open(stage, "Release it", "It is *good*.").await;
    assert_eq!(again.number, number);
    let body = again.body.replace("\r\n", "\n");
    let ticked = body.replace("- [ ] read", "- [x] read\n\nSeen. ä");
    assert_ne!(body, ticked);
    stage.write(number, &ticked);
    let head = stage.commit(BRANCH);
    let updated = open(stage, "Release and name it", "It is **better**.").await;
    assert_eq!(
        (updated.number, &*updated.title),
        (number, "Release and name it")
    );
    let text = updated.body.replace("\r\n", "\n");
    assert!(text.contains("- [x] read\n\nSeen. ä"), "{text}");
    assert!(
        text.contains("It is **better**.") && !text.contains("*good*"),
        "{text}"
    );
    let found = stage.forge().pull_request(number).await.unwrap();
    assert_eq!(found.head, head);
    assert_ne!(found.merge_state, MergeState::Blocked);
}

async fn labelled_and_reviewed(stage: &dyn Stage, number: u64) {
    let forge = stage.forge();
    let labels = ["modelyard".to_owned(), "promote".to_owned()];
    for _ in 0..2 {
        forge.label(number, &labels).await.unwrap();
    }
    let mut known = stage.labels(number);
    known.sort();
    assert_eq!(known, labels);

    let names = ["reviewer".to_owned(), "nobody-of-that-name".to_owned()];
    for _ in 0..2 {
        let requested = forge.ask_for_review(number, &names).await.unwrap();
        assert_eq!(requested.asked, ["reviewer"]);
        assert_eq!(requested.unknown, ["nobody-of-that-name"]);
    }
    assert_eq!(forge.reviews(number).await.unwrap(), []);
    stage.approve(number);
    let reviews = forge.reviews(number).await.unwrap();
    let said: Vec<_> = reviews.iter().map(|one| (&*one.by, one.verdict)).collect();
    assert_eq!(said, [("reviewer", Verdict::Approved)]);
}

async fn commented(stage: &dyn Stage, number: u64) {
    let forge = stage.forge();
    let plan = Marker::new("plan".parse().unwrap());
    let rollout = Marker::new("rollout".parse().unwrap());
    let before = stage.comments(number).len();
    stage.remark(number, "<!-- modelyard:plan -->\nMine is as good.");
    forge.comment(number, &plan, "One | two").await.unwrap();
    forge.comment(number, &rollout, "5 %").await.unwrap();
    forge.comment(number, &plan, "Two | three").await.unwrap();
    forge.comment(number, &plan, "Two | three").await.unwrap();
    let comments = stage.comments(number);
    assert_eq!(
        comments[before..],
        [
            "<!-- modelyard:plan -->\nMine is as good.",
            "<!-- modelyard:plan -->\nTwo | three",
            "<!-- modelyard:rollout -->\n5 %",
        ]
    );
}

async fn statuses(stage: &dyn Stage, head: &str) {
    let forge = stage.forge();
    assert_eq!(forge.statuses(head).await.unwrap(), []);
    let mut status = Status {
        context: "modelyard/check".to_owned(),
        state: StatusState::Pending,
        description: "is looked at".to_owned(),
        url: None,
    };
    forge.set_status(head, &status).await.unwrap();
    let other = Status {
        context: "modelyard/plan".to_owned(),
        url: Some("https://yard.example.com/plan".to_owned()),
        ..status.clone()
    };
    forge.set_status(head, &other).await.unwrap();
    status.state = StatusState::Success;
    status.description = "all is well ".repeat(20).trim().to_owned();
    for _ in 0..2 {
        forge.set_status(head, &status).await.unwrap();
    }
    let mut said = forge.statuses(head).await.unwrap();
    said.sort_by(|one, two| one.context.cmp(&two.context));
    assert_eq!(said.len(), 2, "{said:?}");
    assert_eq!(said[0].state, StatusState::Success);
    assert_eq!(said[0].description.chars().count(), 140);
    assert_eq!(said[1], other);
}

async fn deployed(stage: &dyn Stage, head: &str) {
    let forge = stage.forge();
    let mut deployment = Deployment {
        commit: head.to_owned(),
        branch: "main".to_owned(),
        environment: "factory".to_owned(),
        state: DeploymentState::InProgress,
        description: "5 % of the requests".to_owned(),
        url: None,
    };
    assert_eq!(forge.deployment(head, "factory").await.unwrap(), None);
    for state in [
        DeploymentState::InProgress,
        DeploymentState::InProgress,
        DeploymentState::Success,
    ] {
        deployment.state = state;
        forge.tell_deployment(&deployment).await.unwrap();
        let (told, words) = forge.deployment(head, "factory").await.unwrap().unwrap();
        assert_eq!(told, state);
        assert!(
            words.is_empty() || words == deployment.description,
            "{words}"
        );
        assert_eq!(forge.deployment(head, "elsewhere").await.unwrap(), None);
    }
    // What is the same is told once.
    if let Some(states) = stage.deployments("factory") {
        assert_eq!(states.len(), 2, "{states:?}");
        assert_eq!(states[0], "success");
    }
}

async fn closed_and_reopened(stage: &dyn Stage, number: u64) {
    let forge = stage.forge();
    forge.set_open(number, false).await.unwrap();
    assert_eq!(
        forge.pull_request(number).await.unwrap().state,
        State::Closed
    );
    assert_eq!(forge.find(BRANCH).await.unwrap().unwrap().number, number);
    forge.set_open(number, true).await.unwrap();
    assert_eq!(forge.pull_request(number).await.unwrap().state, State::Open);
    // Whoever acts again on a branch whose pull request was closed means the same one.
    forge.set_open(number, false).await.unwrap();
    let again = open(stage, "Release and name it", "It is **better**.").await;
    assert_eq!((again.number, again.state), (number, State::Open));
}
