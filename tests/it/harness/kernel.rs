//! A Linux kernel of its own, which runs as a process of this machine (user-mode Linux) and has this
//! machine's files: with control groups of version 2 and all their controllers, whatever this
//! machine's own kernel has bound them to.

use super::sandbox::{Outcome, Sandbox};

/// How much memory it has: what tests write is in it, too.
const MEMORY: &str = "mem=1G";

/// Runs a program by `line`, a shell's, in a control group of its own that it may fill and limit, and
/// gives what the kernel and it print; the last line is `ended with` and its exit code.
pub fn under_own_kernel(sandbox: &Sandbox, line: &str) -> Outcome {
    let path = std::env::var("PATH").expect("there is one");
    let init = format!(
        "#!/bin/sh\n\
         mount -t proc proc /proc\n\
         mount -t sysfs sysfs /sys\n\
         mount -t tmpfs tmpfs /run\n\
         mount -t cgroup2 cgroup2 /sys/fs/cgroup\n\
         export PATH='{path}' HOME=/run TMPDIR=/run\n\
         ip link set lo up\n\
         echo '+cpu +memory' >/sys/fs/cgroup/cgroup.subtree_control\n\
         mkdir /sys/fs/cgroup/job\n\
         sh -c 'echo $$ >/sys/fs/cgroup/job/cgroup.procs; exec {line}'\n\
         echo \"ended with $?\"\n\
         python3 -c 'import ctypes; ctypes.CDLL(None).reboot(0x4321fedc)'\n"
    );
    let init = sandbox.write("init", init);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(&init, mode).expect("the sandbox is ours");
    }
    let init = format!("init={}", init.display());
    let words = [
        MEMORY,
        "root=/dev/root",
        "rootfstype=hostfs",
        "rootflags=/",
        "rw",
        &init,
        "con=null",
        "con0=null,fd:1",
        "quiet",
    ];
    sandbox.program("linux.uml", words).run()
}
