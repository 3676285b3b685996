package docteur

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
)

var (
	_ fs.ReadDirFS  = (*Volume)(nil)
	_ fs.ReadFileFS = (*Volume)(nil)
	_ fs.ReadLinkFS = (*Volume)(nil)
	_ fs.StatFS     = (*Volume)(nil)
)

// linksMax is the number of symbolic links that a path may lead over.
const linksMax = 40

// Open opens a file or directory. It follows symbolic links.
func (v *Volume) Open(name string) (fs.File, error) {
	info, err := v.stat("open", name, follow)
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return &dir{volume: v, name: name, info: info}, nil
	}
	return &file{io.NewSectionReader(content{v, name}, 0, info.Size()), info}, nil
}

// Stat says what a path leads to. It follows symbolic links.
func (v *Volume) Stat(name string) (fs.FileInfo, error) {
	return v.stat("stat", name, follow)
}

// Lstat is Stat, but for a symbolic link as the last name it says that it is one.
func (v *Volume) Lstat(name string) (fs.FileInfo, error) {
	place, err := v.withoutLinks("lstat", name)
	if err != nil {
		return nil, err
	}
	info, err := v.stat("lstat", place, 0)
	if err != nil {
		return nil, err
	}
	info.name = path.Base(name)
	return info, nil
}

// ReadLink returns where a symbolic link leads.
func (v *Volume) ReadLink(name string) (string, error) {
	place, err := v.withoutLinks("readlink", name)
	if err != nil {
		return "", err
	}
	return v.readLink(name, place)
}

func (v *Volume) readLink(name, place string) (string, error) {
	info, err := v.stat("readlink", place, 0)
	if err != nil {
		return "", err
	}
	if info.Mode().Type() != fs.ModeSymlink {
		return "", &fs.PathError{Op: "readlink", Path: name, Err: fs.ErrInvalid}
	}
	target := make([]byte, info.Size())
	_, err = content{v, place}.read(target, 0, 0)
	return string(target), err
}

// withoutLinks replaces the symbolic links in a path, but not its last name: the core follows all links, or none.
func (v *Volume) withoutLinks(op, name string) (string, error) {
	if !fs.ValidPath(name) {
		return "", &fs.PathError{Op: op, Path: name, Err: fs.ErrInvalid}
	}
	done, rest := ".", strings.Split(name, "/")
	for links := 0; len(rest) > 1; {
		next := join(done, rest[0])
		rest = rest[1:]
		info, err := v.stat(op, next, 0)
		if err != nil {
			return "", &fs.PathError{Op: op, Path: name, Err: errors.Unwrap(err)}
		}
		if info.Mode().Type() != fs.ModeSymlink {
			done = next
			continue
		}
		if links++; links > linksMax {
			return "", &fs.PathError{Op: op, Path: name, Err: StatusLoop}
		}
		target, err := v.readLink(name, next)
		if err != nil {
			return "", err
		}
		if strings.HasPrefix(target, "/") {
			done = "."
		}
		rest = slices.Concat(strings.Split(strings.Trim(target, "/"), "/"), rest)
	}
	return join(done, rest[0]), nil
}

// join joins paths. Like the core, it stays in the root.
func join(dir, name string) string {
	return path.Join(".", path.Join("/", dir, name)[1:])
}

// ReadFile returns the content of a file.
func (v *Volume) ReadFile(name string) ([]byte, error) {
	info, err := v.stat("open", name, follow)
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return nil, &fs.PathError{Op: "read", Path: name, Err: StatusNotFile}
	}
	data := make([]byte, info.Size())
	_, err = content{v, name}.ReadAt(data, 0)
	return data, err
}

// ReadDir returns the entries of a directory, sorted by name.
func (v *Volume) ReadDir(name string) ([]fs.DirEntry, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: fs.ErrInvalid}
	}
	var entries []fs.DirEntry
	take := func(r result) error {
		pointers, _ := r.data()
		for i := range r.count() {
			entry := binary.LittleEndian.Uint32(v.bytes(pointers+4*i, 4))
			size := binary.LittleEndian.Uint64(v.bytes(r.sizes()+8*i, 8))
			mode, name := v.entry(entry)
			entries = append(entries, fs.FileInfoToDirEntry(&info{name, int64(size), mode, v.Time}))
		}
		return nil
	}
	err := v.onPath("list", name, take, follow|sizes, 0, 0, 0)
	if errors.Is(err, StatusNotDir) {
		// A submodule is an empty directory: what it holds is not in the image.
		if info, err := v.Stat(name); err == nil && info.IsDir() {
			return nil, nil
		}
	}
	if err != nil {
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: err}
	}
	return entries, nil
}

// entry reads an entry as git's trees have it: mode in octal digits, a space, the name, a NUL, an id.
func (v *Volume) entry(ptr uint32) (fs.FileMode, string) {
	text := v.bytes(ptr, v.module.Memory().Size()-ptr)
	text = text[:bytes.IndexByte(text, 0)]
	octal, name, _ := bytes.Cut(text, []byte(" "))
	mode, _ := strconv.ParseUint(string(octal), 8, 32)
	return fileMode(uint32(mode)), string(name)
}

func (v *Volume) stat(op, name string, flags uint64) (*info, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: op, Path: name, Err: fs.ErrInvalid}
	}
	found := &info{name: path.Base(name), time: v.Time}
	take := func(r result) error {
		found.mode, found.size = fileMode(r.u32(4)), r.size()
		return nil
	}
	if err := v.onPath("stat", name, take, flags|sizes); err != nil {
		return nil, &fs.PathError{Op: op, Path: name, Err: err}
	}
	return found, nil
}

// fileMode turns a mode of git's into one of Go's.
func fileMode(mode uint32) fs.FileMode {
	switch {
	case mode>>12 == 0o12:
		return fs.ModeSymlink | 0o777
	case mode>>12 != 0o10: // A directory, or a submodule, which is an empty one.
		return fs.ModeDir | 0o555
	case mode&0o111 != 0:
		return 0o555
	}
	return 0o444
}

// info implements fs.FileInfo.
type info struct {
	name string
	size int64
	mode fs.FileMode
	time time.Time
}

func (i *info) Name() string       { return i.name }
func (i *info) Size() int64        { return i.size }
func (i *info) Mode() fs.FileMode  { return i.mode }
func (i *info) ModTime() time.Time { return i.time }
func (i *info) IsDir() bool        { return i.mode.IsDir() }
func (i *info) Sys() any           { return nil }

// content is what a file holds, as an io.ReaderAt.
type content struct {
	volume *Volume
	name   string
}

func (c content) ReadAt(p []byte, offset int64) (int, error) {
	return c.read(p, offset, follow)
}

func (c content) read(p []byte, offset int64, flags uint64) (int, error) {
	done := 0
	for done < len(p) {
		n := 0
		take := func(r result) error {
			n = copy(p[done:], c.volume.bytes(r.data()))
			return nil
		}
		count := uint64(min(len(p)-done, pieceSize))
		if err := c.volume.onPath("read", c.name, take, flags, uint64(offset)+uint64(done), count); err != nil {
			return done, &fs.PathError{Op: "read", Path: c.name, Err: err}
		}
		if n == 0 {
			return done, io.EOF
		}
		done += n
	}
	return done, nil
}

// file is an open file. It is an io.Seeker and an io.ReaderAt, too.
type file struct {
	*io.SectionReader
	info *info
}

func (f *file) Stat() (fs.FileInfo, error) { return f.info, nil }
func (f *file) Close() error               { return nil }

// dir is an open directory. It reads its entries when they are first asked for.
type dir struct {
	volume  *Volume
	name    string
	info    *info
	entries []fs.DirEntry
	read    bool
}

func (d *dir) Stat() (fs.FileInfo, error) { return d.info, nil }
func (d *dir) Close() error               { return nil }

func (d *dir) Read([]byte) (int, error) {
	return 0, &fs.PathError{Op: "read", Path: d.name, Err: StatusNotFile}
}

func (d *dir) ReadDir(n int) ([]fs.DirEntry, error) {
	if !d.read {
		entries, err := d.volume.ReadDir(d.name)
		if err != nil {
			return nil, err
		}
		d.entries, d.read = entries, true
	}
	if n <= 0 {
		n = len(d.entries)
	} else if len(d.entries) == 0 {
		return nil, io.EOF
	}
	n = min(n, len(d.entries))
	list := d.entries[:n:n]
	d.entries = d.entries[n:]
	return list, nil
}
