/** The entry of a guest built as a WASI command. `guest` is not a file: the build puts the guest's `main.ts` there. */
import { solo5_app_main } from "./guest";
import { exit } from "./wasi";
import { boot } from "./wasi-tender";

export function _start(): void {
  boot();
  exit(solo5_app_main());
}
