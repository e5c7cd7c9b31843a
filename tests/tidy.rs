//! The code's own rules: what may know what, how long a file may be, that nothing is forgotten.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// Longest file, in lines.
const FILE_LINES_MAX: usize = 400;
/// Files that may be longer, each with its own limit. May only shrink.
const LONGER_FILES: &[(&str, usize)] = &[];

/// Words that the pure part never says: the wire, the store, asynchrony, chance.
const IMPURE_WORDS: &[&str] = &[
    "async",
    "await",
    "axum",
    "getrandom",
    "hyper",
    "paystatus_client",
    "paystatus_proto",
    "prost",
    "prost_types",
    "rand",
    "sled",
    "tokio",
    "tonic",
    "Instant",
    "SystemTime",
    "SystemRandom",
    "RandomState",
];
/// Modules of `std` that do I/O or wait.
const IMPURE_MODULES: &[&str] = &["env", "fs", "io", "net", "os", "process", "thread"];

/// All that may stand at the top, beside dot-files.
const TOP_LEVEL: &[&str] =
    &["Cargo.lock", "Cargo.toml", "README.md", "build.rs", "client", "proto", "server", "tests"];

#[test]
fn the_domain_is_pure() {
    let mut found = Vec::new();
    for (file, code) in pure_code() {
        let words = code.split(|letter: char| !is_word_letter(letter));
        found.extend(
            words
                .filter(|word| IMPURE_WORDS.contains(word))
                .map(|word| format!("{file} names {word}")),
        );
        found.extend(
            names_under("std", &code)
                .into_iter()
                .filter(|name| IMPURE_MODULES.contains(&name.as_str()))
                .map(|name| format!("{file} names std::{name}")),
        );
        if code.contains("::now(") {
            found.push(format!("{file} asks a clock: ::now()"));
        }
    }
    assert_none(found, "The rules and the providers' formats are plain functions of their input");
}

#[test]
fn dependencies_point_one_way() {
    let mut found = Vec::new();
    for (file, code) in code_under("server/src") {
        found.extend(
            names_under("crate", &code)
                .into_iter()
                .filter(|name| !may_name(&file, name))
                .map(|name| format!("{file} names crate::{name}")),
        );
    }
    assert_none(found, "edge, outbound -> engine -> domain, providers, journal, store, hub");
}

/// Whether a file of the server may name this module of the server.
fn may_name(file: &str, module: &str) -> bool {
    let folder = file.trim_start_matches("server/src/").split(['/', '.']).next();
    match folder {
        Some("domain") => module == "domain",
        Some("providers") => ["domain", "providers"].contains(&module),
        Some("journal" | "store" | "hub") => !["edge", "engine", "outbound"].contains(&module),
        Some("engine") => !["edge", "outbound"].contains(&module),
        _ => true,
    }
}

#[test]
fn files_stay_small() {
    let found = rust_files("")
        .into_iter()
        .filter_map(|file| {
            let lines = read(&file).lines().count();
            let longer = LONGER_FILES.iter().find(|(name, _)| *name == file);
            let max = longer.map_or(FILE_LINES_MAX, |(_, max)| *max);
            (lines > max).then(|| format!("{file} has {lines} lines, {max} are allowed"))
        })
        .collect();
    assert_none(found, "Split by noun; a file holds one idea");
}

/// cargo says nothing of a file that no `mod` names: it is neither built nor run.
#[test]
fn no_file_is_forgotten() {
    let found = rust_files("")
        .into_iter()
        .filter(|file| is_forgotten(Path::new(file)))
        .map(|file| format!("{file} is named by no `mod`"))
        .collect();
    assert_none(found, "Name it in its parent, or delete it");
}

fn is_forgotten(file: &Path) -> bool {
    let stem = file.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    let folder = file.parent().expect("a file has a folder");
    let is_folder_named = |name| folder.file_name().is_some_and(|folder| folder == name);
    // The roots of crates, and the folders whose every file is one.
    if ["main", "lib", "build"].contains(&stem)
        || is_folder_named("examples")
        || is_folder_named("fuzz_targets")
    {
        return false;
    }
    let (module, folder) = if stem == "mod" {
        let module = folder.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        (module, folder.parent().expect("a module's folder lies in another"))
    } else {
        (stem, folder)
    };
    let parents = ["main.rs", "lib.rs", "mod.rs"].map(|name| folder.join(name));
    let declaration = format!("mod {module};");
    !parents
        .into_iter()
        .chain([folder.with_extension("rs")])
        .filter(|parent| Path::new(ROOT).join(parent).is_file())
        .any(|parent| {
            let text = read(parent.to_str().expect("paths are UTF-8"));
            text.lines().any(|line| line.ends_with(&declaration) && !line.contains("//"))
        })
}

#[test]
fn the_top_level_is_fixed() {
    let Ok(listing) = Command::new("git").args(["ls-files", "-z"]).current_dir(ROOT).output()
    else {
        return; // No git: then nothing is to be committed from here.
    };
    let listing = String::from_utf8(listing.stdout).expect("paths are UTF-8");
    let mut found: Vec<String> = listing
        .split('\0')
        .filter_map(|path| path.split('/').next())
        .filter(|name| !name.is_empty() && !name.starts_with('.') && !TOP_LEVEL.contains(name))
        .map(|name| format!("{name} stands at the top level"))
        .collect();
    found.dedup();
    assert_none(found, "What serves one part lies inside it; settings of tools are dot-files");
}

/// The code of the pure part, without the tests in it.
fn pure_code() -> Vec<(String, String)> {
    ["server/src/domain", "server/src/providers"].into_iter().flat_map(code_under).collect()
}

/// Each file below a folder that is not a test, with its code.
fn code_under(folder: &str) -> Vec<(String, String)> {
    rust_files(folder)
        .into_iter()
        .filter(|file| !file.ends_with("/tests.rs") && !file.contains("/tests/"))
        .map(|file| {
            let code = code_of(&read(&file));
            (file, code)
        })
        .collect()
}

/// A file without its comments, and without the tests at its end.
fn code_of(text: &str) -> String {
    let code = text.split_once("#[cfg(test)]\nmod tests {").map_or(text, |(code, _)| code);
    code.lines()
        .map(|line| line.split("//").next().unwrap_or_default())
        .fold(String::new(), |code, line| code + line + "\n")
}

/// The first names after `root::`, also those in braces: `root::{a::B, c}` gives `a` and `c`.
fn names_under(root: &str, code: &str) -> Vec<String> {
    let start = format!("{root}::");
    code.match_indices(&start)
        .filter(|(at, _)| !code[..*at].ends_with(|letter| is_word_letter(letter) || letter == ':'))
        .flat_map(|(at, _)| first_names(&code[at + start.len()..]))
        .filter(|name| !name.is_empty())
        .collect()
}

fn first_names(path: &str) -> Vec<String> {
    let word = |text: &str| -> String {
        text.trim_start().chars().take_while(|letter| is_word_letter(*letter)).collect()
    };
    let Some(group) = path.strip_prefix('{') else {
        return vec![word(path)];
    };
    let mut names = vec![word(group)];
    let mut depth = 1;
    for (at, letter) in group.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 1 => names.push(word(&group[at + 1..])),
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
    names
}

fn is_word_letter(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

/// Every Rust file below a folder of the project, as a path from the top.
fn rust_files(folder: &str) -> Vec<String> {
    let mut files = Vec::new();
    let mut folders = vec![PathBuf::from(ROOT).join(folder)];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(&folder) else {
            continue;
        };
        for entry in entries {
            let path = entry.expect("the folder can be read").path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if path.is_dir() && !name.starts_with('.') && name != "target" {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let path = path.strip_prefix(ROOT).expect("it lies below the top");
                files.push(path.to_str().expect("paths are UTF-8").to_owned());
            }
        }
    }
    files.sort();
    files
}

fn read(file: &str) -> String {
    fs::read_to_string(Path::new(ROOT).join(file)).expect("the file can be read")
}

#[track_caller]
fn assert_none(found: Vec<String>, rule: &str) {
    assert!(found.is_empty(), "{rule}:\n  {}", found.join("\n  "));
}
