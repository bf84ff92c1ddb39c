//! The lines of a document: sections of entries with a blank line between two, and single lines.

use crate::syntax::Node;

/// A lockfile as lines.
pub(super) struct Document {
    lines: Vec<Option<String>>,
    ends_with_line_break: bool,
}

/// One entry of a section: its key and its lines.
pub(super) type Block = (String, Vec<String>);

impl Document {
    /// The lines of a text.
    ///
    /// # Errors
    /// If a section of the document has another layout than pnpm's.
    pub(super) fn new(text: &str, document: &Node<'_>) -> Result<Self, String> {
        let lines = text.lines().map(|line| Some(line.to_owned())).collect();
        let new = Self {
            lines,
            ends_with_line_break: text.ends_with('\n'),
        };
        for section in ["packages", "snapshots"] {
            new.section(document, section)?;
        }

        Ok(new)
    }

    /// The blocks of a section with the range of their lines.
    ///
    /// # Errors
    /// If the section has another layout than pnpm's.
    pub(super) fn section(
        &self,
        document: &Node<'_>,
        section: &str,
    ) -> Result<(std::ops::Range<usize>, Vec<Block>), String> {
        let entries = document.get(section).map(Node::entries).unwrap_or_default();
        let Some((first, _)) = entries.first() else {
            return Ok((0..0, Vec::new()));
        };

        let start = (first.line as usize).saturating_sub(1);
        let mut blocks: Vec<Block> = Vec::new();
        let mut at = start;
        for (key, _) in entries {
            let begins = (key.line as usize).saturating_sub(1);
            if begins != at {
                return Err(format!("its `{section}` have another layout than pnpm's"));
            }
            let mut block = Vec::new();
            while let Some(Some(line)) = self.lines.get(at)
                && !line.is_empty()
                && (block.is_empty() || line.starts_with("    "))
            {
                block.push(line.clone());
                at += 1;
            }
            // The blank line after it.
            at += 1;
            if block.first().is_none_or(|line| !line.starts_with("  ")) {
                return Err(format!("its `{section}` have another layout than pnpm's"));
            }
            blocks.push((key.name.to_string(), block));
        }

        Ok((start..at.saturating_sub(1), blocks))
    }

    /// Replaces the blocks of a section: `keep` says which stay, `new` are inserted by their keys.
    pub(super) fn replace_blocks(
        &mut self,
        document: &Node<'_>,
        section: &str,
        keep: impl Fn(&str) -> bool,
        new: Vec<Block>,
    ) -> Result<(), String> {
        let (range, mut blocks) = self.section(document, section)?;
        blocks.retain(|(key, _)| keep(key));
        for block in new {
            let at = blocks
                .iter()
                .position(|(key, _)| *key > block.0)
                .unwrap_or(blocks.len());
            blocks.insert(at, block);
        }
        if blocks.is_empty() {
            return Err(format!("no entry would be left in `{section}`"));
        }

        let mut text = Vec::new();
        for (_, block) in blocks {
            if !text.is_empty() {
                text.push(String::new());
            }
            text.extend(block);
        }
        // The first line has the whole section, so that the numbers of all other lines stay.
        for line in range.clone() {
            if let Some(line) = self.lines.get_mut(line) {
                *line = None;
            }
        }
        if let Some(line) = self.lines.get_mut(range.start) {
            *line = Some(text.join("\n"));
        }

        Ok(())
    }

    /// Replaces the value in the line with this number, from 1.
    pub(super) fn set_value(&mut self, line: u32, value: &str) -> Result<(), String> {
        let number = (line as usize).saturating_sub(1);
        let text = self
            .lines
            .get_mut(number)
            .and_then(Option::as_mut)
            .filter(|text| text.contains(": "));
        let Some((text, at)) = text.and_then(|text| text.find(": ").map(|at| (text, at))) else {
            return Err(format!("its line {line} has another layout than pnpm's"));
        };
        text.truncate(at + 2);
        text.push_str(value);
        Ok(())
    }

    /// Replaces the line with this number, from 1.
    pub(super) fn set_line(&mut self, line: u32, new: &str) -> Result<(), String> {
        *self.line(line)? = new.to_owned();
        Ok(())
    }

    /// Adds lines after the one with this number, from 1.
    pub(super) fn insert_after(&mut self, line: u32, new: &str) -> Result<(), String> {
        let text = self.line(line)?;
        text.push('\n');
        text.push_str(new);
        Ok(())
    }

    /// Adds lines before the one with this number, from 1.
    pub(super) fn insert_before(&mut self, line: u32, new: &str) -> Result<(), String> {
        let text = self.line(line)?;
        text.insert(0, '\n');
        text.insert_str(0, new);
        Ok(())
    }

    fn line(&mut self, line: u32) -> Result<&mut String, String> {
        self.lines
            .get_mut((line as usize).saturating_sub(1))
            .and_then(Option::as_mut)
            .ok_or_else(|| format!("its line {line} has another layout than pnpm's"))
    }

    pub(super) fn into_text(self) -> String {
        let lines: Vec<String> = self.lines.into_iter().flatten().collect();
        let mut text = lines.join("\n");
        if self.ends_with_line_break {
            text.push('\n');
        }
        text
    }
}
