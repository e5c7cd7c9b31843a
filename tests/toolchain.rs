//! Tools of other languages, installed once below `target/` and then found there.

use std::{
    env,
    fs::{self, File},
    hash::{DefaultHasher, Hash as _, Hasher as _},
    io::{self, Write as _},
    path::{Path, PathBuf},
    process::Command,
};

const REQUIREMENTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/python/requirements.txt");
const BROWSER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/browser");

/// A Python that has what `tests/python/requirements.txt` names.
///
/// Where there is none and none can be made, says so and answers `None`: whoever builds the
/// project needs no Python. In CI that is a failure, for there the test must run.
pub(crate) fn python() -> Option<PathBuf> {
    found("Python", install_python())
}

/// A browser, and the scripts that steer it.
pub(crate) struct Browser {
    /// The program.
    pub(crate) chromium: PathBuf,
    /// Holds what lies in `tests/browser`, and what its `package.json` names.
    pub(crate) folder: PathBuf,
}

/// As [`python`], for Chromium and what `tests/browser/package.json` names.
pub(crate) fn browser() -> Option<Browser> {
    found("browser", install_browser())
}

fn found<T>(what: &str, installed: Result<T, String>) -> Option<T> {
    match installed {
        Ok(installed) => Some(installed),
        Err(reason) => {
            assert!(env::var_os("CI").is_none(), "no {what} to test with: {reason}");
            // Not `eprintln`, which a passing test keeps to itself.
            let _ = writeln!(io::stderr(), "SKIPPED: no {what} to test with: {reason}");
            None
        }
    }
}

/// Makes the environment unless it is there. Other requirements make another one.
fn install_python() -> Result<PathBuf, String> {
    let folder = folder_for("python", Path::new(REQUIREMENTS));
    let python = folder.join("bin/python");
    let installed = folder.join("installed");

    // Tests run side by side, also those of another `cargo test`: one installs, others wait.
    let lock = File::create(folder.with_extension("lock")).map_err(|error| error.to_string())?;
    lock.lock().map_err(|error| error.to_string())?;
    if !installed.exists() {
        let python3 = env::var_os("PYTHON").unwrap_or_else(|| "python3".into());
        run(Command::new(python3).args(["-m", "venv", "--clear"]).arg(&folder))?;
        run(Command::new(&python)
            .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"])
            .args(["--only-binary", ":all:", "--requirement", REQUIREMENTS]))?;
        // Written last: a half-made environment is made again.
        fs::write(&installed, "").map_err(|error| error.to_string())?;
    }
    Ok(python)
}

/// Installs the packages unless they are there, and lays the scripts beside them, where node looks
/// for packages.
fn install_browser() -> Result<Browser, String> {
    let source = Path::new(BROWSER);
    let folder = folder_for("browser", &source.join("package-lock.json"));
    let installed = folder.join("installed");

    let lock = File::create(folder.with_extension("lock")).map_err(|error| error.to_string())?;
    lock.lock().map_err(|error| error.to_string())?;
    fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
    for entry in fs::read_dir(source).map_err(|error| error.to_string())? {
        let from = entry.map_err(|error| error.to_string())?.path();
        if from.is_file() {
            let to = folder.join(from.file_name().expect("a file has a name"));
            fs::copy(&from, to).map_err(|error| error.to_string())?;
        }
    }
    if !installed.exists() {
        run(Command::new("npm")
            .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"])
            .current_dir(&folder))?;
        fs::write(&installed, "").map_err(|error| error.to_string())?;
    }
    Ok(Browser { chromium: chromium()?, folder })
}

/// Debian's Chromium, or the program that `CHROMIUM` names.
fn chromium() -> Result<PathBuf, String> {
    if let Some(path) = env::var_os("CHROMIUM") {
        return Ok(path.into());
    }
    let path = env::var_os("PATH").unwrap_or_default();
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let mut found = env::split_paths(&path).flat_map(|folder| names.map(|name| folder.join(name)));
    found.find(|program| program.is_file()).ok_or_else(|| format!("no {}", names.join(" or ")))
}

/// Where what a file asks for is installed: another content, another folder.
fn folder_for(name: &str, asks: &Path) -> PathBuf {
    let content = fs::read(asks).expect("what is to be installed can be read");
    let mut hasher = DefaultHasher::new();
    content.hash(&mut hasher);
    target().join(format!("{name}-{:016x}", hasher.finish()))
}

fn run(command: &mut Command) -> Result<(), String> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stdout, output.stderr].concat();
    Err(format!("{command:?}: {}\n{}", output.status, String::from_utf8_lossy(&said).trim()))
}

/// cargo's `target/`; all it tells a test is a folder in it.
fn target() -> &'static Path {
    Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("it lies in target/")
}
