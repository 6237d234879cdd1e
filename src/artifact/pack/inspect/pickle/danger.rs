//! Which imports of a pickle can do anything to the machine that loads it.
//!
//! A pickle calls what it imports. A model's own classes and functions have nothing to do with
//! the operating system, other programs, the network or Python's compiler.

use super::value::Global;

/// Modules of which nothing belongs in a model.
const MODULES: &[&str] = &[
    "_aix_support",
    "_ctypes",
    "_osx_support",
    "_posixsubprocess",
    "_pyrepl",
    "aiohttp",
    "asyncio",
    "bdb",
    "cProfile",
    "code",
    "codeop",
    "commands",
    "ctypes",
    "distutils",
    "doctest",
    "ensurepip",
    "ftplib",
    "http",
    "httplib",
    "httpx",
    "idlelib",
    "imaplib",
    "imp",
    "importlib",
    "lib2to3",
    "linecache",
    "marshal",
    "multiprocessing",
    "nt",
    "ntpath",
    "os",
    "paramiko",
    "pdb",
    "pip",
    "pkgutil",
    "platform",
    "popen2",
    "poplib",
    "posix",
    "profile",
    "pty",
    "pydoc",
    "requests",
    "runpy",
    "setuptools",
    "shutil",
    "signal",
    "site",
    "smtplib",
    "socket",
    "socketserver",
    "ssl",
    "subprocess",
    "sys",
    "telnetlib",
    "tempfile",
    "threading",
    "timeit",
    "trace",
    "urllib",
    "urllib2",
    "urllib3",
    "venv",
    "webbrowser",
    "xmlrpc",
    "zipimport",
];

/// Python's own functions that make plain values.
const PLAIN: &[&str] = &[
    "Ellipsis",
    "NotImplemented",
    "bool",
    "bytearray",
    "bytes",
    "complex",
    "dict",
    "enumerate",
    "filter",
    "float",
    "frozenset",
    "int",
    "list",
    "map",
    "object",
    "property",
    "range",
    "reversed",
    "set",
    "slice",
    "staticmethod",
    "str",
    "super",
    "tuple",
    "type",
    "unicode",
    "long",
    "xrange",
    "zip",
    "print",
    "len",
    "max",
    "min",
    "sum",
    "abs",
    "round",
    "sorted",
    "all",
    "any",
    "callable",
    "classmethod",
    "repr",
    "hash",
    "id",
    "iter",
    "next",
    "isinstance",
    "issubclass",
];

/// Single functions that call others, read other pickles or run other code.
const FUNCTIONS: &[(&str, &[&str])] = &[
    ("io", &["open", "open_code", "FileIO"]),
    ("_io", &["open", "open_code", "FileIO"]),
    ("operator", &["attrgetter", "methodcaller"]),
    ("_operator", &["attrgetter", "methodcaller"]),
    ("types", &["CodeType", "FunctionType", "LambdaType"]),
    ("pickle", &["load", "loads", "Unpickler"]),
    ("_pickle", &["load", "loads", "Unpickler"]),
    ("cPickle", &["load", "loads", "Unpickler"]),
    ("dill", &["load", "loads"]),
    ("cloudpickle", &["load", "loads"]),
    ("joblib", &["load"]),
    ("joblib.numpy_pickle", &["load"]),
    ("numpy", &["load", "fromfile", "memmap"]),
    ("numpy.testing._private.utils", &["runstring"]),
    ("pandas", &["read_pickle", "eval"]),
    ("torch", &["load", "hub"]),
    ("torch.serialization", &["load"]),
    ("torch.hub", &["load", "load_state_dict_from_url"]),
    ("torch.jit", &["load"]),
    ("torch.utils.collect_env", &["run"]),
    ("torch.jit.unsupported_tensor_ops", &["execWrapper"]),
    ("torch._dynamo.guards", &["GuardBuilder.get"]),
];

/// Whether importing `global` is a danger.
pub(super) fn is_danger(global: &Global) -> bool {
    let Global { module, name } = global;
    let top = module.split('.').next().unwrap_or_default();
    if MODULES.contains(&top) {
        return true;
    }
    if matches!(top, "builtins" | "__builtin__" | "__builtins__") {
        return !PLAIN.contains(&name.as_str()) && !is_error(name);
    }
    // `logging.os.system` is a way to `os`.
    let through = name.rsplit_once('.').map_or("", |(path, _)| path);
    if through.split('.').any(|part| MODULES.contains(&part)) {
        return true;
    }
    let functions = FUNCTIONS.iter().find(|(owner, _)| owner == module);
    functions.is_some_and(|(_, names)| names.contains(&name.as_str()))
}

fn is_error(name: &str) -> bool {
    name.ends_with("Error") || name.ends_with("Exception") || name.ends_with("Warning")
}

/// Whether `global` makes functions of bytecode that lies in the pickle.
pub(super) fn is_bytecode(global: &Global) -> bool {
    matches!(
        global.module.split('.').next(),
        Some("cloudpickle" | "dill")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_runs_other_code_is_a_danger_and_a_models_classes_are_none() {
        for (text, danger) in [
            ("posix system", true),
            ("os system", true),
            ("os.path join", true),
            ("builtins eval", true),
            ("builtins getattr", true),
            ("__builtin__ apply", true),
            ("logging os.system", true),
            ("torch.storage os.system", true),
            ("operator attrgetter", true),
            ("builtins set", false),
            ("builtins ValueError", false),
            ("collections OrderedDict", false),
            ("sklearn.ensemble._forest RandomForestClassifier", false),
            ("pathlib PosixPath", false),
            ("operator itemgetter", false),
        ] {
            let (module, name) = text.split_once(' ').unwrap();
            let global = Global {
                module: module.to_owned(),
                name: name.to_owned(),
            };
            assert_eq!(is_danger(&global), danger, "{text}");
        }
    }
}
