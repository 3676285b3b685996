package docteur

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"sync"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

const (
	blockSize = 512
	inputSize = 8192    // of the core's buffer for paths
	pieceSize = 1 << 20 // what a call of read asks for
)

// Flags of stat, list and read.
const (
	follow = 1
	sizes  = 4
)

// Volume is an open image. It implements the interfaces of io/fs, and its methods may be called from many goroutines.
type Volume struct {
	// Commit is the id of the commit that the image holds.
	Commit string
	// Time is the committer's. It is the zero time if the commit has none that git can read.
	Time time.Time

	device Device
	module api.Module

	mu        sync.Mutex // held while the instance runs
	called    *sync.Cond // an operation was called, or a handle came back
	handles   []uint64   // those not in use
	deviceErr error      // why the device failed during the last call
}

// Open opens an image.
func (c *Core) Open(ctx context.Context, device Device, mode Mode) (*Volume, error) {
	// An instance without a name: a runtime can have many.
	module, err := c.runtime.InstantiateModule(ctx, c.module, wazero.NewModuleConfig().WithName(""))
	if err != nil {
		return nil, err
	}
	v := &Volume{device: device, module: module}
	v.called = sync.NewCond(&v.mu)
	if err := v.mount(ctx, mode); err != nil {
		return nil, errors.Join(err, module.Close(ctx))
	}
	return v, nil
}

// Close frees the instance. No other method may run, or be called afterwards.
func (v *Volume) Close() error {
	return v.module.Close(context.Background())
}

func (v *Volume) mount(ctx context.Context, mode Mode) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if s := v.status("mountBegin", 0, uint64(v.device.Size()), blockSize, uint64(mode), 0); s != statusOK {
		return s
	}
	err := v.run(ctx, func(handle uint64) Status { return v.status("mount", handle) }, func(result) error { return nil })
	if err != nil {
		return err
	}
	info := v.bytes(uint32(v.call("info")), 48)
	if seconds := int64(binary.LittleEndian.Uint64(info)); seconds != math.MinInt64 {
		v.Time = time.Unix(seconds, 0).UTC()
	}
	v.Commit = hex.EncodeToString(info[8:28])
	return nil
}

// call calls an export that returns one value.
func (v *Volume) call(name string, args ...uint64) uint64 {
	v.deviceErr = nil
	ctx := context.WithValue(context.Background(), volumeKey{}, v)
	results, err := v.module.ExportedFunction(name).Call(ctx, args...)
	if err != nil {
		panic(fmt.Errorf("docteur: the core trapped: %w", err)) // It does not, unless the host breaks the ABI.
	}
	return results[0]
}

func (v *Volume) status(name string, args ...uint64) Status {
	return Status(v.call(name, args...))
}

// bytes is a view of the core's memory, which the next call may invalidate.
func (v *Volume) bytes(ptr, size uint32) []byte {
	view, ok := v.module.Memory().Read(ptr, size)
	if !ok {
		panic("docteur: a pointer outside the core's memory")
	}
	return view
}

// result is the core's result struct, 80 bytes.
type result []byte

func (r result) u32(offset int) uint32  { return binary.LittleEndian.Uint32(r[offset:]) }
func (r result) u64(offset int) uint64  { return binary.LittleEndian.Uint64(r[offset:]) }
func (r result) kind() uint32           { return r.u32(0) }
func (r result) size() int64            { return int64(r.u64(8)) }
func (r result) data() (uint32, uint32) { return r.u32(24), r.u32(28) }
func (r result) count() uint32          { return r.u32(32) }
func (r result) sizes() uint32          { return r.u32(36) }
func (r result) waitsFor() uint32       { return r.u32(76) }

// run begins an operation, waits for as long as it answers AGAIN, and gives its result to take, which must copy what it
// wants to keep. v.mu must be held; it is released while the operation waits.
func (v *Volume) run(ctx context.Context, begin func(handle uint64) Status, take func(result) error) error {
	handle := v.handle()
	defer func() {
		v.handles = append(v.handles, handle)
		v.called.Broadcast()
	}()
	status := begin(handle)
	for ; status == statusAgain; status = v.status("resume", handle) {
		v.called.Broadcast()
		if v.result(handle).waitsFor() != 0 {
			v.called.Wait()
		} else if err := v.wait(ctx); err != nil {
			v.module.ExportedFunction("cancel").Call(context.Background(), handle)
			return err
		}
	}
	if status == StatusDevice && v.deviceErr != nil {
		return fmt.Errorf("%w: %w", status, v.deviceErr)
	}
	if status != statusOK {
		return status
	}
	return take(v.result(handle))
}

func (v *Volume) result(handle uint64) result {
	return v.bytes(uint32(v.call("result", handle)), 80)
}

// wait lets others use the instance while the device fetches.
func (v *Volume) wait(ctx context.Context) error {
	v.mu.Unlock()
	defer v.mu.Lock()
	return v.device.(Waiter).Wait(ctx)
}

// handle takes a handle that is free, makes another, or waits for one.
func (v *Volume) handle() uint64 {
	for len(v.handles) == 0 {
		if handle := v.call("operation"); handle != 0 {
			return handle
		}
		v.called.Wait()
	}
	last := len(v.handles) - 1
	handle := v.handles[last]
	v.handles = v.handles[:last]
	return handle
}

// onPath runs an operation on a path: an export whose arguments are a handle, a path, and rest.
func (v *Volume) onPath(export, path string, take func(result) error, rest ...uint64) error {
	if len(path) > inputSize {
		return StatusNotFound
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	begin := func(handle uint64) Status {
		input := uint32(v.call("input"))
		copy(v.bytes(input, inputSize), path)
		return v.status(export, append([]uint64{handle, uint64(input), uint64(len(path))}, rest...)...)
	}
	return v.run(context.Background(), begin, take)
}
