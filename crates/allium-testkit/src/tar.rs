//! Tar archives with members of any name and type.

/// A member: name, type, content.
pub type Member<'a> = (&'a str, u8, &'a [u8]);

/// Writes an archive of these members in the old form with the magic of POSIX.
///
/// # Panics
/// A name has more than 100 bytes.
pub fn tar(members: &[Member<'_>]) -> Vec<u8> {
    let mut archive = Vec::new();
    for (name, kind, content) in members {
        archive.extend_from_slice(&header(name, *kind, content.len()));
        archive.extend_from_slice(content);
        archive.resize(archive.len().next_multiple_of(512), 0);
    }
    archive.resize(archive.len() + 1024, 0);
    archive
}

fn header(name: &str, kind: u8, size_bytes: usize) -> [u8; 512] {
    let mut header = [0; 512];
    header[..100][..name.len()].copy_from_slice(name.as_bytes());
    header[124..136].copy_from_slice(format!("{size_bytes:011o}\0").as_bytes());
    header[148..156].copy_from_slice(b"        ");
    header[156] = kind;
    header[257..263].copy_from_slice(b"ustar\0");
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    header
}
