package org.example.docteur;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;

/** The images of disk-fixtures/, and a line for the tables of docs/RUNTIMES.md. */
final class Fixtures {
    static final List<String> IMAGES =
            List.of("tiny", "modes", "aligned", "delta", "gitdelta", "gitmodes", "refdelta");

    private static final Path ROOT = Path.of("../../..").toAbsolutePath().normalize();
    static final Path DIST = ROOT.resolve("dist");
    static final Path FOLDER = ROOT.resolve("disk-fixtures");

    /** A file of an image, and the id that git gives to its content. */
    record Blob(String path, String id) {}

    static List<Blob> blobs(String image) throws IOException {
        return Files.readAllLines(FOLDER.resolve(image + ".blobs.txt")).stream()
                .map(line -> new Blob(line.substring(42), line.substring(0, 40)))
                .toList();
    }

    static String blobId(byte[] content) {
        try {
            var hash = MessageDigest.getInstance("SHA-1");
            hash.update(("blob " + content.length + "\0").getBytes(StandardCharsets.US_ASCII));
            return HexFormat.of().formatHex(hash.digest(content));
        } catch (NoSuchAlgorithmException error) {
            throw new AssertionError(error);
        }
    }

    static void report(String run, int count) {
        String line = "{\"runtime\":\"Chicory\",\"version\":\"%s\",\"run\":\"%s\",\"count\":%d}%n";
        System.out.printf(line, System.getProperty("chicory.version"), run, count);
    }

    private Fixtures() {}
}
