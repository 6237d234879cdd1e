//! What Hugging Face's tasks say of a model: its field, what it does, and what it takes.
//!
//! Source: the tasks that the hub knows (huggingface.co/tasks), with the groups that its page has
//! them in. A task that takes several kinds of data says no single one.

/// A task: its name, the field, what it does, and what it takes where that is one thing.
type Task = (
    &'static str,
    &'static str,
    &'static str,
    Option<&'static str>,
);

const VISION: &str = "computer-vision";
const LANGUAGE: &str = "nlp";
const AUDIO: &str = "audio";
const TABULAR: &str = "tabular";
const SEVERAL: &str = "multimodal";

const TASKS: [Task; 46] = [
    (
        "audio-classification",
        AUDIO,
        "classification",
        Some("audio"),
    ),
    ("audio-to-audio", AUDIO, "transformation", Some("audio")),
    (
        "automatic-speech-recognition",
        AUDIO,
        "recognition",
        Some("audio"),
    ),
    ("text-to-audio", AUDIO, "generation", Some("text")),
    ("text-to-speech", AUDIO, "generation", Some("text")),
    (
        "voice-activity-detection",
        AUDIO,
        "detection",
        Some("audio"),
    ),
    ("depth-estimation", VISION, "regression", Some("image")),
    (
        "image-classification",
        VISION,
        "classification",
        Some("image"),
    ),
    (
        "image-feature-extraction",
        VISION,
        "feature-extraction",
        Some("image"),
    ),
    ("image-segmentation", VISION, "segmentation", Some("image")),
    ("image-to-3d", VISION, "generation", Some("image")),
    ("image-to-image", VISION, "transformation", Some("image")),
    ("image-to-video", VISION, "generation", Some("image")),
    ("keypoint-detection", VISION, "detection", Some("image")),
    ("mask-generation", VISION, "segmentation", Some("image")),
    ("object-detection", VISION, "detection", Some("image")),
    ("text-to-3d", VISION, "generation", Some("text")),
    ("text-to-image", VISION, "generation", Some("text")),
    ("text-to-video", VISION, "generation", Some("text")),
    ("unconditional-image-generation", VISION, "generation", None),
    (
        "video-classification",
        VISION,
        "classification",
        Some("video"),
    ),
    ("video-to-video", VISION, "transformation", Some("video")),
    (
        "zero-shot-image-classification",
        VISION,
        "classification",
        Some("image"),
    ),
    (
        "zero-shot-object-detection",
        VISION,
        "detection",
        Some("image"),
    ),
    (
        "feature-extraction",
        LANGUAGE,
        "feature-extraction",
        Some("text"),
    ),
    ("fill-mask", LANGUAGE, "generation", Some("text")),
    (
        "question-answering",
        LANGUAGE,
        "question-answering",
        Some("text"),
    ),
    ("sentence-similarity", LANGUAGE, "similarity", Some("text")),
    ("summarization", LANGUAGE, "generation", Some("text")),
    (
        "table-question-answering",
        LANGUAGE,
        "question-answering",
        None,
    ),
    (
        "text-classification",
        LANGUAGE,
        "classification",
        Some("text"),
    ),
    ("text-generation", LANGUAGE, "generation", Some("text")),
    ("text-ranking", LANGUAGE, "ranking", Some("text")),
    (
        "token-classification",
        LANGUAGE,
        "classification",
        Some("text"),
    ),
    ("translation", LANGUAGE, "translation", Some("text")),
    (
        "zero-shot-classification",
        LANGUAGE,
        "classification",
        Some("text"),
    ),
    ("any-to-any", SEVERAL, "generation", None),
    ("audio-text-to-text", SEVERAL, "generation", None),
    (
        "document-question-answering",
        SEVERAL,
        "question-answering",
        None,
    ),
    ("image-text-to-text", SEVERAL, "generation", None),
    ("image-to-text", SEVERAL, "generation", Some("image")),
    ("video-text-to-text", SEVERAL, "generation", None),
    (
        "visual-question-answering",
        SEVERAL,
        "question-answering",
        None,
    ),
    (
        "tabular-classification",
        TABULAR,
        "classification",
        Some("tabular"),
    ),
    ("tabular-regression", TABULAR, "regression", Some("tabular")),
    (
        "time-series-forecasting",
        "time-series",
        "forecasting",
        Some("time-series"),
    ),
];

/// The fields of a model's classification that follow from its task, by their names in records.
pub(in crate::import) fn classification(task: &str) -> Vec<(&'static str, &'static str)> {
    let known = TASKS.iter().find(|(name, ..)| *name == task);
    let Some((_, technology, category, takes)) = known else {
        return Vec::new();
    };
    let mut fields = vec![("technology", *technology), ("category", *category)];
    fields.extend(takes.map(|takes| ("inputDataType", takes)));
    fields
}

#[cfg(test)]
mod tests {
    //! A task that is known, and one that isn't.

    use super::*;

    #[test]
    fn a_task_says_what_follows_from_it_and_nothing_else() {
        let vision = classification("image-classification");
        assert_eq!(
            vision,
            [
                ("technology", "computer-vision"),
                ("category", "classification"),
                ("inputDataType", "image"),
            ]
        );
        assert_eq!(classification("any-to-any").len(), 2);
        assert_eq!(classification("knitting"), []);
        let mut names: Vec<_> = TASKS.iter().map(|(name, ..)| name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), TASKS.len());
    }
}
