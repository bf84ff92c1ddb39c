//! Limits of all parsers. A scanned repository is hostile input.

/// Largest lockfile or manifest, in bytes. The largest lockfiles seen in public monorepos are
/// below 10 MiB.
pub const MAX_FILE_BYTES: usize = 32 * 1024 * 1024;

/// Deepest nesting of arrays, objects or tables.
pub const MAX_DEPTH: usize = 128;

/// Most values in one JSON, YAML, TOML or XML file that is read as a tree. A lockfile of 10,000
/// packages has about 150,000.
pub const MAX_NODES: usize = 4_000_000;

/// Most values in a settings file, with its aliases written out. A settings file has some hundred.
pub const MAX_SETTINGS_VALUES: usize = 200_000;

/// Deepest nesting of a settings file. Patchgate's own settings need five levels.
pub const MAX_SETTINGS_DEPTH: usize = 32;

/// Most packages in one lockfile.
pub const MAX_PACKAGES: usize = 200_000;

/// Most dependency edges in one lockfile.
pub const MAX_EDGES: usize = 2_000_000;

/// Largest response of a registry about one package, in bytes. npm's largest packuments have more
/// than 20 MiB.
pub const MAX_METADATA_BYTES: usize = 64 * 1024 * 1024;

/// Longest install path in an npm lockfile, in bytes. The resolution of a name visits every directory
/// of the dependent's path.
pub const MAX_INSTALL_PATH_BYTES: usize = 1024;
