package org.example.docteur;

/** How an image finds its files. */
public enum Mode {
    /** Walks directories as they are needed. */
    LIGHT,
    /** Knows all paths. */
    FAST,
    /** Does not trust the image's index, and makes one. */
    ANALYZE
}
