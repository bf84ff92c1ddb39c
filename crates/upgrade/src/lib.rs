//! The smallest safe change: which package moves to which version, and the evidence for it
