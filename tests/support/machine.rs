//! A machine of a test's own, inside the one the tests run on.
//!
//! Logins need root, fixed places (`/etc/pam.d`, `/dev/log`, port 22) and people with passwords.
//! On Linux namespaces belong to *threads*, and libtest gives each test a thread: so
//! [`Machine::new`] takes its thread, the threads started from it and its children into private
//! mount, network and host name namespaces. They see a copy-on-write `/etc`, `/home`, `/root`,
//! `/usr` and `/var`, an empty `/run`, a `/dev` of their own and a network that is only loopback,
//! while other tests run beside them in machines of their own and the host stays as it was. `/tmp`
//! and `/proc` are shared with the host.
//!
//! Needs root and Debian's `openssh-server`, `sudo`, `login`, `iproute2` and `passwd`. Name look-ups inside
//! the test process itself are libc's and shared by all threads: ask a child instead.

mod namespace;
mod rooms;
mod sshd;

use std::env;
use std::fmt::Debug;
use std::fs::{self, OpenOptions, Permissions};
use std::io::{self, Write};
use std::net::UdpSocket;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;
use std::thread::{self, JoinHandle};

use self::namespace::Home;
pub use self::sshd::{Sshd, install_host_key};
use super::log::Log;

/// For tests that log in more often than people do: a table for [`Machine::config`].
pub const NO_LIMITS: &str = "[limits]\nsends_per_user = '1000/1h'\nsends_per_number = '1000/1h'\n\
    requests_per_user = '1000/1h'\nsends_per_user_day = 250\nfailures_per_user = '1000/1h'\n";

/// What alice types at `Password:`.
pub const ALICE_PASSWORD: &str = "wonderland";
/// What bob types at `Password:`.
pub const BOB_PASSWORD: &str = "marmalade";
/// The name of the machine, as `{host}` in messages has it.
pub const HOST_NAME: &str = "rabbit-hole";

/// The private machine of one test. It ends, with everything that runs in it, when it is dropped.
pub struct Machine {
    // The way back to the host, for test runs that use one thread only.
    home: Home,
}

impl Machine {
    /// Moves this thread into a new machine with our three files installed, and with alice and
    /// bob, who have homes and passwords; alice may use sudo for everything.
    ///
    /// # Panics
    ///
    /// Without root, and when `make build` has not been run: the files come from `target/ship`, or
    /// from where `PAM_SMS_SHIP` points.
    pub fn new() -> Self {
        let ship = ship();
        let machine = Self { home: Home::leave() };
        rooms::build_folders();
        rooms::build_dev();
        rooms::move_in(&machine);
        succeed(&machine.run("/usr/sbin/ip", &["link", "set", "lo", "up"]));
        machine.install(&ship);
        machine
    }

    /// Writes a file of root's with its parents; `mode` as chmod has it.
    pub fn file(&self, path: impl AsRef<Path>, content: impl AsRef<[u8]>, mode: u32) {
        let path = path.as_ref();
        if let Some(parent) = path.parent() {
            at(path, fs::create_dir_all(parent));
        }
        if mode & 0o111 == 0 {
            let mut options = OpenOptions::new();
            options.write(true).create(true).truncate(true).mode(mode);
            at(path, at(path, options.open(path)).write_all(content.as_ref()));
        } else {
            self.program(path, content.as_ref());
        }
        // Whatever the umask is, and if the file was there before.
        at(path, fs::set_permissions(path, Permissions::from_mode(mode)));
    }

    /// Writes a program by another process: a file that this one has open for writing is open for a
    /// moment in every child that the other tests start meanwhile, and "text file busy" until then.
    fn program(&self, path: &Path, content: &[u8]) {
        let mut dd = self.command("/usr/bin/dd");
        dd.arg("status=none").arg(format!("of={}", path.display())).stdin(Stdio::piped());
        let mut child = at(path, dd.spawn());
        let mut pipe = child.stdin.take().expect("the input is a pipe");
        at(path, pipe.write_all(content));
        drop(pipe);
        assert!(at(path, child.wait()).success(), "{}", path.display());
    }

    /// Writes `/etc/pam-sms/config.toml`, readable by root only.
    pub fn config(&self, toml: &str) {
        self.file("/etc/pam-sms/config.toml", toml, 0o600);
    }

    /// Writes `/etc/pam-sms/users.toml`, readable by root only.
    pub fn users(&self, toml: &str) {
        self.file("/etc/pam-sms/users.toml", toml, 0o600);
    }

    /// Writes the stack of a service: `/etc/pam.d/SERVICE`.
    pub fn pam(&self, service: &str, stack: &str) {
        self.file(Path::new("/etc/pam.d").join(service), stack, 0o644);
    }

    /// Installs `pam.d-example/NAME` as the stack of the service it is for, which is the first
    /// `/etc/pam.d/SERVICE` that the file names, or else called like the file.
    pub fn pam_example(&self, name: &str) {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("pam.d-example").join(name);
        let stack = at(&path, fs::read_to_string(&path));
        let service = stack.split_once("/etc/pam.d/").map_or(name, |(_, rest)| {
            let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && !"-_".contains(c));
            &rest[..end.unwrap_or(rest.len())]
        });
        self.pam(service, &stack);
    }

    /// Starts reading `/dev/log`; what is sent there before is lost.
    pub fn log(&self) -> Log {
        Log::open()
    }

    /// The same for a crowd: no line is given up by its writer because ten others are waiting. The
    /// length of the queue is one of the things that belong to a network namespace.
    pub fn log_of_a_crowd(&self) -> Log {
        let length = "/proc/sys/net/unix/max_dgram_qlen";
        at(length, fs::write(length, "10000"));
        Log::open()
    }

    /// A program about to be run by root, with the environment of a fresh boot.
    pub fn command(&self, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new(program.as_ref());
        command
            .env_clear()
            .env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
            .env("HOME", "/root")
            .env("LC_ALL", "C")
            .current_dir("/")
            .stdin(Stdio::null());
        command
    }

    /// Runs a program as root to its end and returns what it said.
    pub fn run(&self, program: &str, args: &[&str]) -> Output {
        at(program, self.command(program).args(args).output())
    }

    /// Runs the real sshd at 127.0.0.1:22 and waits until it takes connections. `extra` is more
    /// sshd_config: what it says replaces our defaults, and drop-ins in `sshd_config.d` win over
    /// both, as they do on Debian. Its own log goes to [`Sshd::diagnostics`], the lines of PAM
    /// modules to [`Machine::log`].
    pub fn sshd(&self, extra: &str) -> Sshd {
        Sshd::start(self, extra)
    }

    /// Makes a key that lets its holder in as `user`, and returns the path for `ssh -i`.
    pub fn ssh_key(&self, user: &str) -> String {
        let key = format!("/root/.ssh/key-of-{user}");
        at(&key, fs::create_dir_all("/root/.ssh"));
        succeed(&self.run("/usr/bin/ssh-keygen", &["-q", "-t", "ed25519", "-N", "", "-f", &key]));
        let public = at(&key, fs::read(format!("{key}.pub")));
        self.file(format!("/home/{user}/.ssh/authorized_keys"), public, 0o644);
        key
    }

    /// A name server that is there and never answers.
    pub fn silent_dns(&self) -> SilentDns {
        self.file("/etc/resolv.conf", "nameserver 127.0.0.1\n", 0o644);
        SilentDns { _socket: UdpSocket::bind("127.0.0.1:53").expect("bind port 53") }
    }

    /// A name server that answers every question with this response code (RFC 1035, 4.1.1): 2 is
    /// trouble of its own, 3 is "no such name".
    pub fn dns_that_answers(&self, code: u8) -> Dns {
        self.file("/etc/resolv.conf", "nameserver 127.0.0.1\n", 0o644);
        Dns::start(code)
    }

    /// Makes names case-insensitive, as they are in a company's directory: `ALICE` is found, and
    /// her entry says `alice`.
    pub fn fold_names(&self) {
        static COMPILED: OnceLock<Vec<u8>> = OnceLock::new();
        let library = COMPILED.get_or_init(|| self.compile("nss_fold.c"));
        self.name_service("fold", library, "files");
    }

    /// Installs a name service as a company has one: `tests/support/nss_fleet.c` says what it knows.
    pub fn company(&self) {
        static COMPILED: OnceLock<Vec<u8>> = OnceLock::new();
        let library = COMPILED.get_or_init(|| self.compile("nss_fleet.c"));
        self.name_service("fleet", library, "files fleet");
    }

    /// Puts a name service behind the files.
    fn name_service(&self, name: &str, library: &[u8], group: &str) {
        let folder = modules().parent().expect("security has a parent").to_owned();
        self.file(folder.join(format!("libnss_{name}.so.2")), library, 0o644);
        let switch = format!(
            "passwd: files {name}\nshadow: files {name}\ngroup: {group}\nhosts: files dns\n"
        );
        self.file("/etc/nsswitch.conf", switch, 0o644);
    }

    /// Installs a clock that a test can put forward, with `/run/an-hour-later`, set, with
    /// [`Machine::set_clock`], and break, with `/run/clock-fails`; returns what
    /// [`Client::under`](super::pam::Client::under) wants for it.
    pub fn test_clock(&self) -> [&'static str; 2] {
        static COMPILED: OnceLock<Vec<u8>> = OnceLock::new();
        let library = COMPILED.get_or_init(|| self.compile("clock.c"));
        self.file("/usr/lib/clock.so", library, 0o644);
        ["/usr/bin/env", "LD_PRELOAD=/usr/lib/clock.so"]
    }

    /// Builds what makes calls fail, `tests/support/faults.c`, and says where it is.
    pub fn faults(&self) -> &'static str {
        static COMPILED: OnceLock<Vec<u8>> = OnceLock::new();
        let library = COMPILED.get_or_init(|| self.compile("faults.c"));
        self.file("/usr/lib/faults.so", library, 0o644);
        "/usr/lib/faults.so"
    }

    /// Sets a clock, `boot` or `wall`, that many seconds off for all that run under the test clock.
    pub fn set_clock(&self, clock: &str, seconds: i64) {
        self.file(format!("/run/{clock}-clock"), seconds.to_string(), 0o644);
    }

    /// Mounts a file system in memory; `options` as mount(8) takes them after `-o`.
    pub fn tmpfs(&self, folder: &str, options: &str) {
        at(folder, fs::create_dir_all(folder));
        namespace::mount("pam-sms-test", folder, "tmpfs", 0, options);
    }

    /// Makes the file system that is mounted at `folder` read-only.
    pub fn make_read_only(&self, folder: &str) {
        namespace::mount("none", folder, "", libc::MS_REMOUNT | libc::MS_RDONLY, "");
    }

    /// Shows the file `source` in the place of `target`.
    pub fn show_as(&self, source: &str, target: &str) {
        namespace::mount(source, target, "", libc::MS_BIND, "");
    }

    /// Makes a library of a file beside this one.
    fn compile(&self, source: &str) -> Vec<u8> {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support").join(source);
        let made = "/run/compiled.so";
        let mut cc = self.command("/usr/bin/cc");
        cc.args(["-shared", "-fPIC", "-O1", "-D_GNU_SOURCE", "-o", made]).arg(source);
        succeed(&at("cc", cc.output()));
        at(made, fs::read(made))
    }

    /// The command lines of all that runs in the machine, by process id.
    pub fn processes(&self) -> Vec<(i32, String)> {
        self.home
            .inhabitants()
            .into_iter()
            .filter_map(|pid| Some((pid, fs::read(format!("/proc/{pid}/cmdline")).ok()?)))
            .map(|(pid, words)| (pid, String::from_utf8_lossy(&words).replace('\0', " ")))
            .collect()
    }

    /// Puts the files where the packages put them.
    fn install(&self, ship: &Path) {
        let places = [
            ("pam_sms.so", modules().join("pam_sms.so"), 0o644),
            ("pam-sms-helper", PathBuf::from("/usr/libexec/pam-sms-helper"), 0o755),
            ("pam-sms", PathBuf::from("/usr/sbin/pam-sms"), 0o755),
        ];
        for (name, place, mode) in places {
            let shipped = ship.join(name);
            self.file(place, at(&shipped, fs::read(&shipped)), mode);
        }
        let languages = ship.join("languages");
        for file in at(&languages, fs::read_dir(&languages)).flatten() {
            let place = Path::new("/usr/share/pam-sms/languages").join(file.file_name());
            self.file(place, at(file.path(), fs::read(file.path())), 0o644);
        }
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        self.home.end_all();
    }
}

/// Keeps port 53 taken and quiet.
pub struct SilentDns {
    _socket: UdpSocket,
}

/// Answers no question well.
pub struct Dns {
    socket: UdpSocket,
    thread: Option<JoinHandle<()>>,
}

impl Dns {
    fn start(code: u8) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:53").expect("bind port 53");
        let server = socket.try_clone().expect("a second handle of the socket");
        let thread = thread::spawn(move || {
            let mut packet = [0; 512];
            // What is shorter than a header is the sign to stop.
            while let Ok((length @ 12.., from)) = server.recv_from(&mut packet) {
                packet[2] |= 0x80; // an answer
                packet[3] = 0x80 | code; // recursion available
                let _ = server.send_to(&packet[..length], from);
            }
        });
        Self { socket, thread: Some(thread) }
    }
}

impl Drop for Dns {
    fn drop(&mut self) {
        let told = self.socket.send_to(&[], "127.0.0.1:53").is_ok();
        if let Some(thread) = self.thread.take().filter(|_| told) {
            let _ = thread.join();
        }
    }
}

/// Fills the file system of `folder` to the last byte.
pub fn fill(folder: &str) {
    let path = format!("{folder}/ballast");
    let error = fs::write(&path, vec![0; 1 << 20]).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::StorageFull, "{error}");
}

/// Where `make build` left our files.
fn ship() -> PathBuf {
    let ship = env::var_os("PAM_SMS_SHIP")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("target/ship"), PathBuf::from);
    for name in ["pam_sms.so", "pam-sms-helper", "pam-sms", "languages"] {
        assert!(
            ship.join(name).exists(),
            "no {name} in {}: run `make build` first",
            ship.display()
        );
    }
    ship
}

/// The folder of libpam's modules, which is where pam_unix is.
fn modules() -> PathBuf {
    let multiarch = at("/usr/lib", fs::read_dir("/usr/lib")).flatten().map(|entry| entry.path());
    multiarch
        .chain([PathBuf::from("/usr/lib"), PathBuf::from("/usr/lib64")])
        .map(|folder| folder.join("security"))
        .find(|folder| folder.join("pam_unix.so").exists())
        .expect("pam_unix.so in /usr/lib/*/security")
}

/// The result, or an end of the test that says which file or program it was.
#[track_caller]
fn at<T>(what: impl Debug, result: io::Result<T>) -> T {
    result.unwrap_or_else(|error| panic!("{what:?}: {error}"))
}

#[track_caller]
fn succeed(output: &Output) {
    assert!(output.status.success(), "{output:?}");
}
