// A real server process, fed by the simulated centre with a fixed seed; and the real command line to compare with.
import { execFile, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";

const run = promisify(execFile);
export const BINARY = process.env.PEGCOUNT ?? join(import.meta.dirname, "../../../../../target/debug/pegcount");
export const SITE = "demo";
/** The zone of its days; not the browser's. */
export const ZONE = "Asia/Shanghai";

/** A port that nobody uses at the moment. */
export function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

export class Centre {
  #child;

  /** Starts a centre; `options` are the demo's. */
  static async start({ seed = 7, speed = 60, agents = 30, callsPerHour, port } = {}) {
    const centre = new Centre();
    centre.dir = mkdtempSync(join(tmpdir(), "wallboard-"));
    centre.port = port ?? (await freePort());
    centre.options = { seed, speed, agents, callsPerHour };
    await centre.begin();
    return centre;
  }

  /** Starts its process, also again after it was killed: on the same folder and port. */
  async begin() {
    const { seed, speed, agents, callsPerHour } = this.options;
    const args = ["demo", "--data-dir", this.dir, "--listen", `127.0.0.1:${this.port}`, "--seed", seed, "--speed", speed, "--agents", agents];
    if (callsPerHour) args.push("--calls-per-hour", callsPerHour);
    const child = spawn(BINARY, args.map(String), { stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, TZ: ZONE } });
    this.#child = child;
    let said = "";
    child.stderr.on("data", (text) => (said += text));
    const lines = createInterface({ input: child.stdout });
    this.page = await new Promise((resolve, reject) => {
      lines.on("line", (line) => {
        const found = /wallboard\s+(http\S+)/.exec(line);
        if (found) resolve(found[1]);
      });
      child.once("exit", (code) => reject(new Error(`the centre ended with ${code}: ${said}`)));
    });
    this.token = new URLSearchParams(new URL(this.page).hash.slice(1)).get("token");
    this.tokenFile = join(this.dir, "test-token");
    writeFileSync(this.tokenFile, this.token);
    this.url = `http://127.0.0.1:${this.port}`;
  }

  /** The power goes: SIGKILL. */
  async kill() {
    const child = this.#child;
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGKILL");
    await ended;
  }

  async end() {
    await this.kill();
    rmSync(this.dir, { recursive: true, force: true });
  }

  /** A token of another role. */
  async tokenOf(role, more = []) {
    const args = ["token", "--data-dir", this.dir, "--role", role, "--site", SITE, "--subject", `test-${role}`, ...more];
    return (await run(BINARY, args)).stdout.trim();
  }

  /** What the command line answers, as JSON. */
  async ask(args) {
    if (args[0] !== "ticket") return JSON.parse(await this.tell([...args, "--format", "json"]));
    // Tickets come a line for each.
    const said = await this.tell([...args, "--json"]);
    if (args[1] !== "list") return JSON.parse(said);
    return said.split("\n").filter((line) => line).map((line) => JSON.parse(line));
  }

  /** What the command line answers in lines, each of them JSON. */
  async list(args) {
    const said = await this.tell([...args, "--format", "json"]);
    return said.trim().split("\n").map((line) => JSON.parse(line));
  }

  /** What the command line says to this server, and writes. */
  async tell(args) {
    const { stdout } = await run(BINARY, [...args, "--server", this.url, "--token-file", this.tokenFile], { maxBuffer: 1 << 26 });
    return stdout;
  }
}
