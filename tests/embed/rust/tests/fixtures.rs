//! Reads every file of every image of disk-fixtures/ in every mode, on both builds.

use std::fs;
use std::io::{self, Cursor, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use docteur::{Core, Error, Kind, Mode, Status};

const IMAGES: [&str; 7] = ["tiny", "modes", "aligned", "delta", "gitdelta", "gitmodes", "refdelta"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..")
}

fn core(build: &str) -> Core {
    Core::new(&fs::read(root().join("dist").join(build)).unwrap()).unwrap()
}

fn image(name: &str) -> Vec<u8> {
    fs::read(root().join(format!("disk-fixtures/{name}.img"))).unwrap()
}

/// The id that git gives to a content.
fn blob_id(content: &[u8]) -> String {
    let mut hash = sha1_smol::Sha1::from(format!("blob {}\0", content.len()));
    hash.update(content);
    hash.digest().to_string()
}

/// Prints what a test ran, for the tables of docs/RUNTIMES.md. wasmi's version is pinned in Cargo.toml.
fn report(run: &str, count: usize) {
    let manifest = include_str!("../Cargo.toml");
    let version = manifest.split("wasmi = { version = \"=").nth(1).unwrap().split('"').next().unwrap();
    println!(r#"{{"runtime":"wasmi","version":"{version}","run":"{run}","count":{count}}}"#);
}

fn read_every_file(build: &str) {
    let core = core(build);
    let mut count = 0;
    for name in IMAGES {
        let listing = fs::read_to_string(root().join(format!("disk-fixtures/{name}.blobs.txt"))).unwrap();
        for mode in [Mode::Light, Mode::Fast, Mode::Analyze] {
            let mut volume = core.open(Cursor::new(image(name)), mode).unwrap();
            for line in listing.lines() {
                let (id, path) = line.split_once("  ").unwrap();
                assert_eq!(blob_id(&volume.read(path).unwrap()), id, "{name}, {mode:?}: {path}");
                count += 1;
            }
        }
    }
    report(build, count);
}

#[test]
fn every_file_of_every_image() {
    read_every_file("core.wasm");
}

#[test]
fn every_file_of_every_image_with_simd() {
    read_every_file("core.simd.wasm");
}

#[test]
fn directories_and_kinds() {
    let file = fs::File::open(root().join("disk-fixtures/gitmodes.img")).unwrap();
    let mut volume = core("core.wasm").open(file, Mode::Light).unwrap();
    let entries = volume.read_dir("/").unwrap();
    assert!(entries.is_sorted_by_key(|entry| &entry.name));
    let kind = |name: &str| entries.iter().find(|entry| entry.name == name.as_bytes()).unwrap().kind;
    assert_eq!(kind("hello.txt"), Kind::File);
    assert_eq!(kind("dir"), Kind::Directory);
    assert_eq!(kind("dangling"), Kind::Symlink);
    assert_eq!(volume.read_dir("vendor").unwrap()[0].kind, Kind::Submodule);
    assert_eq!(volume.metadata("/bin/run.sh").unwrap().kind, Kind::Executable);
    let linked = volume.metadata("/link.txt").unwrap();
    assert_eq!(linked.size, volume.read("/hello.txt").unwrap().len() as u64);
}

#[test]
fn refusals() {
    let core = core("core.wasm");
    let mut volume = core.open(Cursor::new(image("gitmodes")), Mode::Fast).unwrap();
    let status = |error: Error| match error {
        Error::Status(status) => status,
        other => panic!("{other}"),
    };
    assert_eq!(status(volume.read("/nope").unwrap_err()), Status::NOT_FOUND);
    assert_eq!(status(volume.read("/dir").unwrap_err()), Status::IS_A_DIRECTORY);
    assert_eq!(status(volume.read_dir("/hello.txt").unwrap_err()), Status::NOT_A_DIRECTORY);
    assert_eq!(status(volume.read([b'a'; 9000]).unwrap_err()), Status::PATH_TOO_LONG);
    assert!(core.open(Cursor::new(vec![0; 1024]), Mode::Light).is_err());
    assert_eq!(status(core.open(Cursor::new(vec![0; 1000]), Mode::Light).err().unwrap()), Status::INVALID);
}

/// A reader whose second half cannot be read.
struct Half(Cursor<Vec<u8>>);

impl Read for Half {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if self.0.position() > self.0.get_ref().len() as u64 / 2 {
            return Err(io::Error::other("worn out"));
        }
        self.0.read(buf)
    }
}

impl Seek for Half {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        self.0.seek(position)
    }
}

#[test]
fn the_readers_error_comes_through() {
    let opened = core("core.wasm").open(Half(Cursor::new(image("delta"))), Mode::Light);
    match opened.err() {
        Some(Error::Device(error)) => assert_eq!(error.to_string(), "worn out"),
        other => panic!("{other:?}"),
    }
}
