//! Calls of the system that no function needs, refused by seccomp before the kernel looks at them.
//!
//! A list of what is refused, not of what is allowed: functions are any program, and a call that is missing by mistake would be a
//! fault nobody finds. What the files' rules and lost capabilities already refuse stands here again where they may be missing.

use std::collections::BTreeMap;
use std::io;

use libc::c_long;
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule, TargetArch,
};

/// Refused with EPERM whatever they are given.
const REFUSED: &[c_long] = &[
    // Other processes: their memory, descriptors and pages.
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_process_madvise,
    libc::SYS_process_mrelease,
    libc::SYS_pidfd_getfd,
    libc::SYS_kcmp,
    libc::SYS_migrate_pages,
    libc::SYS_move_pages,
    // What is mounted, and which root and name spaces there are.
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_move_mount,
    libc::SYS_open_tree,
    libc::SYS_fsopen,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fspick,
    libc::SYS_mount_setattr,
    libc::SYS_unshare,
    libc::SYS_setns,
    // Files by number rather than by path.
    libc::SYS_open_by_handle_at,
    libc::SYS_fanotify_init,
    libc::SYS_quotactl,
    libc::SYS_quotactl_fd,
    // The kernel and the machine.
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_keyctl,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_kexec_load,
    libc::SYS_reboot,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_acct,
    libc::SYS_syslog,
    libc::SYS_vhangup,
    libc::SYS_sethostname,
    libc::SYS_setdomainname,
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
    libc::SYS_clock_adjtime,
    libc::SYS_adjtimex,
];

/// The same where only x86 has them; the numbers are those that `ptrace`, `process_vm_readv`, `process_vm_writev`, `move_pages` and
/// `kexec_load` have in programs of 64 bits with addresses of 32.
#[cfg(target_arch = "x86_64")]
const REFUSED_HERE: &[c_long] = &[
    libc::SYS_iopl,
    libc::SYS_ioperm,
    libc::SYS_modify_ldt,
    libc::SYS_kexec_file_load,
    libc::SYS_uselib,
    521,
    539,
    540,
    533,
    528,
];
#[cfg(not(target_arch = "x86_64"))]
const REFUSED_HERE: &[c_long] = &[];

/// What an older kernel would not have: programs do without. `clone3` hides from a filter what it is asked for, `clone` does not.
const ABSENT: &[c_long] =
    &[libc::SYS_clone3, libc::SYS_io_uring_setup, libc::SYS_io_uring_enter, libc::SYS_io_uring_register];

/// Name spaces, as `clone` makes them.
const NAME_SPACES: &[i32] = &[
    libc::CLONE_NEWNS,
    libc::CLONE_NEWCGROUP,
    libc::CLONE_NEWUTS,
    libc::CLONE_NEWIPC,
    libc::CLONE_NEWUSER,
    libc::CLONE_NEWPID,
    libc::CLONE_NEWNET,
];

/// What puts words into a terminal as if its user had typed them: `TIOCSTI` and `TIOCLINUX`, whose type is not the same everywhere.
const TYPING: &[u64] = &[0x5412, 0x541c];

/// Calls that do something to a process, and which argument names it: not the server. A wall of files that can scope signals
/// keeps every other process too.
const NAMING_A_PROCESS: &[(c_long, u8)] = &[
    (libc::SYS_kill, 0),
    (libc::SYS_tkill, 0),
    (libc::SYS_tgkill, 0),
    (libc::SYS_rt_sigqueueinfo, 0),
    (libc::SYS_rt_tgsigqueueinfo, 0),
    (libc::SYS_pidfd_open, 0),
    (libc::SYS_prlimit64, 0),
    (libc::SYS_sched_setparam, 0),
    (libc::SYS_sched_setscheduler, 0),
    (libc::SYS_sched_setattr, 0),
    (libc::SYS_sched_setaffinity, 0),
    (libc::SYS_setpriority, 1),
    (libc::SYS_ioprio_set, 1),
];

/// Set in the number of a call that is made in another of x86's ways; it is the same call.
#[cfg(target_arch = "x86_64")]
const OTHER_WAYS: &[c_long] = &[0, 0x4000_0000];
#[cfg(not(target_arch = "x86_64"))]
const OTHER_WAYS: &[c_long] = &[0];

type Rules = BTreeMap<i64, Vec<SeccompRule>>;

/// Restricts the thread that calls this.
pub(super) fn restrict(limits: &mut Vec<String>) -> io::Result<()> {
    let Ok(machine) = TargetArch::try_from(std::env::consts::ARCH) else {
        limits.push("filter calls of the system, which this machine numbers otherwise".to_owned());
        return Ok(());
    };
    let absent = whatever_they_are_given(ABSENT);
    for (rules, error) in [(refused().map_err(io::Error::other)?, libc::EPERM), (absent, libc::ENOSYS)] {
        let refuse = SeccompAction::Errno(error.unsigned_abs());
        let filter = SeccompFilter::new(rules, SeccompAction::Allow, refuse, machine).map_err(io::Error::other)?;
        let program = BpfProgram::try_from(filter).map_err(io::Error::other)?;
        match seccompiler::apply_filter(&program) {
            Ok(()) => {}
            Err(seccompiler::Error::Seccomp(error))
                if matches!(error.raw_os_error(), Some(libc::EINVAL | libc::ENOSYS)) =>
            {
                limits.push("filter calls of the system: this kernel has no seccomp".to_owned());
                return Ok(());
            }
            Err(error) => return Err(io::Error::other(error)),
        }
    }
    Ok(())
}

fn whatever_they_are_given(calls: &[c_long]) -> Rules {
    let ways = calls.iter().flat_map(|call| OTHER_WAYS.iter().map(move |way| call | way));
    ways.map(|call| (call, Vec::new())).collect()
}

fn refused() -> Result<Rules, seccompiler::BackendError> {
    let mut given: BTreeMap<c_long, Vec<SeccompRule>> = BTreeMap::new();
    for space in NAME_SPACES {
        let flag = u64::from(space.unsigned_abs());
        given.entry(libc::SYS_clone).or_default().push(when(0, SeccompCmpOp::MaskedEq(flag), flag)?);
    }
    for request in TYPING {
        given.entry(libc::SYS_ioctl).or_default().push(when(1, SeccompCmpOp::Eq, *request)?);
    }
    let server = u64::from(std::process::id());
    for (call, argument) in NAMING_A_PROCESS {
        given.entry(*call).or_default().push(when(*argument, SeccompCmpOp::Eq, server)?);
    }
    // Everybody at once, and the server's group.
    let group = rustix::process::getpgrp().as_raw_nonzero().get();
    for many in [-1, -group] {
        let many = u64::from(many.cast_unsigned());
        given.entry(libc::SYS_kill).or_default().push(when(0, SeccompCmpOp::Eq, many)?);
    }
    let mut rules = whatever_they_are_given(REFUSED);
    rules.extend(whatever_they_are_given(REFUSED_HERE));
    for (call, of_call) in given {
        for way in OTHER_WAYS {
            rules.insert(call | way, of_call.clone());
        }
    }
    Ok(rules)
}

/// The kernel reads these arguments as numbers of 32 bits, so what is above does not count.
fn when(argument: u8, is: SeccompCmpOp, value: u64) -> Result<SeccompRule, seccompiler::BackendError> {
    SeccompRule::new(vec![SeccompCondition::new(argument, SeccompCmpArgLen::Dword, is, value)?])
}
