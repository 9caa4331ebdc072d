//! The real slapd, in a machine of its own and so on ports of its own.

use std::fmt::Write as _;
use std::fs;
use std::net::TcpStream;
use std::process::{Child, Stdio};

use super::gateway::{Certificate, certificates::Identity};
use super::log::wait_until;
use super::machine::Machine;

/// The table that leads to it by ldaps; more lines may follow.
pub const LDAPS: &str = "[users.ldap]\nurl = 'ldaps://localhost'\nbase = 'dc=example'\n\
    ca_file = '/etc/pam-sms/ca.pem'\nbind_dn = 'cn=pam-sms,dc=example'\n\
    bind_password_file = '/etc/pam-sms/ldap.password'\n";

const CONFIG: &str = "/run/ldap/slapd.conf";
const DATA: &str = "/run/ldap/data";

/// Who is there in every test.
const PEOPLE: &str = "dn: dc=example\nobjectClass: dcObject\nobjectClass: organization\no: example\n\
    dc: example\n\n\
    dn: cn=pam-sms,dc=example\nobjectClass: organizationalRole\nobjectClass: simpleSecurityObject\n\
    cn: pam-sms\nuserPassword: looking-glass\n\n\
    dn: ou=people,dc=example\nobjectClass: organizationalUnit\nou: people\n\n";

/// The entry of a person with these further lines, like `mobile: ...`.
pub fn person(name: &str, more: &str) -> String {
    let cn = name.replace(['*', '(', ')', '='], "_");
    format!(
        "dn: cn={cn},ou=people,dc=example\nobjectClass: inetOrgPerson\ncn: {cn}\nsn: x\n\
         uid: {name}\n{more}\n\n"
    )
}

/// A running slapd, which ends when it is dropped.
pub struct Slapd {
    child: Child,
    urls: &'static str,
}

impl Slapd {
    /// One that has these entries, at 127.0.0.1:389 and, by TLS, 636; and writes the two files that
    /// [`LDAPS`] names. Whoever has not bound sees nothing.
    pub fn start(machine: &Machine, entries: &str) -> Self {
        Self::with(machine, entries, Certificate::Good, "")
    }

    /// The same with another certificate, and `more` at the end of its configuration.
    pub fn with(machine: &Machine, entries: &str, certificate: Certificate, more: &str) -> Self {
        let identity = Identity::make(certificate);
        machine.file("/etc/pam-sms/ca.pem", &identity.ca_pem, 0o644);
        machine.file("/etc/pam-sms/ldap.password", "looking-glass\n", 0o600);
        machine.file("/run/ldap/certificate.pem", &identity.certificate_pem, 0o600);
        machine.file("/run/ldap/key.pem", &identity.key_pem, 0o600);
        machine.file("/run/ldap/ca.pem", &identity.ca_pem, 0o600);
        let mut config = String::new();
        for schema in ["core", "cosine", "inetorgperson"] {
            let _ = writeln!(config, "include /etc/ldap/schema/{schema}.schema");
        }
        let _ = writeln!(
            config,
            "pidfile /run/ldap/pid\nmodulepath /usr/lib/ldap\nmoduleload back_mdb\n\
             TLSCACertificateFile /run/ldap/ca.pem\nTLSCertificateFile /run/ldap/certificate.pem\n\
             TLSCertificateKeyFile /run/ldap/key.pem\nTLSVerifyClient allow\n\
             database mdb\nsuffix dc=example\nrootdn cn=admin,dc=example\nrootpw rabbit\n\
             maxsize 1073741824\ndbnosync\ndirectory {DATA}\nindex uid,objectClass eq\n\
             access to attrs=userPassword by anonymous auth by * none\n\
             access to * by dn.exact=cn=pam-sms,dc=example read by * none\n{more}"
        );
        machine.file(CONFIG, config, 0o600);
        let _ = fs::remove_dir_all(DATA);
        fs::create_dir_all(DATA).expect("a folder for the data");
        machine.file("/run/ldap/entries.ldif", format!("{PEOPLE}{entries}"), 0o600);
        let words = ["-q", "-f", CONFIG, "-l", "/run/ldap/entries.ldif"];
        let added = machine.run("/usr/sbin/slapadd", &words);
        assert!(added.status.success(), "{added:?}");
        Self::listen(machine, "ldap://127.0.0.1:389 ldaps://127.0.0.1:636")
    }

    /// Runs it on what an earlier one has left.
    pub fn listen(machine: &Machine, urls: &'static str) -> Self {
        let child = machine
            .command("/usr/sbin/slapd")
            .args(["-d", "0", "-f", CONFIG, "-h", urls])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("start slapd");
        let mut slapd = Self { child, urls };
        let address = urls.split(' ').next_back().expect("an URL").split("//").nth(1);
        wait_until("slapd to listen", || {
            let gone = slapd.child.try_wait().expect("ask after slapd");
            assert!(gone.is_none(), "slapd does not run: {gone:?}");
            TcpStream::connect(address.expect("an address")).ok()
        });
        slapd
    }

    /// Kills it as a crash would.
    pub fn kill(&mut self) {
        self.child.kill().expect("kill slapd");
        self.child.wait().expect("wait for slapd");
    }

    /// Starts it again after [`Slapd::kill`].
    pub fn start_again(&mut self, machine: &Machine) {
        *self = Self::listen(machine, self.urls);
    }

    /// Changes entries, as the directory's admin.
    pub fn modify(&self, machine: &Machine, changes: &str) {
        machine.file("/run/ldap/changes.ldif", changes, 0o600);
        let words = ["-x", "-H", "ldap://127.0.0.1", "-D", "cn=admin,dc=example", "-w", "rabbit"];
        let words = [&words[..], &["-f", "/run/ldap/changes.ldif"]].concat();
        let changed = machine.run("/usr/bin/ldapmodify", &words);
        assert!(changed.status.success(), "{changed:?}");
    }
}

impl Drop for Slapd {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
