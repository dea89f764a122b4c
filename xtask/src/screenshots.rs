//! `cargo xtask screenshots`: each screen of the console with real data, for documents and for whoever looks after it.

use std::{
    env, fs,
    io::{BufReader, BufWriter},
    path::{Path, PathBuf},
    process::Command,
};

use color_quant::NeuQuant;

use crate::{Failure, Outcome, console, machine, must};

/// What all of them together may take.
const BYTES_MAX: u64 = 3 * 1024 * 1024;
/// Of one picture.
const COLOURS: usize = 128;

pub(crate) fn run() -> Outcome {
    machine::has_chromium()?;
    console::build()?;
    let strata = machine::build_strata()?;
    let folder = machine::target().join("screenshots");
    let taken = folder.join("taken");
    if folder.exists() {
        fs::remove_dir_all(&folder).map_err(|error| failure(&folder, &error))?;
    }
    fs::create_dir_all(&taken).map_err(|error| failure(&taken, &error))?;
    let url = format!("sqlite://{}", folder.join("shop.db").display());
    fill(&strata, &url)?;
    let mut playwright = console::playwright("screenshots", &strata, ("shop", &url), &folder);
    must(playwright.env("E2E_PICTURES", &taken))?;
    keep(&taken, &machine::root().join("docs/screenshots"))
}

/// The customers and purchases of a real shop where the shared data lie, and else the made-up one.
fn fill(strata: &Path, url: &str) -> Outcome {
    let of = |arguments: &[&str]| {
        let mut command = Command::new(strata);
        command.args(arguments).args(["--database-url", url]);
        command
    };
    let beside = machine::root().join("../shared/data");
    let data = env::var_os("STRATA_TEST_DATA").map_or(beside, PathBuf::from);
    if data.join("bought.csv.gz").exists() {
        for (what, file) in [("users", "customers.csv"), ("memberships", "bought.csv.gz")] {
            must(of(&["import", what]).arg(data.join(file)))?;
        }
    } else {
        must(&mut of(&["demo"]))?;
    }
    console::make_administrator(strata, url)
}

/// Makes the pictures small, and puts them where those of the last time lie.
fn keep(taken: &Path, kept: &Path) -> Outcome {
    if kept.exists() {
        fs::remove_dir_all(kept).map_err(|error| failure(kept, &error))?;
    }
    fs::create_dir_all(kept).map_err(|error| failure(kept, &error))?;
    let pictures = taken.read_dir().map_err(|error| failure(taken, &error))?;
    let (mut count, mut bytes) = (0, 0);
    for picture in pictures.flatten() {
        let small = kept.join(picture.file_name());
        shrink(&picture.path(), &small).map_err(|reason| Failure(format!("{}: {reason}", picture.path().display())))?;
        count += 1;
        bytes += small.metadata().map_err(|error| failure(&small, &error))?.len();
    }
    println!("\n{count} pictures in {}: {} kB", kept.display(), bytes / 1024);
    if bytes > BYTES_MAX {
        return Err(Failure(format!("the pictures take {bytes} bytes, and may take {BYTES_MAX}")));
    }
    Ok(())
}

/// Screens have few colours: so many of them tell all, in a third of the bytes.
fn shrink(from: &Path, to: &Path) -> Result<(), String> {
    let told = |error: &dyn std::fmt::Display| error.to_string();
    let mut reader = png::Decoder::new(BufReader::new(fs::File::open(from).map_err(|error| told(&error))?));
    reader.set_transformations(png::Transformations::ALPHA | png::Transformations::STRIP_16);
    let mut reader = reader.read_info().map_err(|error| told(&error))?;
    let mut pixels = vec![0; reader.output_buffer_size().ok_or("the picture is too large")?];
    let frame = reader.next_frame(&mut pixels).map_err(|error| told(&error))?;
    pixels.truncate(frame.buffer_size());
    let colours = NeuQuant::new(3, COLOURS, &pixels);
    let indices: Vec<u8> = pixels.chunks_exact(4).map(|pixel| colours.index_of(pixel) as u8).collect();
    let file = BufWriter::new(fs::File::create(to).map_err(|error| told(&error))?);
    let mut encoder = png::Encoder::new(file, frame.width, frame.height);
    encoder.set_color(png::ColorType::Indexed);
    encoder.set_palette(colours.color_map_rgb());
    encoder.set_compression(png::Compression::High);
    encoder.set_filter(png::Filter::NoFilter);
    let mut writer = encoder.write_header().map_err(|error| told(&error))?;
    writer.write_image_data(&indices).map_err(|error| told(&error))
}

fn failure(path: &Path, error: &std::io::Error) -> Failure {
    Failure(format!("{}: {error}", path.display()))
}
