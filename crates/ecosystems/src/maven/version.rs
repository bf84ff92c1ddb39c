//! Maven's order of versions, as the `ComparableVersion` of Maven 3 has it and as the POM reference
//! describes it (<https://maven.apache.org/pom.html#version-order-specification>).
//!
//! Every text is a version there. Maven's own comparison contradicts itself in a few corners: it
//! has `1-alpha < 1`, `1 < 1.sp.1` and `1.sp.1 < 1-alpha`. A list cannot be sorted by that, so the
//! order here asks one question before all others: is what remains of a version below, equal to or
//! above nothing at all? Where Maven agrees with itself, the two give the same answer.

use std::cmp::Ordering;

use crate::version::number::Number;

/// Qualifiers below a release, in their order. All others but the empty one, its aliases and `sp`
/// come after `sp`, by the alphabet.
const PRERELEASES: [&str; 5] = ["alpha", "beta", "milestone", "rc", "snapshot"];

/// Qualifiers that mean the release itself.
const RELEASES: [&str; 4] = ["", "ga", "final", "release"];

/// A version as a chain of lists: each list after the first is the last element of the one before
/// it, as a hyphen or a change between letters and digits opens a list that never closes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Version {
    lists: Vec<Vec<Item>>,
}

/// One part of a version.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Item {
    /// A number.
    Number(Number<String>),
    /// A word.
    Word(Qualifier),
}

/// A word as it is compared.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Qualifier {
    /// One of [`PRERELEASES`], by its place there.
    Prerelease(usize),
    /// One of [`RELEASES`].
    Release,
    /// `sp`, a service pack.
    ServicePack,
    /// Any other, in UTF-16 as Java compares texts.
    Other(Vec<u16>),
}

impl Qualifier {
    /// A word; a single letter means more right before a number.
    fn new(word: &str, before_number: bool) -> Self {
        let word = match word {
            "a" if before_number => "alpha",
            "b" if before_number => "beta",
            "m" if before_number => "milestone",
            "cr" => "rc",
            other => other,
        };

        if let Some(place) = PRERELEASES.iter().position(|known| *known == word) {
            Self::Prerelease(place)
        } else if RELEASES.contains(&word) {
            Self::Release
        } else if word == "sp" {
            Self::ServicePack
        } else {
            Self::Other(word.encode_utf16().collect())
        }
    }

    /// Where it stands against no qualifier.
    fn sign(&self) -> Ordering {
        self.cmp(&Self::Release)
    }
}

impl Item {
    fn number(digits: &str) -> Self {
        Self::Number(Number::new(digits).owned())
    }

    /// A part as the text has it.
    fn new(text: &str, is_number: bool) -> Self {
        if is_number {
            Self::number(text)
        } else {
            Self::Word(Qualifier::new(text, false))
        }
    }

    /// Where it stands against nothing at all.
    fn sign(&self) -> Ordering {
        match self {
            Self::Number(number) if number.is_zero() => Ordering::Equal,
            Self::Number(_) => Ordering::Greater,
            Self::Word(word) => word.sign(),
        }
    }
}

/// The element at a place of a version: an item, the list that follows, or nothing.
#[derive(Clone, Copy)]
enum Head<'a> {
    Nothing,
    List,
    Item(&'a Item),
}

impl Head<'_> {
    /// Words come before lists, lists before numbers.
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

/// A place in a version, with the signs of what remains from each place on.
struct Walk<'a> {
    version: &'a Version,
    /// Where the first item, at or after each, stands that is not equal to nothing; from the end.
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

    /// Where all that remains stands against nothing at all.
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
    /// Reads a version, which every text is.
    pub(super) fn new(text: &str) -> Self {
        let mut reader = Reader::default();
        reader.read(&text.to_lowercase());
        Self {
            lists: normalize(reader.lists),
        }
    }

    /// The order of two versions.
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

/// Splits a text into lists of items.
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

    /// Begins the list within the current one.
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
            // A word at the end stands behind a hyphen, whatever was written.
            if !in_number && !self.is_empty() {
                self.open();
            }
            self.add(Item::new(part, in_number));
        }
    }
}

/// Takes away what is equal to nothing at the end of each list, from the innermost on, and lists
/// without anything in them.
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
