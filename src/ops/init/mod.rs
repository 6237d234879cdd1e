//! Makes a yard: in a folder that is empty or not there, or in a git repository that has none.
//!
//! The files of `templates/yard/` and the schemas are put in place. A file that stands there
//! already is never touched, so that running it again only brings what is missing. In a new
//! repository the files become the first commit; in one with a history they stay in the work
//! tree, to be committed by whoever wants them. If anything fails, whatever was made is taken
//! back.

mod pipelines;
mod place;
mod template;

use std::path::{Path, PathBuf};
use std::{fs, io};

use jiff::Timestamp;

use super::codes;
use crate::platform::atomic::{FileError, TEMPORARY_PREFIX};
use crate::record::{Code, Failure, Fault, Name, Repository};
use crate::yard::begin::{self, FirstCommit, Ground};
use crate::yard::{Catalog, Revision, YARD_FILE, Yard};
pub use pipelines::Pipelines;
use place::{Placed, Placing};
use template::TemplateFile;

/// Where models' bytes go if nobody says: a folder of the work tree that git leaves alone.
pub const DEFAULT_STORE: &str = "oci-layout:./store";

/// What the first commit says.
const MESSAGE: &str = "yard: begins\n\nThe layout, the schemas and the settings of a new yard.\n";

/// What kind of yard is wanted, and where.
#[derive(Debug, Clone)]
pub struct Wish {
    /// Its folder.
    pub folder: PathBuf,
    /// Its name; the folder's where none is given.
    pub name: Option<Name>,
    /// Where models' bytes are to go; [`DEFAULT_STORE`] where nothing is said.
    pub store: Option<Repository>,
    /// Where its pipelines run, if it is to have some.
    pub pipelines: Option<Pipelines>,
}

/// A yard that was made, or was there already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    /// Its folder.
    pub folder: PathBuf,
    /// The name that a new one has.
    pub name: Name,
    /// Whether its git repository was made as well.
    pub repository_is_new: bool,
    /// Its files.
    pub files: Files,
    /// What became of them in git.
    pub commit: FirstCommit,
}

/// The paths of a yard's first files, by what became of them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Files {
    /// They were put in place.
    pub created: Vec<String>,
    /// They stood there with the same bytes.
    pub unchanged: Vec<String>,
    /// They stood there with other bytes, and were left as they are.
    pub kept: Vec<String>,
}

/// Why no yard was made; nothing is left of the try.
#[derive(Debug, thiserror::Error)]
pub enum InitError {
    /// A file where the yard's folder, or one in it, should be.
    #[error("{} is a file or a link, where a folder is meant", path.display())]
    InTheWay {
        /// The file.
        path: PathBuf,
    },
    /// Files that nobody keeps in git.
    #[error("{} is not empty, and not a git repository", folder.display())]
    NotEmpty {
        /// The folder.
        folder: PathBuf,
    },
    /// A yard further up.
    #[error("{} lies in the yard {}", folder.display(), yard.display())]
    InsideYard {
        /// The folder that was named.
        folder: PathBuf,
        /// The yard around it.
        yard: PathBuf,
    },
    /// A repository further up.
    #[error("{} lies in the git repository {}", folder.display(), repository.display())]
    InsideRepository {
        /// The folder that was named.
        folder: PathBuf,
        /// The repository around it.
        repository: PathBuf,
    },
    /// A repository without a work tree.
    #[error("{} is a bare repository: it has no work tree to put files in", folder.display())]
    Bare {
        /// The repository.
        folder: PathBuf,
    },
    /// The folder's name can't be the yard's, and no other was given.
    #[error("the folder's name `{}` makes no name for a yard", folder_name.escape_debug())]
    NoName {
        /// The folder's own name.
        folder_name: String,
    },
}

impl Fault for InitError {
    fn code(&self) -> &'static Code {
        match self {
            Self::InTheWay { .. } => &codes::FILE_IN_THE_WAY,
            Self::NotEmpty { .. } => &codes::FOLDER_NOT_EMPTY,
            Self::InsideYard { .. } => &codes::INSIDE_YARD,
            Self::InsideRepository { .. } => &codes::INSIDE_REPOSITORY,
            Self::Bare { .. } => &codes::BARE_REPOSITORY,
            Self::NoName { .. } => &codes::NO_YARD_NAME,
        }
    }

    fn help(&self) -> Option<String> {
        Some(match self {
            Self::InTheWay { .. } => "move it away, or name another folder".to_owned(),
            Self::NotEmpty { folder } => format!(
                "name a folder that is empty or not there yet; if the yard is to live beside \
                 these files, begin with: git init -b main '{}'",
                folder.display()
            ),
            Self::InsideYard { yard, .. } => format!(
                "work in that yard: modelyard -C '{}' list; or name a folder outside of it",
                yard.display()
            ),
            Self::InsideRepository { repository, .. } => format!(
                "a yard is a whole repository: make all of it one with `modelyard init '{}'`, or \
                 name a folder outside of it",
                repository.display()
            ),
            Self::Bare { folder } => format!(
                "make the yard in a clone, and push it: git clone '{}' yard; modelyard init yard",
                folder.display()
            ),
            Self::NoName { .. } => "give it one: modelyard init --name NAME".to_owned(),
        })
    }
}

/// Makes the yard that `wish` describes.
///
/// # Errors
/// [`InitError`], or what the file system and git said; nothing new is then left behind.
pub fn init(wish: &Wish, now: Timestamp) -> Result<Made, Failure> {
    let folder = real(&wish.folder);
    let ground = surveyed(&folder)?;
    let mut placing = Placing::default();
    placing.folder(&folder)?;
    if ground == Ground::Free {
        placing.repository(&folder)?;
    }
    let yard = Yard::create(&folder)?;
    let (name, store) = settled(wish, &folder, &yard)?;

    let mut files = Files::default();
    let within = template::folder_within(&store, &folder);
    let pipelines = wish.pipelines.map(Pipelines::files).unwrap_or_default();
    let files_of_yard = template::files(&name, &store, within.as_deref());
    for file in files_of_yard.into_iter().chain(pipelines) {
        files.place(&mut placing, &folder, file)?;
    }
    if let Some(store) = within
        && !begin::is_ignored(&yard, &format!("{store}/index.json"))?
    {
        files.place(&mut placing, &folder, template::ignoring_file(&store))?;
    }
    let commit = begin::first_commit(&yard, &files.ours(), MESSAGE, now)?;
    placing.keep();
    Ok(Made {
        folder,
        name,
        repository_is_new: ground == Ground::Free,
        files,
        commit,
    })
}

/// The yard's name and store: as wished, else as they are already, else as a new yard has them.
fn settled(wish: &Wish, folder: &Path, yard: &Yard) -> Result<(Name, Repository), Failure> {
    let mut name = wish.name.clone();
    let mut store = wish.store.clone();
    if folder.join(YARD_FILE).is_file() {
        let standing = Catalog::new(yard.snapshot(&Revision::WorkTree)?).yard()?;
        name.get_or_insert(standing.metadata.name);
        store = store.or(standing
            .spec
            .stores
            .into_iter()
            .next()
            .map(|store| store.repository));
    }
    let name = match name {
        Some(name) => name,
        None => name_of(folder)?,
    };
    let default = || DEFAULT_STORE.parse().expect("the default is a repository");
    Ok((name, store.unwrap_or_else(default)))
}

impl Files {
    fn place(
        &mut self,
        placing: &mut Placing,
        root: &Path,
        file: TemplateFile,
    ) -> Result<(), Failure> {
        match placing.file(root, &file)? {
            Placed::Created => self.created.push(file.path),
            Placed::Same => self.unchanged.push(file.path),
            Placed::Kept => self.kept.push(file.path),
        }
        Ok(())
    }

    /// Those that are as they were made, now or before.
    fn ours(&self) -> Vec<&str> {
        let ours = self.created.iter().chain(&self.unchanged);
        ours.map(String::as_str).collect()
    }
}

/// `folder` without links, `.` and `..`, as far as it is there.
fn real(folder: &Path) -> PathBuf {
    for there in folder.ancestors() {
        if let Ok(real) = there.canonicalize()
            && let Ok(rest) = folder.strip_prefix(there)
        {
            return real.join(rest).components().collect();
        }
    }
    folder.to_owned()
}

/// What git has at `folder`, if a yard can be made there.
fn surveyed(folder: &Path) -> Result<Ground, Failure> {
    let folder_of = || folder.to_owned();
    let standing = folder
        .ancestors()
        .find(|path| path.symlink_metadata().is_ok());
    if let Some(path) = standing.filter(|path| !path.is_dir()) {
        let path = path.to_owned();
        return Err(InitError::InTheWay { path }.into());
    }
    let mut around = folder.ancestors().skip(1);
    if let Some(yard) = around.find(|above| above.join(YARD_FILE).is_file()) {
        let (folder, yard) = (folder_of(), yard.to_owned());
        return Err(InitError::InsideYard { folder, yard }.into());
    }
    let ground = begin::survey(folder)?;
    match &ground {
        Ground::Free if is_filled(folder)? => Err(InitError::NotEmpty {
            folder: folder_of(),
        }
        .into()),
        Ground::Inside { repository } => Err(InitError::InsideRepository {
            folder: folder_of(),
            repository: repository.clone(),
        }
        .into()),
        Ground::Bare { repository } => Err(InitError::Bare {
            folder: repository.clone(),
        }
        .into()),
        Ground::Free | Ground::Root => Ok(ground),
    }
}

/// Whether anything is in `folder`, but what an interrupted run may have left.
fn is_filled(folder: &Path) -> Result<bool, FileError> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(FileError::at("read", folder)(error)),
    };
    for entry in entries {
        let name = entry.map_err(FileError::at("read", folder))?.file_name();
        if !name.to_string_lossy().starts_with(TEMPORARY_PREFIX) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// A yard's name made of its folder's: lower case, and hyphens for whatever a name can't have.
fn name_of(folder: &Path) -> Result<Name, InitError> {
    let folder_name = folder.file_name().unwrap_or_default().to_string_lossy();
    let words: Vec<String> = folder_name
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_ascii_lowercase)
        .collect();
    let name = words.join("-").parse();
    name.map_err(|_| InitError::NoName {
        folder_name: folder_name.into_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_yard_is_called_as_its_folder_is_as_far_as_a_name_can() {
        for (folder, name) in [
            ("/srv/acme", "acme"),
            ("/srv/Acme Models (new)", "acme-models-new"),
            ("/srv/a--b__c", "a-b-c"),
        ] {
            assert_eq!(name_of(Path::new(folder)).unwrap().as_str(), name);
        }
        assert!(name_of(Path::new("/srv/日本")).is_err());
        assert!(name_of(Path::new("/")).is_err());
    }
}
