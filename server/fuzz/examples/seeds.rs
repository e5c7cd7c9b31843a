//! Writes what a fuzzer begins with into the folders that are named.

use std::{env, fs, path::PathBuf};

fn main() -> std::io::Result<()> {
    for folder in env::args_os().skip(1).map(PathBuf::from) {
        fs::create_dir_all(&folder)?;
        for (index, seed) in paystatus_fuzz::seeds().iter().enumerate() {
            fs::write(folder.join(format!("seed-{index}")), seed)?;
        }
    }
    Ok(())
}
