use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write as _;

use proptest::prelude::*;

use super::{Table, TableWriter};

fn write(entries: &BTreeMap<Vec<u8>, Vec<u8>>) -> (File, String) {
    let mut writer = TableWriter::new(tempfile::tempfile().unwrap()).unwrap();
    for (key, value) in entries {
        writer.push(key, value).unwrap();
    }
    let (file, digest, _) = writer.finish().unwrap();
    (file, digest)
}

fn some() -> BTreeMap<Vec<u8>, Vec<u8>> {
    (0u32..1000)
        .map(|n| (n.to_string().into_bytes(), vec![b'v'; n as usize]))
        .collect()
}

#[test]
fn finds_each_key_and_no_other() {
    let entries = some();
    let table = Table::open(write(&entries).0).unwrap();
    for (key, value) in &entries {
        assert_eq!(table.get(key).unwrap().as_ref(), Some(value));
    }
    for n in 1000u32..3000 {
        assert_eq!(table.get(n.to_string().as_bytes()).unwrap(), None);
    }
}

#[test]
fn an_empty_table_answers() {
    let table = Table::open(write(&BTreeMap::new()).0).unwrap();
    assert_eq!(table.get(b"a").unwrap(), None);
}

#[test]
fn the_same_content_has_the_same_hash() {
    assert_eq!(write(&some()).1, write(&some()).1);
    let mut other = some();
    other.insert(b"1".to_vec(), b"other".to_vec());
    assert_ne!(write(&some()).1, write(&other).1);
}

fn file_of(bytes: &[u8]) -> File {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    file
}

fn bytes_of(entries: &BTreeMap<Vec<u8>, Vec<u8>>) -> Vec<u8> {
    let (file, _) = write(entries);
    let mut bytes = vec![0; file.metadata().unwrap().len() as usize];
    super::read_exact_at(&file, &mut bytes, 0).unwrap();
    bytes
}

/// Whichever byte is changed to whatever: a key is found with its value, or there is an error. No
/// key is lost, and none is invented.
#[test]
fn a_changed_byte_is_an_error_or_changes_nothing() {
    let entries: BTreeMap<Vec<u8>, Vec<u8>> = (0u8..25)
        .map(|n| (vec![b'k', n], vec![n; usize::from(n % 7)]))
        .collect();
    let whole = bytes_of(&entries);

    let mut seen = 0;
    for at in 0..whole.len() {
        for change in [0x01, whole[at]] {
            if change == 0 {
                continue;
            }

            let mut bytes = whole.clone();
            bytes[at] ^= change;
            let Ok(table) = Table::open(file_of(&bytes)) else {
                seen += 1;
                continue;
            };

            let mut failed = false;
            for (key, value) in &entries {
                match table.get(key) {
                    Ok(found) => assert_eq!(found.as_ref(), Some(value), "byte {at}"),
                    Err(_) => failed = true,
                }
            }

            for n in 25u8..30 {
                assert!(matches!(table.get(&[b'k', n]), Ok(None) | Err(_)));
            }

            let index = table.index();
            failed |= index.is_err();
            if let Ok(index) = index {
                assert!(entries.keys().all(|key| index.may_hold(key)), "byte {at}");
            }

            seen += u64::from(failed);
        }
    }
    // Every byte is under a checksum.
    assert!(seen >= whole.len() as u64, "{seen} of {}", whole.len());
}

/// A file that ends early, at whichever byte, or has more than it had, does not open.
#[test]
fn a_file_of_another_length_does_not_open() {
    let whole = bytes_of(&some());
    for cut in (0..whole.len()).step_by(997).chain([whole.len() - 1]) {
        assert!(Table::open(file_of(&whole[..cut])).is_err(), "cut at {cut}");
    }
    let mut longer = whole;
    longer.push(0);
    assert!(Table::open(file_of(&longer)).is_err());
}

/// More keys than a page has slots may have the same page: the next one takes them.
#[test]
fn a_full_page_leads_to_the_next() {
    let slots: Vec<_> = (0u32..70)
        .map(|n| {
            let slot = super::Slot {
                offset: 48 + u64::from(n),
                length: 1,
                hash: n,
            };
            (u64::from(n), slot)
        })
        .collect();
    let bytes = super::page::lay_out(&slots);
    let counts: Vec<usize> = bytes
        .chunks_exact(super::PAGE_BYTES)
        .map(|page| super::Page::check(page).unwrap().slots().count())
        .collect();

    assert_eq!(counts, [31, 31, 8, 0]);
}

#[test]
fn the_index_holds_each_key_and_few_others() {
    let index = Table::open(write(&some()).0).unwrap().index().unwrap();
    let held = |n: &u32| index.may_hold(n.to_string().as_bytes());
    assert_eq!((0..1000).filter(held).count(), 1000);
    assert_eq!((1000..3000).filter(held).count(), 0);
}

#[test]
fn the_filter_lets_few_absent_keys_pass() {
    let table = Table::open(write(&some()).0).unwrap();
    let filter = table.filter().unwrap();
    let passes = |n: &u32| {
        let hash = super::hash(n.to_string().as_bytes());
        super::filter::may_hold(filter, hash)
    };
    assert_eq!((0..1000).filter(passes).count(), 1000);
    assert!((10_000..20_000).filter(passes).count() < 300);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn holds_what_it_was_given(
        entries in proptest::collection::btree_map(
            proptest::collection::vec(any::<u8>(), 0..6),
            proptest::collection::vec(any::<u8>(), 0..40),
            0..60,
        ),
        other in proptest::collection::vec(any::<u8>(), 0..6),
    ) {
        let table = Table::open(write(&entries).0).unwrap();
        for (key, value) in &entries {
            prop_assert_eq!(table.get(key).unwrap(), Some(value.clone()));
        }
        prop_assert_eq!(table.get(&other).unwrap(), entries.get(&other).cloned());
    }
}
