package org.example.docteur;

import java.io.IOException;

/** A status other than 0. docs/ABI.md says what each means. */
public final class DocteurException extends IOException {
    public static final int INVALID = 2;
    public static final int DEVICE_FAILED = 3;
    public static final int NOT_FOUND = 16;
    public static final int IS_A_DIRECTORY = 17;
    public static final int NOT_A_DIRECTORY = 18;
    public static final int PATH_TOO_LONG = 33;

    private static final long serialVersionUID = 1;

    private final int status;

    DocteurException(int status, String path, IOException cause) {
        super(path + ": status " + status, cause);
        this.status = status;
    }

    public int status() {
        return status;
    }
}
