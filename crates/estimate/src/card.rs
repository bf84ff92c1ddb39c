//! The figures of a training as a table, and the model card.

use std::fmt::Write as _;

use crate::measure::{Figures, MIN_TESTED};
use crate::severity::TrainedSeverity;
use crate::weakness::{TrainedWeakness, WeaknessFigures};

impl TrainedSeverity {
    /// The figures for a terminal.
    #[must_use]
    pub fn table(&self) -> String {
        let mut text = format!(
            "{} records before {} trained, {} later ones tested.\n\n",
            self.model.trained(),
            self.model.split(),
            self.overall.tested
        );
        let _ = writeln!(
            text,
            "source    tested   metrics     F1        band      error  in 80 %  usable"
        );
        for (name, figures, usable) in self.rows() {
            let _ = writeln!(
                text,
                "{name:<9}{:>7}  {:.3}/{:.3}  {:.3}  {:.3}/{:.3}  {:.2}/{:.2}  {:>5.1} %  {usable}",
                figures.tested,
                figures.metrics,
                figures.metrics_majority,
                figures.macro_f1,
                figures.band,
                figures.band_majority,
                figures.error,
                figures.error_majority,
                figures.coverage * 100.0,
            );
        }
        text.push_str("\nEach figure is followed by that of the most frequent answer.\n");
        text
    }

    fn rows(&self) -> impl Iterator<Item = (&str, &Figures, &'static str)> {
        let sources = self.model.sources().map(|(name, figures)| {
            let usable = match figures.is_usable() {
                true => "yes",
                false if (figures.tested as usize) < MIN_TESTED => "no: too few",
                false => "no: not better",
            };
            (name, figures, usable)
        });
        [
            ("all", &self.overall, "-"),
            ("CVE list", &self.cve_list, "-"),
        ]
        .into_iter()
        .chain(sources)
    }

    /// The model card, as Markdown. `inputs` describes the data, one input each.
    #[must_use]
    pub fn card(&self, inputs: &[String], bytes: usize) -> String {
        let mut text = String::from(
            "# Model: severity\n\n\
             Estimates the eight base metrics of CVSS v3.1 from the text of an advisory, its weakness \
             ids and its package, and from them the score with an 80 % interval. `patchgate train \
             severity` writes this page and the model, bit for bit the same from the same data.\n\n\
             ## Data\n\n",
        );
        for input in inputs {
            let _ = writeln!(text, "- {input}");
        }
        let _ = write!(
            text,
            "\nNot used: {} records without a vector of CVSS v3, and {} without a date. Records of \
             one CVE share the earliest of their dates and a vector, so that no vulnerability is both \
             trained on and tested with. CVE records that GitHub assigned count as GHSA, because they \
             have the same texts.\n\n\
             ## Model\n\n\
             One softmax regression for each metric, over the {} words and pairs of words that say \
             most about the metrics; {bytes} bytes, weights of one byte. Trained on the {} records \
             that were published before {}.\n\n\
             ## Figures\n\n\
             `all` are the {} records from {} on, `CVE list` those of them that come from the list of \
             all CVEs. A source with fewer than {MIN_TESTED} of them also has the records of earlier \
             half-years, each tested with a model that was trained on older records only. After each `/` is the figure of the most frequent answer among the tested records \
             themselves, which is more than anybody could know before.\n\n\
             | source | tested | metrics right | macro-F1 | band right | mean error | inside the interval | used |\n\
             | --- | ---: | ---: | ---: | ---: | ---: | ---: | --- |\n",
            self.without_vector,
            self.undated,
            self.model.features(),
            self.model.trained(),
            self.model.split(),
            self.overall.tested,
            self.model.split(),
        );
        for (name, figures, usable) in self.rows() {
            let _ = writeln!(
                text,
                "| {name} | {} | {:.3} / {:.3} | {:.3} | {:.3} / {:.3} | {:.2} / {:.2} | {:.1} % | {usable} |",
                figures.tested,
                figures.metrics,
                figures.metrics_majority,
                figures.macro_f1,
                figures.band,
                figures.band_majority,
                figures.error,
                figures.error_majority,
                figures.coverage * 100.0,
            );
        }
        let _ = write!(
            text,
            "\n## Limits\n\n\
             - A source is used only when at least {MIN_TESTED} of its records were tested, more \
             metrics are right and the mean error is smaller than for the most frequent answer, and \
             the 95 % interval of the difference in right bands is above zero. For every other source \
             the estimate is refused.\n\
             - An estimate is never a severity. It raises urgency or asks for review; it lowers \
             nothing and permits no merge.\n\
             - Most records are about products and not about packages. On records of packages the \
             estimate is much worse than on all.\n\
             - The text is English. A record in another language gets an answer near the average.\n\
             - Whoever writes a record can choose its words, and so its estimate.\n"
        );
        text
    }
}

impl TrainedWeakness {
    /// The figures for a terminal.
    #[must_use]
    pub fn table(&self) -> String {
        let mut text = format!(
            "{} records before {} trained, {} later ones tested, {} weaknesses known.\n\n",
            self.model.trained(),
            self.model.split(),
            self.overall.tested,
            self.model.weaknesses().len()
        );
        text.push_str("source    tested  first  first three  usable\n");
        for (name, figures, usable) in self.rows() {
            let _ = writeln!(
                text,
                "{name:<9}{:>7}  {:.3}  {:.3}/{:.3}  {usable}",
                figures.tested, figures.first, figures.top, figures.top_majority
            );
        }
        text.push_str("\nThe second figure is that of the three most frequent weaknesses.\n");
        text
    }

    fn rows(&self) -> impl Iterator<Item = (&str, &WeaknessFigures, &'static str)> {
        let sources = self.model.sources().map(|(name, figures)| {
            let usable = match figures.is_usable() {
                true => "yes",
                false if (figures.tested as usize) < MIN_TESTED => "no: too few",
                false => "no: not better",
            };
            (name, figures, usable)
        });
        std::iter::once(("all", &self.overall, "-")).chain(sources)
    }

    /// The model card, as Markdown. `inputs` describes the data, one input each.
    #[must_use]
    pub fn card(&self, inputs: &[String], bytes: usize) -> String {
        let mut text = "# Model: weakness\n\n\
             Estimates the three most probable weaknesses (CWE) from the title, the details and the \
             package of an advisory. `patchgate train weakness` writes this page and the model, bit \
             for bit the same from the same data.\n\n## Data\n\n"
            .to_owned();
        for input in inputs {
            let _ = writeln!(text, "- {input}");
        }
        let _ = write!(
            text,
            "\nUsed are records that state a weakness and have a date. Records of one CVE share the \
             earliest of their dates.\n\n\
             ## Model\n\n\
             One softmax regression over {} words and pairs of words; {bytes} bytes, weights of one \
             byte. Trained on the {} records that were published before {}, on the {} weaknesses \
             with at least 40 of them. Rarer ones are never an answer.\n\n\
             ## Figures\n\n\
             Of the records from {} on. A record with a weakness that the model does not know counts \
             as an error. After the `/` is the figure of the three most frequent weaknesses among the \
             tested records themselves.\n\n\
             | source | tested | first right | one of three right | used |\n\
             | --- | ---: | ---: | ---: | --- |\n",
            self.model.features(),
            self.model.trained(),
            self.model.split(),
            self.model.weaknesses().len(),
            self.model.split(),
        );
        for (name, figures, usable) in self.rows() {
            let _ = writeln!(
                text,
                "| {name} | {} | {:.3} | {:.3} / {:.3} | {usable} |",
                figures.tested, figures.first, figures.top, figures.top_majority
            );
        }
        let _ = write!(
            text,
            "\n## Limits\n\n\
             - A source is used only when at least {MIN_TESTED} of its records were tested, and the \
             95 % interval of the gain over the most frequent weaknesses is above zero.\n\
             - The probabilities are those of the model, and too high for weaknesses that it does not \
             know.\n\
             - An estimated weakness is shown and changes nothing.\n"
        );
        text
    }
}
