//! The Beta distribution, as the posterior of a proportion.
//!
//! The regularized incomplete beta function is computed from its continued fraction, and the
//! logarithm of the gamma function by Lanczos' approximation (Numerical Recipes, third edition,
//! sections 6.1 and 6.4; <https://dlmf.nist.gov/8.17>).

/// A Beta distribution. Both parameters are greater than zero.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Beta {
    alpha: f64,
    beta: f64,
}

/// Most steps of the continued fraction. The parameters here are numbers of commits.
const MAX_STEPS: u32 = 300;

/// Halvings of an interval: more than an `f64` has bits.
const HALVINGS: u32 = 60;

impl Beta {
    /// A distribution with these parameters. Those that are not greater than zero, or not finite,
    /// are one.
    #[must_use]
    pub fn new(alpha: f64, beta: f64) -> Self {
        let checked = |value: f64| {
            if value.is_finite() && value > 0.0 {
                value
            } else {
                1.0
            }
        };
        Self {
            alpha: checked(alpha),
            beta: checked(beta),
        }
    }

    /// A distribution with a mean and the weight of so many observations.
    #[must_use]
    pub fn with_mean(mean: f64, weight: f64) -> Self {
        Self::new(mean * weight, (1.0 - mean) * weight)
    }

    /// The posterior after so many successes and failures.
    #[must_use]
    pub fn after(self, successes: u32, failures: u32) -> Self {
        Self::new(
            self.alpha + f64::from(successes),
            self.beta + f64::from(failures),
        )
    }

    /// The mean.
    #[must_use]
    pub fn mean(self) -> f64 {
        self.alpha / (self.alpha + self.beta)
    }

    /// The value below which the given share of the distribution is.
    #[must_use]
    pub fn quantile(self, share: f64) -> f64 {
        let (mut low, mut high) = (0.0, 1.0);
        for _ in 0..HALVINGS {
            let middle = 0.5 * (low + high);
            if self.below(middle) < share {
                low = middle;
            } else {
                high = middle;
            }
        }

        0.5 * (low + high)
    }

    /// The share of the distribution below a value.
    fn below(self, x: f64) -> f64 {
        let (a, b) = (self.alpha, self.beta);
        if x <= 0.0 {
            return 0.0;
        }
        if x >= 1.0 {
            return 1.0;
        }

        let factor =
            (ln_gamma(a + b) - ln_gamma(a) - ln_gamma(b) + a * x.ln() + b * (1.0 - x).ln()).exp();
        // The fraction converges fast on one side of the mean.
        if x < (a + 1.0) / (a + b + 2.0) {
            factor * fraction(x, a, b) / a
        } else {
            1.0 - factor * fraction(1.0 - x, b, a) / b
        }
    }
}

/// The continued fraction of the incomplete beta function, by Lentz's method.
fn fraction(x: f64, a: f64, b: f64) -> f64 {
    let not_zero = |value: f64| {
        if value.abs() < f64::MIN_POSITIVE {
            f64::MIN_POSITIVE
        } else {
            value
        }
    };
    let mut c = 1.0;
    let mut d = 1.0 / not_zero(1.0 - (a + b) * x / (a + 1.0));
    let mut value = d;
    for step in 1..MAX_STEPS {
        let m = f64::from(step);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        d = 1.0 / not_zero(1.0 + even * d);
        c = not_zero(1.0 + even / c);
        value *= d * c;

        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        d = 1.0 / not_zero(1.0 + odd * d);
        c = not_zero(1.0 + odd / c);
        let change = d * c;
        value *= change;
        if (change - 1.0).abs() < 1e-14 {
            break;
        }
    }

    value
}

/// The logarithm of the gamma function of a number greater than zero.
fn ln_gamma(x: f64) -> f64 {
    const COEFFICIENTS: [f64; 6] = [
        76.180_091_729_471_46,
        -86.505_320_329_416_77,
        24.014_098_240_830_91,
        -1.231_739_572_450_155,
        0.001_208_650_973_866_179,
        -0.000_005_395_239_384_953,
    ];
    let shifted = x + 5.5;
    let scale = shifted - (x + 0.5) * shifted.ln();
    let mut sum = 1.000_000_000_190_015;
    let mut at = x;
    for coefficient in COEFFICIENTS {
        at += 1.0;
        sum += coefficient / at;
    }

    (2.506_628_274_631_000_5 * sum / x).ln() - scale
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(a: f64, b: f64) {
        assert!((a - b).abs() < 1e-6, "{a} is not {b}");
    }

    #[test]
    fn quantiles_are_those_of_known_distributions() {
        // Beta(1, 1) is uniform, and the quantile of Beta(a, 1) is share^(1/a).
        near(Beta::new(1.0, 1.0).quantile(0.05), 0.05);
        near(Beta::new(5.0, 1.0).quantile(0.05), 0.05f64.powf(0.2));
        near(
            Beta::new(1.0, 3.0).quantile(0.95),
            1.0 - 0.05f64.powf(1.0 / 3.0),
        );
        // Beta(1/2, 1/2) is the arcsine distribution.
        let arcsine = (std::f64::consts::FRAC_PI_2 * 0.1).sin().powi(2);
        near(Beta::new(0.5, 0.5).quantile(0.1), arcsine);
        near(Beta::new(400.0, 400.0).quantile(0.5), 0.5);
    }

    #[test]
    fn the_posterior_moves_towards_what_was_seen() {
        let prior = Beta::with_mean(0.9, 2.0);
        near(prior.mean(), 0.9);
        near(prior.after(8, 0).mean(), 9.8 / 10.0);
        near(prior.after(0, 8).mean(), 1.8 / 10.0);
        let few = Beta::new(1.0, 1.0).after(2, 0);
        let many = Beta::new(1.0, 1.0).after(200, 0);
        assert!(few.quantile(0.05) < many.quantile(0.05));
        near(Beta::new(-1.0, f64::NAN).mean(), 0.5);
    }
}
