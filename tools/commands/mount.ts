/** `docteur mount`: an image as a directory of the system. */
import { type Command, parse } from "../cli/arguments.js";
import { EXIT, exitHelp } from "../cli/exit.js";
import { IMAGE_OPTIONS, imageHelp, imageOptions } from "../cli/image-options.js";
import { say } from "../cli/messages.js";
import { isInBackground, report, reportFailure, startInBackground } from "../mount/background.js";
import { mount } from "../mount/mount.js";

const HELP = `usage: docteur mount [OPTION]... IMAGE DIR

Mounts the files of IMAGE at DIR, read-only. DIR must be empty; it is made if it
is not there, and removed again when the mount ends. On Windows DIR is a drive,
such as X:.

A process in the background serves the image by WebDAV to this machine, with a
password that only the mount knows, and a program of the system mounts that:

  Linux    rclone with FUSE, or davfs2, which needs root
  macOS    mount_webdav, which is part of the system
  Windows  net use, with the service WebClient, which is part of the system

docteur unmount DIR ends both, and so does unmounting DIR in any other way.
Symbolic links show as what they lead to. All times are the commit's. rclone
shows no file as executable.

IMAGE is a file or a URL, such as https://host/disk.img (docs/DEVICES.md). Of an
image at a URL, only the parts that are read are fetched.

Options:
  -f, --foreground       stay in the foreground; SIGINT and SIGTERM unmount DIR
      --with PROGRAM     mount with rclone or davfs2 (default: the first that
                         can be used)
      --allow-other      let other users of this machine read DIR; for rclone,
                         /etc/fuse.conf must allow it
  -q, --quiet            print no closing line
${imageHelp(25)}
  -h, --help             print this help

${exitHelp([0, 4, 8, 10, 11, 16])}

Examples:
  docteur mount disk.img /mnt/docs
  docteur unmount /mnt/docs`;

const OPTIONS = {
  ...IMAGE_OPTIONS,
  foreground: { type: "boolean", short: "f" },
  with: { type: "string" },
  "allow-other": { type: "boolean" },
  quiet: { type: "boolean", short: "q" },
} as const;

const SIGNALS: readonly NodeJS.Signals[] = ["SIGINT", "SIGTERM", "SIGHUP"];

async function run(argv: string[]): Promise<number> {
  const { values, positionals } = parse(argv, OPTIONS, ["IMAGE", "DIR"]);
  const [image, directory] = positionals as [string, string];
  const open = imageOptions(values);
  const tell = (at: string, program: string): void => {
    if (!values.quiet) say(`${at}: ${image}, mounted with ${program}; docteur unmount ends it`);
  };
  if (!values.foreground && !isInBackground()) {
    const started = await startInBackground(["mount", ...argv]);
    tell(started.directory, started.program);
    return EXIT.ok;
  }
  const stop = new AbortController();
  const onSignal = (): void => stop.abort();
  for (const name of SIGNALS) process.on(name, onSignal);
  const isAlone = isInBackground();
  try {
    await mount(
      {
        ...{ image, directory, open, with: values.with, allowOther: values["allow-other"] === true },
        onMounted: (at, program) => (isAlone ? report({ directory: at, program }) : tell(at, program)),
      },
      stop.signal,
    );
    return EXIT.ok;
  } catch (error) {
    if (isAlone) reportFailure(error);
    throw error;
  } finally {
    for (const name of SIGNALS) process.off(name, onSignal);
  }
}

export const command: Command = {
  summary: "mount an image as a directory",
  help: HELP,
  options: OPTIONS,
  run,
};
