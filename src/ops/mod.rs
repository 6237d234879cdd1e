//! The use cases, one file each: what a command or a server does, without a terminal.
//!
//! A use case is handed all it works with (a yard, a store's options, the time, who watches its
//! progress), holds the rooms below together, and gives back what came of it as data.

mod affected;
pub mod assess;
pub mod check_change;
mod chosen;
pub mod comment;
pub mod compare;
mod cores;
pub mod delete;
pub mod demo;
pub mod deploy;
pub mod deployment;
mod evidence;
pub mod explain;
pub mod export;
mod files;
pub mod filter;
mod gates;
pub mod history;
pub mod import;
pub mod init;
pub mod inspect;
pub mod keys;
pub mod list;
pub mod locate;
pub mod log;
pub mod login;
pub mod plan_change;
pub mod policy;
pub mod predict;
pub mod promote;
pub mod propose;
pub mod publish;
pub mod pull;
pub mod pull_request;
pub mod push;
pub mod receipt;
mod referrers;
mod refuse;
pub mod resolve;
pub mod rollback;
pub mod search;
pub mod served;
pub mod set;
mod shelf;
pub mod show;
pub mod sign;
pub mod steer;
pub mod tags;
pub mod test;
pub mod verify;

pub use files::files;
pub use refuse::{CheckRefused, refuse_errors};

/// The codes of this room.
pub mod codes {
    crate::codes! {
        INVALID_FILTER = "invalid-filter";
        INVALID_SELECTION = "invalid-selection";
        NO_WORDS = "no-words";
        CHECK_REFUSED = "check-refused";
        WHICH_VERSION = "which-version";
        WHICH_DEPLOYMENT = "which-deployment";
        WHICH_DIGEST = "which-digest";
        WHICH_STEP = "which-step";
        VERSION_TAKEN = "version-taken";
        MERGED_OTHERWISE = "merged-otherwise";
        NO_SUCH_STORE = "no-such-store";
        MISSING_METADATA = "missing-metadata";
        UNUSABLE_FROM = "unusable-from";
        NOTHING_ASKED = "nothing-asked";
        NOT_MERGED = "not-merged";
        NOT_RECYCLED = "not-recycled";
        RETENTION_NOT_OVER = "retention-not-over";
        NO_RECEIPTS = "no-receipts";
        NOTHING_TO_ROLL_BACK = "nothing-to-roll-back";
        NOT_MERGED_THERE = "not-merged-there";
        FORGE_NEEDED = "forge-needed";
        NOT_SERVING = "not-serving";
        NOT_AN_ASSIGNMENT = "not-an-assignment";
        NO_SUCH_FIELD = "no-such-field";
        FIELD_IS_FIXED = "field-is-fixed";
        NO_MERGE_BASE = "no-merge-base";
        NO_EVIDENCE = "no-evidence";
        UNKNOWN_CODE = "unknown-code";
        KEY_EXISTS = "key-exists";
        NO_SUCH_KEY = "no-such-key";
        NO_SIGNING_KEY = "no-signing-key";
        WHICH_KEY = "which-key";
        OTHER_KEY_IN_YARD = "other-key-in-yard";
        NO_KEY_GIVEN = "no-key-given";
        FILE_IN_THE_WAY = "file-in-the-way";
        FOLDER_NOT_EMPTY = "folder-not-empty";
        INSIDE_YARD = "inside-yard";
        INSIDE_REPOSITORY = "inside-repository";
        BARE_REPOSITORY = "bare-repository";
        NO_YARD_NAME = "no-yard-name";
        PULL_WITHOUT_YARD = "pull-without-yard";
        NO_STORAGE_ADDRESS = "no-storage-address";
        NOT_OF_A_DEPLOYMENT = "not-of-a-deployment";
        PUSH_TO_DIGEST = "push-to-digest";
        TAG_TAKEN = "tag-taken";
        NOT_A_REGISTRY = "not-a-registry";
        NOT_A_LOGIN = "not-a-login";
        DEPENDENCY_LACKS_FILE = "dependency-lacks-file";
        RUNTIME_NOT_HERE = "runtime-not-here";
        NOT_A_TABLE = "not-a-table";
        NOT_AN_IMAGE = "not-an-image";
        IMAGE_INPUT_UNCLEAR = "image-input-unclear";
        ROW_REFUSED = "row-refused";
        RESULT_EXISTS = "result-exists";
        RESULT_IN_USE = "result-in-use";
        NO_RESULT_ROWS = "no-result-rows";
        BEGUN_OTHERWISE = "begun-otherwise";
        NO_ROWS_ASKED = "no-rows-asked";
        NO_GOLDEN_TESTS = "no-golden-tests";
        NO_POLICY_TESTS = "no-policy-tests";
        DEMO_NOT_AS_TOLD = "demo-not-as-told";
        DEMO_PROGRAM_MISSING = "demo-program-missing";
    }
}
