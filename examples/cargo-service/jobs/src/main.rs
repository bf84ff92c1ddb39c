//! Sums up the totals that are given one a line.

use std::io::{self, Read};

use rayon::prelude::*;
use regex::Regex;

fn main() -> io::Result<()> {
    let mut text = String::new();
    io::stdin().read_to_string(&mut text)?;
    let number = Regex::new("^[0-9]+$").expect("a constant pattern");
    let sum: u64 = text
        .par_lines()
        .filter(|line| number.is_match(line))
        .filter_map(|line| line.parse::<u64>().ok())
        .sum();
    println!("{sum}");

    Ok(())
}
