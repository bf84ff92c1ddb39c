//! Reads order lines such as `3 x 250 widget` and prints the total of each order.

use std::io::{self, BufRead};

use regex::Regex;
use smallvec::SmallVec;

/// Most orders have few lines: they stay on the stack.
type Lines = SmallVec<[Line; 8]>;

struct Line {
    count: u64,
    price_cents: u64,
}

fn parse(pattern: &Regex, text: &str) -> Option<Line> {
    let captures = pattern.captures(text)?;
    Some(Line {
        count: captures[1].parse().ok()?,
        price_cents: captures[2].parse().ok()?,
    })
}

fn total_cents(lines: &Lines) -> u64 {
    lines.iter().map(|line| line.count * line.price_cents).sum()
}

fn main() -> io::Result<()> {
    let pattern = Regex::new(r"^([0-9]+) x ([0-9]+) ").expect("a constant pattern");
    let mut lines = Lines::new();
    for text in io::stdin().lock().lines() {
        let text = text?;
        if text.is_empty() {
            println!("{}", total_cents(&lines));
            lines.clear();
        } else if let Some(line) = parse(&pattern, &text) {
            lines.push(line);
        } else {
            eprintln!("skipped `{text}`");
        }
    }

    println!("{}", total_cents(&lines));
    Ok(())
}
