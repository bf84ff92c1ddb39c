//! The fields that conditions may use.

/// The type of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldType {
    /// `true` or `false`.
    Bool,
    /// A whole number.
    Int,
    /// A number with a point, such as `70.0`.
    Double,
    /// A text.
    Text,
    /// A list of texts.
    Texts,
}

impl FieldType {
    /// The name of the type in messages and documents.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Bool => "true or false",
            Self::Int => "a whole number",
            Self::Double => "a number with a point",
            Self::Text => "a text",
            Self::Texts => "a list of texts",
        }
    }
}

/// A field of a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    /// Its name: a group and a name in it.
    pub name: &'static str,
    /// Its type.
    pub kind: FieldType,
    /// Its meaning.
    pub meaning: &'static str,
}

const fn field(name: &'static str, kind: FieldType, meaning: &'static str) -> Field {
    Field {
        name,
        kind,
        meaning,
    }
}

/// Every field, in the order of the documentation.
pub const FIELDS: &[Field] = &[
    field(
        "pull.author",
        FieldType::Text,
        "login of the account that opened it",
    ),
    field("pull.base", FieldType::Text, "branch that it goes into"),
    field("pull.labels", FieldType::Texts, "names of its labels"),
    field(
        "pull.age_hours",
        FieldType::Int,
        "full hours since it was opened",
    ),
    field(
        "change.files",
        FieldType::Texts,
        "paths of the changed files",
    ),
    field(
        "change.packages",
        FieldType::Texts,
        "names of the packages with a higher version",
    ),
    field(
        "change.added",
        FieldType::Int,
        "number of packages and versions that are added",
    ),
    field(
        "change.removed",
        FieldType::Int,
        "number of packages that leave",
    ),
    field(
        "change.bump",
        FieldType::Text,
        "largest step of a version: none, patch, minor, major or unknown",
    ),
    field(
        "fixed.ids",
        FieldType::Texts,
        "ids of the vulnerabilities that it fixes",
    ),
    field(
        "fixed.count",
        FieldType::Int,
        "number of findings that it fixes",
    ),
    field(
        "fixed.score",
        FieldType::Double,
        "highest score of a finding that it fixes, 0.0 to 100.0",
    ),
    field(
        "fixed.runtime",
        FieldType::Bool,
        "whether one of them is in a package of the run time",
    ),
    field(
        "remaining.count",
        FieldType::Int,
        "number of findings that remain",
    ),
    field(
        "remaining.score",
        FieldType::Double,
        "highest score of a finding that remains",
    ),
];

/// The field of a name.
pub(crate) fn find(name: &str) -> Option<&'static Field> {
    FIELDS.iter().find(|field| field.name == name)
}

/// The field with the most similar name, for a hint.
pub(crate) fn nearest(name: &str) -> Option<&'static str> {
    FIELDS
        .iter()
        .map(|field| (strsim::jaro_winkler(name, field.name), field.name))
        .filter(|(similarity, _)| *similarity > 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| name)
}
