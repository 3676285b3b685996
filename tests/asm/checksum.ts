/** The checksums' entry for their tests. */
export { adler32 } from "../../asm/checksum/adler32";
export { crc32 } from "../../asm/checksum/crc32";
export { sha1Final, sha1Init, sha1Update } from "../../asm/checksum/sha1";
export { SHA1_SIZE } from "../../asm/checksum/sha1-state";
export { sha1dcFinal, sha1dcInit, sha1dcUpdate } from "../../asm/checksum/sha1dc";
export { CONDITIONS_LEN, conditions, vectors } from "../../asm/checksum/sha1dc-vectors";
export { idEnd, idUpdate } from "../../asm/objects/object-id";
export { proofSet } from "../../asm/objects/proof";
