//! Has a yard accept a key: its public half, and a rule that asks for its signature, on a branch.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};

use super::super::propose::{self, Proposed};
use super::error::KeysError;
use crate::record::kind::{ModelPattern, Requirement, Signer, Stages, TrustMatch, TrustRule};
use crate::record::{Failure, Lifecycle, Name};
use crate::trust::VerifyingKey;
use crate::yard::{Catalog, Change, YARD_FILE, Yard, YardError, blocking, edit};

/// Which versions the key is to vouch for; all of them where nothing is said.
#[derive(Debug, Clone, Default)]
pub struct Scope {
    /// Of which models.
    pub models: Option<ModelPattern>,
    /// At which stages of their life.
    pub lifecycle: Vec<Lifecycle>,
}

/// What the yard is to change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Accepted {
    /// The yard.
    pub place: String,
    /// The public half in it.
    pub key: String,
    /// What happens to the trust policy.
    pub rule: RuleChange,
    /// How it is proposed.
    #[serde(flatten)]
    pub proposed: Proposed,
}

/// What happens to the trust policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RuleChange {
    /// A rule is new: what it fits needs a signature by this key.
    Added,
    /// Rules for the same versions were there: each accepts this key as well.
    Extended,
    /// Every such rule accepts it already.
    Unchanged,
}

/// Proposes that `yard` accepts `key` under the name `name`, at time `now`.
///
/// # Errors
/// [`KeysError::OtherKeyInYard`]: no key of the yard is ever overwritten. Else git's.
pub async fn accept(
    yard: &Yard,
    name: &Name,
    key: &VerifyingKey,
    scope: &Scope,
    now: Timestamp,
) -> Result<Accepted, Failure> {
    let change = begin(yard, name).await?;
    propose_in(change, name, key, scope, now).await
}

/// Begins the change, on a branch of the key's own.
pub(super) async fn begin(yard: &Yard, name: &Name) -> Result<Change, Failure> {
    propose::begin(yard, &format!("keys/{name}")).await
}

pub(super) async fn propose_in(
    change: Change,
    name: &Name,
    key: &VerifyingKey,
    scope: &Scope,
    now: Timestamp,
) -> Result<Accepted, Failure> {
    let message = format!("keys: accept {name} ({})", key.fingerprint().short());
    let path = format!("keys/{name}.pub");
    let (key, scope) = (key.clone(), scope.clone());
    let (change, path, rule) = blocking(move || {
        let mut change = change;
        let rule = write(&mut change, &path, &key, &scope)?;
        Ok::<_, Failure>((change, path, rule))
    })
    .await?;
    Ok(Accepted {
        place: change.snapshot().yard().place(),
        key: path,
        rule,
        proposed: propose::propose(change, &message, now).await?,
    })
}

/// Puts the key into the change, at `path`, and what the trust policy says of it.
fn write(
    change: &mut Change,
    path: &str,
    key: &VerifyingKey,
    scope: &Scope,
) -> Result<RuleChange, Failure> {
    let snapshot = change.snapshot();
    match snapshot.read(path)? {
        None => change.write(path, key.to_pem())?,
        Some(there) if VerifyingKey::from_pem(&there).ok().as_ref() == Some(key) => {}
        Some(_) => {
            let path = path.to_owned();
            return Err(KeysError::OtherKeyInYard { path }.into());
        }
    }
    let source = snapshot.read(YARD_FILE)?.ok_or_else(|| YardError::NoYard {
        place: snapshot.yard().place(),
    })?;
    let rules = Catalog::new(snapshot).yard()?.spec.trust.rules;
    let (source, rule) = with_rule(source.to_vec(), &rules, path, scope)?;
    change.write(YARD_FILE, source)?;
    Ok(rule)
}

/// The text of `modelyard.yaml` with the key at `path` accepted.
///
/// A rule of its own would ask for this key's signature besides all others, and so refuse what
/// the others signed. So rules for the same versions that ask for signatures take it among those
/// they accept, and only where there is none there is a new one.
fn with_rule(
    mut source: Vec<u8>,
    rules: &[TrustRule],
    path: &str,
    scope: &Scope,
) -> Result<(Vec<u8>, RuleChange), Failure> {
    let matching = scope.matching();
    let mut same = rules
        .iter()
        .enumerate()
        .filter(|(_, rule)| rule.matching == matching && rule.require.signatures > Some(0))
        .peekable();
    let signer = json!({"key": path});
    if same.peek().is_none() {
        let rule = TrustRule {
            matching,
            require: Requirement {
                signatures: Some(1),
                ..Requirement::default()
            },
            accept: Vec::new(),
        };
        let mut rule = serde_json::to_value(rule).expect("a rule's keys are strings");
        rule["accept"] = Value::Array(vec![signer]);
        return Ok((
            edit::add(&source, "/spec/trust/rules", &rule)?,
            RuleChange::Added,
        ));
    }
    let mut change = RuleChange::Unchanged;
    for (index, rule) in same {
        let accepts =
            |signer: &Signer| matches!(signer, Signer::Key(key) if key.key.as_str() == path);
        if !rule.accept.iter().any(accepts) {
            let pointer = format!("/spec/trust/rules/{index}/accept");
            source = edit::add(&source, &pointer, &signer)?;
            change = RuleChange::Extended;
        }
    }
    Ok((source, change))
}

impl Scope {
    fn matching(&self) -> TrustMatch {
        TrustMatch {
            models: self.models.clone(),
            lifecycle: match self.lifecycle.as_slice() {
                [] => None,
                [stage] => Some(Stages::One(*stage)),
                stages => Some(Stages::Several(stages.to_vec())),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::yaml;
    use crate::record::kind;

    const YARD: &str = "apiVersion: modelyard.dev/v1\nkind: Yard\nmetadata: {name: acme}\n\
        spec:\n  stores:\n    - {name: main, repository: \"oci-layout:./store\"} # here\n";

    fn told(source: &str, path: &str, scope: &Scope) -> (String, RuleChange) {
        let tree = yaml::parse(source.as_bytes()).unwrap();
        let yard: kind::Yard = kind::read(tree.value()).unwrap();
        let rules = yard.spec.trust.rules;
        let (edited, change) = with_rule(source.into(), &rules, path, scope).unwrap();
        (String::from_utf8(edited).unwrap(), change)
    }

    #[test]
    fn the_first_key_gets_a_rule_and_the_next_one_is_accepted_by_it() {
        let all = Scope::default();
        let (one, change) = told(YARD, "keys/ann.pub", &all);
        assert_eq!(change, RuleChange::Added);
        let (two, change) = told(&one, "keys/ben.pub", &all);
        assert_eq!(change, RuleChange::Extended);
        insta::assert_snapshot!(two, @r#"
apiVersion: modelyard.dev/v1
kind: Yard
metadata: {name: acme}
spec:
  stores:
    - {name: main, repository: "oci-layout:./store"} # here
  trust:
    rules:
      - require:
          signatures: 1
        accept:
          - key: keys/ann.pub
          - key: keys/ben.pub
"#);
        assert_eq!(
            told(&two, "keys/ben.pub", &all),
            (two.clone(), RuleChange::Unchanged)
        );
    }

    #[test]
    fn rules_for_other_versions_are_left_alone() {
        let some = Scope {
            models: Some("vision/*".parse().unwrap()),
            lifecycle: vec![Lifecycle::Released, Lifecycle::Deprecated],
        };
        let (one, _) = told(YARD, "keys/ann.pub", &Scope::default());
        let (two, change) = told(&one, "keys/vision.pub", &some);
        assert_eq!(change, RuleChange::Added);
        insta::assert_snapshot!(two, @r#"
apiVersion: modelyard.dev/v1
kind: Yard
metadata: {name: acme}
spec:
  stores:
    - {name: main, repository: "oci-layout:./store"} # here
  trust:
    rules:
      - require:
          signatures: 1
        accept:
          - key: keys/ann.pub
      - match:
          models: vision/*
          lifecycle:
            - released
            - deprecated
        require:
          signatures: 1
        accept:
          - key: keys/vision.pub
"#);
    }
}
