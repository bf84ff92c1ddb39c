//! The text of a `pdm.lock` as entries with their keys, in the form in which PDM writes it: one key on
//! a line, lists of requirements and files with one element on each line.

use crate::syntax::{Node, toml};

/// The keys of an entry in PDM's order.
const ORDER: [&str; 19] = [
    "name",
    "version",
    "extras",
    "requires_python",
    "editable",
    "subdirectory",
    "git",
    "hg",
    "svn",
    "bzr",
    "ref",
    "revision",
    "path",
    "url",
    "summary",
    "groups",
    "marker",
    "dependencies",
    "files",
];

/// The header of an entry.
const HEADER: &str = "[[package]]";

/// The file: the text before the first entry, the entries, and the text after the last one.
#[derive(Debug)]
pub(super) struct Document {
    head: String,
    pub(super) blocks: Vec<Block>,
    eol: &'static str,
    /// Whether the last line has a line end.
    is_ended: bool,
}

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Block {
    /// Keys with their text, line ends included, in the order of the file.
    keys: Vec<(String, String)>,
    eol: &'static str,
}

impl Document {
    /// # Errors
    /// If the file is not in the form in which PDM writes it.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        let odd = |line: &str| format!("the line `{}` is not as PDM writes it", line.trim());
        let eol = match text.contains("\r\n") {
            true => "\r\n",
            false => "\n",
        };
        let mut document = Self {
            head: String::new(),
            blocks: Vec::new(),
            eol,
            is_ended: text.ends_with('\n'),
        };

        let mut inside = false;
        let mut is_list = false;
        for line in text.split_inclusive('\n') {
            let content = line.trim_end_matches(['\n', '\r']);
            if content == HEADER {
                inside = true;
                is_list = false;
                document.blocks.push(Block {
                    keys: Vec::new(),
                    eol,
                });
                continue;
            }
            let Some(block) = document.blocks.last_mut().filter(|_| inside) else {
                document.head.push_str(line);
                continue;
            };
            if content.is_empty() {
                continue;
            }

            let own_end = match line.ends_with('\n') {
                true => line.to_owned(),
                false => format!("{line}{eol}"),
            };
            if is_list {
                let (_, text) = block.keys.last_mut().ok_or_else(|| odd(line))?;
                text.push_str(&own_end);
                is_list = content != "]";
                continue;
            }
            let (key, value) = content.split_once(" = ").ok_or_else(|| odd(line))?;
            if !ORDER.contains(&key) || block.has(key) {
                return Err(odd(line));
            }
            is_list = value == "[";
            block.keys.push((key.to_owned(), own_end));
        }
        match document.blocks.is_empty() || is_list {
            true => Err("it has no entries as PDM writes them".to_owned()),
            false => Ok(document),
        }
    }

    /// The hash of the `pyproject.toml`, with its algorithm.
    pub(super) fn hash(&self) -> Option<&str> {
        let mut lines = self.head.lines();
        lines.find_map(|line| line.strip_prefix("content_hash = \"")?.strip_suffix('"'))
    }

    /// Whether the file has a list of what it was made from, in place of a hash.
    pub(super) fn has_inputs(&self) -> bool {
        self.head.lines().any(|line| line.contains("lock_inputs"))
    }

    pub(super) fn set_hash(&mut self, digest: &str) -> Result<(), String> {
        let old = self.hash().ok_or("it has no hash of its pyproject.toml")?;
        self.head = self.head.replacen(old, digest, 1);
        Ok(())
    }

    /// Adds an entry, sorted by name. An entry with extras follows the one without.
    pub(super) fn insert(&mut self, new: Block) -> Result<(), String> {
        let name = new.text("name")?;
        let mut at = self.blocks.len();
        for (number, block) in self.blocks.iter().enumerate() {
            if block.text("name")? > name {
                at = number;
                break;
            }
        }
        self.blocks.insert(at, new);
        Ok(())
    }

    pub(super) fn finish(self) -> String {
        let mut text = self.head;
        let blocks: Vec<String> = self
            .blocks
            .iter()
            .map(|block| {
                let keys: String = block.keys.iter().map(|(_, text)| text.as_str()).collect();
                format!("{HEADER}{}{keys}", self.eol)
            })
            .collect();
        text.push_str(&blocks.join(self.eol));
        if !self.is_ended {
            text.truncate(text.len() - self.eol.len());
        }
        text
    }
}

impl Block {
    pub(super) fn new(document: &Document) -> Self {
        Self {
            keys: Vec::new(),
            eol: document.eol,
        }
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.raw(key).is_some()
    }

    fn raw(&self, key: &str) -> Option<&str> {
        let mut keys = self.keys.iter();
        keys.find(|(one, _)| one == key)
            .map(|(_, text)| text.as_str())
    }

    /// A text of the entry, as read by a parser of TOML.
    pub(super) fn text(&self, key: &str) -> Result<String, String> {
        self.parsed(key, |value| value.text().map(str::to_owned))?
            .ok_or_else(|| format!("an entry has no `{key}`"))
    }

    /// A list of texts. Empty for an entry without it.
    pub(super) fn list(&self, key: &str) -> Result<Vec<String>, String> {
        let list = self.parsed(key, |value| {
            let items = value.items().iter();
            items.map(|item| item.text().map(str::to_owned)).collect()
        })?;
        Ok(list.unwrap_or_default())
    }

    fn parsed<T>(
        &self,
        key: &str,
        value: impl Fn(&Node<'_>) -> Option<T>,
    ) -> Result<Option<T>, String> {
        let Some(raw) = self.raw(key) else {
            return Ok(None);
        };
        let file = toml(raw).map_err(|error| error.reason)?;
        match file.get(key).and_then(value) {
            Some(value) => Ok(Some(value)),
            None => Err(format!("an entry has a `{key}` of another kind")),
        }
    }

    /// Sets a text, or removes it. A text that stays the same keeps its spelling.
    pub(super) fn set_text(&mut self, key: &str, new: Option<&str>) {
        if new.is_some() && self.text(key).ok().as_deref() == new {
            return;
        }
        let text = new.map(|new| format!("{key} = {}{}", quoted(new), self.eol));
        self.set(key, text);
    }

    /// Sets a list on one line.
    pub(super) fn set_short_list(&mut self, key: &str, new: &[String]) {
        let all: Vec<String> = new.iter().map(|text| quoted(text)).collect();
        self.set(
            key,
            Some(format!("{key} = [{}]{}", all.join(", "), self.eol)),
        );
    }

    /// Sets a list of texts with one on each line, or removes it when it is empty.
    pub(super) fn set_list(&mut self, key: &str, new: &[String]) {
        let rows: Vec<String> = new.iter().map(|text| quoted(text)).collect();
        self.set_rows(key, &rows);
    }

    /// Sets a list of values of TOML with one on each line, or removes it when it is empty.
    pub(super) fn set_rows(&mut self, key: &str, rows: &[String]) {
        let eol = self.eol;
        let lines: String = rows.iter().map(|row| format!("    {row},{eol}")).collect();
        let text = (!rows.is_empty()).then(|| format!("{key} = [{eol}{lines}]{eol}"));
        self.set(key, text);
    }

    fn set(&mut self, key: &str, new: Option<String>) {
        let at = self.keys.iter().position(|(one, _)| one == key);
        match (at, new) {
            (Some(at), Some(new)) => {
                if let Some((_, text)) = self.keys.get_mut(at) {
                    *text = new;
                }
            }
            (Some(at), None) => {
                self.keys.remove(at);
            }
            (None, Some(new)) => {
                let rank = |key: &str| ORDER.iter().position(|one| *one == key);
                let next = self.keys.iter().position(|(one, _)| rank(one) > rank(key));
                let at = next.unwrap_or(self.keys.len());
                self.keys.insert(at, (key.to_owned(), new));
            }
            (None, None) => {}
        }
    }
}

/// A basic string of TOML.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            control if control.is_control() => {
                out.push_str(&format!("\\u{:04x}", u32::from(control)));
            }
            other => out.push(other),
        }
    }
    out.push('"');
    out
}
