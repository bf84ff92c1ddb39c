//! CVSS vectors of versions 2.0, 3.0, 3.1 and 4.0: strict parsing, and the scores of all groups.
//!
//! The equations are those of FIRST's specifications
//! (<https://www.first.org/cvss/v2/guide>, <https://www.first.org/cvss/v3.0/specification-document>,
//! <https://www.first.org/cvss/v3.1/specification-document>,
//! <https://www.first.org/cvss/v4.0/specification-document>). A test compares all of them with the
//! Python package `cvss` of Red Hat.
//!
//! Deliberately absent: repairs of malformed vectors, and the choice between several vectors.
//!
//! The crate `cvss` is not used: it scores v2 to v4, but has no temporal score of v3, no score
//! without the threat metrics of v4, and accepts vectors in lower case.
//!
//! ```
//! use patchgate_cvss::{Rating, Vector};
//!
//! let vector: Vector = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H/E:P".parse()?;
//! let scores = vector.scores();
//! assert_eq!((scores.base, scores.overall), (9.8, 9.3));
//! assert_eq!(vector.rating(scores.overall), Rating::Critical);
//! # Ok::<(), patchgate_cvss::VectorError>(())
//! ```

mod metrics;
mod score;
mod v2;
mod v3;
mod v4;
mod vector;

pub use score::{Rating, Scores};
pub use vector::{MAX_BYTES, Vector, VectorError, Version};
