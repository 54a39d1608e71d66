//! Few pools of memory for many threads.
//!
//! glibc gives threads pools of their own, up to eight a core, and a pool keeps what is freed in it. A server reads rows on one
//! thread, renders on a second and frees on a third, so half of what it holds is empty places in pools: on ninety days of a
//! full subnet 208 MB, with two pools 104 MB (docs/performance.md, "Pages"). The limit is read when a process begins (mallopt(3),
//! `MALLOC_ARENA_MAX`), so the program begins once more.

/// The variable that limits pools.
pub const POOLS_VARIABLE: &str = "MALLOC_ARENA_MAX";

/// Pools of a server.
const POOLS: &str = "2";

/// Begins this program again with few pools; returns where that changes nothing: the limit is set already, the C library is
/// not glibc, or the program's file is gone.
#[cfg(all(unix, target_env = "gnu"))]
pub fn begin_with_few_pools(is_set: bool) {
    use std::os::unix::process::CommandExt as _;

    let mut args = std::env::args_os();
    let (Some(name), Ok(program), false) = (args.next(), std::env::current_exe(), is_set) else {
        return;
    };
    let error = std::process::Command::new(program)
        .arg0(name)
        .args(args)
        .env(POOLS_VARIABLE, POOLS)
        .exec();
    tracing::warn!(%error, "memory is not limited to few pools");
}

/// Changes nothing: only glibc has pools a thread.
#[cfg(not(all(unix, target_env = "gnu")))]
pub fn begin_with_few_pools(_is_set: bool) {}
