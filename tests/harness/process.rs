//! The real program as a process of its own, which can be killed.

use std::{
    fs::{self, File},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Command, ExitStatus, Stdio},
    sync::OnceLock,
};

use tokio::{
    io::{AsyncBufReadExt as _, BufReader, Lines},
    process::{Child, ChildStdout},
};

use super::{
    GENERIC, MERCHANT, OPTTY, soon,
    webhook::{GENERIC_SECRET, OPTTY_SECRET},
};

/// A server process. Killed when it is dropped.
pub(crate) struct Process {
    child: Child,
    pub(crate) grpc: SocketAddr,
    pub(crate) http: SocketAddr,
    /// The secret that the first start shows.
    pub(crate) owner: Option<String>,
    // Closed, the server could not print any more.
    _stdout: Lines<BufReader<ChildStdout>>,
}

/// Whether the folder has data already: only the first start shows a key.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Start {
    First,
    Again,
}

impl Process {
    /// Starts the program on a folder, with the accounts [`OPTTY`] and [`GENERIC`].
    pub(crate) async fn start(folder: &Path, start: Start, ports: (u16, u16)) -> Self {
        Self::start_with(folder, start, ports, "").await
    }

    /// The same with more settings, as lines of the configuration.
    pub(crate) async fn start_with(
        folder: &Path,
        start: Start,
        ports: (u16, u16),
        more: &str,
    ) -> Self {
        let config = folder.join("paystatus.toml");
        fs::write(&config, settings(folder, ports, more)).expect("the settings can be written");
        let program = tokio::task::spawn_blocking(program).await.expect("it is built");
        let log = File::options().create(true).append(true).open(folder.join("log"));
        let mut child = tokio::process::Command::new(program)
            .args(["serve", "--config"])
            .arg(&config)
            .env("PAYSTATUS_LOG", "info,paystatus_server=debug")
            .stdout(Stdio::piped())
            .stderr(log.expect("the log can be written"))
            .kill_on_drop(true)
            .spawn()
            .expect("the program starts");
        let stdout = child.stdout.take().expect("it is piped");
        let mut lines = BufReader::new(stdout).lines();
        let mut shown = async |from: &str, to: &str| loop {
            let line = soon("a line of the server", lines.next_line()).await.expect("readable");
            let line = line.unwrap_or_else(|| panic!("the server ended; see {folder:?}/log"));
            if let Some((_, rest)) = line.split_once(from) {
                return rest.trim_end_matches(to).to_owned();
            }
        };
        let grpc = shown("gRPC     ", "").await.parse().expect("an address");
        let http = shown("http://", "/webhooks/{account}").await.parse().expect("an address");
        let owner = match start {
            Start::First => Some(format!("psk_{}", shown("psk_", "").await)),
            Start::Again => None,
        };
        Self { child, grpc, http, owner, _stdout: lines }
    }

    /// Bytes of memory that it has in use.
    pub(crate) fn memory(&self) -> u64 {
        let id = self.child.id().expect("it runs");
        let status = fs::read_to_string(format!("/proc/{id}/status")).expect("Linux tells");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB")).expect("a size");
        kilobytes.parse::<u64>().expect("a number") * 1024
    }

    pub(crate) fn ports(&self) -> (u16, u16) {
        (self.grpc.port(), self.http.port())
    }

    /// Ends it as a power cut would.
    pub(crate) async fn kill(mut self) {
        self.child.kill().await.expect("it can be killed");
    }

    /// Asks it to stop, and waits until it has.
    pub(crate) async fn terminate(mut self) -> ExitStatus {
        let id = self.child.id().expect("it runs").to_string();
        let asked = Command::new("kill").args(["-TERM", &id]).status();
        assert!(asked.expect("kill starts").success());
        soon("the end of the server", self.child.wait()).await.expect("it can be waited for")
    }
}

fn settings(folder: &Path, (grpc, http): (u16, u16), more: &str) -> String {
    // A setting may stand there only once.
    let usual = ["threads = 1", "streams = { drain = \"2s\" }"];
    let is_changed = |line: &str| line.split(' ').next().is_some_and(|name| more.contains(name));
    let usual: Vec<&str> = usual.into_iter().filter(|line| !is_changed(line)).collect();
    let usual = usual.join("\n");
    format!(
        r#"
data = {data:?}
grpc_address = "127.0.0.1:{grpc}"
http_address = "127.0.0.1:{http}"
segment_bytes = 262144
view_cache_bytes = 8388608
{usual}
{more}

[[accounts]]
id = "{OPTTY}"
provider = "optty"
merchant = "{MERCHANT}"
secrets = ["{OPTTY_SECRET}"]

[[accounts]]
id = "{GENERIC}"
provider = "standard-webhooks"
merchant = "{MERCHANT}"
secrets = ["{GENERIC_SECRET}"]
"#,
        data = folder.join("data"),
    )
}

/// The program, built from what is here now, once. cargo does not tell the tests of one package
/// where the programs of another are.
fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let own = std::env::current_exe().expect("a test knows its own path");
        let folder = own.ancestors().nth(2).expect("it lies in deps/ of a profile's folder");
        let mut build = Command::new(env!("CARGO"));
        build.args(["build", "--quiet", "--package", "paystatus-server", "--bin", "paystatus"]);
        if folder.ends_with("release") {
            build.arg("--release");
        }
        // What cargo tells this test of its own package would make others be built again.
        let of_package = |(name, _): &(String, String)| {
            let prefixes = ["CARGO_MANIFEST_", "CARGO_PKG_", "OUT_DIR"];
            prefixes.iter().any(|prefix| name.starts_with(prefix))
        };
        for (name, _) in std::env::vars().filter(of_package) {
            build.env_remove(name);
        }
        build.arg("--target-dir").arg(folder.parent().expect("it lies in target/"));
        let built = build.current_dir(env!("CARGO_MANIFEST_DIR")).status();
        assert!(built.expect("cargo starts").success(), "the server is built");
        folder.join("paystatus")
    })
}
