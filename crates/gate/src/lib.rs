//! Policy and evidence to a verdict: merge, review or block
