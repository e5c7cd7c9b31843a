//! What every message can do.

use super::{
    Unreadable, invalid,
    table::{Reader, Writer},
};

/// A message that stands for a part of the domain.
pub(super) trait Part: Sized {
    /// What it stands for.
    type Domain;

    /// Writes it.
    fn write<'a>(domain: &'a Self::Domain, to: &mut Writer<'a>) -> Self;

    /// Reads it.
    fn read(&self, from: &Reader<'_>) -> Result<Self::Domain, Unreadable>;
}

/// Writes one after the other.
pub(super) fn write_all<'a, M: Part>(
    all: impl IntoIterator<Item = &'a M::Domain>,
    to: &mut Writer<'a>,
) -> Vec<M>
where
    M::Domain: 'a,
{
    all.into_iter().map(|one| M::write(one, to)).collect()
}

/// Reads one after the other.
pub(super) fn read_all<M: Part>(
    all: &[M],
    from: &Reader<'_>,
) -> Result<Vec<M::Domain>, Unreadable> {
    all.iter().map(|one| one.read(from)).collect()
}

/// Reads a part that has to be there.
pub(super) fn read_one<M: Part>(
    one: Option<&M>,
    from: &Reader<'_>,
) -> Result<M::Domain, Unreadable> {
    one.ok_or(invalid("a part is missing"))?.read(from)
}
