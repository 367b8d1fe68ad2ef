//! Operators: people and organisations that run relays, and the claims, proofs, families and contacts that show who they are.

mod aroi;
mod contact;
mod family;
mod group;
mod proof;

pub use aroi::{AroiCheck, AroiClaim, AroiContact, AroiDomain, AroiResult, ProofMethod};
pub use contact::normalised_contact;
pub use family::{Families, Family};
pub use group::{Operator, OperatorId, Operators};
pub use proof::{ProofStanding, ProofVerdict};
