// What is embedded is what was built: each packed form unpacks to the plain one.
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { brotliDecompressSync, gunzipSync } from "node:zlib";

const ASSETS = join(import.meta.dirname, "../../assets");

test("each packed form of each file unpacks to the file", () => {
  const files = readdirSync(ASSETS, { recursive: true }).filter((name) => /\.(html|js|css)$/.test(name));
  assert.ok(files.length >= 3, files.join());
  for (const name of files) {
    const plain = readFileSync(join(ASSETS, name));
    assert.ok(gunzipSync(readFileSync(join(ASSETS, `${name}.gz`))).equals(plain), `${name}.gz`);
    assert.ok(brotliDecompressSync(readFileSync(join(ASSETS, `${name}.br`))).equals(plain), `${name}.br`);
  }
});
