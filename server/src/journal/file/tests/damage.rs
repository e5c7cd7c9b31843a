//! Damage that no crash causes: it is named, and nothing is changed.

use super::*;

#[test]
fn a_flipped_bit_anywhere_but_in_the_last_append_is_named() {
    let directory = closed(24, 2);
    let paths = segment_paths(directory.path());
    assert!(paths.len() >= 3);
    let last_path = paths.last().unwrap();
    let last_records = record_offsets(last_path);
    assert!(last_records.len() >= 4, "the last segment has two appends");
    let last_append = last_records[last_records.len() - 3] as usize;
    let mut checked = 0;
    for (path, bytes) in contents(directory.path()) {
        if path.ends_with("lock") || path.ends_with("spare") {
            continue;
        }
        let end = if path == *last_path { last_append } else { bytes.len() };
        let file = File::options().write(true).open(&path).unwrap();
        for at in 0..end {
            let flipped = bytes[at] ^ (1 << (at % 8));
            file.write_all_at(&[flipped], at as u64).unwrap();
            match open_in(directory.path()) {
                Err(Error::Damaged { path: named, .. }) => {
                    assert_eq!(named, path.to_str().unwrap(), "at {at}");
                }
                other => panic!("{} at {at}: {other:?}", path.display()),
            }
            assert_eq!(fs::read(&path).unwrap()[at], flipped, "{} at {at}", path.display());
            file.write_all_at(&bytes[at..=at], at as u64).unwrap();
            checked += 1;
        }
        assert!(fs::read(&path).unwrap() == bytes, "{}", path.display());
    }
    assert!(checked > 3000);
    assert_eq!(read_all(&open_in(directory.path()).unwrap()), numbered(24));
}

#[test]
fn the_position_and_place_of_damage_are_named() {
    let directory = closed(14, 2);
    let path = &segment_paths(directory.path())[0];
    let offset = record_offsets(path)[2];
    let mut bytes = fs::read(path).unwrap();
    bytes[offset as usize + frame::HEADER_BYTES] ^= 1;
    fs::write(path, bytes).unwrap();
    assert_damaged(directory.path(), 3, path, "a flipped bit in record 3");
    let error = open_in(directory.path()).unwrap_err().to_string();
    assert!(error.contains(&format!("at byte {offset}")), "{error}");
}

#[test]
fn a_missing_segment_is_named() {
    let directory = closed(40, 2);
    let firsts = directory::segments(directory.path()).unwrap();
    assert!(firsts.len() > 3);
    let first = [&firsts[..1], &firsts[2..3], &firsts[firsts.len() - 1..]];
    for first in first.concat() {
        let path = directory::segment_path(directory.path(), first);
        let kept = directory.path().join("kept");
        fs::rename(&path, &kept).unwrap();
        assert_damaged(directory.path(), first, &path, "a missing segment");
        fs::rename(&kept, &path).unwrap();
    }
    assert_eq!(read_all(&open_in(directory.path()).unwrap()), numbered(40));
}

#[test]
fn a_lost_identity_or_lost_segments_are_no_new_journal() {
    let directory = closed(3, 1);
    let identity = directory::identity_path(directory.path());
    let bytes = fs::read(&identity).unwrap();
    fs::remove_file(&identity).unwrap();
    assert_damaged(directory.path(), 1, &identity, "no identity");
    fs::write(&identity, bytes).unwrap();
    let segment = &segment_paths(directory.path())[0];
    fs::remove_file(segment).unwrap();
    assert_damaged(directory.path(), 1, segment, "no segments");
}

#[test]
fn a_segment_of_another_journal_is_refused() {
    let (directory, other) = (closed(14, 2), closed(14, 2));
    let paths = segment_paths(directory.path());
    let other_paths = segment_paths(other.path());
    for (path, other) in paths.iter().zip(&other_paths) {
        let bytes = fs::read(path).unwrap();
        fs::copy(other, path).unwrap();
        let first = path.file_stem().unwrap().to_str().unwrap().parse().unwrap();
        assert_damaged(directory.path(), first, path, "a segment of another journal");
        fs::write(path, bytes).unwrap();
    }
    // Nor is a record believed that was copied from one segment into another.
    let (from, to) = (fs::read(&other_paths[0]).unwrap(), fs::read(&paths[0]).unwrap());
    fs::write(&paths[0], [&to[..HEAD_BYTES], &from[HEAD_BYTES..]].concat()).unwrap();
    assert_damaged(directory.path(), 1, &paths[0], "records of another journal");
}

#[test]
fn a_renamed_segment_is_refused() {
    let directory = closed(40, 2);
    let paths = segment_paths(directory.path());
    fs::copy(&paths[0], &paths[1]).unwrap();
    let first = directory::segments(directory.path()).unwrap()[1];
    assert_damaged(directory.path(), first, &paths[1], "the same segment twice");
}

#[test]
fn a_newer_format_is_left_alone() {
    let directory = closed(14, 2);
    let head_of = |bytes: &[u8]| {
        let mut bytes = bytes.to_vec();
        bytes[8..12].copy_from_slice(&(head::FORMAT + 1).to_le_bytes());
        let checksum = crc32c::crc32c(&bytes[..60]);
        bytes[60..64].copy_from_slice(&checksum.to_le_bytes());
        bytes
    };
    let last = segment_paths(directory.path()).pop().unwrap();
    for path in [last, directory::identity_path(directory.path())] {
        fs::write(&path, head_of(&fs::read(&path).unwrap())).unwrap();
        let before = contents(directory.path());
        match open_in(directory.path()) {
            Err(Error::NewerFormat { found: 2, known: 1, path: named }) => {
                assert_eq!(named, path.to_str().unwrap());
            }
            other => panic!("{other:?}"),
        }
        assert!(contents(directory.path()) == before);
    }
}

#[test]
fn without_the_full_check_damage_is_found_when_it_is_read() {
    let directory = closed(40, 2);
    let path = &segment_paths(directory.path())[0];
    let offset = record_offsets(path)[1] as usize;
    let mut bytes = fs::read(path).unwrap();
    bytes[offset + 70] ^= 1;
    fs::write(path, bytes).unwrap();
    let check = Check::Tail;
    let journal = FileJournal::open(directory.path(), Options { check, ..options() }).unwrap();
    let read = journal.reader().read(0, 10);
    assert!(matches!(read, Err(Error::Damaged { position: 2, .. })), "{read:?}");
}

/// The checksum of an attachment can be right while its hash is not: only the slow check sees it.
#[test]
fn the_slow_check_compares_hashes() {
    let directory = TempDir::new().unwrap();
    let mut journal = open_in(directory.path()).unwrap();
    journal.append(&[entry(1), entry(2)]).unwrap();
    let seed = journal.active.segment.seed;
    drop(journal);
    let path = &segment_paths(directory.path())[0];
    let mut bytes = fs::read(path).unwrap();
    let header = frame::Header::decode(&bytes[HEAD_BYTES..], seed).unwrap();
    let at = HEAD_BYTES + frame::HEADER_BYTES + header.body_bytes as usize;
    bytes[at + MARK_BYTES] ^= 1;
    let end = HEAD_BYTES + header.frame_bytes();
    let checksum =
        frame::attachment_checksum(header.body_checksum, 0, &bytes[at + MARK_BYTES..end]);
    bytes[at + 4..at + 8].copy_from_slice(&checksum.to_le_bytes());
    fs::write(path, bytes).unwrap();
    let open = |check| FileJournal::open(directory.path(), Options { check, ..options() });
    assert!(matches!(open(Check::Hashes), Err(Error::Damaged { position: 1, .. })));
    assert!(open(Check::Records).is_ok());
}
