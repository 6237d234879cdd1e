//! Licences: the hub's own short names, and SPDX.
//!
//! Most of the hub's names are SPDX's in small letters. The rest (`llama3`, `openrail`) are
//! licences that SPDX doesn't list: `LicenseRef-llama3` there. `other` has its name in
//! `license_name` and its text behind `license_link`.
//!
//! Source: "Licenses" in the hub's documentation (huggingface.co/docs/hub/repositories-licenses).

use crate::record::kind::License;

/// What SPDX calls a licence that it doesn't list.
const REFERENCE: &str = "LicenseRef-";

/// The hub's names of licences that are called otherwise in SPDX, and not only in other letters.
const CALLED_OTHERWISE: [(&str, &str); 5] = [
    ("odc-by", "ODC-By-1.0"),
    ("odbl", "ODbL-1.0"),
    ("pddl", "PDDL-1.0"),
    ("lgpl-lr", "LGPLLR"),
    ("openrail++", "LicenseRef-openrail-plus-plus"),
];

/// The hub's names. Those that SPDX doesn't list, or has only with a number that the hub leaves
/// open, are references there.
const NAMES: &str = "\
    afl-3.0 agpl-3.0 apache-2.0 apple-amlr apple-ascl artistic-2.0 bigcode-openrail-m \
    bigscience-bloom-rail-1.0 bigscience-openrail-m bsd bsd-2-clause bsd-3-clause \
    bsd-3-clause-clear bsl-1.0 c-uda cc cc-by-2.0 cc-by-2.5 cc-by-3.0 cc-by-4.0 cc-by-nc-2.0 \
    cc-by-nc-3.0 cc-by-nc-4.0 cc-by-nc-nd-3.0 cc-by-nc-nd-4.0 cc-by-nc-sa-2.0 cc-by-nc-sa-3.0 \
    cc-by-nc-sa-4.0 cc-by-nd-4.0 cc-by-sa-3.0 cc-by-sa-4.0 cc0-1.0 cdla-permissive-1.0 \
    cdla-permissive-2.0 cdla-sharing-1.0 creativeml-openrail-m deepfloyd-if-license ecl-2.0 \
    epl-1.0 epl-2.0 etalab-2.0 eupl-1.1 eupl-1.2 fair-noncommercial-research-license gemma gfdl \
    gpl gpl-2.0 gpl-3.0 grok2-community h-research intel-research isc lgpl lgpl-2.1 lgpl-3.0 \
    lgpl-lr llama2 llama3 llama3.1 llama3.2 llama3.3 llama4 lppl-1.3c mit mpl-2.0 ms-pl ncsa odbl \
    odc-by ofl-1.1 openmdw-1.0 openrail openrail++ osl-3.0 pddl postgresql unlicense wtfpl zlib";

/// The licence that the hub calls `name`, as SPDX has it.
///
/// `None` for what is no licence's name: `other`, `unknown`, a sentence.
pub(in crate::import) fn of_hub(name: &str) -> Option<License> {
    let small = name.trim().to_ascii_lowercase();
    if matches!(small.as_str(), "" | "other" | "unknown") {
        return None;
    }
    let otherwise = CALLED_OTHERWISE.iter().find(|(hub, _)| *hub == small);
    if let Some((_, spdx)) = otherwise {
        return spdx.parse().ok();
    }
    if let Some(listed) = listed(&small) {
        return Some(listed);
    }
    names().find(|name| *name == small)?;
    format!("{REFERENCE}{small}").parse().ok()
}

/// The licence of `other` whose name is `name`: an expression of SPDX, or a reference.
pub(super) fn by_name(name: &str) -> Option<License> {
    if let Ok(license) = name.parse() {
        return Some(license);
    }
    let plain = |c: char| {
        if c.is_ascii_alphanumeric() || matches!(c, '.' | '-') {
            c
        } else {
            '-'
        }
    };
    let word: String = name.trim().chars().map(plain).collect();
    format!("{REFERENCE}{}", word.trim_matches('-'))
        .parse()
        .ok()
}

/// How a card says `license`: its `license`, and its `license_name` where that is `other`.
pub(super) fn for_hub(license: &License) -> (String, Option<String>) {
    let name = names().find(|name| of_hub(name).as_ref() == Some(license));
    if let Some(name) = name {
        return (name.to_owned(), None);
    }
    let spdx = license.as_str();
    let name = spdx.strip_prefix(REFERENCE).unwrap_or(spdx);
    ("other".to_owned(), Some(name.to_owned()))
}

fn names() -> impl Iterator<Item = &'static str> {
    NAMES.split_ascii_whitespace()
}

/// What SPDX lists under `small` but for the size of its letters.
fn listed(small: &str) -> Option<License> {
    let licenses = spdx::identifiers::LICENSES.iter();
    let mut same = licenses.filter(|license| license.name.eq_ignore_ascii_case(small));
    same.next()?.name.parse().ok()
}

#[cfg(test)]
mod tests {
    //! Names there and back.

    use super::*;

    fn spdx(name: &str) -> Option<String> {
        of_hub(name).map(|license| license.to_string())
    }

    #[test]
    fn the_hubs_names_are_spdx_and_come_back() {
        for (hub, expected) in [
            ("apache-2.0", "Apache-2.0"),
            ("mit", "MIT"),
            ("odc-by", "ODC-By-1.0"),
            ("cc-by-nc-sa-4.0", "CC-BY-NC-SA-4.0"),
            ("llama3.1", "LicenseRef-llama3.1"),
            ("openrail++", "LicenseRef-openrail-plus-plus"),
            ("postgresql", "PostgreSQL"),
        ] {
            assert_eq!(spdx(hub).as_deref(), Some(expected), "{hub}");
        }
        for none in ["other", "unknown", "", "see the file"] {
            assert_eq!(spdx(none), None, "{none}");
        }
        for hub in names() {
            let Some(license) = of_hub(hub) else {
                panic!("{hub} is no licence");
            };
            assert_eq!(for_hub(&license), (hub.to_owned(), None), "{hub}");
        }
    }

    #[test]
    fn another_licence_goes_by_its_name() {
        let there = |spdx: &str| for_hub(&spdx.parse().unwrap());
        for (license, name) in [
            ("MIT OR Apache-2.0", "MIT OR Apache-2.0"),
            ("LicenseRef-acme-internal", "acme-internal"),
            ("AAL", "AAL"),
        ] {
            assert_eq!(there(license), ("other".to_owned(), Some(name.to_owned())));
            assert_eq!(by_name(name).unwrap().to_string(), license);
        }
        assert_eq!(
            by_name("Acme Internal (v2)").unwrap().to_string(),
            "LicenseRef-Acme-Internal--v2"
        );
    }
}
