package org.example.docteur;

import static java.nio.file.StandardOpenOption.READ;
import static java.nio.file.StandardOpenOption.WRITE;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.EOFException;
import java.io.IOException;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.Files;
import java.util.Arrays;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

class VolumeTest {
    private static final Core CORE = Core.load(Fixtures.DIST.resolve("core.wasm"));

    private static SeekableByteChannel image(String name) throws IOException {
        return Files.newByteChannel(Fixtures.FOLDER.resolve(name + ".img"));
    }

    @Test
    void readsEveryFileOfEveryImageInEveryMode() throws IOException {
        int count = 0;
        for (String name : Fixtures.IMAGES)
            for (Mode mode : Mode.values())
                try (var channel = image(name)) {
                    var volume = CORE.open(channel, mode);
                    for (var blob : Fixtures.blobs(name)) {
                        var id = Fixtures.blobId(volume.readAllBytes(blob.path()));
                        assertEquals(blob.id(), id, () -> name + ", " + mode + ": " + blob.path());
                        count++;
                    }
                }
        Fixtures.report("core.wasm", count);
    }

    @Test
    void listsDirectories() throws IOException {
        try (var channel = image("gitmodes")) {
            var volume = CORE.open(channel, Mode.LIGHT);
            var modes =
                    volume.list("/").stream()
                            .collect(Collectors.toMap(Volume.Entry::name, Volume.Entry::mode));
            assertEquals(0100644, modes.get("naïve 日本語.txt"));
            assertEquals(0120000, modes.get("dangling"));
            assertEquals(0040000, modes.get("dir"));
            assertTrue(volume.stat("/vendor/sub").isSubmodule());
            assertEquals(
                    volume.readAllBytes("/hello.txt").length, volume.stat("/link.txt").size());
        }
    }

    @Test
    void streamsFiles() throws IOException {
        try (var channel = image("aligned")) {
            var volume = CORE.open(channel, Mode.FAST);
            byte[] whole = volume.readAllBytes("/r.bin");
            try (var stream = volume.newInputStream("/r.bin")) {
                assertEquals(whole[0] & 0xff, stream.read());
                assertArrayEquals(
                        Arrays.copyOfRange(whole, 1, whole.length), stream.readAllBytes());
                assertEquals(-1, stream.read());
            }
        }
    }

    private static int statusOf(Executable action) {
        return assertThrows(DocteurException.class, action).status();
    }

    @Test
    void refuses() throws IOException {
        try (var channel = image("gitmodes")) {
            var volume = CORE.open(channel, Mode.LIGHT);
            assertEquals(DocteurException.NOT_FOUND, statusOf(() -> volume.readAllBytes("/nope")));
            assertEquals(
                    DocteurException.IS_A_DIRECTORY, statusOf(() -> volume.newInputStream("/dir")));
            assertEquals(DocteurException.NOT_A_DIRECTORY, statusOf(() -> volume.list("/hello.txt")));
            assertEquals(
                    DocteurException.PATH_TOO_LONG,
                    statusOf(() -> volume.stat("a".repeat(9000))));
        }
    }

    @Test
    void passesOnWhyTheChannelFailed() throws IOException {
        var path = Files.createTempFile("docteur", ".img");
        Files.write(path, Files.readAllBytes(Fixtures.FOLDER.resolve("delta.img")));
        try (var channel = Files.newByteChannel(path, READ, WRITE)) {
            var volume = CORE.open(channel, Mode.LIGHT);
            channel.truncate(0);
            var error =
                    assertThrows(
                            DocteurException.class,
                            () -> {
                                for (var blob : Fixtures.blobs("delta"))
                                    volume.readAllBytes(blob.path());
                            });
            assertEquals(DocteurException.DEVICE_FAILED, error.status());
            assertInstanceOf(EOFException.class, error.getCause());
        } finally {
            Files.delete(path);
        }
    }
}
