//! Finding and signals to a score with its reasons
