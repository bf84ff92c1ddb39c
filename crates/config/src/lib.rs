//! The repository's own settings, .patchgate.yml: thresholds, ignore entries, gate rules, store
