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

/// A Python that has what `tests/python/requirements.txt` names.
///
/// Where there is none and none can be made, says so and answers `None`: whoever builds the
/// project needs no Python. In CI that is a failure, for there the test must run.
pub(crate) fn python() -> Option<PathBuf> {
    match install_python() {
        Ok(python) => Some(python),
        Err(reason) => {
            assert!(env::var_os("CI").is_none(), "no Python to test with: {reason}");
            // Not `eprintln`, which a passing test keeps to itself.
            let _ = writeln!(io::stderr(), "SKIPPED: no Python to test with: {reason}");
            None
        }
    }
}

/// Makes the environment unless it is there. Other requirements make another one.
fn install_python() -> Result<PathBuf, String> {
    let requirements = fs::read(REQUIREMENTS).expect("the requirements can be read");
    let mut hasher = DefaultHasher::new();
    requirements.hash(&mut hasher);
    let folder = target().join(format!("python-{:016x}", hasher.finish()));
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
