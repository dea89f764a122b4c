//! The fake keeps every promise that its real siblings keep.

#[test]
fn memory_conforms() {
    testkit::conformance(|| Box::new(testkit::MemoryStore::default()));
}
