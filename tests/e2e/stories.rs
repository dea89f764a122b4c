//! What users of the service do, from beginning to end.

use serde_json::json;

use crate::server::{Engine, Place, on_both_engines};

on_both_engines!(a_user_enters_and_leaves);

fn a_user_enters_and_leaves(engine: Engine) {
    let place = Place::new(engine);
    let server = place.serve();
    let client = &server.client;
    client.has_segment("VIP");
    let change = client.post("/users/1000/segments", json!({"add": ["VIP"]}));
    assert_eq!(change.json(), json!({"user_id": "1000", "segments": ["VIP"], "added": ["VIP"], "removed": [], "unchanged": []}));
    assert_eq!(client.segments_of("1000"), ["VIP"]);
    assert_eq!(client.delete("/users/1000/segments/VIP").status, 200);
    assert!(client.segments_of("1000").is_empty());
    assert!(server.stop().success());
    place.is_sound();
}
