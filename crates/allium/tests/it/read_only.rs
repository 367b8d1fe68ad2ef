//! A store in a folder that cannot be written: commands that only read answer, others name the remedy.
#![cfg(unix)]

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;
use std::process::{Command, Output};

use super::left_out::details;

/// The user `nobody`, who may not write to what root made.
const NOBODY: &str = "65534";

/// A command that runs as somebody who may not write to the files of the test: another user where the test runs as root, else the same.
/// `None` where root has no way to become another user, or another user cannot run the program.
fn as_reader(args: &[&str]) -> Option<Command> {
    let program = env!("CARGO_BIN_EXE_allium");
    if std::fs::metadata("/proc/self").unwrap().uid() != 0 {
        let mut command = Command::new(program);
        command.args(args);
        return Some(command);
    }
    let drop = ["--reuid", NOBODY, "--regid", NOBODY, "--clear-groups"];
    let can_run = Command::new("setpriv").args(drop).args([program, "--version"]).output().is_ok_and(|output| output.status.success());
    if !can_run {
        println!("skipped: root cannot run the program as another user here");
        return None;
    }
    let mut command = Command::new("setpriv");
    command.args(drop).arg(program).args(args);
    Some(command)
}

fn set_mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn commands_that_only_read_work_in_a_folder_that_cannot_be_written() {
    let temporary = tempfile::tempdir().unwrap();
    set_mode(temporary.path(), 0o755);
    let folder = temporary.path().join("read only, 100 % of it?");
    std::fs::create_dir(&folder).unwrap();
    let (store, documents) = (folder.join("tor.db"), temporary.path().join("details.json"));
    std::fs::write(&documents, details("")).unwrap();
    let store = store.to_str().unwrap();
    let import = ["import", "onionoo", documents.to_str().unwrap(), "--store", store];
    assert!(Command::new(env!("CARGO_BIN_EXE_allium")).args(import).output().unwrap().status.success());
    set_mode(Path::new(store), 0o444);
    set_mode(&folder, 0o555);
    let exported = temporary.path().join("out").display().to_string();
    std::fs::create_dir(&exported).unwrap();
    set_mode(Path::new(&exported), 0o777);
    let commands: [&[&str]; 5] = [
        &["analyze", "--store", store],
        &["store", "check", "--store", store],
        &["store", "stats", "--store", store],
        &["store", "backup", &format!("{exported}/copy.db"), "--store", store],
        &["token", "list", "--store", store],
    ];
    for args in commands {
        let Some(mut command) = as_reader(args) else { return };
        let output = command.output().unwrap();
        assert!(output.status.success(), "{args:?}: {}", text(&output));
    }

    let output = as_reader(&import).unwrap().output().unwrap();
    assert!(!output.status.success() && text(&output).contains("may not write to the file or its folder"), "{}", text(&output));

    // A log beside the store holds changes that only a folder that can be written gives.
    set_mode(&folder, 0o755);
    std::fs::write(format!("{store}-wal"), [0; 64]).unwrap();
    set_mode(Path::new(&format!("{store}-wal")), 0o444);
    set_mode(&folder, 0o555);
    let output = as_reader(&["analyze", "--store", store]).unwrap().output().unwrap();
    let said = text(&output);
    assert!(!output.status.success() && said.contains("changes wait in a log") && said.contains("100 % of it?"), "{said}");
    set_mode(&folder, 0o755);
}
