//! The serving process, seen from outside: its addresses, its CPU time and its memory.

use std::{
    io::{BufRead, BufReader, Write},
    net::SocketAddr,
    process::{Child, Command, Stdio},
    time::Duration,
};

/// `USER_HZ` of Linux: what a tick of `/proc/<pid>/stat` is worth.
const TICK_US: u64 = 10_000;

/// A running server process; ends when dropped, its data with it.
pub(crate) struct ServerProcess {
    child: Child,
    /// The real gRPC listener.
    pub(crate) grpc: SocketAddr,
    /// The real HTTP listener.
    pub(crate) http: SocketAddr,
    /// The same listeners around services that do nothing.
    pub(crate) idle_grpc: SocketAddr,
    /// The same handler, without storing.
    pub(crate) idle_http: SocketAddr,
    /// The owner's API key.
    pub(crate) key: String,
    _data: tempfile::TempDir,
}

impl ServerProcess {
    pub(crate) fn start(heartbeat: Duration) -> Self {
        // Under `target/`: a real disk, most likely, while `/tmp` is often memory.
        let data = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder for data");
        let program = std::env::current_exe().expect("the path of this program");
        let mut child = Command::new(program)
            .arg("--serve")
            .arg(data.path())
            .arg(heartbeat.as_millis().to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a second process");
        let mut line = String::new();
        let stdout = child.stdout.take().expect("its output");
        BufReader::new(stdout).read_line(&mut line).expect("its addresses");
        let words: Vec<&str> = line.split_whitespace().collect();
        let [grpc, http, idle_grpc, idle_http, key] = words[..] else {
            panic!("the server did not start: {line}");
        };
        let address = |text: &str| text.parse().expect("an address");
        Self {
            grpc: address(grpc),
            http: address(http),
            idle_grpc: address(idle_grpc),
            idle_http: address(idle_http),
            key: key.to_owned(),
            child,
            _data: data,
        }
    }

    /// Sends the server process a line.
    pub(crate) fn tell(&mut self, line: &str) {
        let input = self.child.stdin.as_mut().expect("its input");
        writeln!(input, "{line}").expect("a process that reads");
    }

    /// CPU time so far, user and system.
    pub(crate) fn cpu_us(&self) -> u64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()));
        let stat = stat.expect("/proc of the server");
        // The name, in parentheses, may hold anything; after it the fields are numbered from 3.
        let (_, fields) = stat.rsplit_once(')').expect("the form of /proc/pid/stat");
        let ticks = fields.split_whitespace().skip(11).take(2);
        ticks.map(|ticks| ticks.parse::<u64>().expect("ticks")).sum::<u64>() * TICK_US
    }

    /// Resident memory.
    pub(crate) fn rss_bytes(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()));
        let status = status.expect("/proc of the server");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
        kilobytes.expect("VmRSS") * 1024
    }

    /// Waits until the server has nothing left to do, such as writing its view.
    pub(crate) fn settle(&self) {
        let mut quiet = 0;
        for _ in 0..300 {
            let before = self.cpu_us();
            pause(Duration::from_millis(200));
            quiet = if self.cpu_us() - before <= TICK_US { quiet + 1 } else { 0 };
            // The view is written every two seconds.
            if quiet == 12 {
                return;
            }
        }
        eprintln!("the server did not become quiet");
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        // It ends when its input does.
        drop(self.child.stdin.take());
        drop(self.child.wait());
    }
}

/// Lets time pass.
#[expect(clippy::disallowed_methods, reason = "a load is timed: here time itself is waited for")]
pub(crate) fn pause(time: Duration) {
    std::thread::sleep(time);
}
