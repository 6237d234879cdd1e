//! What passes between us and a forge, in the same words for each.

use serde::Serialize;

/// Where our part of a pull request's text begins and ends; what is outside is people's.
const BEGIN: &str = "<!-- modelyard:begin -->";
const END: &str = "<!-- modelyard:end -->";

/// Where a template wants our part.
const PLACE: &str = "<!-- modelyard -->";

/// A pull request as it should be.
#[derive(Debug, Clone)]
pub struct Wish {
    /// The branch that has the change.
    pub branch: String,
    /// The branch that it is for.
    pub base: String,
    /// One line.
    pub title: String,
    /// The text.
    pub body: Body,
    /// Whether a new one is a draft.
    pub draft: bool,
}

/// The text of a pull request: ours, within what a template or people have around it.
#[derive(Debug, Clone)]
pub struct Body {
    section: String,
    template: Option<String>,
}

impl Body {
    /// `section` in Markdown, in the `template` of the yard where it has one: at
    /// `<!-- modelyard -->` if that stands in it, and before it otherwise.
    pub fn new(section: &str, template: Option<String>) -> Self {
        // Whoever can write the section could else end it early.
        let section = section.replace("<!--", "<!\u{200b}--");
        Self {
            section: format!("{BEGIN}\n{}\n{END}", section.trim_end()),
            template,
        }
    }

    /// The text of a new pull request.
    pub fn fresh(&self) -> String {
        match &self.template {
            None => self.section.clone(),
            Some(template) if template.contains(PLACE) => {
                template.replacen(PLACE, &self.section, 1)
            }
            Some(template) => format!("{}\n\n{template}", self.section),
        }
    }

    /// `text` with our part brought up to date; as it is where people took our part out.
    pub fn within(&self, text: &str) -> String {
        let text = text.replace("\r\n", "\n");
        let Some((before, rest)) = text.split_once(BEGIN) else {
            return if text.trim().is_empty() {
                self.fresh()
            } else {
                text
            };
        };
        let after = rest.split_once(END).map_or("", |(_, after)| after);
        format!("{before}{}{after}", self.section)
    }
}

/// A pull request as it is; GitLab calls it a merge request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PullRequest {
    /// Its number in the yard.
    pub number: u64,
    /// Its page.
    pub url: String,
    /// Its title.
    pub title: String,
    /// Its text.
    pub body: String,
    /// The branch that has the change.
    pub branch: String,
    /// The branch that it is for.
    pub base: String,
    /// The commit that it would merge.
    pub head: String,
    /// Who opened it.
    pub author: String,
    /// What became of it.
    pub state: State,
    /// Whether it can be merged now, as far as the forge says.
    pub merge_state: MergeState,
}

impl PullRequest {
    /// Who approves it as it is, of what was said of it: not its author, and nobody who looked at
    /// another commit, where the forge tells.
    pub(super) fn approved_by(&self, reviews: Vec<Review>) -> Vec<String> {
        let counts = |review: &Review| {
            let of_this = review.commit.as_ref().is_none_or(|one| *one == self.head);
            review.verdict == Verdict::Approved && of_this && review.by != self.author
        };
        let counted = reviews.into_iter().filter(counts);
        counted.map(|review| review.by).collect()
    }
}

/// What became of a pull request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "is")]
pub enum State {
    /// It waits for its review, or its merge.
    Open,
    /// It was closed, unmerged.
    Closed,
    /// It is on main.
    Merged {
        /// The commit that brought it, where the forge tells.
        commit: Option<String>,
    },
}

/// Whether a pull request can be merged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MergeState {
    /// Nothing is in the way that the forge knows of.
    Clean,
    /// A conflict, a draft, or a rule of the branch is in the way.
    Blocked,
    /// The forge has not made up its mind.
    Unknown,
}

/// Who was asked for a review.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Requested {
    /// Those who are asked now.
    pub asked: Vec<String>,
    /// Those whom the forge doesn't know here, or can't ask.
    pub unknown: Vec<String>,
}

/// Somebody's last word on a pull request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Review {
    /// Who.
    pub by: String,
    /// What they said.
    pub verdict: Verdict,
    /// The commit that they looked at, where the forge tells.
    pub commit: Option<String>,
}

/// What a review says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It may be merged.
    Approved,
    /// Something has to change first.
    ChangesRequested,
}

/// A word on a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// Whose word it is: `modelyard/check`.
    pub context: String,
    /// What it says.
    pub state: StatusState,
    /// A short line; what is longer than forges take is cut.
    pub description: String,
    /// Where more is told.
    pub url: Option<String>,
}

impl Status {
    /// The longest description that GitHub takes, in characters; the others take more.
    const MAX_DESCRIPTION: usize = 140;

    /// The description as every forge takes it.
    pub(super) fn short(&self) -> String {
        short(&self.description, Self::MAX_DESCRIPTION)
    }

    /// Whether `other` says the same.
    pub(super) fn says(&self, other: &Self) -> bool {
        self.context == other.context
            && self.state == other.state
            && self.short() == other.description
            && self.url.as_deref().unwrap_or_default() == other.url.as_deref().unwrap_or_default()
    }
}

/// `text` in at most `limit` characters.
pub(super) fn short(text: &str, limit: usize) -> String {
    if text.chars().count() <= limit {
        return text.to_owned();
    }
    text.chars().take(limit - 1).chain(['…']).collect()
}

/// What a status says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatusState {
    /// It is not known yet.
    Pending,
    /// Yes.
    Success,
    /// No.
    Failure,
    /// It could not be found out.
    Error,
}

/// How a commit fares in an environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deployment {
    /// The commit.
    pub commit: String,
    /// The branch that it is on.
    pub branch: String,
    /// The environment, which is made where there is none.
    pub environment: String,
    /// How it goes.
    pub state: DeploymentState,
    /// A short line.
    pub description: String,
    /// Where more is told.
    pub url: Option<String>,
}

/// How a deployment goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeploymentState {
    /// It is under way.
    InProgress,
    /// It serves.
    Success,
    /// It failed.
    Failure,
    /// Something else took its place before it served.
    Superseded,
}

#[cfg(test)]
mod tests {
    //! Whose text is whose.

    use super::*;

    #[test]
    fn a_template_shapes_the_text() {
        let shaped = |template: &str| Body::new("What.", Some(template.to_owned())).fresh();
        let ours = format!("{BEGIN}\nWhat.\n{END}");
        assert_eq!(Body::new("What.\n", None).fresh(), ours);
        assert_eq!(shaped("- [ ] read"), format!("{ours}\n\n- [ ] read"));
        assert_eq!(
            shaped("# Change\n<!-- modelyard -->\n- [ ] read"),
            format!("# Change\n{ours}\n- [ ] read")
        );
    }

    #[test]
    fn what_people_wrote_stays() {
        let was = Body::new("Old.", Some("- [x] read".to_owned())).fresh() + "\nMine.";
        let now = Body::new("New.", None).within(&was.replace('\n', "\r\n"));
        assert_eq!(now, format!("{BEGIN}\nNew.\n{END}\n\n- [x] read\nMine."));
        assert_eq!(Body::new("New.", None).within("All mine."), "All mine.");
        assert_eq!(
            Body::new("New.", None).within(" "),
            format!("{BEGIN}\nNew.\n{END}")
        );
    }

    #[test]
    fn our_part_ends_where_we_end_it() {
        let sly = Body::new(&format!("a {END} b"), None).fresh();
        assert_eq!(sly.matches(END).count(), 1);
        assert_eq!(
            Body::new("c", None).within(&sly),
            format!("{BEGIN}\nc\n{END}")
        );
    }

    #[test]
    fn nobody_approves_their_own_or_what_was_there_before() {
        let pull = PullRequest {
            number: 1,
            url: String::new(),
            title: String::new(),
            body: String::new(),
            branch: String::new(),
            base: String::new(),
            head: "new".to_owned(),
            author: "ann".to_owned(),
            state: State::Open,
            merge_state: MergeState::Unknown,
        };
        let said = |by: &str, verdict: Verdict, commit: Option<&str>| Review {
            by: by.to_owned(),
            verdict,
            commit: commit.map(str::to_owned),
        };
        let approved = pull.approved_by(vec![
            said("ann", Verdict::Approved, Some("new")),
            said("ben", Verdict::Approved, Some("old")),
            said("cat", Verdict::Approved, Some("new")),
            said("dan", Verdict::Approved, None),
            said("eve", Verdict::ChangesRequested, Some("new")),
        ]);
        assert_eq!(approved, ["cat", "dan"]);
    }

    #[test]
    fn descriptions_fit_and_are_the_same_when_they_come_back() {
        let said = Status {
            context: "modelyard/check".to_owned(),
            state: StatusState::Success,
            description: "ä".repeat(200),
            url: None,
        };
        assert_eq!(said.short().chars().count(), 140);
        let back = Status {
            description: said.short(),
            url: Some(String::new()),
            ..said.clone()
        };
        assert!(said.says(&back));
    }
}
