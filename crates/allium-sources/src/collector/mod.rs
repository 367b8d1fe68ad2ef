//! CollecTor, the archive of what the Tor network publishes about itself.
//!
//! Its archives are files that somebody has downloaded ([`archive`]): documents of any hour, in any order, marked as not
//! verified unless the keys of their time are at hand.

pub mod archive;
mod tar;
