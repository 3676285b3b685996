/** A server of one git repository by smart HTTP on the loopback, which takes its time: for benchmarks. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { basename, dirname } from "node:path";
import { serveByBackend } from "./git-servers.js";

/** A repository on a server that takes its time. git itself runs in other processes. */
export class SlowGitServer {
  readonly url: string;
  readonly #server: Server;
  /** Requests that have come, and bytes of their answers' bodies. */
  requests = 0;
  bytes = 0;

  private constructor(server: Server, name: string) {
    this.#server = server;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/${name}`;
  }

  /**
   * @param repository a bare repository's folder
   * @param latency milliseconds before it answers
   */
  static async start(repository: string, latency: number): Promise<SlowGitServer> {
    const server = createServer();
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    const self = new SlowGitServer(server, basename(repository));
    server.on("request", (request, response) => {
      self.requests++;
      const write = response.write.bind(response) as (part: Uint8Array) => boolean;
      response.write = ((part: Uint8Array) => {
        self.bytes += part.length;
        return write(part);
      }) as typeof response.write;
      setTimeout(() => serveByBackend(dirname(repository), true, request, response), latency);
    });
    return self;
  }

  stop(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}
