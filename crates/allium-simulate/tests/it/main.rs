//! A simulated network, the documents it writes and the server it runs, through the public interface.

mod compile;
mod consensus;
mod documents;
mod presence;
mod scenario;
mod server;
