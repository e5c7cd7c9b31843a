//! The serving process, seen from outside: its addresses, its CPU time and its memory.

use std::{
    io::{BufRead, BufReader, Write},
    net::SocketAddr,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::Mutex,
    time::Duration,
};

/// `USER_HZ` of Linux: what a tick of `/proc/<pid>/stat` is worth.
const TICK_US: u64 = 10_000;
/// Looks in a row at a server that does nothing, and the time between them: longer than the
/// half second after which sled syncs what it was given.
const QUIET: (u32, Duration) = (5, Duration::from_millis(200));

/// Tells the server process to write its view. Everything else is a reply in hex.
pub(crate) const WRITE_VIEW: &str = "write the view";

/// A running server process; ends when dropped, its data with it.
pub(crate) struct ServerProcess {
    child: Child,
    /// Lines to it, and its answers.
    pipes: Mutex<Option<(ChildStdin, BufReader<ChildStdout>)>>,
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
        let input = child.stdin.take().expect("its input");
        let mut output = BufReader::new(child.stdout.take().expect("its output"));
        output.read_line(&mut line).expect("its addresses");
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
            pipes: Mutex::new(Some((input, output))),
            _data: data,
        }
    }

    /// Sends the server process a line, and waits until it did what that says.
    pub(crate) fn tell(&self, line: &str) {
        let mut pipes = self.pipes.lock().expect("a process to talk to");
        let (input, output) = pipes.as_mut().expect("a process to talk to");
        writeln!(input, "{line}").expect("a process that reads");
        let mut answer = String::new();
        output.read_line(&mut answer).expect("a process that answers");
        assert_eq!(answer, "done\n");
    }

    /// Returns once the view is written as far as it was applied.
    pub(crate) fn write_view(&self) {
        self.tell(WRITE_VIEW);
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

    /// Waits until the server has nothing left to do. The view is written then; otherwise some
    /// later measurement would get the cost of that.
    pub(crate) fn settle(&self) {
        self.write_view();
        let (looks, between) = QUIET;
        let mut quiet = 0;
        for _ in 0..300 {
            let before = self.cpu_us();
            pause(between);
            quiet = if self.cpu_us() - before <= TICK_US { quiet + 1 } else { 0 };
            if quiet == looks {
                return;
            }
        }
        eprintln!("the server did not become quiet");
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        // It ends when its input does.
        drop(self.pipes.get_mut().map(Option::take));
        drop(self.child.wait());
    }
}

/// Lets time pass.
#[expect(clippy::disallowed_methods, reason = "a load is timed: here time itself is waited for")]
pub(crate) fn pause(time: Duration) {
    std::thread::sleep(time);
}
