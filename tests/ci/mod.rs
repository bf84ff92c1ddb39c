//! The parts that run in CI: the GitHub action, the GitLab component, and the workflows of
//! `patchgate init`.

mod action;
mod action_binary;
mod gitlab;
mod init;
