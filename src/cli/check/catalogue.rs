//! Everything that `pam-sms check` can find: its name, how bad it is and why it matters. `docs/check.md` has
//! the same as a table, and a test holds the two together.

use super::report::Severity;

/// What all findings of one kind have in common.
#[derive(Debug)]
pub struct Entry {
    /// The name, which scripts may rely on.
    pub id: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// Why it matters.
    pub why: &'static str,
}

macro_rules! catalogue {
    ($($name:ident $id:literal $severity:ident $why:literal;)*) => {
        $(
            #[doc = concat!("`", $id, "`")]
            pub static $name: Entry = Entry { id: $id, severity: Severity::$severity, why: $why };
        )*
        /// All of them.
        pub static ALL: &[&Entry] = &[$(&$name),*];
    };
}

catalogue! {
    // The configuration.
    CONFIGURATION "configuration" Error
        "until it is mended, everybody whom this module asks is denied";
    LEFT_OUT "left-out" Error
        "everybody whose login needs it is denied";
    FILE_READABLE "file-readable" Error
        "keys and numbers can be read by people on this machine";
    NOBODY_ENROLLED "nobody-enrolled" Error
        "whoever has no number is denied";
    NOBODY_ASKED "nobody-asked" Warning
        "there is no second factor for whoever has no number";
    PERSON_PROVIDER "person-provider" Warning
        "their messages go through the other providers";
    OUTBOX "outbox" Warning
        "codes are written into a file: this is for trying things out and no second factor";
    FAIL_OPEN "fail-open" Warning
        "who can keep this machine from its providers needs no code";
    OBSERVE_OVER "observe-over" Note
        "the rehearsal is over, and codes are asked for";
    OBSERVING "observing" Warning
        "everything is only rehearsed: nobody is asked for a code before that day is over";
    LANGUAGE "language" Error
        "people are spoken to in English instead of their language";
    MESSAGE_SEGMENTS "message-segments" Warning
        "each segment of a message is paid";
    MESSAGE_LETTER "message-letter" Warning
        "it arrives as something else, or not at all";
    MESSAGE_REFERENCE "message-reference" Warning
        "people with several messages cannot tell which one counts";
    // The machine.
    HELPER "helper" Error
        "no message can be sent, so everybody who is asked is denied";
    HELPER_USER "helper-user" Error
        "the helper refuses to send as root, so everybody who is asked is denied";
    CLOCK "clock" Error
        "certificates of providers count as not yet valid, and remembered logins and rehearsals last too long";
    PROVIDER_KEY "provider-key" Error
        "it takes no message from this account";
    PROVIDER_MONEY "provider-money" Warning
        "it takes no message without money";
    PROVIDER_SILENT "provider-silent" Warning
        "it may be out of reach for messages too";
    STATE "state" Error
        "limits and locks cannot be trusted, so everybody who is asked is denied";
    STATE_READABLE "state-readable" Error
        "others can see who logs in, and try numbers against what is kept";
    STORE "store" Error
        "without it each host counts alone, or everybody who is asked is denied";
    STORE_EVICTS "store-evicts" Error
        "a store whose memory is full forgets wrong codes, and opens what they have locked";
    STORE_FORGETS "store-forgets" Warning
        "after a start of the store each host knows only what it has counted itself";
    STORE_DENIES "store-denies" Warning
        "while the store gives no answer nobody who is asked gets in, nor whoever would mend it, but by a backup code";
    STORE_LATENCY "store-latency" Note
        "a login waits for it four times and more";
    LDAP "ldap" Error
        "whoever is in no other place is denied, or known by the last answer only";
    LDAP_SERVER "ldap-server" Warning
        "it works, and will not when one thing more fails";
    LDAP_SLOW "ldap-slow" Warning
        "each login waits for it, and a directory that searches all entries wears out";
    LDAP_LATENCY "ldap-latency" Note
        "each login of whoever is in no other place waits for it";
    LDAP_PLAIN "ldap-plain" Warning
        "who is on the way reads numbers and the password, and can give everybody another number";
    LDAP_PIN "ldap-pin" Warning
        "who may write their own entry, or has the password of somebody who may, chooses the phone";
    LDAP_UNENROLLED "ldap-unenrolled" Warning
        "whoever takes their number out there before their first login on a host is let in, or chooses the phone";
    ROOT_NUMBER "root-number" Warning
        "it is noticed when root is needed";
    POLICY_GROUP "policy-group" Warning
        "a group that cannot be found spares nobody, and one in require_groups makes that everybody is asked";
    POLICY_USER "policy-user" Warning
        "a rule for an account that does not exist is a slip, or will meet whoever gets that name";
    SUBJECT_SERVICE "subject-service" Warning
        "a rule for a service that does not exist is a slip, and the right one asks the wrong phone";
    LOGIN_TIMEOUT "login-timeout" Warning
        "login(1) ends before the code does, and the person begins anew";
    // The stacks.
    NO_SERVICE "no-service" Note
        "nobody is asked for a code";
    SERVICE_UNPROTECTED "service-unprotected" Error
        "logins at this service are not asked for a code";
    STACK_BROKEN "stack-broken" Error
        "libpam denies what it cannot read";
    MODULE_MISSING "module-missing" Error
        "libpam treats a module that it cannot load as a failure, or ignores it";
    MODULE_ARGUMENT "module-argument" Error
        "the module denies everybody rather than guess what was meant";
    CONFIG_MISSING "config-missing" Error
        "the module denies everybody without a configuration";
    CONFIG_OTHER "config-other" Note
        "the line is judged here, but not the configuration that it names";
    NAMED_TWICE "named-twice" Error
        "every login sends two messages and asks for two codes";
    CONTROL_SUFFICIENT "control-sufficient" Error
        "the code replaces what comes after it, and a wrong code is forgotten";
    CONTROL_OPTIONAL "control-optional" Error
        "a wrong code is forgotten as soon as anything else in the stack succeeds";
    CONTROL_REQUIRED "control-required" Warning
        "after a wrong code the rest of the stack still runs: people type more in vain, and later modules see a login that has failed";
    CONTROL_SLIP "control-slip" Error
        "libpam takes a control that it cannot read for a failure, whatever the module answers";
    FAILURE_MAPPED "failure-mapped" Error
        "a wrong code must end the login, and here others decide what becomes of it";
    FAILURE_LETS_IN "failure-lets-in" Error
        "a wrong code lets in";
    IGNORE_MAPPED "ignore-mapped" Error
        "whom the factor does not apply to (services=, [policy], unenrolled = \"skip\") is denied, or is let in by that alone";
    IGNORE_DENIES "ignore-denies" Error
        "whom the factor does not apply to is denied, because nothing else in the stack succeeds";
    SMS_AFTER_WRONG_PASSWORD "sms-after-wrong-password" Error
        "who knows a name and no password can have messages sent, at your expense";
    SMS_BEFORE_PASSWORD "sms-before-password" Error
        "who knows a name can have messages sent, at your expense";
    NO_FIRST_FACTOR "no-first-factor" Error
        "the phone alone lets in, and whom the factor does not apply to needs nothing";
    CODE_ALONE "code-alone" Error
        "a right code lets in without a right password";
    CODE_SKIPPED "code-skipped" Error
        "a right password lets in before the code is asked for";
    CODE_NEVER_ASKED "code-never-asked" Error
        "the line is there and nobody ever comes to it";
    CODE_DENIES "code-denies" Error
        "a right password and a right code do not let in";
    ACCOUNT_LINE "account-line" Warning
        "addresses are not remembered, wrong tries are not forgiven, and nobody can enrol at a login";
    SERVICES_MISSING "services-missing" Error
        "a shared file is included by cron, polkit, chfn and the console, which would all ask and depend on one configuration";
    SERVICE_CANNOT_ASK "service-cannot-ask" Error
        "this service has nobody to talk to, no network, or asks where no code can be typed: it fails for everybody";
    SERVICE_IN_VAIN "service-in-vain" Warning
        "a name in services= that no stack of ours has protects nothing, and is often a slip";
    SERVICES_NOT_ASKED "services-not-asked" Note
        "they come to our line and go past it, as services= says";
    // sshd.
    SSHD_UNREADABLE "sshd-unreadable" Warning
        "what sshd does could not be judged";
    SSHD_PAM "sshd-pam" Error
        "sshd does not use PAM, so no code is asked for";
    SSHD_KEYBOARD "sshd-keyboard" Error
        "a code can only be asked for by keyboard-interactive";
    SSHD_PASSWORD "sshd-password" Warning
        "the method `password` cannot carry a code and is denied every time: clients that fall back to it show a second, pointless prompt";
    SSHD_METHOD_PASSWORD "sshd-method-password" Error
        "the method `password` cannot carry a code and is denied, so this list lets nobody in";
    SSHD_METHODS "sshd-methods" Error
        "no list of methods comes to PAM: nobody is asked for a code";
    SSHD_METHODS_SOME "sshd-methods-some" Warning
        "one list of methods lets in without a code";
    SSHD_KEYS "sshd-keys" Warning
        "a key alone lets in: sshd asks PAM for no code after it";
    SSHD_ALONE "sshd-alone" Error
        "the stack asks for nothing but the code, and sshd asks for nothing before it: the phone alone lets in";
    SSHD_THREE "sshd-three" Note
        "the stack asks for a password as well, so people need a key, a password and a code";
    SSHD_ROOT "sshd-root" Error
        "a message is sent, and sshd then replaces the right code by junk: root is locked out";
    SSHD_GRACE "sshd-grace" Warning
        "sshd ends the login while the code is still good";
    SSHD_TRIES "sshd-tries" Warning
        "each key that a client offers is a try: people with several never come to the code";
    SSHD_PENALTIES "sshd-penalties" Note
        "mistyped codes are failed logins: after a few, sshd refuses everybody behind that address for a while";
    SSHD_NAMES "sshd-names" Warning
        "networks match addresses only, and with UseDNS the module is given names: skip_networks spares nobody who has one";
    SSHD_SPARES "sshd-spares" Error
        "whom [policy] no longer spares still gets in by a key alone, or whom it spares now does not";
    SSHD_AUTOMATION "sshd-automation" Warning
        "programs (BatchMode, Ansible, rsync) cannot do keyboard-interactive at all: being spared the code does not let them in";
}
