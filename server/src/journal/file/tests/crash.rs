//! What a crash or a power failure can leave: it is repaired, and nothing acknowledged is lost.

use super::*;

/// A journal whose one segment is left in some state.
struct Scene {
    directory: TempDir,
    path: PathBuf,
    bytes: Vec<u8>,
    /// Where each record begins, and the end.
    offsets: Vec<usize>,
}

impl Scene {
    fn new(batches: &[&[Entry]]) -> Self {
        let directory = fast_directory();
        let mut journal = Self::open(directory.path()).unwrap();
        for batch in batches {
            journal.append(batch).unwrap();
        }
        drop(journal);
        let path = segment_paths(directory.path()).pop().unwrap();
        let offsets = record_offsets(&path).iter().map(|offset| *offset as usize).collect();
        let bytes = fs::read(&path).unwrap();
        Self { directory, path, bytes, offsets }
    }

    /// One segment takes all that a test writes.
    fn open(directory: &Path) -> Result<FileJournal, Error> {
        FileJournal::open(directory, Options { segment_bytes: 4 * SEGMENT_BYTES, ..options() })
    }

    /// Opens with `bytes` in place of the segment, finds the first `count` records, goes on, and
    /// finds those and the new one after opening once more: nothing that was cut off comes back.
    fn check(&self, bytes: &[u8], count: u64, context: &str) {
        fs::write(&self.path, bytes).unwrap();
        let mut journal = Self::open(self.directory.path()).expect(context);
        assert_eq!(read_all(&journal), numbered(count), "{context}");
        append_numbered(&mut journal, count + 1, count + 1, 1);
        drop(journal);
        let journal = open_in(self.directory.path()).expect(context);
        assert_eq!(read_all(&journal), numbered(count + 1), "{context}, after one more");
    }

    fn damaged(&self, bytes: &[u8], position: Position, context: &str) {
        fs::write(&self.path, bytes).unwrap();
        assert_damaged(self.directory.path(), position, &self.path, context);
    }
}

#[test]
fn a_last_record_torn_at_any_byte_is_cut_off() {
    let scene = Scene::new(&[&[entry(1), entry(2)], &[entry(3), entry(4)], &[entry(5)]]);
    let (start, end) = (scene.offsets[4], scene.offsets[5]);
    for at in start..end {
        let mut zeros = scene.bytes.clone();
        zeros[at..end].fill(0);
        // The last bytes of a record are padding, or may be zeros by themselves.
        let count = if zeros == scene.bytes { 5 } else { 4 };
        scene.check(&scene.bytes[..at], 4, &format!("the file ends at {at}"));
        scene.check(&zeros, count, &format!("zeros from {at}"));
        let mut garbage = scene.bytes.clone();
        for (index, byte) in garbage[at..].iter_mut().enumerate() {
            *byte ^= (index as u8).wrapping_mul(37).wrapping_add(11);
        }
        scene.check(&garbage, 4, &format!("garbage from {at}"));
    }
}

#[test]
fn whole_records_of_a_torn_append_stay() {
    let scene = Scene::new(&[&[entry(1)], &[entry(2), entry(3), entry(4)]]);
    for count in 1..=4 {
        let mut bytes = scene.bytes.clone();
        bytes[scene.offsets[count]..].fill(0);
        scene.check(&bytes, count as u64, &format!("the first {count}"));
    }
}

/// A disk may write the sectors of one append in any order, so a power failure can leave its end
/// without its beginning. That is no damage, and the end must not come back later.
#[test]
fn an_append_with_a_hole_is_cut_off_before_the_hole() {
    let large = |number| Entry { record: vec![3; 1200].into(), ..entry(number) };
    let numbers = [entry(1), entry(2)];
    let scene = Scene::new(&[&numbers, &[entry(3), large(4), entry(5), entry(6)]]);
    let hole = scene.offsets[3].next_multiple_of(512);
    let mut bytes = scene.bytes.clone();
    bytes[hole..hole + 512].fill(0);
    scene.check(&bytes, 3, "a hole in record 4");

    // The hole takes the header of record 3, and whole records follow at once.
    let mut bytes = scene.bytes.clone();
    bytes[scene.offsets[2]..scene.offsets[3]].fill(0);
    scene.check(&bytes, 2, "no record 3");

    // Every sector was written, so this is something else than a torn write.
    let mut bytes = scene.bytes.clone();
    bytes[hole + 5] ^= 1;
    scene.damaged(&bytes, 4, "a flipped bit in record 4");
}

#[test]
fn a_linked_group_without_its_end_is_cut_off_as_a_whole() {
    let scene = Scene::new(&[&[entry(1)], &[entry(2), linked(3), linked(4), entry(5), entry(6)]]);
    // How many records are whole, and how many may be seen.
    for (whole, seen) in [(2, 2), (3, 2), (4, 2), (5, 5), (6, 6)] {
        let mut bytes = scene.bytes.clone();
        bytes[scene.offsets[whole]..].fill(0);
        scene.check(&bytes, seen, &format!("{whole} whole records"));
        if whole < 6 {
            bytes = scene.bytes.clone();
            bytes[scene.offsets[whole] + 3..].fill(0);
            scene.check(&bytes, seen, &format!("{whole} whole records and a bit"));
        }
    }
}

#[test]
fn a_link_on_the_last_entry_says_nothing() {
    let scene = Scene::new(&[&[entry(1), linked(2)]]);
    scene.check(&scene.bytes, 2, "a link to nothing");
}

#[test]
fn what_a_crash_leaves_of_a_new_journal_is_completed() {
    let made = TempDir::new().unwrap();
    let epoch = open_in(made.path()).unwrap().reader().identity().epoch;
    let identity = directory::identity_path(made.path());
    let identity_bytes = fs::read(&identity).unwrap();
    fs::remove_file(&identity).unwrap();
    for unfinished in [&identity_bytes[..], &identity_bytes[..10], &[]] {
        fs::write(made.path().join("identity.new"), unfinished).unwrap();
        let journal = open_in(made.path()).unwrap();
        assert_eq!(journal.reader().identity().epoch, epoch);
        drop(journal);
        fs::remove_file(&identity).unwrap();
    }

    let segment = fs::read(&segment_paths(made.path())[0]).unwrap();
    for spare in [&segment[..], &segment[..20], &[0; 4096], &[]] {
        let directory = TempDir::new().unwrap();
        fs::write(directory::spare_path(directory.path()), spare).unwrap();
        let mut journal = open_in(directory.path()).unwrap();
        append_numbered(&mut journal, 1, 30, 1);
        drop(journal);
        assert_eq!(read_all(&open_in(directory.path()).unwrap()), numbered(30));
    }
}

/// Ends the process, so to speak, at each step of going on to the next segment.
#[test]
fn a_crash_between_two_segments_is_completed() {
    let full = closed(14, 2);
    let paths = segment_paths(full.path());
    let firsts = directory::segments(full.path()).unwrap();
    let (first, second) = (fs::read(&paths[0]).unwrap(), fs::read(&paths[1]).unwrap());
    let count = firsts[1] - 1;
    let records_end = *record_offsets(&paths[0]).last().unwrap() as usize;
    let directory = TempDir::new().unwrap();
    fs::copy(full.path().join("identity"), directory.path().join("identity")).unwrap();
    let path = |name: &Path| directory.path().join(name.file_name().unwrap());

    let unsealed = [&first[..records_end], &vec![0; 300]].concat();
    let half_sealed = [&first[..first.len() - 9], &[0; 200]].concat();
    let cut = first[..records_end].to_vec();
    let empty = [&second[..HEAD_BYTES], &vec![0; 1000]].concat();
    let check = |case: &str| {
        let mut journal = open_in(directory.path()).expect(case);
        assert_eq!(read_all(&journal), numbered(count), "{case}");
        append_numbered(&mut journal, count + 1, count + 3, 3);
        drop(journal);
        assert_eq!(read_all(&open_in(directory.path()).unwrap()), numbered(count + 3), "{case}");
    };

    fs::write(path(&paths[0]), &unsealed).unwrap();
    fs::write(directory::spare_path(directory.path()), &empty).unwrap();
    check("the new segment has no name yet");
    for last in segment_paths(directory.path()).iter().skip(1) {
        fs::remove_file(last).unwrap();
    }
    for (case, bytes) in [
        ("no seal", &unsealed),
        ("half a seal", &half_sealed),
        ("no seal and no space", &cut),
        ("a seal and an empty segment", &first),
    ] {
        fs::write(path(&paths[0]), bytes).unwrap();
        fs::write(path(&paths[1]), &empty).unwrap();
        check(case);
        assert_eq!(fs::read(path(&paths[0])).unwrap(), first, "{case}: sealed as before");
    }
}
