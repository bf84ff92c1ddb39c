//! Tiles of a log: their paths, their widths, and the bundles of entries.
//!
//! The layout is that of <https://c2sp.org/tlog-tiles>. A tile has up to 256 hashes, and each hash of
//! a tile above level 0 is the root of a full tile below it.

use crate::merkle::{Hash, complete};

/// Hashes of a full tile, and entries of a full bundle.
pub(crate) const WIDTH: u64 = 256;

/// Largest entry, in bytes: its length is written as 16 bits.
pub const MAX_ENTRY_BYTES: usize = 65_535;

/// Largest bundle, in bytes.
pub(crate) const MAX_BUNDLE_BYTES: usize = 256 * (2 + MAX_ENTRY_BYTES);

/// The content of a tile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TileKind {
    /// Hashes of this level; 0 is the level of the leaves.
    Hashes(u8),
    /// The entries themselves.
    Entries,
}

impl TileKind {
    /// The level whose hashes it has or stands for.
    fn level(self) -> u8 {
        match self {
            Self::Hashes(level) => level,
            Self::Entries => 0,
        }
    }
}

/// The name of one tile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tile {
    /// The content.
    pub kind: TileKind,
    /// The index within the level.
    pub index: u64,
    /// Hashes or entries in it, 1 to 256.
    pub width: u16,
}

impl Tile {
    /// The tile with this index in a tree of `size` leaves. `None` when it would be empty.
    #[must_use]
    pub fn of(size: u64, kind: TileKind, index: u64) -> Option<Self> {
        let hashes = hashes_at(size, kind.level());
        let width = hashes.saturating_sub(index.checked_mul(WIDTH)?).min(WIDTH);
        Some(Self {
            kind,
            index,
            width: u16::try_from(width).ok().filter(|width| *width > 0)?,
        })
    }

    /// All tiles of a tree of `size` leaves, the entries first, then level by level.
    pub fn all(size: u64) -> impl Iterator<Item = Self> {
        let levels = (0..8).map(TileKind::Hashes);
        std::iter::once(TileKind::Entries)
            .chain(levels)
            .flat_map(move |kind| (0..).map_while(move |index| Self::of(size, kind, index)))
    }

    /// Whether it has all of its 256 hashes or entries.
    #[must_use]
    pub fn is_full(&self) -> bool {
        u64::from(self.width) == WIDTH
    }

    /// The tile of the same index with all hashes.
    #[must_use]
    pub fn full(self) -> Self {
        Self { width: 256, ..self }
    }

    /// The number of leaves that a tree needs to have this tile.
    #[must_use]
    pub fn least_size(&self) -> Option<u64> {
        let hashes = self
            .index
            .checked_mul(WIDTH)?
            .checked_add(self.width.into())?;
        hashes.checked_mul(leaves_of_hash(self.kind.level())?)
    }

    /// The path below the log's directory.
    #[must_use]
    pub fn path(&self) -> String {
        let kind = match self.kind {
            TileKind::Hashes(level) => level.to_string(),
            TileKind::Entries => "entries".to_owned(),
        };

        let mut number = format!("{:03}", self.index % 1000);
        let mut rest = self.index / 1000;
        while rest > 0 {
            number = format!("x{:03}/{number}", rest % 1000);
            rest /= 1000;
        }

        let partial = match self.is_full() {
            true => String::new(),
            false => format!(".p/{}", self.width),
        };
        format!("tile/{kind}/{number}{partial}")
    }

    /// The tile of a path. `None` for every path that [`Tile::path`] does not write.
    #[must_use]
    pub fn parse(path: &str) -> Option<Self> {
        let (kind, rest) = path.strip_prefix("tile/")?.split_once('/')?;
        let kind = match kind {
            "entries" => TileKind::Entries,
            level => TileKind::Hashes(level.parse().ok()?),
        };
        let (number, width) = match rest.split_once(".p/") {
            Some((number, width)) => (number, width.parse().ok()?),
            None => (rest, 256),
        };
        let index = number.split('/').try_fold(0_u64, |index, part| {
            let digits = part.strip_prefix('x').unwrap_or(part);
            index.checked_mul(1000)?.checked_add(digits.parse().ok()?)
        })?;

        let tile = Self { kind, index, width };
        (width > 0 && tile.path() == path).then_some(tile)
    }
}

/// Leaves below one hash of a level. `None` above the levels that a log can have.
fn leaves_of_hash(level: u8) -> Option<u64> {
    1_u64.checked_shl(8 * u32::from(level))
}

/// Hashes of a level in a tree of `size` leaves.
fn hashes_at(size: u64, level: u8) -> u64 {
    size.checked_shr(8 * u32::from(level)).unwrap_or(0)
}

/// The hashes in the bytes of a tile. `None` when they are not as many as its width says.
#[must_use]
pub(crate) fn decode_hashes(tile: &Tile, bytes: &[u8]) -> Option<Vec<Hash>> {
    let (hashes, rest) = bytes.as_chunks::<{ Hash::BYTES }>();
    let fits = rest.is_empty() && hashes.len() == usize::from(tile.width);
    fits.then(|| hashes.iter().map(|bytes| Hash::from(*bytes)).collect())
}

/// The bytes of a tile with these hashes.
#[must_use]
pub(crate) fn encode_hashes(hashes: &[Hash]) -> Vec<u8> {
    hashes.iter().flat_map(|hash| *hash.as_bytes()).collect()
}

/// The root over the hashes of a full tile: the hash one level up.
#[must_use]
pub(crate) fn root_of_full(hashes: &[Hash]) -> Hash {
    complete(hashes)
}

/// The entries in the bytes of a bundle. `None` when they are not as many as its width says, or bytes
/// are left.
#[must_use]
pub(crate) fn decode_entries<'b>(tile: &Tile, mut bytes: &'b [u8]) -> Option<Vec<&'b [u8]>> {
    let mut entries = Vec::with_capacity(usize::from(tile.width));
    while let Some((length, rest)) = bytes.split_first_chunk::<2>() {
        let (entry, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
        entries.push(entry);
        bytes = rest;
    }

    let fits = bytes.is_empty() && entries.len() == usize::from(tile.width);
    fits.then_some(entries)
}

/// Adds an entry to the bytes of a bundle. `None`, with nothing added, when it is too long.
#[must_use]
pub(crate) fn encode_entry(bundle: &mut Vec<u8>, entry: &[u8]) -> Option<()> {
    let length = u16::try_from(entry.len()).ok()?;
    bundle.extend(length.to_be_bytes());
    bundle.extend(entry);
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of the specification.
    #[test]
    fn paths_and_widths_are_those_of_the_specification() {
        let tile = Tile {
            kind: TileKind::Hashes(3),
            index: 1_234_067,
            width: 256,
        };
        assert_eq!(tile.path(), "tile/3/x001/x234/067");

        let tiles: Vec<Tile> = Tile::all(70_000).collect();
        let of = |kind| tiles.iter().filter(move |tile| tile.kind == kind);
        let widths = |kind| of(kind).map(|tile| tile.width).collect::<Vec<_>>();
        assert_eq!(of(TileKind::Hashes(0)).count(), 274);
        assert_eq!(widths(TileKind::Hashes(0))[273], 112);
        assert_eq!(widths(TileKind::Hashes(1)), [256, 17]);
        assert_eq!(widths(TileKind::Hashes(2)), [1]);
        assert_eq!(of(TileKind::Entries).count(), 274);

        let paths: Vec<String> = Tile::all(256).map(|tile| tile.path()).collect();
        assert_eq!(paths, ["tile/entries/000", "tile/0/000", "tile/1/000.p/1"]);
        assert_eq!(Tile::all(0).count(), 0);
    }

    #[test]
    fn only_written_paths_are_read() {
        for tile in [1, 255, 256, 70_000, 300_000_000]
            .into_iter()
            .flat_map(|size| Tile::all(size).take(3000))
        {
            assert_eq!(Tile::parse(&tile.path()), Some(tile));
        }

        for path in [
            "",
            "checkpoint",
            "tile/0",
            "tile/00/000",
            "tile/0/0",
            "tile/0/x000/000",
            "tile/0/000.p/0",
            "tile/0/000.p/256",
            "tile/0/000.p/01",
            "tile/0/001/000",
            "tile/0/+01",
            "tile/0/x999/x999/x999/x999/x999/x999/x999/999",
            "tile/entries/000/..",
        ] {
            assert_eq!(Tile::parse(path), None, "{path}");
        }
    }

    #[test]
    fn the_least_size_of_a_tile_has_it() {
        for size in [1, 255, 256, 257, 65_536, 70_000] {
            for tile in Tile::all(size) {
                let least = tile.least_size().unwrap();
                assert!(least <= size);
                assert_eq!(Tile::of(least, tile.kind, tile.index), Some(tile));
                let before = Tile::of(least - 1, tile.kind, tile.index);
                assert_ne!(before, Some(tile));
            }
        }
        let absurd = Tile {
            kind: TileKind::Hashes(63),
            index: 0,
            width: 1,
        };
        assert_eq!(absurd.least_size(), None);
    }

    #[test]
    fn bundles_are_read_whole_or_not_at_all() {
        let mut bytes = Vec::new();
        for entry in [&b"one"[..], b"", b"three"] {
            encode_entry(&mut bytes, entry).unwrap();
        }
        let tile = |width| Tile {
            kind: TileKind::Entries,
            index: 0,
            width,
        };
        let entries = decode_entries(&tile(3), &bytes).unwrap();
        assert_eq!(entries, [&b"one"[..], b"", b"three"]);

        assert_eq!(decode_entries(&tile(2), &bytes), None);
        for cut in 0..bytes.len() {
            assert_eq!(decode_entries(&tile(3), &bytes[..cut]), None, "{cut}");
        }
        let longest = vec![0; MAX_ENTRY_BYTES + 1];
        assert_eq!(encode_entry(&mut bytes, &longest), None);
        assert_eq!(encode_entry(&mut bytes, &longest[1..]), Some(()));
    }
}
