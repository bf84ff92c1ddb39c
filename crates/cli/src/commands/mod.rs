//! Commands, one module each: their flags, and the run.

pub(crate) mod action;
pub(crate) mod audit;
pub(crate) mod compare_versions;
pub(crate) mod cvss;
pub(crate) mod dashboard;
pub(crate) mod db;
pub(crate) mod explain;
pub(crate) mod fix;
pub(crate) mod formats;
pub(crate) mod gate;
pub(crate) mod init;
pub(crate) mod inventory;
pub(crate) mod policy;
pub(crate) mod pr;
pub(crate) mod query;
pub(crate) mod respond;
pub(crate) mod review;
pub(crate) mod scan;
pub(crate) mod schema;
pub(crate) mod train;
