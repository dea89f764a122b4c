//! What all files must do, in a folder and in a bucket, and what only one of them must.

#![allow(clippy::unwrap_used)]

mod bucket;
mod cases;
mod folder;
mod s3_server;
