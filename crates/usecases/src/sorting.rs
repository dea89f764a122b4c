//! Sorting more rows than memory holds: in runs that fit, written aside and merged.

use std::{
    collections::BinaryHeap,
    fs::File,
    io::{self, BufReader, BufWriter, Read, Seek, Write},
};

use serde::{Serialize, de::DeserializeOwned};

use crate::ports::Files;

/// How many bytes of rows are sorted in memory at once.
const RUN_BYTES_MAX: usize = 4 << 20;
/// How many runs are merged at once; each takes a file and a buffer.
const RUNS_MAX: usize = 64;

/// What can be sorted.
pub(crate) trait Sortable: Ord + Serialize + DeserializeOwned {
    /// About how much memory it takes.
    fn bytes(&self) -> usize;
}

pub(crate) struct Sorter<'a, T> {
    files: &'a dyn Files,
    rows: Vec<T>,
    bytes: usize,
    runs: Vec<File>,
    run_bytes_max: usize,
}

impl<'a, T: Sortable> Sorter<'a, T> {
    pub(crate) fn new(files: &'a dyn Files) -> Sorter<'a, T> {
        Sorter { files, rows: Vec::new(), bytes: 0, runs: Vec::new(), run_bytes_max: RUN_BYTES_MAX }
    }

    pub(crate) fn push(&mut self, row: T) -> io::Result<()> {
        self.bytes += row.bytes();
        self.rows.push(row);
        if self.bytes < self.run_bytes_max {
            return Ok(());
        }
        self.rows.sort_unstable();
        self.bytes = 0;
        let run = write_run(self.files, self.rows.drain(..).map(Ok))?;
        self.runs.push(run);
        if self.runs.len() == RUNS_MAX {
            let merged = write_run(self.files, Sorted::<T>::merge(Vec::new(), std::mem::take(&mut self.runs))?)?;
            self.runs.push(merged);
        }
        Ok(())
    }

    pub(crate) fn sorted(mut self) -> io::Result<Sorted<T>> {
        self.rows.sort_unstable();
        Sorted::merge(self.rows, self.runs)
    }
}

fn write_run<T: Sortable>(files: &dyn Files, rows: impl Iterator<Item = io::Result<T>>) -> io::Result<File> {
    let mut out = BufWriter::with_capacity(1 << 16, files.scratch()?);
    for row in rows {
        let bytes = postcard::to_stdvec(&row?).map_err(io::Error::other)?;
        let length = u32::try_from(bytes.len()).map_err(io::Error::other)?;
        out.write_all(&length.to_le_bytes())?;
        out.write_all(&bytes)?;
    }
    let mut file = out.into_inner().map_err(io::IntoInnerError::into_error)?;
    file.rewind()?;
    Ok(file)
}

/// The rows in their order.
pub(crate) struct Sorted<T> {
    runs: Vec<Run<T>>,
    heads: BinaryHeap<Head<T>>,
}

enum Run<T> {
    InMemory(std::vec::IntoIter<T>),
    Aside(BufReader<File>),
}

impl<T: Sortable> Sorted<T> {
    fn merge(rows: Vec<T>, files: Vec<File>) -> io::Result<Sorted<T>> {
        let aside = files.into_iter().map(|file| Run::Aside(BufReader::with_capacity(1 << 16, file)));
        let runs: Vec<Run<T>> = [Run::InMemory(rows.into_iter())].into_iter().chain(aside).collect();
        let mut sorted = Sorted { runs, heads: BinaryHeap::new() };
        for run in 0..sorted.runs.len() {
            sorted.advance(run)?;
        }
        Ok(sorted)
    }

    fn advance(&mut self, run: usize) -> io::Result<()> {
        let row = match &mut self.runs[run] {
            Run::InMemory(rows) => rows.next(),
            Run::Aside(file) => read_row(file)?,
        };
        self.heads.extend(row.map(|row| Head { row, run }));
        Ok(())
    }
}

impl<T: Sortable> Iterator for Sorted<T> {
    type Item = io::Result<T>;

    fn next(&mut self) -> Option<io::Result<T>> {
        let Head { row, run } = self.heads.pop()?;
        Some(self.advance(run).map(|()| row))
    }
}

fn read_row<T: DeserializeOwned>(file: &mut BufReader<File>) -> io::Result<Option<T>> {
    let mut length = [0; 4];
    if file.read(&mut length[..1])? == 0 {
        return Ok(None);
    }
    file.read_exact(&mut length[1..])?;
    let mut bytes = vec![0; u32::from_le_bytes(length) as usize];
    file.read_exact(&mut bytes)?;
    postcard::from_bytes(&bytes).map(Some).map_err(io::Error::other)
}

/// The first row of a run that was not given yet; the heap has its greatest on top, so the order is turned round.
struct Head<T> {
    row: T,
    run: usize,
}

impl<T: Ord> Ord for Head<T> {
    fn cmp(&self, other: &Head<T>) -> std::cmp::Ordering {
        other.row.cmp(&self.row).then(other.run.cmp(&self.run))
    }
}

impl<T: Ord> PartialOrd for Head<T> {
    fn partial_cmp(&self, other: &Head<T>) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<T: Ord> PartialEq for Head<T> {
    fn eq(&self, other: &Head<T>) -> bool {
        self.cmp(other).is_eq()
    }
}

impl<T: Ord> Eq for Head<T> {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports::{NewFile, StoredFile};

    struct Scratch;

    impl Files for Scratch {
        fn create(&self, _key: &str) -> io::Result<Box<dyn NewFile>> {
            unreachable!("sorting keeps nothing")
        }

        fn open(&self, _key: &str) -> io::Result<Option<Box<dyn StoredFile>>> {
            unreachable!("sorting reads nothing that was kept")
        }

        fn delete(&self, _prefix: &str) -> io::Result<()> {
            unreachable!("sorting leaves nothing behind")
        }

        fn scratch(&self) -> io::Result<File> {
            tempfile::tempfile()
        }
    }

    impl Sortable for (String, u64) {
        fn bytes(&self) -> usize {
            100
        }
    }

    fn sorts(rows: u64, run_bytes_max: usize) {
        let mut sorter = Sorter { run_bytes_max, ..Sorter::new(&Scratch) };
        let row = |n: u64| (format!("row-{}", n * 7_919 % rows), n);
        (0..rows).for_each(|n| sorter.push(row(n)).unwrap());
        let sorted: Vec<(String, u64)> = sorter.sorted().unwrap().map(Result::unwrap).collect();
        let mut expected: Vec<(String, u64)> = (0..rows).map(row).collect();
        expected.sort();
        assert_eq!(sorted, expected);
    }

    #[test]
    fn rows_come_out_in_order_whether_they_fit_or_not() {
        sorts(1, 1_000);
        sorts(5_000, usize::MAX);
        sorts(5_000, 10_000);
        // More runs than are merged at once, once and again.
        sorts(2_000, 1_000);
        sorts(2_000, 100);
    }

    #[test]
    fn nothing_sorts_to_nothing() {
        assert_eq!(Sorter::<(String, u64)>::new(&Scratch).sorted().unwrap().count(), 0);
    }

    #[test]
    fn rows_that_are_equal_all_come_out() {
        let mut sorter = Sorter { run_bytes_max: 300, ..Sorter::new(&Scratch) };
        (0..100).for_each(|_| sorter.push(("same".to_owned(), 1)).unwrap());
        assert_eq!(sorter.sorted().unwrap().map(Result::unwrap).count(), 100);
    }

    #[test]
    fn what_was_cut_short_aside_is_a_failure_and_no_end() {
        let rows = || (0..10).map(|number| Ok((format!("row {number}"), number)));
        let whole = write_run(&Scratch, rows()).unwrap().metadata().unwrap().len();
        for length in [1, whole / 2 + 1, whole - 1] {
            let file = write_run(&Scratch, rows()).unwrap();
            file.set_len(length).unwrap();
            let read: io::Result<Vec<(String, u64)>> =
                Sorted::merge(Vec::new(), vec![file]).and_then(|sorted| sorted.collect());
            assert!(read.is_err(), "{length} of {whole} bytes");
        }
    }
}
