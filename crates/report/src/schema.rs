//! The JSON Schemas of the reports and of the settings file.

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;

/// The documents that have a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SchemaKind {
    /// JSON of `patchgate scan`: [`crate::ScanReport`].
    Scan,
    /// JSON of `patchgate inventory`: [`crate::InventoryReport`].
    Inventory,
    /// JSON of `patchgate fix`: [`crate::FixReport`].
    Fix,
    /// JSON of `patchgate explain`: [`crate::ExplainReport`].
    Explain,
    /// JSON of `patchgate pr`: [`crate::PrReport`].
    Pr,
    /// JSON of `patchgate gate`: [`crate::GateReport`].
    Gate,
    /// JSON of `patchgate review`: [`crate::ReviewReport`].
    Review,
    /// The settings file `.patchgate.yml`.
    Config,
}

impl SchemaKind {
    /// Every kind, in the order of the help.
    pub const ALL: [Self; 8] = [
        Self::Scan,
        Self::Inventory,
        Self::Fix,
        Self::Explain,
        Self::Pr,
        Self::Gate,
        Self::Review,
        Self::Config,
    ];

    /// The name that `patchgate schema` takes; the file in `schemas/` is `NAME.schema.json`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Scan => "scan",
            Self::Inventory => "inventory",
            Self::Fix => "fix",
            Self::Explain => "explain",
            Self::Pr => "pr",
            Self::Gate => "gate",
            Self::Review => "review",
            Self::Config => "config",
        }
    }

    /// The kind with a name of [`SchemaKind::name`]; `None` for another name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// The JSON Schema (draft 2020-12) as indented text.
#[must_use]
pub fn schema(kind: SchemaKind) -> String {
    let schema = match kind {
        SchemaKind::Scan => of::<crate::ScanReport>(),
        SchemaKind::Inventory => of::<crate::InventoryReport>(),
        SchemaKind::Fix => of::<crate::FixReport>(),
        SchemaKind::Explain => of::<crate::ExplainReport>(),
        SchemaKind::Pr => of::<crate::PrReport>(),
        SchemaKind::Gate => of::<crate::GateReport>(),
        SchemaKind::Review => of::<crate::ReviewReport>(),
        SchemaKind::Config => patchgate_config::config_schema(),
    };
    crate::to_json(&schema)
}

fn of<T: JsonSchema>() -> serde_json::Value {
    // Reports always have every field, also one that is `null`, so every field is required.
    SchemaSettings::draft2020_12()
        .for_serialize()
        .into_generator()
        .into_root_schema_for::<T>()
        .to_value()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The checked-in copies are those that the code generates. `UPDATE_SCHEMAS=1` writes them.
    #[test]
    #[expect(
        clippy::disallowed_methods,
        reason = "a test reads the checked-in copies"
    )]
    fn the_checked_in_schemas_are_current() {
        let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/../../schemas");
        for kind in SchemaKind::ALL {
            let path = format!("{directory}/{}.schema.json", kind.name());
            if std::env::var_os("UPDATE_SCHEMAS").is_some() {
                std::fs::create_dir_all(directory).unwrap();
                std::fs::write(&path, schema(kind)).unwrap();
            }
            let checked_in = std::fs::read_to_string(&path).unwrap();
            assert!(
                checked_in == schema(kind),
                "schemas/{}.schema.json is outdated: run the tests with UPDATE_SCHEMAS=1",
                kind.name()
            );
        }
    }

    #[test]
    fn names_lead_back() {
        for kind in SchemaKind::ALL {
            assert_eq!(SchemaKind::from_name(kind.name()), Some(kind));
        }
        assert_eq!(SchemaKind::from_name("other"), None);
    }
}
