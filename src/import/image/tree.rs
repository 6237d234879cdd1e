//! What is in an image once its layers lie on each other.
//!
//! A layer adds entries, and takes some of the layers below away: `.wh.<name>` takes away the file
//! or folder `name` beside it, `.wh..wh..opq` all that the folder had. What a layer takes away it
//! takes from those below it, wherever the mark stands in its archive.
//!
//! Source: OCI image-spec 1.1, "Image Layer Filesystem Changeset".

use std::collections::BTreeMap;
use std::io::Read;

use crate::artifact::pack::inspect::{Content, HEAD_BYTES};
use crate::import::tar::{Entry, Kind};
use crate::import::unpack::{beside, plain};

/// The most files that are remembered of an image, those of its system left out.
pub(super) const MAX_FILES: usize = 500_000;

/// How often a link may lead to a link.
const MAX_LINKS: usize = 16;

const WHITEOUT: &str = ".wh.";
const OPAQUE: &str = ".wh..wh..opq";

/// Folders of an image that are the system's, or a language's: no model of somebody's is there.
const OF_SYSTEM: [&str; 22] = [
    "bin",
    "boot",
    "dev",
    "etc",
    "lib",
    "lib32",
    "lib64",
    "libx32",
    "proc",
    "run",
    "sbin",
    "sys",
    "usr/bin",
    "usr/include",
    "usr/lib",
    "usr/lib32",
    "usr/lib64",
    "usr/libexec",
    "usr/local/lib",
    "usr/sbin",
    "usr/share",
    "var/lib/dpkg",
];

/// Folders of packages, wherever they are.
const OF_PACKAGES: [&str; 5] = [
    "site-packages",
    "dist-packages",
    "node_modules",
    "__pycache__",
    ".git",
];

/// Where a file's bytes are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// The number of its layer, from 0.
    pub layer: usize,
    /// What it is called there.
    pub path: String,
    /// How many bytes it has.
    pub size_bytes: u64,
    /// What its first bytes tell.
    pub content: Content,
}

#[derive(Debug, Clone)]
enum Node {
    File(Place),
    /// What it leads to, from the image's root.
    Link(String),
}

/// The files of an image, by their paths from its root.
#[derive(Debug, Default)]
pub(super) struct Tree {
    nodes: BTreeMap<String, Node>,
    /// Folders that are looked into though they are the system's.
    shelves: Vec<String>,
}

/// One layer's changes, before they are made.
#[derive(Debug, Default)]
pub(super) struct Layer {
    number: usize,
    added: Vec<(String, Node)>,
    taken: Vec<String>,
    emptied: Vec<String>,
    shelves: Vec<String>,
}

impl Tree {
    /// An empty tree; what lies in `shelves` is looked at wherever that is.
    pub(super) fn new(shelves: Vec<String>) -> Self {
        Self {
            nodes: BTreeMap::new(),
            shelves,
        }
    }

    /// Begins the layer `number`, which lies above all before it.
    pub(super) fn layer(&self, number: usize) -> Layer {
        Layer {
            number,
            shelves: self.shelves.clone(),
            ..Layer::default()
        }
    }

    /// Makes a layer's changes.
    pub(super) fn apply(&mut self, layer: Layer) {
        for path in layer.emptied {
            self.remove_below(&path);
        }
        for path in layer.taken {
            self.nodes.remove(&path);
            self.remove_below(&path);
        }
        for (path, node) in layer.added {
            // A file in a folder's place, and a folder in a file's.
            self.remove_below(&path);
            let above = path.match_indices('/').map(|(at, _)| &path[..at]);
            for folder in above {
                self.nodes.remove(folder);
            }
            self.nodes.insert(path, node);
        }
    }

    /// How many files there are.
    pub(super) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// The files, links among them as what they lead to.
    pub(super) fn files(&self) -> impl Iterator<Item = (&str, &Place)> {
        let files = self.nodes.iter();
        files.filter_map(|(path, node)| Some((path.as_str(), self.follow(node)?)))
    }

    /// The paths that links lead to.
    pub(super) fn targets(&self) -> impl Iterator<Item = &str> {
        self.nodes.values().filter_map(|node| match node {
            Node::Link(to) => Some(to.as_str()),
            Node::File(_) => None,
        })
    }

    fn follow<'a>(&'a self, mut node: &'a Node) -> Option<&'a Place> {
        for _ in 0..MAX_LINKS {
            match node {
                Node::File(place) => return Some(place),
                Node::Link(to) => node = self.nodes.get(to)?,
            }
        }
        None
    }

    fn remove_below(&mut self, folder: &str) {
        let begin = match folder {
            "" => String::new(),
            folder => format!("{folder}/"),
        };
        let below = self.nodes.range(begin.clone()..);
        let below = below.take_while(|(path, _)| path.starts_with(&begin));
        let below: Vec<_> = below.map(|(path, _)| path.clone()).collect();
        for path in below {
            self.nodes.remove(&path);
        }
    }
}

impl Layer {
    /// Takes an entry of the layer's archive; reads the first bytes of a file.
    ///
    /// # Errors
    /// If it can't be read.
    pub(super) fn take(&mut self, entry: &Entry, content: &mut dyn Read) -> std::io::Result<()> {
        let path = plain(&entry.path).trim_start_matches('/').to_owned();
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", &path));
        if name == OPAQUE {
            self.emptied.push(folder.to_owned());
            return Ok(());
        }
        if let Some(name) = name.strip_prefix(WHITEOUT) {
            let gone = match folder {
                "" => name.to_owned(),
                folder => format!("{folder}/{name}"),
            };
            self.taken.push(gone);
            return Ok(());
        }
        if path.split('/').any(|part| part == "..") {
            return Ok(());
        }
        let is_shelved = self.is_shelved(&path);
        let node = match &entry.kind {
            _ if is_of_system(&path) && !is_shelved => None,
            Kind::File => {
                let mut head = Vec::with_capacity(HEAD_BYTES);
                content.take(HEAD_BYTES as u64).read_to_end(&mut head)?;
                Some(Node::File(Place {
                    layer: self.number,
                    path: entry.path.clone(),
                    size_bytes: entry.size_bytes,
                    content: Content::tell(&head),
                }))
            }
            Kind::HardLink(to) => Some(Node::Link(plain(to).trim_start_matches('/').to_owned())),
            Kind::SymbolicLink(to) => match to.strip_prefix('/') {
                Some(absolute) => Some(Node::Link(absolute.trim_end_matches('/').to_owned())),
                None => beside(&path, to).map(Node::Link),
            },
            Kind::Folder | Kind::Special => None,
        };
        match node {
            Some(node) => self.added.push((path, node)),
            // What stood in its place below is gone.
            None if entry.kind != Kind::Folder => self.taken.push(path),
            None => {}
        }
        Ok(())
    }

    /// How many files it adds.
    pub(super) fn len(&self) -> usize {
        self.added.len()
    }

    fn is_shelved(&self, path: &str) -> bool {
        self.shelves.iter().any(|shelf| {
            let rest = path.strip_prefix(shelf.as_str());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    }
}

fn is_of_system(path: &str) -> bool {
    let in_folder = |folder: &&str| {
        let rest = path.strip_prefix(*folder);
        rest.is_some_and(|rest| rest.starts_with('/'))
    };
    OF_SYSTEM.iter().any(in_folder) || path.split('/').any(|part| OF_PACKAGES.contains(&part))
}

#[cfg(test)]
mod tests {
    //! Layers on each other.

    use super::*;
    use crate::import::tar::Tar;
    use crate::import::tar::writing::Writing;

    fn tree(layers: Vec<Writing>) -> Tree {
        let mut tree = Tree::new(vec!["usr/share/models".to_owned()]);
        for (number, layer) in layers.into_iter().enumerate() {
            let bytes = layer.end();
            let mut tar = Tar::new(bytes.as_slice());
            let mut layer = tree.layer(number);
            while let Some(entry) = tar.next().unwrap() {
                layer.take(&entry, &mut tar).unwrap();
            }
            tree.apply(layer);
        }
        tree
    }

    fn told(layers: Vec<Writing>) -> Vec<String> {
        let tree = tree(layers);
        let files = tree.files();
        files
            .map(|(path, place)| format!("{path}={}:{}", place.layer, place.path))
            .collect()
    }

    #[test]
    fn the_upper_layer_counts_and_whiteouts_take_away() {
        let below = || {
            Writing::new()
                .file("models/a", b"1")
                .file("models/b", b"1")
                .file("old/c", b"1")
                .file("old/d/e", b"1")
                .file("gone/f", b"1")
        };
        let above = Writing::new()
            .file("./models/a", b"2")
            .file("models/.wh.b", b"")
            .file("old/new", b"2")
            .file("old/.wh..wh..opq", b"")
            .file(".wh.gone", b"");
        assert_eq!(
            told(vec![below(), above]),
            ["models/a=1:./models/a", "old/new=1:old/new"]
        );
        // A mark takes from below alone, and what a layer above adds is there again.
        let again = Writing::new().file("gone/f", b"3");
        let take = Writing::new().file(".wh.gone", b"");
        assert!(told(vec![below(), take, again]).contains(&"gone/f=2:gone/f".to_owned()));
    }

    #[test]
    fn a_file_may_take_a_folders_place_and_the_other_way_round() {
        let below = Writing::new().file("a/b", b"1").file("c", b"1");
        let above = Writing::new().file("a", b"2").file("c/d", b"2");
        assert_eq!(told(vec![below, above]), ["a=1:a", "c/d=1:c/d"]);
    }

    #[test]
    fn links_are_what_they_lead_to_and_the_system_is_not_looked_at() {
        let below = Writing::new()
            .file("hub/blobs/1", b"1")
            .file("usr/lib/x.bin", b"1")
            .file("usr/share/models/m", b"1")
            .file("app/venv/site-packages/t.pkl", b"1");
        let above = Writing::new()
            .symbolic_link("hub/snapshots/m", "../blobs/1")
            .symbolic_link("current", "/hub/snapshots/m")
            .hard_link("hard", "hub/blobs/1")
            .symbolic_link("out", "../../etc/passwd")
            .symbolic_link("loop", "loop");
        assert_eq!(
            told(vec![below, above]),
            [
                "current=0:hub/blobs/1",
                "hard=0:hub/blobs/1",
                "hub/blobs/1=0:hub/blobs/1",
                "hub/snapshots/m=0:hub/blobs/1",
                "usr/share/models/m=0:usr/share/models/m",
            ]
        );
    }
}
