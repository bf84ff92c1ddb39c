//! Reports in several formats, and the destination of each.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::marker::PhantomData;
use std::path::{Path, PathBuf};

use clap::builder::{EnumValueParser, PossibleValue, TypedValueParser};
use clap::error::ErrorKind;
use clap::{Arg, Command, ValueEnum};
use patchgate_model::UserError;

/// One value of `--format`: `FORMAT`, or `FORMAT=FILE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FormatArg<F> {
    format: F,
    file: Option<PathBuf>,
}

/// Parser of a [`FormatArg`]. It makes `--help` list the formats.
#[derive(Debug, Clone)]
pub(crate) struct FormatParser<F>(PhantomData<F>);

impl<F> FormatParser<F> {
    pub(crate) fn new() -> Self {
        Self(PhantomData)
    }
}

impl<F: ValueEnum + Clone + Send + Sync + 'static> TypedValueParser for FormatParser<F> {
    type Value = FormatArg<F>;

    fn parse_ref(
        &self,
        command: &Command,
        argument: Option<&Arg>,
        value: &OsStr,
    ) -> Result<FormatArg<F>, clap::Error> {
        let refuse = |message: String| command.clone().error(ErrorKind::InvalidValue, message);
        let text = value
            .to_str()
            .ok_or_else(|| refuse("a value of `--format` is not valid UTF-8".to_owned()))?;

        let (name, file) = match text.split_once('=') {
            Some((name, file)) => (name, Some(file)),
            None => (text, None),
        };
        // The parser of the enumeration reports an unknown name, and suggests one.
        let format = EnumValueParser::<F>::new().parse_ref(command, argument, OsStr::new(name))?;
        if file == Some("") {
            return Err(refuse(format!(
                "`--format {name}=` names no file: write `--format {name}=FILE`"
            )));
        }

        Ok(FormatArg {
            format,
            file: file.map(PathBuf::from),
        })
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        let formats = F::value_variants().iter();
        Some(Box::new(
            formats.filter_map(clap::ValueEnum::to_possible_value),
        ))
    }
}

/// One report to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Destination<'a, F> {
    pub(crate) format: F,
    /// The file; `None` for standard output.
    pub(crate) file: Option<&'a Path>,
}

/// The reports to write, `default` if no format is given. A format without a file goes to `output`, or
/// to standard output without one; formats with files of their own leave standard output empty.
///
/// # Errors
/// When two formats go to standard output or to one file, or no format is left for `output`.
pub(crate) fn destinations<'a, F: Copy>(
    formats: &'a [FormatArg<F>],
    output: Option<&'a Path>,
    default: F,
) -> Result<Vec<Destination<'a, F>>, UserError> {
    if formats.is_empty() {
        return Ok(vec![Destination {
            format: default,
            file: output,
        }]);
    }

    let without_file = formats.iter().filter(|one| one.file.is_none()).count();
    if without_file > 1 {
        return Err(
            UserError::usage(format!("{without_file} values of `--format` have no file"))
                .with_hint(
                    "only one can go to standard output or to `--output`: write the others as \
                 `--format FORMAT=FILE`",
                ),
        );
    }
    if let (0, Some(output)) = (without_file, output) {
        let message = format!("no format goes to `--output {}`", output.display());
        return Err(UserError::usage(message)
            .with_hint("every value of `--format` names a file of its own: leave `--output` out"));
    }

    let destinations: Vec<Destination<'_, F>> = formats
        .iter()
        .map(|one| Destination {
            format: one.format,
            file: one.file.as_deref().or(output),
        })
        .collect();
    let mut files = BTreeSet::new();
    for file in destinations.iter().filter_map(|one| one.file) {
        // Components, so that `a` and `./a` are the same file.
        let path: PathBuf = std::path::absolute(file)
            .unwrap_or_else(|_| file.to_owned())
            .components()
            .collect();
        if !files.insert(path) {
            let message = format!("two formats go to the file `{}`", file.display());
            return Err(UserError::usage(message).with_hint("give each format a file of its own"));
        }
    }

    Ok(destinations)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    enum Format {
        Table,
        Json,
        Sarif,
    }

    fn arg(format: Format, file: Option<&str>) -> FormatArg<Format> {
        FormatArg {
            format,
            file: file.map(PathBuf::from),
        }
    }

    fn shown(formats: &[FormatArg<Format>], output: Option<&str>) -> Result<Vec<String>, String> {
        destinations(formats, output.map(Path::new), Format::Table)
            .map(|all| {
                all.iter()
                    .map(|one| format!("{:?} {:?}", one.format, one.file))
                    .collect()
            })
            .map_err(|error| error.to_string())
    }

    #[test]
    fn each_format_has_one_destination() {
        use Format::{Json, Sarif, Table};
        let (json, sarif) = (arg(Json, None), arg(Sarif, Some("a.sarif")));
        for (formats, output, expected) in [
            (vec![], None, vec!["Table None"]),
            (vec![], Some("a"), vec!["Table Some(\"a\")"]),
            (vec![json.clone()], Some("a"), vec!["Json Some(\"a\")"]),
            (
                vec![json, sarif.clone()],
                Some("a"),
                vec!["Json Some(\"a\")", "Sarif Some(\"a.sarif\")"],
            ),
            (vec![sarif.clone()], None, vec!["Sarif Some(\"a.sarif\")"]),
            (
                vec![arg(Table, None), sarif],
                None,
                vec!["Table None", "Sarif Some(\"a.sarif\")"],
            ),
        ] {
            let expected: Vec<String> = expected.into_iter().map(str::to_owned).collect();
            assert_eq!(shown(&formats, output), Ok(expected));
        }
    }

    #[test]
    fn a_report_that_would_get_lost_is_refused() {
        use Format::{Json, Sarif};
        for (formats, output, message) in [
            (
                vec![arg(Json, None), arg(Sarif, None)],
                None,
                "2 values of `--format` have no file",
            ),
            (
                vec![arg(Json, Some("a"))],
                Some("b"),
                "no format goes to `--output b`",
            ),
            (
                vec![arg(Json, Some("a")), arg(Sarif, Some("./a"))],
                None,
                "two formats go to the file `./a`",
            ),
            (
                vec![arg(Json, Some("a")), arg(Sarif, None)],
                Some("a"),
                "two formats go to the file `a`",
            ),
        ] {
            assert_eq!(shown(&formats, output), Err(message.to_owned()));
        }
    }
}
