//! What rotating makes of a file.

use super::*;

const NOW: &str = "2026-11-21T12:00:00Z";
const DAY: Duration = Duration::from_secs(24 * 3600);

fn rotated(text: &str) -> Result<Rotated, Error> {
    rotate(text, "a", "new", (NOW.parse().expect("a time"), DAY))
}

#[test]
fn comments_and_layout_stay() {
    let before = r#"# Settings of the shop.
threads = 2   # two cores

[[accounts]]
id = "other"
provider = "optty"
secrets = ["other-secret"]

[[accounts]]
id = "a"                       # the live one
provider = "standard-webhooks"
merchant = "shop"
secrets = ["old"]              # ask Kim
tolerance = "1m"
"#;
    let after = before.replace(
        r#"["old"]"#,
        r#"[{ value = "new", from = "2026-11-21T12:00:00Z" }, { value = "old", until = "2026-11-22T12:00:00Z" }]"#,
    );
    assert_eq!(rotated(before).expect("it works").text, after);
}

#[test]
fn a_list_with_a_line_each_keeps_its_lines() {
    let before = r#"[[accounts]]
id = "a"
secrets = [
    # the one since May
    "old",
    { value = "older", until = "2026-11-21T18:00:00Z" },  # soon over
    { value = "long", from = "2026-01-01T00:00:00Z" },
    { value = "coming", from = "2027-01-01T00:00:00Z" },
]
"#;
    let after = r#"[[accounts]]
id = "a"
secrets = [
    { value = "new", from = "2026-11-21T12:00:00Z" },
    # the one since May
    { value = "old", until = "2026-11-22T12:00:00Z" },
    { value = "older", until = "2026-11-21T18:00:00Z" },  # soon over
    { value = "long", from = "2026-01-01T00:00:00Z", until = "2026-11-22T12:00:00Z" },
    { value = "coming", from = "2027-01-01T00:00:00Z" },
]
"#;
    let rotated = rotated(before).expect("it works");
    assert_eq!(rotated.text, after);
    assert_eq!((rotated.ending, rotated.has_files), (2, false));
}

#[test]
fn accounts_in_other_forms_are_found() {
    let inline = r#"accounts = [{ id = "b" }, { id = "a", secrets = ["old"] }]"#;
    let text = rotated(inline).expect("it works").text;
    assert!(
        text.starts_with(r#"accounts = [{ id = "b" }, { id = "a", secrets = [{ value = "new""#)
    );
    let files = "[[accounts]]\nid = \"a\"\nsecret_files = [\"f\"]\n";
    let rotated = rotated(files).expect("it works");
    assert!(rotated.has_files && rotated.text.contains("secrets = [{ value = \"new\""));
}

#[test]
fn what_makes_no_sense_is_refused_without_a_word_of_the_file() {
    let known = "[[accounts]]\nid = \"a\"\nsecrets = [\"x\", { value = \"new\" }]\n";
    assert!(matches!(rotated(known), Err(Error::Known)));
    assert!(matches!(rotated("[[accounts]]\nid = \"b\"\n"), Err(Error::NoAccount { .. })));
    let tables = "[[accounts]]\nid = \"a\"\n[[accounts.secrets]]\nvalue = \"x\"\n";
    assert!(matches!(rotated(tables), Err(Error::NotAnArray)));
    let broken = rotated("secrets = [\"hidden\"").expect_err("it is not TOML");
    assert!(!format!("{broken} {broken:?}").contains("hidden"));
}

#[test]
fn the_file_is_replaced_only_by_one_that_works() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("paystatus.toml");
    let sound = "[[accounts]]\nid = \"a\"\nprovider = \"optty\"\nmerchant = \"m\"\n\
                 secrets = [\"old\"]\n";
    std::fs::write(&file, sound).expect("written");
    let mode = |mode| std::fs::Permissions::from_mode(mode);
    std::fs::set_permissions(&file, mode(0o640)).expect("set");

    let unusable = replace(&file, "[[accounts]]\nid = \"a\"\n");
    assert!(matches!(unusable, Err(Error::Unusable(_))));
    assert_eq!(std::fs::read_to_string(&file).expect("read"), sound);

    replace(&file, &rotated(sound).expect("it works").text).expect("replaced");
    let meta = std::fs::metadata(&file).expect("there");
    assert_eq!(meta.permissions().mode() & 0o777, 0o640);
    let accounts = Config::load(Some(&file)).expect("read").accounts().expect("sound");
    let secrets = &accounts.get("a").expect("there").settings.secrets;
    assert_eq!(secrets.iter().map(|s| s.secret.expose()).collect::<Vec<_>>(), ["new", "old"]);
    let left = std::fs::read_dir(folder.path()).expect("read").count();
    assert_eq!(left, 1, "nothing is left behind");
}
