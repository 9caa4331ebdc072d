//! What a helper that somebody on the network has taken over could still do.
//!
//! It has given root up by then. Beyond that it may look up names, trust the system's authorities and
//! connect; it opens no other file, starts no program, takes no connection, and touches no other process.
//! Landlock says so where the kernel has it (5.13; since 6.7 for connections, since 6.12 for signals), and
//! seccomp takes away what no sender of messages needs, on the processors that its crate knows.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, PathBeneath, PathFd, Ruleset, RulesetAttr,
    RulesetCreatedAttr, RulesetError, Scope,
};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, TargetArch,
};

use crate::config::source::ConfigError;

/// What must be readable to look up a name, whichever NSS modules this machine has for it, to know the
/// authorities, the words of a call, and which start of the machine this is. What is not there is passed over.
const READABLE: [&str; 24] = [
    "/dev/urandom",
    "/etc/ca-certificates",
    "/etc/gai.conf",
    "/etc/host.conf",
    "/etc/hostname",
    "/etc/hosts",
    "/etc/ld.so.cache",
    "/etc/localtime",
    "/etc/nsswitch.conf",
    "/etc/pki",
    "/etc/resolv.conf",
    "/etc/services",
    "/etc/ssl",
    "/lib",
    "/lib64",
    "/proc/sys/kernel/random/boot_id",
    "/run/NetworkManager",
    "/run/resolvconf",
    "/run/systemd/resolve",
    "/usr/lib",
    "/usr/lib64",
    "/usr/share/ca-certificates",
    "/usr/share/pam-sms",
    "/var/lib/ca-certificates",
];

/// What one helper needs beyond that.
#[derive(Debug, Default)]
pub struct Needs {
    /// Folders in which it makes files: the spool of a modem's daemon.
    pub writable: Vec<PathBuf>,
    /// Whether it starts a program that others configured, which needs nobody knows what.
    pub runs_programs: bool,
}

/// Enters the jail, for good. On a kernel that has less of it, the jail has less.
///
/// # Errors
/// When the kernel has it and something went wrong.
pub fn enter(needs: &Needs) -> Result<(), ConfigError> {
    if needs.runs_programs {
        return Ok(());
    }
    close_files(&needs.writable)?;
    close_calls().map_err(unusable)
}

fn close_files(writable: &[PathBuf]) -> Result<(), ConfigError> {
    let fail = |error: RulesetError| unusable(error.to_string());
    // The newest that the crate knows; of an older kernel it asks for what that has.
    let all = AccessFs::from_all(ABI::V6);
    let read = AccessFs::ReadFile | AccessFs::ReadDir;
    let write = read | AccessFs::MakeReg | AccessFs::RemoveFile | AccessFs::WriteFile;
    let mut jail = Ruleset::default()
        .handle_access(all)
        .and_then(|jail| jail.handle_access(AccessNet::BindTcp))
        .and_then(|jail| jail.scope(Scope::AbstractUnixSocket | Scope::Signal))
        .and_then(Ruleset::create)
        .map_err(fail)?;
    let readable = READABLE.iter().map(|path| (Path::new(path), read));
    for (path, rights) in readable.chain(writable.iter().map(|path| (path.as_path(), write))) {
        if let Some(rule) = rule(path, rights)? {
            jail = jail.add_rule(rule).map_err(fail)?;
        }
    }
    jail.restrict_self().map(drop).map_err(fail)
}

/// Nothing for what is not there, or not for this user. What cannot be looked at for any other reason is not
/// left out: a name that could not be looked up for it would pass for a name server that does not answer.
fn rule(
    path: &Path,
    rights: BitFlags<AccessFs>,
) -> Result<Option<PathBeneath<PathFd>>, ConfigError> {
    let fail = |error: &dyn std::fmt::Display| unusable(format!("{}: {error}", path.display()));
    let rights = match fs::metadata(path) {
        Ok(meta) if meta.is_dir() => rights,
        Ok(_) => rights & AccessFs::from_file(ABI::V6),
        Err(error) => match error.kind() {
            ErrorKind::NotFound | ErrorKind::NotADirectory | ErrorKind::PermissionDenied => {
                return Ok(None);
            }
            _ => return Err(fail(&error)),
        },
    };
    let opened = PathFd::new(path).map_err(|error| fail(&error))?;
    Ok(Some(PathBeneath::new(opened, rights)))
}

fn unusable(what: impl std::fmt::Display) -> ConfigError {
    ConfigError::new(format!("the helper's jail: {what}"))
}

/// Takes system calls away: they fail as if they were not allowed, so that a library which tries one goes
/// another way.
fn close_calls() -> Result<(), seccompiler::Error> {
    let Ok(processor) = TargetArch::try_from(std::env::consts::ARCH) else { return Ok(()) };
    let install = |rules, errno: i32| {
        let refuse = SeccompAction::Errno(errno.unsigned_abs());
        let filter = SeccompFilter::new(rules, SeccompAction::Allow, refuse, processor)?;
        let program: BpfProgram = filter.try_into()?;
        seccompiler::apply_filter(&program)
    };
    let always = |call: libc::c_long| (call, Vec::new());
    let mut refused: BTreeMap<_, _> = REFUSED.map(always).into();
    refused.insert(libc::SYS_socket, vec![other_socket()?]);
    refused.insert(libc::SYS_clone, vec![new_namespace()?]);
    install(refused, libc::EPERM)?;
    // Its flags stand in memory, where no filter can look; without it threads are made by clone.
    install([always(libc::SYS_clone3)].into(), libc::ENOSYS)
}

/// What starts programs, reaches into other processes, or opens large parts of the kernel.
const REFUSED: [libc::c_long; 34] = [
    libc::SYS_acct,
    libc::SYS_add_key,
    libc::SYS_bpf,
    libc::SYS_chroot,
    libc::SYS_delete_module,
    libc::SYS_execve,
    libc::SYS_execveat,
    libc::SYS_finit_module,
    libc::SYS_init_module,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_io_uring_setup,
    libc::SYS_kcmp,
    libc::SYS_kexec_load,
    libc::SYS_keyctl,
    libc::SYS_listen,
    libc::SYS_memfd_create,
    libc::SYS_mount,
    libc::SYS_move_mount,
    libc::SYS_name_to_handle_at,
    libc::SYS_open_by_handle_at,
    libc::SYS_open_tree,
    libc::SYS_perf_event_open,
    libc::SYS_pidfd_getfd,
    libc::SYS_pivot_root,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_ptrace,
    libc::SYS_request_key,
    libc::SYS_setns,
    libc::SYS_umount2,
    libc::SYS_unshare,
    libc::SYS_userfaultfd,
    libc::SYS_personality,
];

/// A socket of another kind than names, providers and directories are spoken to by.
fn other_socket() -> Result<SeccompRule, seccompiler::BackendError> {
    let known = [libc::AF_UNIX, libc::AF_INET, libc::AF_INET6, libc::AF_NETLINK];
    let is_none = |kind: libc::c_int| {
        let kind = u64::from(kind.unsigned_abs());
        SeccompCondition::new(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Ne, kind)
    };
    SeccompRule::new(known.into_iter().map(is_none).collect::<Result<_, _>>()?)
}

/// A process that would be root in a world of its own.
fn new_namespace() -> Result<SeccompRule, seccompiler::BackendError> {
    let user = u64::from(libc::CLONE_NEWUSER.unsigned_abs());
    let op = SeccompCmpOp::MaskedEq(user);
    SeccompRule::new(vec![SeccompCondition::new(0, SeccompCmpArgLen::Dword, op, user)?])
}
