/** Ruby, compiled for WASI: with its standard library inside, and without. */
import { readFileSync } from "node:fs";
import { Fd, WASI } from "@bjorn3/browser_wasi_shim";
import { importFrom, pathFrom } from "./embedded.js";

/** The modules, as files of their package. */
export const RUBY = "@ruby/3.4-wasm-wasi/dist/ruby.wasm";
export const WHOLE_RUBY = "@ruby/3.4-wasm-wasi/dist/ruby+stdlib.wasm";

/** Where the build that has it finds its standard library. */
const LIBRARY = "/usr/local/lib/ruby/3.4.0";

export interface Ruby {
  eval(code: string): { toString(): string };
}

/** A standard stream that is neither read nor shown. */
class Silent extends Fd {
  override fd_write(data: Uint8Array): { ret: number; nwritten: number } {
    return { ret: 0, nwritten: data.length };
  }
}

/** Starts one of the modules. @param directories what it finds open */
export async function startRuby(name: string, ...directories: Fd[]): Promise<Ruby> {
  const { RubyVM } = await importFrom<{
    RubyVM: { instantiateModule(options: object): Promise<{ vm: Ruby }> };
  }>("libraries", "@ruby/wasm-wasi");
  const module = new WebAssembly.Module(readFileSync(pathFrom("libraries", name)));
  const streams = [new Silent(), new Silent(), new Silent()];
  const wasip1 = new WASI(["ruby"], [], [...streams, ...directories], { debug: false });
  return (await RubyVM.instantiateModule({ module, wasip1 })).vm;
}

/** The files of the standard library, out of the build that carries it. */
export async function standardLibrary(): Promise<Record<string, Buffer>> {
  const whole = await startRuby(WHOLE_RUBY);
  const listed = whole.eval(`
    require "json"
    files = Dir.glob("${LIBRARY}/**/*").select { |path| File.file?(path) }
    JSON.generate(files.to_h { |path| [path, [File.binread(path)].pack("m0")] })`);
  const files = JSON.parse(String(listed)) as Record<string, string>;
  return Object.fromEntries(
    Object.entries(files).map(([path, content]) => [
      path.slice(LIBRARY.length + 1),
      Buffer.from(content, "base64"),
    ]),
  );
}
