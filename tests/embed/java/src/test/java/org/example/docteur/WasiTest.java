package org.example.docteur;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.dylibso.chicory.compiler.MachineFactoryCompiler;
import com.dylibso.chicory.runtime.ImportValues;
import com.dylibso.chicory.runtime.Instance;
import com.dylibso.chicory.runtime.Machine;
import com.dylibso.chicory.wasi.WasiExitException;
import com.dylibso.chicory.wasi.WasiOptions;
import com.dylibso.chicory.wasi.WasiPreview1;
import com.dylibso.chicory.wasm.Parser;
import com.dylibso.chicory.wasm.WasmModule;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.List;
import java.util.function.Function;
import org.junit.jupiter.api.Test;

/** The guest simple as a WASI command. */
class WasiTest {
    /** A run is a process to the guest, so that of large images a few files must do. */
    private static final int FILES_MAX = 20;

    private static final WasmModule GUEST =
            Parser.parse(Fixtures.DIST.resolve("guest/simple.wasi.wasm"));
    private static final Function<Instance, Machine> MACHINE = MachineFactoryCompiler.compile(GUEST);

    private static int cat(String image, String path, ByteArrayOutputStream stdout) {
        var options =
                WasiOptions.builder()
                        .withArguments(
                                List.of("simple", "--block:docteur=" + image, "--filename", path))
                        .withDirectory(".", Fixtures.FOLDER)
                        .withStdout(stdout)
                        .build();
        try (var wasi = WasiPreview1.builder().withOptions(options).build()) {
            var imports = ImportValues.builder().addFunction(wasi.toHostFunctions()).build();
            Instance.builder(GUEST).withMachineFactory(MACHINE).withImportValues(imports).build();
            return 0;
        } catch (WasiExitException exit) {
            return exit.exitCode();
        }
    }

    @Test
    void printsFiles() throws IOException {
        int count = 0;
        for (String name : Fixtures.IMAGES) {
            var blobs = Fixtures.blobs(name);
            for (int i = 0; i < blobs.size(); i += Math.max(1, blobs.size() / FILES_MAX)) {
                var stdout = new ByteArrayOutputStream();
                assertEquals(0, cat(name + ".img", blobs.get(i).path(), stdout));
                assertEquals(blobs.get(i).id(), Fixtures.blobId(stdout.toByteArray()));
                count++;
            }
        }
        var stdout = new ByteArrayOutputStream();
        assertEquals(1, cat("tiny.img", "/nope", stdout));
        assertEquals("Error: /nope not found.\n", stdout.toString());
        Fixtures.report("simple.wasi.wasm", count);
    }
}
