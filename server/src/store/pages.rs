//! Entries in sled, packed: what stands at a key of sled is a page of neighbours.
//!
//! To put 30 bytes costs sled as much as to put some thousand: it searches, copies a leaf, and
//! writes to its log. An order has about five entries, most of them small. So neighbours share a
//! page, and a step of the writer, which is sorted, puts each page that it touches once.
//!
//! A page stands at a key that is not above the place of its first entry, and holds all there is
//! below the key of the next page. The first page stands at the empty key. An entry is the lengths
//! of its place (two bytes, little endian) and value (four), then both.

use std::{iter::Peekable, ops::Range};

use sled::IVec;

/// Size above which a page is divided, in bytes. A leaf of sled holds up to 16 of them and is
/// written whole now and then; one of more than 128 KiB would become a file of its own.
const PAGE_BYTES: usize = 4096;
/// Size of what is put into sled in one batch, in bytes. Every reader of sled waits meanwhile.
const BATCH_BYTES: usize = 16 * PAGE_BYTES;
/// Bytes of an entry beside its place and its value.
const LENGTHS: usize = 6;

/// Why pages cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    /// sled failed.
    #[error(transparent)]
    Sled(#[from] sled::Error),
    /// A page is not one that was written here.
    #[error("a page of it is damaged")]
    Damaged,
    /// A place or a value is longer than any there is.
    #[error("{0} bytes are too many for a place or a value")]
    TooLong(usize),
}

/// An entry: its place and its value.
pub(super) type Entry = (IVec, IVec);

/// All entries.
pub(super) struct Pages {
    tree: sled::Tree,
}

impl Pages {
    /// The pages of a database.
    pub(super) fn open(db: &sled::Db) -> sled::Result<Self> {
        Ok(Self { tree: db.open_tree("pages")? })
    }

    /// True if there is no entry.
    pub(super) fn is_empty(&self) -> bool {
        self.tree.is_empty()
    }

    /// The value at a place.
    pub(super) fn get(&self, place: &[u8]) -> Result<Option<IVec>, Error> {
        let Some((_, page)) = self.page_of(place)? else { return Ok(None) };
        for entry in entries(&page) {
            let entry = entry?;
            if page[entry.place.clone()] == *place {
                return Ok(Some(entry.value(&page)));
            }
        }
        Ok(None)
    }

    /// Entries from one place up to, but without, another; in order, each once, also while they
    /// are written.
    pub(super) fn range(&self, from: &[u8], end: &[u8]) -> Result<Scan, Error> {
        let first = self.page_of(from)?.map(|(key, _)| key).unwrap_or_default();
        let pages = self.tree.range::<&[u8], _>(&*first..end);
        Ok(Scan { pages, next: from.into(), end: end.into(), page: IVec::default(), at: 0 })
    }

    /// Puts values at places, or removes them (`None`). The places are sorted, and each comes once.
    /// All of one page are put together, or none.
    pub(super) fn write<'a>(
        &self,
        puts: impl Iterator<Item = (&'a [u8], Option<IVec>)>,
    ) -> Result<(), Error> {
        let mut puts = puts.peekable();
        let mut batch = Batch::default();
        while let Some((place, _)) = puts.peek() {
            let (key, page) = self.page_of(place)?.unwrap_or_default();
            let end = self.tree.get_gt(&key)?.map(|(key, _)| key);
            let merged = Merged::new(&page, &mut puts, end.as_deref())?;
            batch.put(&key, &merged);
            let has_more = puts.peek().is_some_and(|(next, _)| is_below(next, end.as_deref()));
            // What is left for this page must find it as it is now.
            if batch.bytes >= BATCH_BYTES || has_more {
                std::mem::take(&mut batch).apply(&self.tree)?;
            }
        }
        batch.apply(&self.tree)
    }

    /// The page that a place belongs to, and its key.
    fn page_of(&self, place: &[u8]) -> Result<Option<Entry>, Error> {
        Ok(self.tree.range::<&[u8], _>(..=place).next_back().transpose()?)
    }
}

/// True for a place below the key of the next page, if there is one.
fn is_below(place: &[u8], end: Option<&[u8]>) -> bool {
    end.is_none_or(|end| place < end)
}

/// Where an entry stands in its page.
struct Found {
    place: Range<usize>,
    value: Range<usize>,
}

impl Found {
    fn value(&self, page: &IVec) -> IVec {
        page.subslice(self.value.start, self.value.len())
    }
}

/// The entries of a page.
fn entries(page: &[u8]) -> impl Iterator<Item = Result<Found, Error>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let found = (at < page.len()).then(|| entry(page, at))?;
        // After damage there is nothing more to be found.
        at = found.as_ref().map_or(page.len(), |found| found.value.end);
        Some(found)
    })
}

/// The entry that begins at a byte of a page.
fn entry(page: &[u8], at: usize) -> Result<Found, Error> {
    let lengths = page.get(at..at + LENGTHS).ok_or(Error::Damaged)?;
    let &[a, b, c, d, e, f] = lengths else { return Err(Error::Damaged) };
    let place_end = at + LENGTHS + usize::from(u16::from_le_bytes([a, b]));
    let end = place_end + u32::from_le_bytes([c, d, e, f]) as usize;
    if end > page.len() {
        return Err(Error::Damaged);
    }
    Ok(Found { place: at + LENGTHS..place_end, value: place_end..end })
}

/// What a page comes to with what is put into it: as many pages as it takes.
#[derive(Default)]
struct Merged {
    bytes: Vec<u8>,
    /// Where each entry begins.
    starts: Vec<usize>,
    /// How much of it is the page as it was, if all that is new comes after that.
    kept: usize,
}

impl Merged {
    /// Takes what belongs to the page, as long as there is not too much of it.
    fn new<'a>(
        page: &[u8],
        puts: &mut Peekable<impl Iterator<Item = (&'a [u8], Option<IVec>)>>,
        end: Option<&[u8]>,
    ) -> Result<Self, Error> {
        let mut merged = Self::default();
        for old in entries(page) {
            let old = old?;
            let place = &page[old.place];
            merged.take(puts, Some(place))?;
            match puts.next_if(|(new, _)| *new == place) {
                Some((_, value)) => merged.push(place, value.as_deref())?,
                None => merged.push(place, Some(&page[old.value]))?,
            }
        }
        if *merged.bytes == *page {
            merged.kept = page.len();
        }
        merged.take(puts, end)?;
        Ok(merged)
    }

    /// Takes what is below a place, as long as there is not too much.
    fn take<'a>(
        &mut self,
        puts: &mut Peekable<impl Iterator<Item = (&'a [u8], Option<IVec>)>>,
        end: Option<&[u8]>,
    ) -> Result<(), Error> {
        while self.bytes.len() < BATCH_BYTES
            && let Some((new, value)) = puts.next_if(|(new, _)| is_below(new, end))
        {
            self.push(new, value.as_deref())?;
        }
        Ok(())
    }

    fn push(&mut self, place: &[u8], value: Option<&[u8]>) -> Result<(), Error> {
        let Some(value) = value else { return Ok(()) };
        let place_bytes = u16::try_from(place.len()).map_err(|_| Error::TooLong(place.len()))?;
        let value_bytes = u32::try_from(value.len()).map_err(|_| Error::TooLong(value.len()))?;
        self.starts.push(self.bytes.len());
        self.bytes.extend_from_slice(&place_bytes.to_le_bytes());
        self.bytes.extend_from_slice(&value_bytes.to_le_bytes());
        self.bytes.extend_from_slice(place);
        self.bytes.extend_from_slice(value);
        Ok(())
    }

    /// The pages: of about the same size, but for what a full page already held. So entries that
    /// come in order leave full pages behind, and others leave room.
    fn pages(&self) -> Vec<Range<usize>> {
        let all = self.bytes.len();
        let is_full = self.kept > PAGE_BYTES / 2 && self.kept < all && all > PAGE_BYTES;
        let from = if is_full { self.kept } else { 0 };
        let wanted = (all - from).div_ceil((all - from).div_ceil(PAGE_BYTES).max(1));
        let mut cuts = vec![0];
        if from > 0 {
            cuts.push(from);
        }
        for start in self.starts.iter().copied().filter(|start| *start > from) {
            if start - cuts.last().copied().unwrap_or(0) >= wanted {
                cuts.push(start);
            }
        }
        cuts.push(all);
        cuts.windows(2).map(|cut| cut[0]..cut[1]).collect()
    }
}

/// Pages that are put into sled together.
#[derive(Default)]
struct Batch {
    batch: sled::Batch,
    pages: usize,
    bytes: usize,
}

impl Batch {
    /// Puts what a page came to; the first of its parts stands where it stood.
    fn put(&mut self, key: &IVec, merged: &Merged) {
        self.bytes += merged.bytes.len();
        for part in merged.pages() {
            self.pages += 1;
            let page = &merged.bytes[part.clone()];
            match entry(page, 0) {
                Err(_) => self.batch.remove(key),
                Ok(_) if part.start == 0 => self.batch.insert(key, page),
                Ok(first) => self.batch.insert(&page[first.place], page),
            }
        }
    }

    fn apply(self, tree: &sled::Tree) -> Result<(), Error> {
        tree.apply_batch(self.batch)?;
        // sled collects garbage only when pinned; without this, batches leak.
        for _ in 0..self.pages {
            drop(sled::pin());
        }
        Ok(())
    }
}

/// Entries in order of their places.
pub(super) struct Scan {
    pages: sled::Iter,
    /// Entries below it were handed out: a page that is divided meanwhile shows some again.
    next: Vec<u8>,
    end: Vec<u8>,
    page: IVec,
    at: usize,
}

impl Scan {
    fn step(&mut self) -> Result<Option<Entry>, Error> {
        loop {
            while self.at >= self.page.len() {
                let Some((_, page)) = self.pages.next().transpose()? else { return Ok(None) };
                (self.page, self.at) = (page, 0);
            }
            let found = entry(&self.page, self.at)?;
            self.at = found.value.end;
            let place = &self.page[found.place.clone()];
            if *place >= *self.end {
                return Ok(None);
            }
            if *place >= *self.next {
                // In the memory that it has: a start reads millions of entries.
                self.next.clear();
                self.next.extend_from_slice(place);
                self.next.push(0);
                let place = self.page.subslice(found.place.start, found.place.len());
                return Ok(Some((place, found.value(&self.page))));
            }
        }
    }
}

impl Iterator for Scan {
    type Item = Result<Entry, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        self.step().transpose()
    }
}
