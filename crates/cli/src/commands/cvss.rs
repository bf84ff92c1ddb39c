//! `patchgate cvss`: the scores of CVSS vectors.

use std::io::{BufRead as _, Read as _};

use anyhow::Context as _;
use patchgate_cvss::{Vector, Version};
use serde_json::{Map, Value, json};

use crate::exit::Exit;
use crate::output;

/// Largest input that is read from standard input, in bytes.
const MAX_INPUT_BYTES: u64 = 256 * 1024 * 1024;

/// Most bytes of a vector that an answer repeats.
const MAX_REPEATED_BYTES: usize = 256;

/// Flags of `patchgate cvss`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Vectors of CVSS v2, v3.0, v3.1 or v4.0; without them, one a line is read from standard input
    #[arg(value_name = "VECTOR")]
    vectors: Vec<String>,
}

/// Prints one JSON object for each vector, in the order of the vectors.
pub(crate) fn run(args: &Args) -> anyhow::Result<Exit> {
    let mut text = String::new();
    let mut worst = Exit::Clean;
    let mut add = |vector: &str| {
        let (answer, exit) = answer(vector);
        if exit != Exit::Clean {
            worst = exit;
        }
        text.push_str(&answer.to_string());
        text.push('\n');
    };

    if args.vectors.is_empty() {
        let mut input = std::io::stdin().lock().take(MAX_INPUT_BYTES);
        let mut line = Vec::new();
        while input
            .read_until(b'\n', &mut line)
            .context("cannot read standard input")?
            > 0
        {
            let end = line.strip_suffix(b"\n").unwrap_or(&line);
            let end = end.strip_suffix(b"\r").unwrap_or(end);
            add(&String::from_utf8_lossy(end));
            line.clear();
        }
    } else {
        args.vectors.iter().for_each(|vector| add(vector));
    }

    output::write(&text, None)?;
    Ok(worst)
}

fn answer(text: &str) -> (Value, Exit) {
    let mut object = Map::new();
    object.insert("vector".to_owned(), json!(beginning(text)));
    let vector: Vector = match text.parse() {
        Ok(vector) => vector,
        Err(error) => {
            object.insert("error".to_owned(), json!(error.to_string()));
            return (Value::Object(object), Exit::Incomplete);
        }
    };

    let scores = vector.scores();
    let second = match vector.version() {
        Version::V40 => "threat",
        _ => "temporal",
    };
    let rating = vector.rating(scores.overall).word();
    for (key, value) in [
        ("version", json!(vector.version().number())),
        ("base", json!(scores.base)),
        (second, json!(scores.temporal)),
        ("environmental", json!(scores.environmental)),
        ("overall", json!(scores.overall)),
        ("severity", json!(rating)),
    ] {
        object.insert(key.to_owned(), value);
    }

    (Value::Object(object), Exit::Clean)
}

fn beginning(text: &str) -> &str {
    text.get(..text.floor_char_boundary(MAX_REPEATED_BYTES))
        .unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_has_every_score_of_its_version() {
        let (object, exit) =
            answer("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N/E:U");
        assert_eq!(exit, Exit::Clean);
        assert_eq!(object["version"], "4.0");
        assert_eq!(object["base"], 9.3);
        assert_eq!(object["threat"], 8.1);
        assert_eq!(object["overall"], object["threat"]);
        assert_eq!(object["severity"], "high");

        let (object, _) = answer("AV:N/AC:L/Au:N/C:C/I:C/A:C");
        assert_eq!(object["temporal"], Value::Null);
        assert_eq!(object["overall"], 10.0);
    }

    #[test]
    fn a_refused_vector_is_an_error_and_ends_the_run_as_incomplete() {
        for text in [
            "",
            "CVSS:3.1/AV:N",
            "av:n/ac:l/au:n/c:c/i:c/a:c",
            "\u{1b}[2J",
        ] {
            let (object, exit) = answer(text);
            assert_eq!(exit, Exit::Incomplete, "{text}");
            assert!(object["error"].is_string());
            assert!(object.get("overall").is_none());
        }
        let (object, _) = answer(&"é".repeat(100_000));
        assert!(object.to_string().len() < 500);
    }
}
