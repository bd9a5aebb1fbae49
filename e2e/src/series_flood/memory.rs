//! Memory of a process, as the kernel accounts for it.

use std::fs;

use anyhow::{Context as _, Result};

/// The id of a child of the process `parent`.
pub(super) fn child_of(parent: u32) -> Option<u32> {
    let ids = fs::read_dir("/proc").ok()?.flatten();
    ids.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).find(|id| parent_of(*id) == Some(parent))
}

/// Field 4 of `/proc/PID/stat` (proc(5)), the second after the name in parentheses.
fn parent_of(id: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    stat.rsplit_once(')')?.1.split_ascii_whitespace().nth(1)?.parse().ok()
}

/// `VmRSS` of a process, in bytes.
pub(super) fn resident(id: u32) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{id}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no line VmRSS")?;
    let kilobytes: u64 = line.trim().trim_end_matches("kB").trim().parse().context(line.to_owned())?;
    Ok(kilobytes * 1024)
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn a_child_and_its_memory_are_found() {
        let mut child = Command::new("sleep").arg("30").spawn().unwrap();
        assert_eq!(parent_of(child.id()), Some(std::process::id()));
        assert!(child_of(std::process::id()).is_some());
        assert!(resident(child.id()).unwrap() > 0);
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
