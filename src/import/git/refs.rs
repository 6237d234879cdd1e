//! What a repository's branches and tags are, as `git ls-remote --symref` prints them.

/// The most branches and tags of one repository.
pub(in crate::import) const MAX_REFS: usize = 100_000;

/// A branch or a tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::import) struct Ref {
    /// Its name, without `refs/heads/` or `refs/tags/`.
    pub name: String,
    /// The object that it is: of an annotated tag the tag's own.
    pub object: String,
    /// The commit that it means.
    pub commit: String,
}

/// A repository's names for commits.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::import) struct Refs {
    /// The commit of its HEAD, where it has one.
    pub head: Option<String>,
    /// The branch that HEAD is.
    pub main: Option<String>,
    /// Its branches.
    pub branches: Vec<Ref>,
    /// Its tags.
    pub tags: Vec<Ref>,
}

impl Refs {
    /// Reads what git printed.
    ///
    /// # Errors
    /// The line that can't be read, or nothing where there are more than [`MAX_REFS`].
    pub(in crate::import) fn read(printed: &str) -> Result<Self, Option<String>> {
        let mut refs = Self::default();
        for line in printed.lines() {
            refs.line(line).ok_or_else(|| Some(line.to_owned()))?;
            if refs.branches.len() + refs.tags.len() > MAX_REFS {
                return Err(None);
            }
        }
        Ok(refs)
    }

    fn line(&mut self, line: &str) -> Option<()> {
        let (object, name) = line.split_once('\t')?;
        if let Some(target) = object.strip_prefix("ref: ") {
            if name == "HEAD" {
                self.main = target.strip_prefix("refs/heads/").map(str::to_owned);
            }
            return Some(());
        }
        let object = is_object(object).then(|| object.to_owned())?;
        let named = |name: &str| Ref {
            name: name.to_owned(),
            commit: object.clone(),
            object: object.clone(),
        };
        if name == "HEAD" {
            self.head = Some(object);
        } else if let Some(branch) = name.strip_prefix("refs/heads/") {
            self.branches.push(named(branch));
        } else if let Some(tag) = name.strip_prefix("refs/tags/") {
            match (tag.strip_suffix("^{}"), self.tags.last_mut()) {
                // The commit that the annotated tag before it means.
                (Some(tag), Some(before)) if before.name == tag => before.commit = object,
                _ => self.tags.push(named(tag)),
            }
        }
        Some(())
    }

    /// The tag or, where there is none of that name, the branch `name`.
    pub(in crate::import) fn find(&self, name: &str) -> Option<(&Ref, bool)> {
        let by = |refs: &'_ [Ref]| refs.iter().position(|one| one.name == name);
        match by(&self.tags) {
            Some(index) => Some((&self.tags[index], true)),
            None => by(&self.branches).map(|index| (&self.branches[index], false)),
        }
    }
}

/// Whether `text` is the whole name of an object.
pub(in crate::import) fn is_object(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    //! What git prints.

    use super::*;

    fn oid(digit: char) -> String {
        digit.to_string().repeat(40)
    }

    #[test]
    fn an_annotated_tag_means_the_commit_behind_it() {
        let (a, b, c) = (oid('a'), oid('b'), oid('c'));
        let printed = format!(
            "ref: refs/heads/trunk\tHEAD\n{a}\tHEAD\n{a}\trefs/heads/trunk\n{b}\trefs/tags/v1\n{c}\trefs/tags/v2\n{a}\trefs/tags/v2^{{}}\n"
        );
        let refs = Refs::read(&printed).unwrap();
        assert_eq!(refs.main.as_deref(), Some("trunk"));
        assert_eq!(refs.head, Some(a.clone()));
        let (tag, is_tag) = refs.find("v2").unwrap();
        assert_eq!((&tag.object, &tag.commit, is_tag), (&c, &a, true));
        assert_eq!(refs.find("v1").unwrap().0.commit, b);
        assert!(!refs.find("trunk").unwrap().1);
        assert_eq!(refs.find("v3"), None);
    }

    #[test]
    fn what_is_no_list_of_names_is_refused() {
        assert_eq!(
            Refs::read("<html>\n").unwrap_err().as_deref(),
            Some("<html>")
        );
        assert!(Refs::read("zz\trefs/heads/main\n").is_err());
        let line = |n: usize| format!("{}\trefs/heads/{n}\n", oid('a'));
        let many: String = (0..=MAX_REFS).map(line).collect();
        assert_eq!(Refs::read(&many), Err(None));
    }
}
