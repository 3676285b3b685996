package org.example.docteur;

import com.dylibso.chicory.compiler.MachineFactoryCompiler;
import com.dylibso.chicory.runtime.Instance;
import com.dylibso.chicory.runtime.Machine;
import com.dylibso.chicory.wasm.Parser;
import com.dylibso.chicory.wasm.WasmModule;
import java.io.IOException;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.Path;
import java.util.function.Function;

/** docteur's library core, compiled. It opens any number of images. */
public final class Core {
    private final WasmModule module;
    private final Function<Instance, Machine> machine;

    private Core(WasmModule module) {
        this.module = module;
        this.machine = MachineFactoryCompiler.compile(module);
    }

    /** Compiles core.wasm. Chicory has no SIMD on Java 17. */
    public static Core load(Path wasm) {
        return new Core(Parser.parse(wasm));
    }

    /**
     * Opens an image.
     *
     * @param channel the image, which the volume reads from until it is no longer used
     * @throws DocteurException if the image cannot be mounted
     */
    public Volume open(SeekableByteChannel channel, Mode mode) throws IOException {
        return new Volume(Instance.builder(module).withMachineFactory(machine), channel, mode);
    }
}
