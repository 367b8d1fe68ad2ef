//! Several consensuses in one file, and files that programs of other systems saved.

use allium_sources::consensus::{decode_file, decode_part, parts};
use allium_sources::read::{Limits, plain_text};

use super::{good, lines, read};

const ANNOTATION: &str = "@type network-status-consensus-3 1.0\n";

fn text(name: &str) -> String {
    String::from_utf8(read(name)).unwrap()
}

/// Hour and rejects of each part of a file, or why it is refused.
fn outcomes(file: &str) -> Vec<Result<(String, Vec<String>), String>> {
    let file = plain_text(file.as_bytes().to_owned());
    let decoded = parts(&file).into_iter().map(|part| decode_part(&file, &part, "file"));
    decoded.map(|part| part.map(|part| (part.hour.to_string(), lines(&part))).map_err(|error| error.to_string())).collect()
}

fn taken(hour: &str) -> Result<(String, Vec<String>), String> {
    Ok((hour.to_owned(), vec![]))
}

const NEW: &str = "2026-02-15T18:00:00Z";
const OLD: &str = "2014-12-08T18:00:00Z";

#[test]
fn every_consensus_of_a_file_is_read() {
    let (ns, old) = (text("ns"), text("2014"));
    let files = [
        format!("{ns}{old}"),
        format!("{ns}{ANNOTATION}{old}"),
        format!("{ANNOTATION}{ns}\n\n@downloaded-at 2014-12-08 18:05:00\n{ANNOTATION}{old}\n"),
        format!("\n\n{ns}\n{old}"),
        format!("\u{feff}{ANNOTATION}{ns}{ANNOTATION}{old}").replace('\n', "\r\n"),
        format!("{}{old}", ns.replace('\n', "\r\n")),
        format!("{ns}{}", old.replace('\n', "\r\n")),
    ];
    for file in files {
        assert_eq!(outcomes(&file), [taken(NEW), taken(OLD)], "{:?}", &file[..60]);
    }
}

#[test]
fn a_defect_costs_its_consensus_and_no_other() {
    let (ns, old) = (text("ns"), text("2014"));
    let cut = &ns[..ns.find("directory-footer").unwrap()];
    let found = outcomes(&format!("{cut}{old}"));
    assert!(found[0].as_ref().is_err_and(|error| error.starts_with("file: truncated at byte")), "{found:?}");
    assert_eq!(found[1..], [taken(OLD)]);

    let found = outcomes(&format!("<html>\n<body>no</body>\n{ns}{ANNOTATION}{old}"));
    assert_eq!(found[0], Err("file: not a consensus, it begins with: <html> ".to_owned()));
    assert_eq!(found[1..], [taken(NEW), taken(OLD)]);

    let vote = old.replace("vote-status consensus", "vote-status vote");
    let found = outcomes(&format!("{ns}{vote}{ns}"));
    assert_eq!(found, [taken(NEW), Err("file: not a consensus, it begins with: vote-status vote".to_owned()), taken(NEW)]);
}

#[test]
fn text_after_the_signatures_is_one_reject_with_its_line() {
    let (ns, old) = (text("ns"), text("2014"));
    let line = ns.lines().count() + 1;
    let reject = format!("line {line}: 3 lines after the signatures, beginning with <html>");
    for end in ["<html>\n<p>one two\n</html>\n", "<html>\n\n<p>one two\n</html>\n\n"] {
        let found = outcomes(&format!("{ns}{end}{ANNOTATION}{old}"));
        assert_eq!(found, [Ok((NEW.to_owned(), vec![reject.clone()])), taken(OLD)]);
    }
    assert_eq!(outcomes(&format!("{ns}\n\n")), [taken(NEW)]);
}

#[test]
fn locations_count_from_the_beginning_of_the_file() {
    let (ns, old) = (text("ns"), text("2014"));
    let broken = old.replacen("\nw Bandwidth=", "\nw Bandwidth=x", 1);
    let line = broken.lines().position(|line| line.starts_with("w Bandwidth=x")).unwrap() + 1;
    let found = outcomes(&format!("{ns}{broken}"));
    let Ok((_, rejects)) = &found[1] else { panic!("{found:?}") };
    assert!(rejects[0].starts_with(&format!("line {} ", ns.lines().count() + line)), "{rejects:?}");
}

#[test]
fn a_file_saved_by_another_system_is_the_same_consensus() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("consensus");
    for name in ["ns", "microdesc", "2014"] {
        std::fs::write(&path, format!("\u{feff}{}", text(name).replace('\n', "\r\n"))).unwrap();
        let found = decode_file(&path, &Limits::default()).unwrap();
        assert_eq!((found.entries, found.signatures, found.signed), (good(name).entries, good(name).signatures, good(name).signed));
    }
    let odd = text("ns").replacen(" published", "\r\n", 1);
    assert_eq!(plain_text(odd.clone().into_bytes()), odd.into_bytes(), "a CR within a text of LF is a character");
}
