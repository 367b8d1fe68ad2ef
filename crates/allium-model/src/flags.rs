//! Relay flags: the words that directory authorities give a relay in a consensus.

use std::fmt;

/// A flag that Allium knows by name. Flags that it does not know are kept as text beside these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum RelayFlag {
    /// A directory authority.
    Authority,
    /// Believed to be useless or harmful as an exit.
    BadExit,
    /// Suitable for leaving the network.
    Exit,
    /// Suitable for high-bandwidth circuits.
    Fast,
    /// Suitable as an entry guard.
    Guard,
    /// Answers onion service descriptor requests.
    HSDir,
    /// Limited to the middle position.
    MiddleOnly,
    /// No consensus on its Ed25519 key.
    NoEdConsensus,
    /// Usable now. A relay without it is down.
    Running,
    /// Suitable for long-lived circuits.
    Stable,
    /// Published its descriptor too long ago.
    StaleDesc,
    /// Believed to be one of a flood of relays of one owner.
    Sybil,
    /// Serves directory documents.
    V2Dir,
    /// Validated by the authorities.
    Valid,
}

impl RelayFlag {
    /// All flags, in alphabetical order as consensuses list them.
    pub const ALL: [Self; 14] = [
        Self::Authority,
        Self::BadExit,
        Self::Exit,
        Self::Fast,
        Self::Guard,
        Self::HSDir,
        Self::MiddleOnly,
        Self::NoEdConsensus,
        Self::Running,
        Self::Stable,
        Self::StaleDesc,
        Self::Sybil,
        Self::V2Dir,
        Self::Valid,
    ];

    /// The name as consensuses write it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Authority => "Authority",
            Self::BadExit => "BadExit",
            Self::Exit => "Exit",
            Self::Fast => "Fast",
            Self::Guard => "Guard",
            Self::HSDir => "HSDir",
            Self::MiddleOnly => "MiddleOnly",
            Self::NoEdConsensus => "NoEdConsensus",
            Self::Running => "Running",
            Self::Stable => "Stable",
            Self::StaleDesc => "StaleDesc",
            Self::Sybil => "Sybil",
            Self::V2Dir => "V2Dir",
            Self::Valid => "Valid",
        }
    }

    /// The flag of that name, in exactly the spelling of consensuses.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|flag| flag.name() == name)
    }
}

/// A set of [`RelayFlag`]s.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct RelayFlags(u32);

impl RelayFlags {
    /// No flag.
    pub const EMPTY: Self = Self(0);

    /// The set whose bits were once returned by [`RelayFlags::bits`]; unknown bits are dropped.
    ///
    /// The bit of a flag is its index in [`RelayFlag::ALL`]. Stores keep these bits, so the order never changes:
    /// further flags are added at the end.
    pub const fn from_bits(bits: u32) -> Self {
        Self(bits & ((1 << RelayFlag::ALL.len()) - 1))
    }

    /// The set as bits.
    pub const fn bits(self) -> u32 {
        self.0
    }

    /// True if the flag is in the set.
    pub const fn contains(self, flag: RelayFlag) -> bool {
        self.0 & (1 << flag as u8) != 0
    }

    /// Adds a flag.
    pub const fn insert(&mut self, flag: RelayFlag) {
        self.0 |= 1 << flag as u8;
    }

    /// Takes a flag out.
    pub const fn remove(&mut self, flag: RelayFlag) {
        self.0 &= !(1 << flag as u8);
    }

    /// The flags of the set in alphabetical order.
    pub fn iter(self) -> impl Iterator<Item = RelayFlag> {
        RelayFlag::ALL.into_iter().filter(move |flag| self.contains(*flag))
    }
}

impl FromIterator<RelayFlag> for RelayFlags {
    fn from_iter<I: IntoIterator<Item = RelayFlag>>(flags: I) -> Self {
        let mut set = Self::EMPTY;
        flags.into_iter().for_each(|flag| set.insert(flag));
        set
    }
}

impl fmt::Debug for RelayFlags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter().map(RelayFlag::name)).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_the_index_in_the_list() {
        for (index, flag) in RelayFlag::ALL.into_iter().enumerate() {
            assert_eq!(RelayFlags::from_iter([flag]).bits(), 1 << index);
            assert_eq!(RelayFlag::from_name(flag.name()), Some(flag));
        }
        assert_eq!(RelayFlag::from_name("running"), None);
        assert_eq!(RelayFlags::from_bits(u32::MAX).iter().count(), RelayFlag::ALL.len());
    }
}
