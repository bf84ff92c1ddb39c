//! Line numbers of offsets, and the lines of a text.

/// Line numbers of byte offsets. It is fast for offsets that rise: only the bytes since the last
/// offset are searched.
#[derive(Debug)]
pub struct Lines<'a> {
    text: &'a [u8],
    offset: usize,
    line: u32,
}

impl<'a> Lines<'a> {
    /// Starts at the beginning of a text.
    #[must_use]
    pub fn new(text: &'a str) -> Self {
        Self {
            text: text.as_bytes(),
            offset: 0,
            line: 1,
        }
    }

    /// The line, from 1, of a byte offset.
    pub fn of(&mut self, offset: usize) -> u32 {
        let offset = offset.min(self.text.len());
        if offset < self.offset {
            self.offset = 0;
            self.line = 1;
        }

        let passed = self.text.get(self.offset..offset).unwrap_or_default();
        let breaks = memchr::memchr_iter(b'\n', passed).count();
        self.line += u32::try_from(breaks).unwrap_or(0);
        self.offset = offset;

        self.line
    }
}

/// The same lines as [`str::lines`], for texts with hundreds of thousands of them: `memchr` looks for
/// their ends many bytes at a time.
pub fn split_lines(text: &str) -> SplitLines<'_> {
    SplitLines(text)
}

/// The iterator of [`split_lines`]: the rest of the text.
#[derive(Debug, Clone)]
pub struct SplitLines<'a>(&'a str);

impl<'a> Iterator for SplitLines<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        if self.0.is_empty() {
            return None;
        }
        let Some(end) = memchr::memchr(b'\n', self.0.as_bytes()) else {
            return Some(std::mem::take(&mut self.0));
        };
        let (line, rest) = (self.0.get(..end)?, self.0.get(end + 1..)?);

        self.0 = rest;
        Some(line.strip_suffix('\r').unwrap_or(line))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn splits_as_the_standard_library_does(text in "[a\u{e4}\n\r]{0,12}") {
            let expected: Vec<&str> = text.lines().collect();
            prop_assert_eq!(super::split_lines(&text).collect::<Vec<_>>(), expected);
        }
    }
}
