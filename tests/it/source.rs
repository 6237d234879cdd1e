//! Reads our Rust sources as tokens, so that a path inside a macro counts like any other.

use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// Every Rust source below `folder`, relative to the package, with its text.
pub(crate) fn sources(folder: &str) -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found: Vec<_> = walkdir::WalkDir::new(root.join(folder))
        .into_iter()
        .map(|entry| entry.expect("sources can be listed").into_path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .map(|path| {
            let text = fs::read_to_string(&path).expect("sources are text");
            (
                path.strip_prefix(root).expect("it lies below").to_owned(),
                text,
            )
        })
        .collect();
    found.sort();
    found
}

/// A path as the source has it, with `crate` and `super` resolved: `crate::yard::Snapshot`.
pub(crate) struct Mention {
    pub(crate) line: usize,
    pub(crate) segments: Vec<String>,
    /// In a module `tests`.
    pub(crate) in_tests: bool,
}

/// Every path in one source file; `file` is relative to the package.
pub(crate) fn mentions(file: &Path, source: &str) -> Vec<Mention> {
    let tokens = source
        .parse::<TokenStream>()
        .unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let mut mentions = Vec::new();
    scan(tokens, &mut module_of(file), &mut mentions);
    mentions
}

/// `src/artifact/push.rs` is `artifact::push`; the roots `lib.rs` and `main.rs` are nothing.
pub(crate) fn module_of(file: &Path) -> Vec<String> {
    let inner = file
        .strip_prefix("src")
        .expect("sources lie in src/")
        .with_extension("");
    let mut module: Vec<String> = inner
        .iter()
        .map(|part| part.to_string_lossy().into_owned())
        .collect();
    if module.last().is_some_and(|last| last == "mod") {
        module.pop();
    }
    if module == ["lib"] || module == ["main"] {
        module.clear();
    }
    module
}

/// Finds the paths in `tokens`, which stand in `module`.
fn scan(tokens: TokenStream, module: &mut Vec<String>, mentions: &mut Vec<Mention>) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let mut at = 0;
    while at < tokens.len() {
        match &tokens[at] {
            TokenTree::Group(group) => {
                let name = inline_module(&tokens[..at]);
                module.extend(name.clone());
                scan(group.stream(), module, mentions);
                if name.is_some() {
                    module.pop();
                }
                at += 1;
            }
            TokenTree::Ident(_) if !colons(&tokens, at.wrapping_sub(2)) => {
                at = follow(&tokens, at, &[], module, mentions);
            }
            _ => at += 1,
        }
    }
}

/// The name of the module whose body comes next: `mod NAME {`.
fn inline_module(before: &[TokenTree]) -> Option<String> {
    let [.., TokenTree::Ident(keyword), TokenTree::Ident(name)] = before else {
        return None;
    };
    (keyword == "mod").then(|| name.to_string())
}

fn colons(tokens: &[TokenTree], at: usize) -> bool {
    let colon =
        |at: usize| matches!(tokens.get(at), Some(TokenTree::Punct(p)) if p.as_char() == ':');
    at.checked_add(1)
        .is_some_and(|next| colon(at) && colon(next))
}

/// Follows the path that starts at `at`, behind `prefix`, and returns where it ends.
fn follow(
    tokens: &[TokenTree],
    mut at: usize,
    prefix: &[String],
    module: &[String],
    mentions: &mut Vec<Mention>,
) -> usize {
    let mut segments = prefix.to_vec();
    let line = tokens[at].span().start().line;
    loop {
        match tokens.get(at) {
            Some(TokenTree::Ident(name)) => segments.push(name.to_string()),
            Some(TokenTree::Punct(star)) if star.as_char() == '*' => segments.push("*".into()),
            Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
                branches(group.stream(), &segments, module, mentions);
                return at + 1;
            }
            _ => break,
        }
        at += 1;
        if !colons(tokens, at) {
            break;
        }
        at += 2;
    }
    let renamed = matches!(tokens.get(at), Some(TokenTree::Ident(word)) if word == "as");
    mentions.extend(resolve(segments, module, renamed).map(|segments| Mention {
        line,
        segments,
        in_tests: module.iter().any(|name| name == "tests"),
    }));
    at
}

/// The branches of `use prefix::{a, b::c}`.
fn branches(
    stream: TokenStream,
    prefix: &[String],
    module: &[String],
    mentions: &mut Vec<Mention>,
) {
    let tokens: Vec<TokenTree> = stream.into_iter().collect();
    let mut at = 0;
    while at < tokens.len() {
        at = follow(&tokens, at, prefix, module, mentions);
        let comma = |token: &TokenTree| matches!(token, TokenTree::Punct(p) if p.as_char() == ',');
        at += tokens[at..]
            .iter()
            .position(comma)
            .map_or(tokens.len() - at, |comma| comma + 1);
    }
}

/// The path from the crate's root or from another crate; `None` where it stays in its module.
fn resolve(mut segments: Vec<String>, module: &[String], renamed: bool) -> Option<Vec<String>> {
    if segments.last().is_some_and(|last| last == "self") {
        segments.pop();
    }
    match segments.first().map(String::as_str) {
        // `pub(crate)` names no room; `use crate as root` would hide every room that is named.
        Some("crate") => (segments.len() > 1 || renamed).then_some(segments),
        Some("super") => {
            let ups = segments
                .iter()
                .take_while(|segment| *segment == "super")
                .count();
            let stays = &module[..module.len().saturating_sub(ups)];
            (segments.len() > ups).then(|| {
                let root = std::iter::once("crate".to_owned());
                root.chain(stays.iter().cloned())
                    .chain(segments.drain(ups..))
                    .collect()
            })
        }
        Some(_) if segments.len() > 1 => Some(segments),
        _ => None,
    }
}
