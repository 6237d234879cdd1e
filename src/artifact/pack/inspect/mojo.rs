//! H2O's MOJO: a zip whose `model.ini` tells the model.
//!
//! ```text
//! [info]                     [columns]      [domains]
//! algorithm = …              sepal_length   4: 3 d000.txt
//! n_features = 4             …
//! category = Multinomial     species        (the response is the last column)
//! ```

use std::collections::BTreeMap;
use std::io::{self, Read, Seek};

use super::element::Element;
use super::port::{MAX_PORTS, Port};
use super::told::{Told, named};
use super::zip;

/// The largest `model.ini` that is read.
const MAX_INI_BYTES: u64 = 16 * 1024 * 1024;
/// The largest list of classes that is read.
const MAX_DOMAIN_BYTES: u64 = 256 * 1024;
/// The most classes that are told.
const MAX_CLASSES: usize = 1000;
/// What of `[info]` is kept.
const METADATA: [&str; 6] = [
    "algo",
    "algorithm",
    "category",
    "mojo_version",
    "n_features",
    "supervised",
];

/// What `model.ini` says.
#[derive(Debug, Default)]
struct Ini {
    info: BTreeMap<String, String>,
    columns: Vec<String>,
    /// By the column's number, the file with its classes.
    domains: BTreeMap<usize, String>,
}

/// What the zip in `file` is.
///
/// # Errors
/// If it has no whole directory.
pub(super) fn tell(mut file: impl Read + Seek) -> io::Result<Told> {
    let entries = zip::entries(&mut file)?;
    let mut read = |name: &str, limit| -> io::Result<Option<String>> {
        let Some(entry) = entries.iter().find(|entry| entry.name == name) else {
            return Ok(None);
        };
        let bytes = zip::bytes(&mut file, entry, limit)?;
        Ok(bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
    };
    let text = read("model.ini", MAX_INI_BYTES)?;
    let ini = parse(&text.ok_or_else(|| io::Error::other("its model.ini can't be read"))?);
    let mut told = named("h2o-mojo");
    told.version = ini.info.get("mojo_version").cloned();
    told.framework = Some(("h2o".to_owned(), ini.info.get("h2o_version").cloned()));
    for key in METADATA {
        if let Some(value) = ini.info.get(key) {
            told.metadata.insert(key.to_owned(), value.clone());
        }
    }
    let count = ini.number("n_features").unwrap_or(ini.columns.len());
    told.inputs = ini.inputs(count);
    if ini
        .info
        .get("supervised")
        .is_some_and(|value| value == "true")
        && count < ini.columns.len()
    {
        let place = ini.columns.len() - 1;
        let classes = match ini.domains.get(&place) {
            Some(name) => read(&format!("domains/{name}"), MAX_DOMAIN_BYTES)?,
            None => None,
        };
        told.outputs = ini.outputs(place, classes.as_deref());
    }
    Ok(told)
}

impl Ini {
    fn number(&self, key: &str) -> Option<usize> {
        self.info.get(key)?.parse().ok()
    }

    fn element(&self, place: usize) -> Element {
        if self.domains.contains_key(&place) {
            Element::String
        } else {
            Element::Double
        }
    }

    fn inputs(&self, count: usize) -> Vec<Port> {
        let columns = self.columns.iter().take(count).enumerate();
        columns
            .map(|(place, name)| Port::column(name.as_str(), self.element(place)))
            .collect()
    }

    fn outputs(&self, place: usize, classes: Option<&str>) -> Vec<Port> {
        let predicted = Port {
            description: Some(self.columns[place].clone()),
            ..Port::column("predict", self.element(place))
        };
        // Beside the class, the probability of each.
        let classes = classes.into_iter().flat_map(str::lines).take(MAX_CLASSES);
        let classes = classes.filter(|class| *class != "predict");
        let probable = classes.map(|class| Port::column(class, Element::Double));
        std::iter::once(predicted).chain(probable).collect()
    }
}

fn parse(text: &str) -> Ini {
    let mut ini = Ini::default();
    let mut section = "";
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        if let Some(name) = line
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
        {
            section = match name {
                "info" | "columns" | "domains" => name,
                _ => "",
            };
            continue;
        }
        match section {
            "info" => {
                if let Some((key, value)) = line.split_once('=') {
                    ini.info
                        .insert(key.trim().to_owned(), value.trim().to_owned());
                }
            }
            "columns" if ini.columns.len() < MAX_PORTS => ini.columns.push(line.to_owned()),
            "domains" => {
                let place = line.split_once(':');
                let file = line.rsplit(' ').next();
                if let (Some((place, _)), Some(file)) = (place, file)
                    && let Ok(place) = place.trim().parse()
                {
                    ini.domains.insert(place, file.to_owned());
                }
            }
            _ => {}
        }
    }
    ini
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::super::zip::writing::zip;
    use super::*;

    #[test]
    fn columns_are_what_goes_in_and_classes_what_comes_out() {
        let ini = "[info]\nh2o_version = 3.46.0.1\nmojo_version = 1.40\nalgo = gbm\n\
            supervised = true\nn_features = 2\nn_classes = 2\ncategory = Binomial\n\n\
            [columns]\nage\ncity\nresult\n\n[domains]\n1: 3 d000.txt\n2: 2 d001.txt\n";
        let zip = zip(&[
            ("model.ini", ini.as_bytes()),
            ("domains/d001.txt", b"no\nyes\n"),
        ]);
        let told = tell(Cursor::new(zip)).unwrap();
        assert_eq!(
            told.framework,
            Some(("h2o".to_owned(), Some("3.46.0.1".to_owned())))
        );
        assert_eq!(
            told.inputs,
            [
                Port::column("age", Element::Double),
                Port::column("city", Element::String)
            ]
        );
        let outputs: Vec<_> = told.outputs.iter().map(|port| port.name.as_str()).collect();
        assert_eq!(outputs, ["predict", "no", "yes"]);
    }
}
