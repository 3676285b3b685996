package org.example.docteur;

import com.dylibso.chicory.runtime.HostFunction;
import com.dylibso.chicory.runtime.ImportValues;
import com.dylibso.chicory.runtime.Instance;
import com.dylibso.chicory.runtime.Memory;
import com.dylibso.chicory.wasm.types.FunctionType;
import com.dylibso.chicory.wasm.types.ValType;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.SeekableByteChannel;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** An open image. Only one thread at a time may use it. */
public final class Volume {
    private static final int BLOCK_SIZE = 512;
    private static final int INPUT_SIZE = 8192;
    private static final int PIECE_SIZE = 1 << 20;

    private static final int OK = 0;
    private static final int FOLLOW = 1;
    private static final int SIZES = 4;

    /** Offsets of fields of the core's result struct. */
    private static final int RESULT_MODE = 4;

    private static final int RESULT_SIZE = 8;
    private static final int RESULT_DATA = 24;
    private static final int RESULT_BYTES = 28;
    private static final int RESULT_COUNT = 32;

    /** What a path leads to: the mode as git writes it, and the size of its content in bytes. */
    public record Stat(int mode, long size) {
        public boolean isDirectory() {
            return mode >> 12 == 004 || isSubmodule();
        }

        /** A submodule is an empty directory: its content is not in the image. */
        public boolean isSubmodule() {
            return mode >> 12 == 016;
        }
    }

    /** An entry of a directory, with its mode as git writes it. */
    public record Entry(String name, int mode) {}

    private final SeekableByteChannel channel;
    private final Instance instance;
    private final long handle;
    private IOException deviceError;

    Volume(Instance.Builder builder, SeekableByteChannel channel, Mode mode) throws IOException {
        this.channel = channel;
        var type =
                FunctionType.of(
                        List.of(ValType.I64, ValType.I64, ValType.I32, ValType.I32),
                        List.of(ValType.I32));
        var blockRead =
                new HostFunction(
                        "solo5",
                        "block_read",
                        type,
                        (caller, args) ->
                                new long[] {
                                    blockRead(caller.memory(), args[1], (int) args[2], (int) args[3])
                                });
        this.instance =
                builder.withImportValues(ImportValues.builder().addFunction(blockRead).build())
                        .build();
        check(call("mountBegin", 0, channel.size(), BLOCK_SIZE, mode.ordinal(), 0), "mountBegin");
        // A channel answers at once: no more than one operation is ever under way.
        this.handle = call("operation");
        check(call("mount", handle), "mount");
    }

    /** Says what a path leads to. Symbolic links are followed. */
    public Stat stat(String path) throws IOException {
        int result = onPath("stat", path, FOLLOW | SIZES);
        var memory = instance.memory();
        return new Stat(memory.readInt(result + RESULT_MODE), memory.readLong(result + RESULT_SIZE));
    }

    /** Returns the entries of a directory, sorted by the bytes of their names. */
    public List<Entry> list(String path) throws IOException {
        int result = onPath("list", path, FOLLOW, 0, 0, 0);
        var memory = instance.memory();
        int pointers = memory.readInt(result + RESULT_DATA);
        int count = memory.readInt(result + RESULT_COUNT);
        var entries = new ArrayList<Entry>(count);
        for (int i = 0; i < count; i++) {
            // A mode in octal digits, a space, the name, a NUL, and an id.
            String text = memory.readCString(memory.readInt(pointers + 4 * i), StandardCharsets.UTF_8);
            int space = text.indexOf(' ');
            entries.add(
                    new Entry(text.substring(space + 1), Integer.parseInt(text, 0, space, 8)));
        }
        return entries;
    }

    /** Returns the content of a file. */
    public byte[] readAllBytes(String path) throws IOException {
        var content = new ByteArrayOutputStream();
        byte[] piece;
        while ((piece = read(path, content.size(), PIECE_SIZE)).length > 0) content.writeBytes(piece);
        return content.toByteArray();
    }

    /** Returns a piece of a file, of at most {@code count} bytes. It is empty only at the end. */
    public byte[] read(String path, long position, int count) throws IOException {
        int result = onPath("read", path, FOLLOW, position, count);
        var memory = instance.memory();
        return memory.readBytes(
                memory.readInt(result + RESULT_DATA), memory.readInt(result + RESULT_BYTES));
    }

    /** Opens a file. Only what is read is inflated and held. */
    public InputStream newInputStream(String path) throws IOException {
        if (stat(path).isDirectory())
            throw new DocteurException(DocteurException.IS_A_DIRECTORY, path, null);
        return new InputStream() {
            private long position;

            @Override
            public int read() throws IOException {
                var one = new byte[1];
                return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
            }

            @Override
            public int read(byte[] buffer, int offset, int length) throws IOException {
                if (length == 0) return 0;
                byte[] piece = Volume.this.read(path, position, Math.min(length, PIECE_SIZE));
                if (piece.length == 0) return -1;
                System.arraycopy(piece, 0, buffer, offset, piece.length);
                position += piece.length;
                return piece.length;
            }
        };
    }

    /** The one import of the core. */
    private int blockRead(Memory memory, long offset, int target, int size) {
        var buffer = ByteBuffer.allocate(size);
        try {
            channel.position(offset);
            while (buffer.hasRemaining())
                if (channel.read(buffer) < 0) throw new EOFException("the image ends early");
        } catch (IOException error) {
            deviceError = error;
            return DocteurException.DEVICE_FAILED;
        }
        memory.write(target, buffer.array());
        return OK;
    }

    private int call(String name, long... arguments) {
        deviceError = null;
        return (int) instance.export(name).apply(arguments)[0];
    }

    /**
     * Calls an export whose arguments are a handle, a path, and others.
     *
     * @return where the result struct is. What it points to is valid until the next operation.
     */
    private int onPath(String name, String path, long... rest) throws IOException {
        byte[] text = path.getBytes(StandardCharsets.UTF_8);
        if (text.length > INPUT_SIZE)
            throw new DocteurException(DocteurException.PATH_TOO_LONG, path, null);
        int input = call("input");
        instance.memory().write(input, text);
        var arguments = new long[3 + rest.length];
        arguments[0] = handle;
        arguments[1] = input;
        arguments[2] = text.length;
        System.arraycopy(rest, 0, arguments, 3, rest.length);
        check(call(name, arguments), path);
        return call("result", handle);
    }

    private void check(int status, String path) throws DocteurException {
        if (status != OK) throw new DocteurException(status, path, deviceError);
    }
}
