//! Pull requests, comments, checks, merges and pushes
