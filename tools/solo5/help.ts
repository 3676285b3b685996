/** The help of `solo5-wasm`, in the form that `tools/cli/help-text.ts` reads. */

/** For `--help`. No newline at its end. */
export const SOLO5_HELP = `usage: solo5-wasm [OPTION]... [--] GUEST [ARGUMENT]...
       solo5-wasm --help | --version

Runs GUEST, a unikernel for Solo5 that is a WebAssembly module. It has the block
devices that its manifest names, and nothing else of this machine. Each ARGUMENT
is passed to the guest.

PATH is a file, a block device, or the URL of an image (docs/DEVICES.md).
Options have the form that solo5-hvt gives them, with = and : as shown.

Options:
      --block:NAME=PATH
                     attach PATH as the block device NAME, read-only
      --block-sector-size:NAME=SECTORSIZE
                     the sector size of the block device NAME: a power of two,
                     at least 512 (default: 512)
      --mem=MB       the memory limit of the guest, in MB, from 1 to 4096
                     (default: 512)
      --timeout=DURATION
                     stop the guest after DURATION: a number of seconds, or a
                     number with s, m, h or d; 0 means never (default: never)
      --help         print this help
      --version      print the versions of the tender and of its ABI

The exit status is the guest's, or one of these:

Exit statuses:
    1  the guest was not started
    8  the output of the guest could not be written
  124  the guest was stopped at the time limit
  137  the guest did not react to being stopped, and was killed
  141  the reader of the output closed the pipe
  255  the guest aborted, trapped, or cost the engine too much memory

Example:
  solo5-wasm --block:docteur=disk.img simple.wasm --filename /README.md`;
