//! The dialogue of `fix --interactive`: a list of steps, and commands that choose among them.
//!
//! It reads lines and writes text, and knows nothing of terminals, so that tests can talk to it.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, Write};

use patchgate_model::Plan;
use patchgate_report::{EntryCounts, clean};

/// Most upgrades that are named for one step.
const MAX_NAMED: usize = 3;

const HELP: &str = "  1 3-5   add or remove these steps
  all     add all steps
  none    remove all steps
  d 2     show the diff of step 2
  u       undo the last choice
  a       apply the chosen steps
  q       quit without a change
";

/// A command of the dialogue. Steps are numbered from 0.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Command {
    Toggle(BTreeSet<usize>),
    All,
    None,
    Diff(usize),
    Undo,
    Apply,
    Quit,
    Help,
    Nothing,
}

/// Each step of a plan in one line.
pub(super) fn describe(plan: &Plan) -> Vec<String> {
    plan.steps
        .iter()
        .map(|step| {
            let upgrades = step
                .upgrades
                .iter()
                .filter_map(|index| plan.upgrades.get(*index));
            let named: Vec<String> = upgrades
                .map(|upgrade| {
                    let (package, from, to) = (&upgrade.package, &upgrade.from, &upgrade.to);
                    format!("{} {} -> {}", clean(package), clean(from), clean(to))
                })
                .collect();
            let mut shown: Vec<String> = named.iter().take(MAX_NAMED).cloned().collect();
            if named.len() > MAX_NAMED {
                shown.push(format!("{} more", named.len() - MAX_NAMED));
            }
            let entries = step
                .entries
                .iter()
                .filter_map(|index| plan.entries.get(*index));
            let findings = match step.fixes.len() {
                1 => "1 finding".to_owned(),
                many => format!("{many} findings"),
            };
            format!(
                "{}: fixes {findings}; {}",
                shown.join(", "),
                EntryCounts::new(entries).sentence()
            )
        })
        .collect()
}

/// Asks until the user applies or quits. All steps are chosen at first. Returns the chosen ones, or
/// `None` when the user quits or the input ends.
///
/// # Errors
/// When the output cannot be written or the input not be read, or a diff cannot be made.
pub(super) async fn choose(
    steps: &[String],
    mut input: impl BufRead,
    mut output: impl Write,
    mut diff: impl AsyncFnMut(usize) -> anyhow::Result<String>,
) -> anyhow::Result<Option<BTreeSet<usize>>> {
    let mut chosen: BTreeSet<usize> = (0..steps.len()).collect();
    let mut before: Vec<BTreeSet<usize>> = Vec::new();
    let mut diffs: BTreeMap<usize, String> = BTreeMap::new();
    list(&mut output, steps, &chosen)?;
    write!(output, "\n{HELP}")?;

    loop {
        write!(output, "\n{} of {} chosen> ", chosen.len(), steps.len())?;
        output.flush()?;
        let mut line = String::new();
        if input.read_line(&mut line)? == 0 {
            writeln!(output)?;
            return Ok(None);
        }

        let next = match parse(&line, steps.len()) {
            Err(error) => {
                writeln!(output, "{error}")?;
                continue;
            }
            Ok(Command::Nothing) => continue,
            Ok(Command::Help) => {
                write!(output, "{HELP}")?;
                continue;
            }
            Ok(Command::Diff(step)) => {
                if let Entry::Vacant(unknown) = diffs.entry(step) {
                    unknown.insert(diff(step).await?);
                }
                let shown = diffs.get(&step).map(String::as_str).unwrap_or_default();
                write!(output, "{shown}")?;
                continue;
            }
            Ok(Command::Apply) if chosen.is_empty() => {
                writeln!(output, "no step is chosen")?;
                continue;
            }
            Ok(Command::Apply) => return Ok(Some(chosen)),
            Ok(Command::Quit) => return Ok(None),
            Ok(Command::Undo) => {
                match before.pop() {
                    Some(last) => chosen = last,
                    None => writeln!(output, "there is nothing to undo")?,
                }
                list(&mut output, steps, &chosen)?;
                continue;
            }
            Ok(Command::Toggle(numbers)) => {
                chosen.symmetric_difference(&numbers).copied().collect()
            }
            Ok(Command::All) => (0..steps.len()).collect(),
            Ok(Command::None) => BTreeSet::new(),
        };
        before.push(std::mem::replace(&mut chosen, next));
        list(&mut output, steps, &chosen)?;
    }
}

fn list(
    output: &mut impl Write,
    steps: &[String],
    chosen: &BTreeSet<usize>,
) -> std::io::Result<()> {
    for (index, step) in steps.iter().enumerate() {
        let mark = if chosen.contains(&index) { 'x' } else { ' ' };
        writeln!(output, "[{mark}] {:>2}  {step}", index + 1)?;
    }

    Ok(())
}

/// Reads a command. The error says what is wrong with it.
fn parse(line: &str, steps: usize) -> Result<Command, String> {
    let line = line.trim();
    match line {
        "" => return Ok(Command::Nothing),
        "all" => return Ok(Command::All),
        "none" => return Ok(Command::None),
        "u" | "undo" => return Ok(Command::Undo),
        "a" | "apply" => return Ok(Command::Apply),
        "q" | "quit" => return Ok(Command::Quit),
        "h" | "help" | "?" => return Ok(Command::Help),
        _ => {}
    }

    let words: Vec<&str> = line
        .split([' ', ','])
        .filter(|word| !word.is_empty())
        .collect();
    if let ["d" | "diff", number] = words.as_slice() {
        return Ok(Command::Diff(parse_number(number, steps)?));
    }

    let mut numbers = BTreeSet::new();
    for word in words {
        let (first, last) = word.split_once('-').unwrap_or((word, word));
        let (first, last) = (parse_number(first, steps)?, parse_number(last, steps)?);
        numbers.extend(first..=last);
    }
    Ok(Command::Toggle(numbers))
}

/// The index of a step from its number.
fn parse_number(text: &str, steps: usize) -> Result<usize, String> {
    match text.parse::<usize>() {
        Ok(number) if (1..=steps).contains(&number) => Ok(number - 1),
        Ok(_) => Err(format!("there is no step {text}: steps are 1 to {steps}")),
        Err(_) => Err(format!(
            "`{}` is not a command; `h` lists them",
            clean(text)
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Talks to the dialogue about three steps; returns the choice, and what was written.
    fn talk(lines: &str) -> (Option<Vec<usize>>, String) {
        let steps = ["a 1 -> 2", "b 1 -> 2", "c 1 -> 2"].map(str::to_owned);
        let mut output = Vec::new();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        let mut made = 0;
        let chosen = runtime
            .block_on(choose(
                &steps,
                lines.as_bytes(),
                &mut output,
                async |step| {
                    made += 1;
                    Ok(format!("diff {made} of {step}\n"))
                },
            ))
            .unwrap();
        (
            chosen.map(|chosen| chosen.into_iter().collect()),
            String::from_utf8(output).unwrap(),
        )
    }

    #[test]
    fn steps_are_chosen_by_number_and_choices_undone() {
        assert_eq!(talk("a\n").0, Some(vec![0, 1, 2]));
        assert_eq!(talk("2\na\n").0, Some(vec![0, 2]));
        assert_eq!(talk("none\n1, 3\na\n").0, Some(vec![0, 2]));
        assert_eq!(talk("2-3\nu\nu\na\n").0, Some(vec![0, 1, 2]));
        assert_eq!(talk("none\nall\nu\n2\na\n").0, Some(vec![1]));
    }

    #[test]
    fn quitting_and_the_end_of_the_input_choose_nothing() {
        assert_eq!(talk("2\nq\na\n").0, None);
        assert_eq!(talk("2\n").0, None);
    }

    #[test]
    fn nothing_is_applied_without_a_step() {
        let (chosen, written) = talk("none\na\nq\n");
        assert_eq!(chosen, None);
        assert!(written.contains("no step is chosen"), "{written}");
    }

    #[test]
    fn a_diff_is_made_once() {
        let (_, written) = talk("d 2\nd 2\ndiff 1\nq\n");
        assert_eq!(written.matches("diff 1 of 1\n").count(), 2, "{written}");
        assert!(written.contains("diff 2 of 0\n"), "{written}");
    }

    #[test]
    fn wrong_commands_are_named() {
        let (_, written) = talk("4\n0\nxyz\nd 9\nq\n");
        assert!(
            written.contains("there is no step 4: steps are 1 to 3"),
            "{written}"
        );
        assert!(written.contains("there is no step 0"), "{written}");
        assert!(written.contains("`xyz` is not a command"), "{written}");
        assert!(written.contains("there is no step 9"), "{written}");
        assert!(written.contains("[x]  1  a 1 -> 2\n"), "{written}");
    }
}
