//! `patchgate fix`.

mod bundled;
mod cargo;
mod evidence;
mod examples;
mod faults;
mod files;
mod gradle;
mod hostile;
mod maven;
mod nuget;
mod output;
mod requirements;
mod settings;
mod verify;
mod workspace;
