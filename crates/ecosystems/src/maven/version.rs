//! Version order of Maven, as implemented by the `ComparableVersion` of Maven 3 and described in
//! the POM reference (<https://maven.apache.org/pom.html#version-order-specification>).
//!
//! Every text is a version. Maven's own comparison is inconsistent in a few corners: it has
//! `1-alpha < 1`, `1 < 1.sp.1` and `1.sp.1 < 1-alpha`, so it cannot sort a list. The order here
//! first compares whether the rest of each version is below, equal to or above an empty rest. Both
//! orders give the same result wherever Maven is consistent.

use std::cmp::Ordering;

use crate::version::number::Number;

/// Qualifiers below a release, in their order. All other qualifiers, except the empty one, its
/// aliases and `sp`, sort after `sp` in alphabetical order.
const PRERELEASES: [&str; 5] = ["alpha", "beta", "milestone", "rc", "snapshot"];

/// Qualifiers that are equal to the release itself.
const RELEASES: [&str; 4] = ["", "ga", "final", "release"];

/// A version as a chain of lists. Each list is the last element of the list before it, because a
/// hyphen or a change between letters and digits opens a nested list that is never closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Version {
    lists: Vec<Vec<Item>>,
}

/// One part of a version.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Item {
    /// A run of digits.
    Number(Number<String>),
    /// A run of other characters.
    Word(Qualifier),
}

/// A word in its form for comparison.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Qualifier {
    /// One of [`PRERELEASES`], by its index.
    Prerelease(usize),
    /// One of the words in [`RELEASES`].
    Release,
    /// `sp`, a service pack.
    ServicePack,
    /// Any other word in UTF-16, in which Java compares strings.
    Other(Vec<u16>),
}

impl Qualifier {
    /// A single letter is short for a word if a number follows.
    fn new(word: &str, before_number: bool) -> Self {
        let word = match word {
            "a" if before_number => "alpha",
            "b" if before_number => "beta",
            "m" if before_number => "milestone",
            "cr" => "rc",
            other => other,
        };

        if let Some(index) = PRERELEASES.iter().position(|known| *known == word) {
            Self::Prerelease(index)
        } else if RELEASES.contains(&word) {
            Self::Release
        } else if word == "sp" {
            Self::ServicePack
        } else {
            Self::Other(word.encode_utf16().collect())
        }
    }

    /// The order relative to no qualifier.
    fn sign(&self) -> Ordering {
        self.cmp(&Self::Release)
    }
}

impl Item {
    fn number(digits: &str) -> Self {
        Self::Number(Number::new(digits).owned())
    }

    /// The item for a part of the text.
    fn new(text: &str, is_number: bool) -> Self {
        if is_number {
            Self::number(text)
        } else {
            Self::Word(Qualifier::new(text, false))
        }
    }

    /// The order relative to an empty rest.
    fn sign(&self) -> Ordering {
        match self {
            Self::Number(number) if number.is_zero() => Ordering::Equal,
            Self::Number(_) => Ordering::Greater,
            Self::Word(word) => word.sign(),
        }
    }
}

/// The element at a position in a version: an item, the next nested list, or nothing.
#[derive(Clone, Copy)]
enum Head<'a> {
    Nothing,
    List,
    Item(&'a Item),
}

impl Head<'_> {
    /// Words sort before lists, and lists before numbers.
    fn rank(self) -> u8 {
        match self {
            Self::Nothing => 0,
            Self::Item(Item::Word(_)) => 1,
            Self::List => 2,
            Self::Item(Item::Number(_)) => 3,
        }
    }

    fn compare(self, other: Self) -> Ordering {
        match (self, other) {
            (Self::Item(Item::Number(a)), Self::Item(Item::Number(b))) => a.cmp(b),
            (Self::Item(Item::Word(a)), Self::Item(Item::Word(b))) => a.cmp(b),
            _ => self.rank().cmp(&other.rank()),
        }
    }
}

/// A position in a version, with the signs of the remaining parts.
struct Walk<'a> {
    version: &'a Version,
    /// For each remaining position, the order of its rest relative to an empty rest. Stored in
    /// reverse, so that advancing pops the last element.
    signs: Vec<Ordering>,
    list: usize,
    item: usize,
}

impl<'a> Walk<'a> {
    fn new(version: &'a Version) -> Self {
        let mut sign = Ordering::Equal;
        let mut signs = vec![sign];
        for item in version.lists.iter().flatten().rev() {
            sign = item.sign().then(sign);
            signs.push(sign);
        }

        Self {
            version,
            signs,
            list: 0,
            item: 0,
        }
    }

    /// The order of the rest relative to an empty rest.
    fn sign(&self) -> Ordering {
        self.signs.last().copied().unwrap_or(Ordering::Equal)
    }

    fn head(&self) -> Head<'a> {
        let list = self.version.lists.get(self.list);
        match list.and_then(|list| list.get(self.item)) {
            Some(item) => Head::Item(item),
            None if self.list + 1 < self.version.lists.len() => Head::List,
            None => Head::Nothing,
        }
    }

    fn step(&mut self) {
        match self.head() {
            Head::Item(_) => {
                self.signs.pop();
                self.item += 1;
            }
            Head::List => {
                self.list += 1;
                self.item = 0;
            }
            Head::Nothing => {}
        }
    }
}

impl Version {
    /// Parses a version. Every text is valid.
    pub(super) fn new(text: &str) -> Self {
        let mut reader = Reader::default();
        reader.read(&text.to_lowercase());
        Self {
            lists: normalize(reader.lists),
        }
    }

    /// Compares two versions by the rules in the module's header.
    pub(super) fn compare(&self, other: &Self) -> Ordering {
        let (mut a, mut b) = (Walk::new(self), Walk::new(other));
        loop {
            let signs = a.sign().cmp(&b.sign());
            if signs.is_ne() || a.sign().is_eq() {
                return signs;
            }

            let heads = a.head().compare(b.head());
            if heads.is_ne() {
                return heads;
            }

            a.step();
            b.step();
        }
    }
}

/// Splits a text into nested lists of items.
struct Reader {
    lists: Vec<Vec<Item>>,
}

impl Default for Reader {
    fn default() -> Self {
        Self {
            lists: vec![Vec::new()],
        }
    }
}

impl Reader {
    fn add(&mut self, item: Item) {
        if let Some(list) = self.lists.last_mut() {
            list.push(item);
        }
    }

    // The new list is nested in the current one.
    fn open(&mut self) {
        self.lists.push(Vec::new());
    }

    fn is_empty(&self) -> bool {
        self.lists.last().is_none_or(Vec::is_empty)
    }

    fn read(&mut self, text: &str) {
        let mut in_number = false;
        let mut start = 0;
        for (at, character) in text.char_indices() {
            let part = text.get(start..at).unwrap_or_default();
            match character {
                '.' | '-' => {
                    self.add(if part.is_empty() {
                        Item::number("")
                    } else {
                        Item::new(part, in_number)
                    });
                    if character == '-' {
                        self.open();
                    }
                    start = at + 1;
                }
                '0'..='9' => {
                    if !in_number && !part.is_empty() {
                        if !self.is_empty() {
                            self.open();
                        }
                        self.add(Item::Word(Qualifier::new(part, true)));
                        self.open();
                        start = at;
                    }
                    in_number = true;
                }
                _ => {
                    if in_number && !part.is_empty() {
                        self.add(Item::new(part, true));
                        self.open();
                        start = at;
                    }
                    in_number = false;
                }
            }
        }

        let part = text.get(start..).unwrap_or_default();
        if !part.is_empty() {
            // A trailing word is treated as if it followed a hyphen.
            if !in_number && !self.is_empty() {
                self.open();
            }
            self.add(Item::new(part, in_number));
        }
    }
}

/// Removes trailing items that equal an empty rest from each list, starting with the innermost, and
/// drops lists that become empty.
fn normalize(lists: Vec<Vec<Item>>) -> Vec<Vec<Item>> {
    let mut inner_first: Vec<Vec<Item>> = Vec::new();
    for mut list in lists.into_iter().rev() {
        while list.last().is_some_and(|item| item.sign().is_eq()) {
            list.pop();
        }
        if !list.is_empty() || !inner_first.is_empty() {
            inner_first.push(list);
        }
    }

    inner_first.reverse();
    inner_first
}

#[cfg(test)]
mod tests;
