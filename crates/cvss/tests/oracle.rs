//! Scores and refusals, compared with the Python package `cvss` on random vectors.
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "the test runs Python; the lint's exception for tests does not reach helper functions"
)]

use std::io::Write as _;
use std::process::{Command, Stdio};

use patchgate_cvss::Vector;
use patchgate_testkit::Tools;

/// Vectors of each version. Set `PATCHGATE_CVSS_VECTORS` for a longer comparison.
const VECTORS: usize = 2_000;

/// Prints, for each line, the scores and the severity of the last one, or `null` for a refusal.
const SCRIPT: &str = "
import json, sys
from cvss import CVSS2, CVSS3, CVSS4
for line in sys.stdin:
    text = line.rstrip('\\n')
    kind = CVSS4 if text.startswith('CVSS:4') else CVSS3 if text.startswith('CVSS:3') else CVSS2
    try:
        vector = kind(text)
    except Exception:
        print('null')
        continue
    print(json.dumps([list(vector.scores()), [word.lower() for word in vector.severities()]]))
";

const V2: &str = "AV:LAN AC:HML Au:MSN C:NPC I:NPC A:NPC";
const V2_OPTIONAL: &str = "E:ND,U,POC,F,H RL:ND,OF,TF,W,U RC:ND,UC,UR,C CDP:ND,N,L,LM,MH,H \
                           TD:ND,N,L,M,H CR:ND,L,M,H IR:ND,L,M,H AR:ND,L,M,H";
const V3: &str = "AV:NALP AC:LH PR:NLH UI:NR S:UC C:NLH I:NLH A:NLH";
const V3_OPTIONAL: &str = "E:X,U,P,F,H RL:X,O,T,W,U RC:X,U,R,C CR:X,L,M,H IR:X,L,M,H AR:X,L,M,H \
                           MAV:X,N,A,L,P MAC:X,L,H MPR:X,N,L,H MUI:X,N,R MS:X,U,C MC:X,N,L,H \
                           MI:X,N,L,H MA:X,N,L,H";
const V4: &str = "AV:NALP AC:LH AT:NP PR:NLH UI:NPA VC:HLN VI:HLN VA:HLN SC:HLN SI:HLN SA:HLN";
const V4_OPTIONAL: &str = "E:X,A,P,U CR:X,H,M,L IR:X,H,M,L AR:X,H,M,L MAV:X,N,A,L,P MAC:X,L,H \
                           MAT:X,N,P MPR:X,N,L,H MUI:X,N,P,A MVC:X,H,L,N MVI:X,H,L,N MVA:X,H,L,N \
                           MSC:X,H,L,N MSI:X,S,H,L,N MSA:X,S,H,L,N S:X,N,P AU:X,N,Y R:X,A,U,I \
                           V:X,D,C RE:X,L,M,H U:X,Clear,Green,Amber,Red";

/// A generator of pseudo-random numbers (xorshift64), the same in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % limit
    }

    fn chance(&mut self, one_in: usize) -> bool {
        self.below(one_in) == 0
    }

    fn vector(&mut self, prefix: &str, base: &str, optional: &str) -> String {
        let mut parts: Vec<String> = base
            .split_whitespace()
            .map(|metric| {
                let (name, values) = metric.split_once(':').unwrap();
                let values: Vec<char> = values.chars().collect();
                format!("{name}:{}", values[self.below(values.len())])
            })
            .collect();
        // Some vectors have no optional metrics, some have few, some have all.
        let one_in = [usize::MAX, 6, 2, 1][self.below(4)];
        for metric in optional.split_whitespace() {
            let (name, values) = metric.split_once(':').unwrap();
            let values: Vec<&str> = values.split(',').collect();
            if self.chance(one_in) {
                parts.push(format!("{name}:{}", values[self.below(values.len())]));
            }
        }
        if self.chance(4) {
            let (a, b) = (self.below(parts.len()), self.below(parts.len()));
            parts.swap(a, b);
        }

        let text = format!("{prefix}{}", parts.join("/"));
        if self.chance(4) {
            self.spoiled(&text)
        } else {
            text
        }
    }

    /// The vector with one error, or with something that looks like one.
    fn spoiled(&mut self, text: &str) -> String {
        let parts: Vec<&str> = text.split('/').collect();
        let chosen = self.below(parts.len());
        let replaced = |new: &str| {
            let mut changed = parts.clone();
            changed[chosen] = new;
            changed.join("/")
        };
        match self.below(16) {
            0 => text.to_lowercase(),
            1 => format!("{text}/"),
            2 => format!("({text})"),
            3 => format!("{text}/XY:Z"),
            4 => format!("{text}/{}", parts[chosen]),
            5 => replaced(""),
            6 => replaced("AV"),
            7 => replaced("AV:N:L"),
            8 => replaced("C:Q"),
            9 => format!(" {text}"),
            10 => replaced("E:X"),
            11 => text.replace("3.1", "3.2").replace("4.0", "4.1"),
            12 => format!("/{text}"),
            13 => format!("{text}/E:ND"),
            14 => text.chars().take(self.below(text.len())).collect(),
            _ => format!("CVSS:3.1/{text}"),
        }
    }
}

fn vectors(count: usize) -> Vec<String> {
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    let mut vectors = Vec::new();
    for _ in 0..count {
        vectors.push(random.vector("", V2, V2_OPTIONAL));
        vectors.push(random.vector("CVSS:3.0/", V3, V3_OPTIONAL));
        vectors.push(random.vector("CVSS:3.1/", V3, V3_OPTIONAL));
        vectors.push(random.vector("CVSS:4.0/", V4, V4_OPTIONAL));
    }
    vectors
}

/// Our answer in the form of the script's.
fn answer(text: &str) -> serde_json::Value {
    let Ok(vector) = text.parse::<Vector>() else {
        return serde_json::Value::Null;
    };
    let scores = vector.scores();
    let word = |score: Option<f64>| score.map_or("none", |score| vector.rating(score).word());
    if vector.version() == patchgate_cvss::Version::V40 {
        return serde_json::json!([[scores.overall], [word(Some(scores.overall))]]);
    }
    let all = [Some(scores.base), scores.temporal, scores.environmental];
    serde_json::json!([all, all.map(word)])
}

#[test]
fn scores_and_refusals_are_those_of_the_python_package() {
    let Some(python) = Tools::installed().and_then(|tools| tools.python_with("cvss")) else {
        return;
    };
    let count = std::env::var("PATCHGATE_CVSS_VECTORS")
        .map_or(VECTORS, |count| count.parse::<usize>().unwrap());
    let vectors = vectors(count);

    let mut child = Command::new(python)
        .args(["-I", "-c", SCRIPT])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let text = vectors.join("\n") + "\n";
    let writer = std::thread::spawn(move || input.write_all(text.as_bytes()).unwrap());
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    assert!(output.status.success());

    let output = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<&str> = output.lines().collect();
    assert_eq!(lines.len(), vectors.len());
    let mut refused = 0;
    for (vector, line) in vectors.iter().zip(lines) {
        let expected: serde_json::Value = serde_json::from_str(line).unwrap();
        refused += usize::from(expected.is_null());
        assert_eq!(answer(vector), expected, "{vector}");
    }
    // The generator makes both kinds.
    assert!(refused > vectors.len() / 10 && refused < vectors.len() / 2);
}
