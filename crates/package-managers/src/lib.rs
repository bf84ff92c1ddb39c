//! Runs cargo and npm to re-resolve a lockfile in a scratch copy: lockfile only, scripts off, environment scrubbed
