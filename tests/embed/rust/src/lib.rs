//! Reads docteur images: hosts docteur's library core, a WebAssembly module, in wasmi.
//!
//! ```no_run
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let core = docteur::Core::new(&std::fs::read("core.wasm")?)?;
//! let mut volume = core.open(std::fs::File::open("disk.img")?, docteur::Mode::Light)?;
//! let readme = volume.read("/README.md")?;
//! # Ok(())
//! # }
//! ```
//!
//! `docs/ABI.md` describes the core's interface.

use std::fmt;
use std::io::{self, Read, Seek, SeekFrom};

use wasmi::{Caller, Engine, Instance, Linker, Memory, Module, Store, TypedFunc, WasmParams};

const BLOCK_SIZE: i64 = 512;
const INPUT_SIZE: usize = 8192;
const PIECE_SIZE: usize = 1 << 20;
const RESULT_SIZE: usize = 80;

const FOLLOW: i32 = 1;
const SIZES: i32 = 4;

/// How an image finds its files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Walks directories as they are needed.
    Light,
    /// Knows all paths.
    Fast,
    /// Does not trust the image's index, and makes one.
    Analyze,
}

/// What the core answers: a value of the tables in `docs/ABI.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status(pub i32);

impl Status {
    const OK: Status = Status(0);
    pub const INVALID: Status = Status(2);
    pub const DEVICE_FAILED: Status = Status(3);
    pub const NOT_FOUND: Status = Status(16);
    pub const IS_A_DIRECTORY: Status = Status(17);
    pub const NOT_A_DIRECTORY: Status = Status(18);
    pub const PATH_TOO_LONG: Status = Status(33);
}

/// Why an operation failed.
#[derive(Debug)]
pub enum Error {
    /// The core's answer.
    Status(Status),
    /// The reader's.
    Device(io::Error),
    /// The module cannot be run, or trapped.
    Wasm(wasmi::Error),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Status(Status(value)) => write!(f, "docteur: status {value}"),
            Error::Device(error) => write!(f, "docteur: the device failed: {error}"),
            Error::Wasm(error) => write!(f, "docteur: {error}"),
        }
    }
}

impl std::error::Error for Error {}

impl From<wasmi::Error> for Error {
    fn from(error: wasmi::Error) -> Self {
        Error::Wasm(error)
    }
}

pub type Result<T> = std::result::Result<T, Error>;

/// What a path leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Directory,
    File,
    Executable,
    Symlink,
    /// A submodule. Its content is not in the image.
    Submodule,
}

impl Kind {
    /// The kind for a mode as git writes it.
    fn of_mode(mode: u32) -> Kind {
        match mode {
            0o040000 => Kind::Directory,
            0o120000 => Kind::Symlink,
            0o160000 => Kind::Submodule,
            mode if mode & 0o111 != 0 => Kind::Executable,
            _ => Kind::File,
        }
    }
}

/// What a path leads to, and the size of its content in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Metadata {
    pub kind: Kind,
    pub size: u64,
}

/// An entry of a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub name: Vec<u8>,
    pub kind: Kind,
}

/// The core, compiled once for any number of images.
pub struct Core {
    engine: Engine,
    module: Module,
}

impl Core {
    /// Compiles `core.wasm`, or `core.simd.wasm`.
    pub fn new(wasm: &[u8]) -> Result<Core> {
        let engine = Engine::default();
        let module = Module::new(&engine, wasm)?;
        Ok(Core { engine, module })
    }

    /// Opens the image that a reader gives.
    pub fn open<R: Read + Seek + 'static>(&self, mut reader: R, mode: Mode) -> Result<Volume<R>> {
        let capacity = reader.seek(SeekFrom::End(0)).map_err(Error::Device)?;
        let device = Device { reader, error: None };
        let mut store = Store::new(&self.engine, device);
        let mut linker = Linker::new(&self.engine);
        linker.func_wrap("solo5", "block_read", block_read::<R>).map_err(wasmi::Error::from)?;
        let instance = linker.instantiate_and_start(&mut store, &self.module)?;
        let exports = Exports::find(&store, &instance)?;
        let mut volume = Volume { store, exports, handle: 0 };
        volume.mount(capacity, mode)?;
        Ok(volume)
    }
}

/// The state of an instance's host.
struct Device<R> {
    reader: R,
    /// Why the last call failed.
    error: Option<io::Error>,
}

/// The one import of the core.
fn block_read<R: Read + Seek>(
    mut caller: Caller<'_, Device<R>>,
    _handle: i64,
    offset: i64,
    buf: u32,
    size: u32,
) -> i32 {
    let Some(memory) = caller.get_export("memory").and_then(|export| export.into_memory()) else {
        return Status::INVALID.0;
    };
    let (memory, device) = memory.data_and_store_mut(&mut caller);
    let Some(target) = memory.get_mut(range(buf, size as usize)) else {
        return Status::INVALID.0;
    };
    let reader = &mut device.reader;
    let read = reader.seek(SeekFrom::Start(offset as u64)).and_then(|_| reader.read_exact(target));
    match read {
        Ok(()) => Status::OK.0,
        Err(error) => {
            device.error = Some(error);
            Status::DEVICE_FAILED.0
        }
    }
}

fn range(ptr: u32, size: usize) -> std::ops::Range<usize> {
    ptr as usize..ptr as usize + size
}

type OnPath = (u32, u32, u32, i32);

/// The exports that this host uses.
struct Exports {
    memory: Memory,
    input: TypedFunc<(), u32>,
    mount_begin: TypedFunc<(i64, u64, i64, i32, i32), i32>,
    operation: TypedFunc<(), u32>,
    mount: TypedFunc<u32, i32>,
    stat: TypedFunc<OnPath, i32>,
    list: TypedFunc<(u32, u32, u32, i32, u32, u32, i32), i32>,
    read: TypedFunc<(u32, u32, u32, i32, u64, u32), i32>,
    result: TypedFunc<u32, u32>,
}

impl Exports {
    fn find<T>(store: &Store<T>, instance: &Instance) -> Result<Exports> {
        let memory = instance.get_memory(store, "memory");
        Ok(Exports {
            memory: memory.ok_or_else(|| wasmi::Error::new("the module exports no memory"))?,
            input: instance.get_typed_func(store, "input")?,
            mount_begin: instance.get_typed_func(store, "mountBegin")?,
            operation: instance.get_typed_func(store, "operation")?,
            mount: instance.get_typed_func(store, "mount")?,
            stat: instance.get_typed_func(store, "stat")?,
            list: instance.get_typed_func(store, "list")?,
            read: instance.get_typed_func(store, "read")?,
            result: instance.get_typed_func(store, "result")?,
        })
    }
}

/// The core's result struct. What it points to is valid until the next operation.
struct CoreResult([u8; RESULT_SIZE]);

impl CoreResult {
    fn u32(&self, offset: usize) -> u32 {
        u32::from_le_bytes(self.0[offset..offset + 4].try_into().expect("4 bytes"))
    }

    fn mode(&self) -> u32 {
        self.u32(4)
    }

    fn size(&self) -> u64 {
        u64::from(self.u32(8)) | u64::from(self.u32(12)) << 32
    }

    fn data(&self) -> (u32, usize) {
        (self.u32(24), self.u32(28) as usize)
    }

    fn count(&self) -> usize {
        self.u32(32) as usize
    }
}

/// An open image.
pub struct Volume<R> {
    store: Store<Device<R>>,
    exports: Exports,
    handle: u32,
}

impl<R: Read + Seek + 'static> Volume<R> {
    fn mount(&mut self, capacity: u64, mode: Mode) -> Result<()> {
        let begin = self.exports.mount_begin;
        self.call(begin, (0, capacity, BLOCK_SIZE, mode as i32, 0))?;
        // A reader answers at once: no more than one operation is ever under way.
        self.handle = self.exports.operation.call(&mut self.store, ())?;
        self.call(self.exports.mount, self.handle)
    }

    /// What a path leads to. Symbolic links are followed.
    pub fn metadata(&mut self, path: impl AsRef<[u8]>) -> Result<Metadata> {
        let (ptr, len) = self.input(path.as_ref())?;
        self.call(self.exports.stat, (self.handle, ptr, len, FOLLOW | SIZES))?;
        let result = self.result()?;
        Ok(Metadata { kind: Kind::of_mode(result.mode()), size: result.size() })
    }

    /// The content of a file.
    pub fn read(&mut self, path: impl AsRef<[u8]>) -> Result<Vec<u8>> {
        let mut content = Vec::new();
        loop {
            let piece = self.read_at(path.as_ref(), content.len() as u64, PIECE_SIZE)?;
            if piece.is_empty() {
                return Ok(content);
            }
            content.extend_from_slice(piece);
        }
    }

    /// A piece of a file, of at most `count` bytes. It is empty only at the end.
    pub fn read_at(&mut self, path: impl AsRef<[u8]>, position: u64, count: usize) -> Result<&[u8]> {
        let (ptr, len) = self.input(path.as_ref())?;
        let count = count.min(PIECE_SIZE) as u32;
        self.call(self.exports.read, (self.handle, ptr, len, FOLLOW, position, count))?;
        let (ptr, size) = self.result()?.data();
        self.bytes(ptr, size)
    }

    /// The entries of a directory, sorted by the bytes of their names.
    pub fn read_dir(&mut self, path: impl AsRef<[u8]>) -> Result<Vec<Entry>> {
        let (ptr, len) = self.input(path.as_ref())?;
        self.call(self.exports.list, (self.handle, ptr, len, FOLLOW, 0, 0, 0))?;
        let result = self.result()?;
        let pointers = self.bytes(result.data().0, 4 * result.count())?;
        let pointers = pointers.chunks_exact(4);
        pointers.map(|ptr| self.entry(u32::from_le_bytes(ptr.try_into().expect("4 bytes")))).collect()
    }

    /// An entry: a mode in octal digits, a space, the name, a NUL, and an id.
    fn entry(&self, ptr: u32) -> Result<Entry> {
        let text = self.exports.memory.data(&self.store).get(ptr as usize..).unwrap_or_default();
        let text = text.split(|&byte| byte == 0).next().unwrap_or_default();
        let space = text.iter().position(|&byte| byte == b' ').ok_or(Error::Status(Status::INVALID))?;
        let mode = text[..space].iter().fold(0, |mode, digit| mode << 3 | u32::from(digit & 7));
        Ok(Entry { name: text[space + 1..].to_vec(), kind: Kind::of_mode(mode) })
    }

    /// Puts a path where the core takes paths from.
    fn input(&mut self, path: &[u8]) -> Result<(u32, u32)> {
        if path.len() > INPUT_SIZE {
            return Err(Error::Status(Status::PATH_TOO_LONG));
        }
        let ptr = self.exports.input.call(&mut self.store, ())?;
        self.exports.memory.write(&mut self.store, ptr as usize, path).map_err(wasmi::Error::from)?;
        Ok((ptr, path.len() as u32))
    }

    fn call<P: WasmParams>(&mut self, export: TypedFunc<P, i32>, arguments: P) -> Result<()> {
        self.store.data_mut().error = None;
        match Status(export.call(&mut self.store, arguments)?) {
            Status::OK => Ok(()),
            status => Err(match self.store.data_mut().error.take() {
                Some(error) if status == Status::DEVICE_FAILED => Error::Device(error),
                _ => Error::Status(status),
            }),
        }
    }

    fn result(&mut self) -> Result<CoreResult> {
        let ptr = self.exports.result.call(&mut self.store, self.handle)?;
        Ok(CoreResult(self.bytes(ptr, RESULT_SIZE)?.try_into().expect("80 bytes")))
    }

    fn bytes(&self, ptr: u32, size: usize) -> Result<&[u8]> {
        let memory = self.exports.memory.data(&self.store);
        memory.get(range(ptr, size)).ok_or(Error::Status(Status::INVALID))
    }
}
