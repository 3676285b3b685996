/**
 * A block device that one thread serves to another. The other thread waits for the bytes (`Atomics.wait`), so that to it
 * the device is synchronous, whatever it is made of: HTTP, a Blob, a source of your own. Both threads share one buffer:
 *
 *     0   i32  state: idle, asked, answered, ended
 *     4   i32  the answer, one of `RESULT`
 *     8   f64  offset of the read
 *     16  i32  its length; of a failure, that of its text
 *     64  u8[] the bytes that were read, or why the read failed, as JSON
 *
 * A message tells the serving thread of a read: it need not wait for one itself.
 */
import { DocteurError } from "../errors.js";
import { type ErrorMessage, packError, unpackError } from "../threads/errors.js";
import { type BlockDevice, isValidRange, RESULT, type ReadResult, readWhenReady } from "./device.js";

const STATE = 0;
const ANSWER = 1;
const LENGTH = 4;
const OFFSET = 1;
const HEAD = 64;
const IDLE = 0;
const ASKED = 1;
const ANSWERED = 2;
const ENDED = 3;

/** Bytes that are read at once at the most, unless a block is larger. */
const ROOM = 1 << 20;

/** What of a `MessagePort` is used here, in browsers and in Node. */
interface Port {
  postMessage(message: unknown): void;
  onmessage: ((event: never) => unknown) | null;
  close(): void;
}

/** A device that another thread serves: can be posted to a thread, with its `port` in the list of what is transferred. */
export interface SharedDevice {
  readonly capacity: number;
  readonly blockSize: number;
  readonly memory: SharedArrayBuffer;
  readonly port: Port;
}

/** Serves a device to one other thread. */
export class DeviceServer {
  /** For the other thread. */
  readonly shared: SharedDevice;
  readonly #device: BlockDevice;
  readonly #port: Port;
  readonly #control: Int32Array;
  /** Why the last read failed. */
  #failure: unknown;

  /**
   * @param device is closed with the server
   * @param blockSize of the other thread's device: the device's own, or a multiple of it that divides its capacity
   * @throws DocteurError `InvalidArgument` where threads share no memory
   */
  constructor(device: BlockDevice, blockSize = device.blockSize) {
    if (typeof SharedArrayBuffer === "undefined")
      throw new DocteurError("InvalidArgument", "threads share no memory here", {
        hint: "a page that shares memory is cross-origin isolated: it has the headers COOP and COEP",
      });
    const { capacity } = device;
    const memory = new SharedArrayBuffer(HEAD + Math.max(ROOM, blockSize));
    const { port1, port2 } = new MessageChannel();
    this.#device = device;
    this.#port = port1 as unknown as Port;
    this.#control = new Int32Array(memory, 0, HEAD / 4);
    this.shared = { capacity, blockSize, memory, port: port2 as unknown as Port };
    this.#port.onmessage = () => void this.#serve();
  }

  /** Why the last read that failed has failed; undefined where none has. */
  get failure(): unknown {
    return this.#failure;
  }

  /** Ends the other thread's reads, and closes the device. */
  async close(): Promise<void> {
    this.#settle(ENDED);
    this.#port.close();
    await this.#device.close?.();
  }

  #settle(state: number): void {
    Atomics.store(this.#control, STATE, state);
    Atomics.notify(this.#control, STATE);
  }

  async #serve(): Promise<void> {
    const { memory } = this.shared;
    const [offset, length] = [new Float64Array(memory)[OFFSET]!, this.#control[LENGTH]!];
    let answer: number;
    try {
      // A device need not take views of shared memory.
      const bytes = new Uint8Array(length);
      answer = await readWhenReady(this.#device, offset, bytes);
      if (answer === RESULT.OK) new Uint8Array(memory, HEAD).set(bytes);
      else this.#tell(this.#device.failure ?? new DocteurError("DeviceFailed", "the device failed"));
    } catch (error) {
      answer = RESULT.EUNSPEC;
      this.#tell(error);
    }
    if (Atomics.load(this.#control, STATE) === ENDED) return;
    this.#control[ANSWER] = answer;
    this.#settle(ANSWERED);
  }

  /** Writes why a read has failed. */
  #tell(failure: unknown): void {
    this.#failure = failure;
    const room = new Uint8Array(this.shared.memory, HEAD);
    let text = new TextEncoder().encode(JSON.stringify(packError(failure)));
    if (text.length > room.length)
      text = new TextEncoder().encode(JSON.stringify({ internal: "a long error" }));
    room.set(text);
    this.#control[LENGTH] = text.length;
  }
}

/** A device that another thread serves, in the thread that waits for it. */
export class SharedClient implements BlockDevice {
  readonly capacity: number;
  readonly blockSize: number;
  readonly #shared: SharedDevice;
  readonly #control: Int32Array;
  #failure: unknown;

  /** @throws DocteurError `InvalidArgument` in a thread that must not wait: a browser's main thread */
  constructor(shared: SharedDevice) {
    this.capacity = shared.capacity;
    this.blockSize = shared.blockSize;
    this.#shared = shared;
    this.#control = new Int32Array(shared.memory, 0, HEAD / 4);
    try {
      Atomics.wait(this.#control, ANSWER, -1, 0);
    } catch (cause) {
      throw new DocteurError("InvalidArgument", "a page's main thread cannot wait for a device", {
        hint: "call openSync in a worker, or open, which does not wait",
        cause,
      });
    }
  }

  read(offset: number, target: Uint8Array): ReadResult {
    if (!isValidRange(this, offset, target.length)) return RESULT.EINVAL;
    const room = this.#shared.memory.byteLength - HEAD;
    const most = room - (room % this.blockSize);
    for (let at = 0; at < target.length; at += most) {
      const result = this.#ask(offset + at, target.subarray(at, at + most));
      if (result !== RESULT.OK) return result;
    }
    return RESULT.OK;
  }

  /** Why the last read answered EUNSPEC. */
  get failure(): unknown {
    return this.#failure;
  }

  #ask(offset: number, target: Uint8Array): ReadResult {
    const { memory, port } = this.#shared;
    const control = this.#control;
    new Float64Array(memory)[OFFSET] = offset;
    control[LENGTH] = target.length;
    if (Atomics.compareExchange(control, STATE, IDLE, ASKED) !== IDLE) return this.#end();
    port.postMessage(null);
    Atomics.wait(control, STATE, ASKED);
    if (Atomics.compareExchange(control, STATE, ANSWERED, IDLE) !== ANSWERED) return this.#end();
    const answer = control[ANSWER] as ReadResult;
    const bytes = new Uint8Array(memory, HEAD, control[LENGTH]);
    if (answer === RESULT.OK) target.set(bytes);
    else {
      // Text decoders take no views of shared memory.
      const text = new TextDecoder().decode(bytes.slice());
      this.#failure = unpackError(JSON.parse(text) as ErrorMessage);
    }
    return answer;
  }

  #end(): ReadResult {
    this.#failure = new DocteurError("Closed", "the thread that serves the device has closed it");
    return RESULT.EUNSPEC;
  }

  /** Tells the serving thread nothing: it closes the device when it likes. */
  close(): void {
    this.#shared.port.close();
  }
}
