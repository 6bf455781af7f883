// Debian's Chromium, driven by playwright-core. Whatever a page complains of in its console fails the test that used it.
import assert from "node:assert/strict";
import { existsSync, mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { chromium } from "playwright-core";

const CHROMIUM = process.env.CHROMIUM ?? ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(existsSync);
const AXE = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
export const OUT = join(import.meta.dirname, "../out");

export async function launch() {
  assert.ok(CHROMIUM, "no Chromium: install the package `chromium`, or name it in CHROMIUM");
  return chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox", "--disable-gpu"] });
}

/** A page of its own session. `complaints` may hold patterns of what is expected in the console. */
export async function open(browser, address, { width = 1280, height = 800, expected = [], ...more } = {}) {
  const context = await browser.newContext({ viewport: { width, height }, locale: "en-GB", ...more });
  context.setDefaultTimeout(20_000);
  const page = await context.newPage();
  const complaints = [];
  page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.complaints = () => complaints.filter((text) => !expected.some((pattern) => pattern.test(text)));
  if (process.env.FRESH) await fresh(context);
  await page.goto(address);
  return page;
}

/** With FRESH set, the page of ../assets instead of the one that the binary embeds: for trying a change at once. */
async function fresh(context) {
  const assets = join(import.meta.dirname, "../../../assets");
  await context.route(/\/(assets\/[^?]*)?([?#]|$)/, (route) => {
    const { pathname } = new URL(route.request().url());
    return route.fulfill({ path: join(assets, pathname === "/" ? "index.html" : pathname) });
  });
}

/** Closes a page that must have complained of nothing. */
export async function close(page) {
  const complaints = page.complaints();
  await page.context().close();
  assert.deepEqual(complaints, []);
}

/** The overview, with figures in it. */
export async function figures(page) {
  await page.waitForSelector("table.queues tbody tr");
  await page.waitForFunction(() => /\d/.test(document.querySelector('[data-table="totalDay"][data-column="aht"]')?.textContent ?? ""));
}

/** axe-core finds nothing; of all rules, or of those alone that are named. */
export async function accessible(page, what, rules) {
  if (!(await page.evaluate(() => "axe" in window))) await page.context().newCDPSession(page).then((session) => inject(page, session));
  const found = await page.evaluate((only) => window.axe.run(document, { runOnly: only }), rules ?? ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]);
  const told = found.violations.map((one) => `${one.id}: ${one.help}: ${one.nodes.slice(0, 3).map((node) => `${node.target} ${node.failureSummary}`).join(" | ")}`);
  assert.deepEqual(told, [], what);
}

/** Past the page's own policy, which rightly runs no script from elsewhere. */
async function inject(page, session) {
  const { readFileSync } = await import("node:fs");
  await session.send("Runtime.evaluate", { expression: readFileSync(AXE, "utf8") });
  await session.detach();
}

/** A picture, to look at. */
export async function picture(page, name) {
  mkdirSync(OUT, { recursive: true });
  await page.screenshot({ path: join(OUT, `${name}.png`) });
}
