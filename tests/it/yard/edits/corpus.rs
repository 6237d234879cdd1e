//! Records as people and programs write them, no two alike.

/// A deployment of `vision/digits` with `suspend`, `pool`, `split` and `dependsOn`, in many hands.
pub(super) const DEPLOYMENTS: [(&str, &str); 15] = [
    (
        "comments at every place",
        "\
# c1
apiVersion: modelyard.dev/v1 # c2
# c3
kind: Deployment
metadata: # c4
  # c5
  name: digits # c6
  environment: factory
# c7
spec: # c8
  # c9
  model: vision/digits # c10
  version: champion # c11
  # c12
  suspend: false # c13

  # c14
  pool: cpu # c15
  split: # c16
    # c17
    - model: vision/digits # c18
      # c19
      version: 1.0.0 # c20
      weight: 80 # c21
    # c22
    - model: vision/words # c23
      weight: 20
      # c24
  dependsOn: # c25
    # c26
    - words # c27
    # c28
  # c29
# c30
",
    ),
    (
        "on one line",
        "{apiVersion: modelyard.dev/v1, kind: Deployment, metadata: {name: digits, environment: factory}, \
         spec: {model: vision/digits, version: champion, suspend: false, pool: cpu, split: [{model: \
         vision/digits, version: 1.0.0, weight: 80}, {model: vision/words, weight: 20}], dependsOn: \
         [words]}} # c1\n",
    ),
    (
        "as JSON",
        r#"{
  "apiVersion": "modelyard.dev/v1",
  "kind": "Deployment",
  "metadata": {
    "name": "digits",
    "environment": "factory"
  },
  "spec": {
    "model": "vision/digits",
    "version": "champion",
    "suspend": false,
    "pool": "cpu",
    "split": [
      {"model": "vision/digits", "version": "1.0.0", "weight": 80},
      {"model": "vision/words", "weight": 20}
    ],
    "dependsOn": ["words"]
  }
}
"#,
    ),
    (
        "in brackets over many lines, with commas behind",
        "\
apiVersion: modelyard.dev/v1
kind: Deployment
metadata: {
  name: digits, # c1
  environment: factory, # c2
}
spec: { # c3
  model: vision/digits, # c4
  version: champion # c5
  , suspend: false,
  # c6
  pool: cpu,
  split: [ # c7
    {model: vision/digits, version: 1.0.0, weight: 80, }, # c8
    { model: vision/words, weight: 20 } , # c9
  ],
  dependsOn: [ words, ], # c10
} # c11
",
    ),
    (
        "brackets within blocks",
        "\
apiVersion: modelyard.dev/v1
kind: Deployment
metadata: {name: digits, environment: factory}
spec:
  model: vision/digits
  version: champion
  suspend: false
  pool: cpu
  split: [{model: vision/digits, version: 1.0.0, weight: 80},   # c1
          {model: vision/words, weight: 20}]   # c2
  dependsOn: [words]
",
    ),
    (
        "keys in quotes and in another order",
        "\
spec:
  'dependsOn':
  - \"words\"
  'split':
  - 'weight': 80
    \"version\": '1.0.0'
    'model': \"vision/digits\"
  - {\"weight\": 20, 'model': 'vision/words'}
  \"pool\": 'cpu'
  'suspend': false
  \"version\": \"champion\"
  'model': 'vision/digits'
\"metadata\": {'environment': \"factory\", \"name\": 'digits'}
kind: 'Deployment'
\"apiVersion\": \"modelyard.dev/v1\"
",
    ),
    (
        "deeply indented, its lists not at all",
        "\
apiVersion:   modelyard.dev/v1
kind:         Deployment
metadata:
        name:          digits
        environment:   factory
spec:
        model:       vision/digits
        version:     champion
        suspend:     false
        pool:        cpu
        split:
        -   model:   vision/digits
            version: 1.0.0
            weight:  80
        -   model:   vision/words
            weight:  20
        dependsOn:
        -   words
",
    ),
    (
        "dashes on lines of their own",
        "\
apiVersion: modelyard.dev/v1
kind: Deployment
metadata:
  name: digits
  environment: factory
spec:
  model: vision/digits
  version: champion
  suspend: false
  pool: cpu
  split:
    -
      model: vision/digits
      version: 1.0.0
      weight: 80
    - # c1
      model: vision/words
      weight: 20
  dependsOn:
    -
      words
",
    ),
    (
        "values on lines of their own",
        "\
apiVersion:
  modelyard.dev/v1
kind:
  Deployment
metadata:
  name:
    digits
  environment: factory
spec:
  model:
    vision/digits
  version:
    # c1
    champion
    # c2
  suspend:
    false
  pool:
      cpu
  split:
  - {model: vision/digits, version:
      1.0.0, weight: 80}
  - {model: vision/words, weight: 20}
  dependsOn: [
    words
  ]
",
    ),
    (
        "tabs where they are allowed",
        "apiVersion:\tmodelyard.dev/v1\t# c1\nkind: \tDeployment\nmetadata:\t{name:\tdigits,\tenvironment: \
         factory}\t\nspec:\t# c2\n  model:\tvision/digits\t# c3\n  version:\tchampion\t# c4\n  \
         suspend:\tfalse\n\t\n  pool:\tcpu\t\n  split:\n  - model:\tvision/digits\n    version:\t1.0.0\t# \
         c5\n    weight:\t80\n  - {model:\tvision/words,\tweight:\t20}\t# c6\n  dependsOn:\n  - words\t# c7\n",
    ),
    (
        "spaces before colons and at the ends of lines",
        "apiVersion : modelyard.dev/v1   \nkind : Deployment \nmetadata : {name : digits , environment : \
         factory }  \nspec :   \n  model : vision/digits  \n  version : champion   \n   \n  suspend : \
         false  \n  pool : cpu \n  split :  \n  - model : vision/digits \n    version : 1.0.0  \n    \
         weight : 80 \n  - {model : vision/words , weight : 20 } \n  dependsOn : [ words ] \n",
    ),
    (
        "texts over several lines",
        "\
apiVersion: modelyard.dev/v1
kind: Deployment
metadata: {name: digits, environment: factory}
spec:
  model: 'vision/\\
    digits'
  version: \"cham\\
    pion\" # c1
  suspend: false
  pool: \"cpu\"
  split:
  - {model: \"vision/\\
      digits\", version: \"1.0\\
      .0\", weight: 80}
  - model: vision/words
    weight: 20
  dependsOn: ['words']
",
    ),
    (
        "between markers",
        "\
# c1
---
# c2
apiVersion: modelyard.dev/v1
kind: Deployment
metadata: {name: digits, environment: factory}
spec:
  model: vision/digits
  version: champion
  suspend: false
  pool: cpu
  split:
  - {model: vision/digits, version: 1.0.0, weight: 80}
  - {model: vision/words, weight: 20}
  dependsOn: [words]
# c3
...
# c4
",
    ),
    (
        "keys that say so",
        "\
? apiVersion
: modelyard.dev/v1
kind: Deployment
? metadata # c1: none
# c2
: ? name # c3
  : digits
  environment: factory
? spec
:
  ? model
  : vision/digits # c4
  ? version
  # c5
  : champion
  ? suspend
  : false # c6
  ? pool
  : cpu
  ? split # c7
  : - ? model
      : vision/digits
      version: 1.0.0
      ? weight
      : 80 # c8
    - {? model : vision/words, ? weight : 20} # c9
  ? dependsOn
  :
  - words # c10
",
    ),
    (
        "blank lines between all, and what is edited last",
        "\
apiVersion: modelyard.dev/v1

kind: Deployment

metadata:

  name: digits

  environment: factory

spec:

  model: vision/digits


  dependsOn:

  - words

  split:

  - model: vision/digits

    version: 1.0.0

    weight: 80

  - model: vision/words

    weight: 20

  pool: cpu

  suspend: false

  version: champion


",
    ),
];

/// A version's record with `notes` as each kind of text, and lists and fields around it.
pub(super) const NOTES: [(&str, &str); 18] = [
    ("as they are", "Dry."),
    ("in single quotes", "'It''s dry: # no comment'"),
    ("in double quotes", "\"Dry.\\nAnd \\u00fc.\""),
    ("literal", "|\n    Dry.\n\n    # no comment"),
    ("literal, stripped", "|-\n    Dry.\n      Indented."),
    ("literal, kept", "|+\n    Dry.\n\n"),
    ("folded", ">\n    Dry\n    again."),
    ("folded, stripped", ">- # c1\n    Dry\n\n    again."),
    ("folded, kept", ">+\n    Dry.\n\n\n"),
    ("literal, indented by hand", "|4\n      Two more."),
    (
        "literal, kept and indented by hand",
        "|+4\n      Two more.\n\n",
    ),
    ("over lines", "Dry\n    again\n    and again."),
    (
        "in quotes over lines",
        "\"Dry\n    again\n\n    and again.\"",
    ),
    ("none", ""),
    ("none, said so", "~ # c1"),
    ("an empty text", "''"),
    ("of all the world", "Größe 寸法 📏 e\u{301} \u{a0}x"),
    ("on a long line", "LONG"),
];

/// The record with these notes.
pub(super) fn noted(notes: &str) -> String {
    let notes = notes.replace("LONG", &"So dry that it creaks. ".repeat(300));
    format!(
        "\
apiVersion: modelyard.dev/v1
kind: ModelVersion
metadata: {{namespace: vision, name: digits, version: 1.0.0}}
spec:
  lifecycle: staged   # c90
  notes: {notes}
  links: # c91
  - {{title: Log, url: https://a.example}} # c92
  # c93
  metrics:
    - name: accuracy # c94
      value: 0.97
    # c95
  # c96
  author: me
"
    )
    .replace("notes: \n", "notes:\n")
}

/// A manner, and a record in it.
type Manner = (&'static str, fn(&str) -> String);

/// What can be done to a whole file that changes nothing of what it says.
pub(super) const MANNERS: [Manner; 8] = [
    ("as it is", str::to_owned),
    ("with CRLF", |text| text.replace('\n', "\r\n")),
    ("with a BOM", |text| format!("\u{feff}{text}")),
    ("with a BOM and CRLF", |text| {
        format!("\u{feff}{}", text.replace('\n', "\r\n"))
    }),
    ("without a last line break", |text| {
        text.trim_end_matches('\n').to_owned()
    }),
    ("with lines behind", |text| format!("{text}\n\n# c99\n\n")),
    ("with a comment without a line break behind", |text| {
        format!("{text} # c99")
    }),
    ("with one line behind, CRLF", |text| {
        format!("{text}\n").replace('\n', "\r\n")
    }),
];
