//! A plan in words: one telling for a terminal and for a comment on a pull request.
//!
//! A [`Telling`] has a title and a few lines that a reader takes in at a glance, then sections with
//! the details. Every [`Line`] knows which of its words are ours and which come from records: those
//! are quoted, and whoever prints them sees to it that they can do no harm.

mod environments;
mod models;

use super::{Becomes, DeploymentPlan, EnvironmentPlan, Planned};

/// How many things one line lists.
const MOST_IN_A_LINE: usize = 8;

/// A plan in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Telling {
    /// What the merge does, in one line.
    pub title: Line,
    /// What matters most, a line each.
    pub glance: Vec<Line>,
    /// The details.
    pub sections: Vec<Section>,
    /// What the plan is of.
    pub foot: Vec<Line>,
}

/// The details of one thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// What it is about.
    pub title: Line,
    /// What there is to say.
    pub blocks: Vec<Block>,
}

/// A part of a section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Block {
    /// A title below the section's.
    Heading(Line),
    /// Lines, each by itself.
    Lines(Vec<Line>),
    /// A table; its cells are as many as its headers.
    Table(Vec<&'static str>, Vec<Vec<Line>>),
    /// Fields that were something and are something else.
    Differences(Vec<super::Difference>),
}

/// How much a line weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sign {
    /// It is told.
    #[default]
    Plain,
    /// A reader has to look twice.
    Warning,
    /// It can't be done.
    Stop,
}

/// A line of our words and of quoted ones.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Line {
    /// How much it weighs.
    pub sign: Sign,
    /// Its words, in order.
    pub words: Vec<Word>,
}

/// A part of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Word {
    /// Ours.
    Said(String),
    /// Ours, and of weight.
    Strong(String),
    /// From a record, a name or somebody else's message.
    Quoted(String),
}

impl Line {
    /// A line that begins with our `words`.
    pub(super) fn said(words: impl Into<String>) -> Self {
        Self::default().say(words)
    }

    /// A line that begins with a quoted `text`.
    pub(super) fn quoted(text: &(impl ToString + ?Sized)) -> Self {
        Self::default().quote(text)
    }

    /// Adds words of ours.
    #[must_use]
    pub(super) fn say(mut self, words: impl Into<String>) -> Self {
        self.words.push(Word::Said(words.into()));
        self
    }

    /// Adds words of ours that weigh.
    #[must_use]
    pub(super) fn stress(mut self, words: impl Into<String>) -> Self {
        self.words.push(Word::Strong(words.into()));
        self
    }

    /// Adds what is not ours.
    #[must_use]
    pub(super) fn quote(mut self, text: &(impl ToString + ?Sized)) -> Self {
        self.words.push(Word::Quoted(text.to_string()));
        self
    }

    /// Adds `texts`, quoted, with commas between them; of many the first, and how many more.
    #[must_use]
    pub(super) fn list<T: ToString>(mut self, texts: impl IntoIterator<Item = T>) -> Self {
        let mut texts = texts.into_iter();
        for (at, text) in texts.by_ref().take(MOST_IN_A_LINE).enumerate() {
            if at > 0 {
                self = self.say(", ");
            }
            self = self.quote(&text);
        }
        match texts.count() {
            0 => self,
            more => self.say(format!(" and {more} more")),
        }
    }

    /// The same with a sign.
    #[must_use]
    pub(super) const fn sign(mut self, sign: Sign) -> Self {
        self.sign = sign;
        self
    }

    /// All its words as they are.
    pub fn plain(&self) -> String {
        let words = self.words.iter();
        words
            .map(|word| match word {
                Word::Said(text) | Word::Strong(text) | Word::Quoted(text) => text.as_str(),
            })
            .collect()
    }
}

impl Planned {
    /// The plan in words.
    pub fn telling(&self) -> Telling {
        let environments = self.environments.iter();
        let models = self.models.iter();
        let mut glance = Vec::new();
        glance.extend(environments.clone().flat_map(environments::glance));
        glance.extend(models.clone().flat_map(models::glance));
        if !self.others.is_empty() {
            let line = Line::said("changes ").list(self.others.iter().map(|file| &file.path));
            glance.push(line);
        }
        if !self.unreadable.is_empty() {
            let count = counted(self.unreadable.len(), "record");
            glance.push(Line::said(format!("{count} can't be read")).sign(Sign::Stop));
        }
        // What a reader has to look at twice stands first.
        glance.sort_by_key(|line| match line.sign {
            Sign::Stop => 0,
            Sign::Warning => 1,
            Sign::Plain => 2,
        });
        let mut sections: Vec<Section> = environments.map(environments::section).collect();
        sections.extend(models.map(models::section));
        if !self.unreadable.is_empty() {
            sections.push(Section {
                title: Line::said("Not read"),
                blocks: vec![Block::Lines(
                    self.unreadable.iter().map(Line::quoted).collect(),
                )],
            });
        }
        sections.retain(|section| !section.blocks.is_empty());
        Telling {
            title: self.title(),
            glance,
            sections,
            foot: vec![
                Line::quoted(
                    &self
                        .head
                        .as_deref()
                        .map_or("the work tree".to_owned(), abbreviated),
                )
                .say(" against ")
                .quote(&abbreviated(&self.base)),
                Line::said("plan ").quote(&self.hash),
            ],
        }
    }

    /// How many deployments become what, and what breaks.
    fn title(&self) -> Line {
        let all = || self.environments.iter().flat_map(|one| &one.deployments);
        let count = |wanted: &[Becomes]| {
            let all = all().filter(|one| wanted.contains(&one.becomes));
            all.count()
        };
        let mut parts = Vec::new();
        for (becomes, one, many) in [
            (&[Becomes::Appears][..], "appears", "appear"),
            (&[Becomes::Changes], "changes", "change"),
            (&[Becomes::Adjusts], "is adjusted", "are adjusted"),
            (&[Becomes::Leaves], "leaves", "leave"),
            (&[Becomes::Suspended], "is suspended", "are suspended"),
            (
                &[Becomes::Held, Becomes::Stays],
                "stays as it is",
                "stay as they are",
            ),
        ] {
            match count(becomes) {
                0 => {}
                1 if parts.is_empty() => parts.push(format!("1 deployment {one}")),
                1 => parts.push(format!("1 {one}")),
                more if parts.is_empty() => parts.push(format!("{more} deployments {many}")),
                more => parts.push(format!("{more} {many}")),
            }
        }
        let line = match (
            parts.is_empty(),
            self.environments.iter().any(|one| one.unknown.is_some()),
        ) {
            (true, false) => Line::said("Merging this changes nothing that runs"),
            (true, true) => Line::said("Merging this leaves what runs as it is"),
            (false, _) => Line::said("Merging this: ").stress(parts.join(", ")),
        };
        match self.breaking {
            0 => line,
            breaking => line
                .say(" · ")
                .stress(counted(breaking, "breaking change"))
                .sign(Sign::Warning),
        }
    }
}

/// The beginning of a commit's id.
fn abbreviated(id: &str) -> String {
    id.chars().take(12).collect()
}

/// `1 file`, `2 files`.
pub(super) fn counted(count: usize, word: &str) -> String {
    match count {
        1 => format!("1 {word}"),
        _ => format!("{count} {word}s"),
    }
}

/// A time as people say it: `90s`, `10m`, `2h 5m`.
fn lasting(seconds: u64) -> String {
    let units = [(86_400, "d"), (3_600, "h"), (60, "m"), (1, "s")];
    let mut rest = seconds;
    let mut parts = Vec::new();
    for (size, unit) in units {
        if rest >= size {
            parts.push(format!("{}{unit}", rest / size));
            rest %= size;
        }
    }
    match parts.is_empty() {
        true => "0s".to_owned(),
        false => parts.join(" "),
    }
}

/// A size as people write it.
fn size(bytes: u64) -> String {
    const UNITS: [(u64, &str); 4] = [
        (1 << 40, "TiB"),
        (1 << 30, "GiB"),
        (1 << 20, "MiB"),
        (1 << 10, "KiB"),
    ];
    for (unit, name) in UNITS {
        if bytes >= unit {
            let hundredths = u128::from(bytes) * 100 / u128::from(unit);
            return format!("{}.{:02} {name}", hundredths / 100, hundredths % 100);
        }
    }
    format!("{bytes} B")
}

/// `host/digits`.
fn place(environment: &EnvironmentPlan, deployment: &DeploymentPlan) -> String {
    format!("{}/{}", environment.environment, deployment.deployment)
}

#[cfg(test)]
mod tests {
    //! Amounts as people say them.

    use super::*;

    #[test]
    fn times_and_sizes_are_short() {
        let told: Vec<_> = [0, 59, 90, 3600, 7500, 90_061].map(lasting).into();
        assert_eq!(told, ["0s", "59s", "1m 30s", "1h", "2h 5m", "1d 1h 1m 1s"]);
        let told: Vec<_> = [0, 1023, 1024, 1_572_864, u64::MAX].map(size).into();
        assert_eq!(
            told,
            ["0 B", "1023 B", "1.00 KiB", "1.50 MiB", "16777215.99 TiB"]
        );
    }
}
