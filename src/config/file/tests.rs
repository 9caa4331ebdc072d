//! As root, as at a login: what a file belongs to is half of what is judged.

use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::os::unix::net::UnixListener;
use std::process::Command;

use super::*;

/// A folder of root's that nobody else can write to, and a file `f` in it.
struct Desk {
    folder: tempfile::TempDir,
}

impl Desk {
    fn new() -> Self {
        let desk = Self { folder: tempfile::tempdir().unwrap() };
        fs::write(desk.f(), "a = 1\n").unwrap();
        chmod(&desk.f(), 0o600);
        desk
    }

    fn f(&self) -> PathBuf {
        self.folder.path().join("f")
    }

    fn read(&self) -> Result<Contents, FileError> {
        read(&self.f(), SMALL, Trust::Root)
    }

    /// Why `f` is not believed; its path and its folder's are left out.
    fn refusal(&self) -> String {
        self.without_paths(&self.read().unwrap_err())
    }

    fn without_paths(&self, said: &impl ToString) -> String {
        let folder = self.folder.path().to_str().unwrap();
        said.to_string().replace(&format!("{folder}/f"), "F").replace(folder, "FOLDER")
    }
}

fn chmod(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_file_of_roots_is_read_whole() {
    let desk = Desk::new();
    for mode in [0o600, 0o400, 0o700, 0o640] {
        chmod(&desk.f(), mode);
        let contents = desk.read().unwrap();
        assert_eq!((contents.text.as_str(), contents.warning), ("a = 1\n", None), "{mode:o}");
    }
    fs::write(desk.f(), "").unwrap();
    assert_eq!(desk.read().unwrap().text.as_str(), "");
}

#[test]
fn a_file_that_others_can_read_is_believed_with_a_warning() {
    let desk = Desk::new();
    for mode in [0o644, 0o604, 0o444] {
        chmod(&desk.f(), mode);
        let warning = desk.without_paths(&desk.read().unwrap().warning.unwrap());
        assert_eq!(
            warning,
            format!("F: can be read by others (mode {mode:04o}): run `chmod 600 F`")
        );
    }
    // A group is others, unless it is root's.
    chmod(&desk.f(), 0o640);
    chown(desk.f(), None, Some(65_534)).unwrap();
    assert!(desk.read().unwrap().warning.is_some());
    chmod(&desk.f(), 0o600);
    assert!(desk.read().unwrap().warning.is_none());
}

#[test]
fn a_file_that_others_can_write_is_not_believed() {
    let desk = Desk::new();
    for mode in [0o620, 0o602, 0o666, 0o777] {
        chmod(&desk.f(), mode);
        assert_eq!(
            desk.refusal(),
            format!("F: can be written by others (mode {mode:04o}): run `chmod 600 F`")
        );
    }
}

#[test]
fn a_file_of_somebody_elses_is_not_believed() {
    let desk = Desk::new();
    chown(desk.f(), Some(65_534), None).unwrap();
    assert_eq!(desk.refusal(), "F: belongs to uid 65534: run `chown root F`");
}

#[test]
fn a_symlink_is_not_followed_whoever_made_it() {
    let desk = Desk::new();
    let other = desk.folder.path().join("other");
    fs::rename(desk.f(), &other).unwrap();
    symlink(&other, desk.f()).unwrap();
    assert_eq!(desk.refusal(), "F: is a symlink: name the file itself");
    fs::remove_file(&other).unwrap();
    assert_eq!(desk.refusal(), "F: is a symlink: name the file itself");
}

#[test]
fn trap_24_what_is_no_regular_file_is_refused_and_does_not_block() {
    let desk = Desk::new();
    fs::remove_file(desk.f()).unwrap();
    assert!(Command::new("mkfifo").arg(desk.f()).status().unwrap().success());
    chmod(&desk.f(), 0o600);
    assert_eq!(desk.refusal(), "F: is not a regular file: put one in its place");

    fs::remove_file(desk.f()).unwrap();
    fs::create_dir(desk.f()).unwrap();
    assert_eq!(desk.refusal(), "F: is not a regular file: put one in its place");

    fs::remove_dir(desk.f()).unwrap();
    let _socket = UnixListener::bind(desk.f()).unwrap();
    assert_eq!(desk.refusal(), "F: is not a regular file: put one in its place");

    let error = read(Path::new("/dev/zero"), SMALL, Trust::Root).unwrap_err();
    assert_eq!(error.to_string(), "/dev/zero: is not a regular file: put one in its place");
}

#[test]
fn nothing_is_read_without_a_bound() {
    let desk = Desk::new();
    let read = |limit| read(&desk.f(), limit, Trust::Root);
    assert_eq!(read(6).unwrap().text.as_str(), "a = 1\n");
    assert_eq!(
        desk.without_paths(&read(5).unwrap_err()),
        "F: is larger than 5 bytes: shorten it, or correct its path"
    );
    // A file that says it is empty and is not.
    let endless = super::read(Path::new("/proc/self/status"), 64, Trust::Root).unwrap_err();
    assert_eq!(
        endless.to_string(),
        "/proc/self/status: is larger than 64 bytes: shorten it, or correct its path"
    );
}

#[test]
fn the_line_that_is_not_utf_8_is_named() {
    let desk = Desk::new();
    fs::write(desk.f(), b"# Gr\xc3\xbc\xc3\x9fe\n\na = \"\xfc\"\n").unwrap();
    assert_eq!(desk.refusal(), "F:3: is not UTF-8: save it as UTF-8");
    fs::write(desk.f(), b"\xff\n").unwrap();
    assert_eq!(desk.refusal(), "F:1: is not UTF-8: save it as UTF-8");
}

#[test]
fn a_missing_file_is_told_from_a_missing_folder() {
    let desk = Desk::new();
    fs::remove_file(desk.f()).unwrap();
    let error = desk.read().unwrap_err();
    assert!(error.is_missing() && !error.is_folder_missing());
    assert_eq!(
        desk.without_paths(&error),
        "F: does not exist: create it, or correct the path that names it"
    );

    let inside = desk.f().join("g");
    let error = read(&inside, SMALL, Trust::Root).unwrap_err();
    assert!(error.is_folder_missing() && !error.is_missing());
    assert_eq!(
        desk.without_paths(&error),
        "F/g: the folder F does not exist: create it, or correct the path that names it"
    );
    assert!(check_folder(&desk.f(), Trust::Anyone).unwrap_err().is_folder_missing());
}

#[test]
fn a_folder_in_which_others_can_write_decides_nothing() {
    let desk = Desk::new();
    let folder = desk.folder.path();
    for mode in [0o720, 0o702, 0o777] {
        chmod(folder, mode);
        let said = format!(
            "the folder FOLDER can be written by others (mode {mode:04o}): \
             run `chmod go-w FOLDER`"
        );
        assert_eq!(desk.refusal(), format!("F: {said}"));
        let error = list_toml(folder, Trust::Root).unwrap_err();
        assert_eq!(desk.without_paths(&error), format!("FOLDER: {said}"));
    }
    // Sticky, as /tmp: others can add files and not replace one of root's.
    chmod(folder, 0o1777);
    assert!(desk.read().is_ok());
    chmod(folder, 0o755);
    assert!(desk.read().is_ok());

    chown(folder, Some(65_534), None).unwrap();
    let said = "F: the folder FOLDER belongs to uid 65534: run `chown root FOLDER`";
    assert_eq!(desk.refusal(), said);
}

#[test]
fn a_file_is_no_folder() {
    let desk = Desk::new();
    let error = read(&desk.f().join("g"), SMALL, Trust::Root).unwrap_err();
    assert_eq!(
        desk.without_paths(&error),
        "F/g: F is not a folder: correct the path that names it"
    );
    let error = check_folder(&desk.f(), Trust::Root).unwrap_err();
    assert_eq!(desk.without_paths(&error), "F: F is not a folder: correct the path that names it");
}

#[test]
fn before_deployment_only_what_travels_with_the_file_counts() {
    let desk = Desk::new();
    let read = || read(&desk.f(), SMALL, Trust::Anyone);
    chmod(desk.folder.path(), 0o777);
    chmod(&desk.f(), 0o666);
    chown(desk.f(), Some(65_534), None).unwrap();
    let contents = read().unwrap();
    assert_eq!((contents.text.as_str(), contents.warning), ("a = 1\n", None));
    fs::write(desk.f(), b"\xff").unwrap();
    assert_eq!(desk.without_paths(&read().unwrap_err()), "F:1: is not UTF-8: save it as UTF-8");
}

#[test]
fn only_toml_files_are_listed_in_order() {
    let desk = Desk::new();
    for name in ["20.toml", "10.toml", "10.toml~", ".toml", "toml", "30.TOML"] {
        fs::write(desk.folder.path().join(name), "").unwrap();
    }
    let found = list_toml(desk.folder.path(), Trust::Root).unwrap();
    let names: Vec<_> = found.iter().map(|path| path.file_name().unwrap()).collect();
    assert_eq!(names, ["10.toml", "20.toml"]);
}

#[test]
fn a_file_that_is_being_written_does_not_pass_for_a_shorter_one() {
    let desk = Desk::new();
    let file = open(&desk.f()).unwrap();
    let meta = file.metadata().unwrap();
    for text in ["", "a = ", "a = 1\nb = 2\n"] {
        fs::write(desk.f(), text).unwrap();
        let file = open(&desk.f()).unwrap();
        assert!(matches!(slurp(&file, &meta, SMALL), Err(Problem::Changed)), "{text}");
    }
    fs::write(desk.f(), "b = 2\n").unwrap();
    assert!(slurp(&file, &meta, SMALL).is_ok());
}
