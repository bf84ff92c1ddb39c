//! Edits of `pubspec.yaml`: the requirement of a package, on its own line or below its name as
//! `version`. All other bytes stay.

use crate::syntax::{Node, yaml};
use crate::{EditError, RequirementEdit};

/// Keys with requirements.
const SECTIONS: [&str; 2] = ["dependencies", "dev_dependencies"];

/// The manifest with another requirement for a package.
pub(super) fn edit(manifest: &str, change: &RequirementEdit) -> Result<String, EditError> {
    let unreadable = |error: crate::ParseError| EditError::Unreadable(error.to_string());
    let document = yaml(manifest.trim_start_matches('\u{feff}')).map_err(unreadable)?;
    let stated = |document: &Node<'_>, section: &str| {
        let value = document.get(section)?.get(&change.name)?;
        let value = value.get("version").unwrap_or(value);
        Some((value.text()?.to_owned(), value.line))
    };
    let found = SECTIONS.iter().find_map(|section| {
        let found = stated(&document, section)?;
        (found.0 == change.from).then_some((*section, found.1))
    });
    let Some((section, line)) = found else {
        return Err(EditError::NotFound {
            name: change.name.clone(),
            requirement: change.from.clone(),
        });
    };

    let refused = || EditError::Refused("its requirement is written in an unusual form".to_owned());
    let index = (line as usize).checked_sub(1).ok_or_else(refused)?;
    let mut lines: Vec<String> = manifest.split_inclusive('\n').map(str::to_owned).collect();
    let written = lines.get_mut(index).ok_or_else(refused)?;
    *written = replaced(written, &change.from, &change.to).ok_or_else(refused)?;

    // The edit is right only if the file says the new requirement there.
    let edited = lines.concat();
    let after = yaml(edited.trim_start_matches('\u{feff}')).map_err(unreadable)?;
    match stated(&after, section) {
        Some((text, _)) if text == change.to => Ok(edited),
        _ => Err(refused()),
    }
}

/// A line with another value after its colon, in the same quotes.
fn replaced(line: &str, from: &str, to: &str) -> Option<String> {
    let colon = line.find(": ")?;
    let (head, tail) = line.split_at_checked(colon + 2)?;
    let blank = tail.len() - tail.trim_start().len();
    let (blank, value) = tail.split_at_checked(blank)?;

    let quote = value
        .chars()
        .next()
        .filter(|first| matches!(first, '"' | '\''));
    let (open, rest) = match quote {
        Some(quote) => (quote.to_string(), value.strip_prefix(quote)?),
        None => (String::new(), value),
    };

    let rest = rest.strip_prefix(from)?;
    // A range starts with a sign that YAML does not read as text.
    let is_quoted = quote.is_some() || !to.starts_with(['>', '<']);
    let end = match is_quoted {
        true => rest.to_owned(),
        false => format!("\"{rest}"),
    };
    let open = if is_quoted { open } else { "\"".to_owned() };

    Some(format!("{head}{blank}{open}{to}{end}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(from: &str, to: &str) -> RequirementEdit {
        RequirementEdit {
            name: "a".to_owned(),
            from: from.to_owned(),
            to: to.to_owned(),
        }
    }

    #[test]
    fn only_the_requirement_changes() {
        let manifest = "name: x\r\ndependencies:\r\n  b: ^1.0.0\r\n  a: \"^1.0.0\" # why\r\n\
                        dev_dependencies:\r\n  c:\r\n    version: '>=1.0.0 <2.0.0'\r\n";
        assert_eq!(
            edit(manifest, &change("^1.0.0", "^1.5.0")).unwrap(),
            manifest.replace("\"^1.0.0\"", "\"^1.5.0\"")
        );
        let other = RequirementEdit {
            name: "c".to_owned(),
            ..change(">=1.0.0 <2.0.0", ">=1.5.0 <2.0.0")
        };
        assert_eq!(
            edit(manifest, &other).unwrap(),
            manifest.replace("'>=1.0.0", "'>=1.5.0")
        );
        let plain = "dependencies:\n  a: ^1.0.0";
        assert_eq!(
            edit(plain, &change("^1.0.0", ">=1.5.0 <3.0.0")).unwrap(),
            "dependencies:\n  a: \">=1.5.0 <3.0.0\""
        );
    }

    #[test]
    fn what_is_not_literal_is_refused() {
        let edited = |text: &str| edit(text, &change("^1.0.0", "^1.5.0")).is_err();
        assert!(edited("dependencies:\n  a: ^2.0.0"));
        assert!(edited(
            "dependencies:\n  a: &x ^1.0.0\ndev_dependencies:\n  b: *x"
        ));
        assert!(edited("dependencies:\n  a: {path: ../a}"));
        assert!(edited("dependencies: ["));
    }
}
