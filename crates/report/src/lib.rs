//! Text, Markdown, SARIF and JSON; owns the output schemas
