//! Workflow commands of GitHub Actions that show a message at a line of a file
//! (<https://docs.github.com/actions/reference/workflow-commands-for-github-actions>).

use crate::clean::{clean, cut};

/// The level of an annotation, which decides its icon and color.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum AnnotationLevel {
    /// Information, such as an ignore entry that has expired.
    Notice,
    /// A finding that does not fail the run, or an incomplete scan.
    Warning,
    /// A finding that fails the run.
    Error,
}

/// Most characters of a message. The forge cuts longer ones without a mark.
const MAX_MESSAGE: usize = 2_000;
/// Most characters of a title.
const MAX_TITLE: usize = 200;

/// One annotation as a line of the log, with its line break.
///
/// The texts may be hostile: nothing in them can end the line, add a property or start another
/// command.
#[must_use]
pub fn annotation(
    level: AnnotationLevel,
    file: Option<&str>,
    line: Option<u32>,
    title: &str,
    message: &str,
) -> String {
    let command = match level {
        AnnotationLevel::Notice => "notice",
        AnnotationLevel::Warning => "warning",
        AnnotationLevel::Error => "error",
    };
    let mut properties = Vec::new();
    if let Some(file) = file {
        properties.push(format!("file={}", property(&clean(file))));
        if let Some(line) = line {
            properties.push(format!("line={line}"));
        }
    }

    properties.push(format!(
        "title={}",
        property(&cut(&clean(title), MAX_TITLE))
    ));
    format!(
        "::{command} {}::{}\n",
        properties.join(","),
        data(&cut(&clean(message), MAX_MESSAGE))
    )
}

/// Escapes a message as the runner's toolkit does: `%`, carriage return and line feed.
fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// Escapes the value of a property, which also ends at a colon or a comma.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_gets_out_of_its_place() {
        assert_eq!(
            annotation(
                AnnotationLevel::Error,
                Some("a,line=1::x/package-lock.json"),
                Some(7),
                "100%: a,b",
                "first\n::set-output name=x::y%0A",
            ),
            "::error file=a%2Cline=1%3A%3Ax/package-lock.json,line=7,title=100%25%3A a%2Cb::first : :set-output name=x::y%250A\n"
        );
        assert_eq!(
            annotation(AnnotationLevel::Notice, None, Some(3), "t", "m"),
            "::notice title=t::m\n"
        );
    }

    proptest::proptest! {
        #[test]
        fn one_annotation_is_one_line(file in "(?s).{0,30}", title in "(?s).{0,30}", message in "(?s).{0,60}") {
            let text = annotation(AnnotationLevel::Warning, Some(&file), Some(1), &title, &message);
            proptest::prop_assert_eq!(text.matches(['\n', '\r']).count(), 1);
            proptest::prop_assert!(text.starts_with("::warning file="));
        }
    }
}
