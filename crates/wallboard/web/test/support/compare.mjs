// Holds a page and compares each of its figures with what the command line answers at the same instant and position.
import assert from "node:assert/strict";
import { SITE, ZONE } from "./centre.mjs";
import { rfc3339, shown } from "./expected.mjs";

/** The figures of a held page, with what their links say about themselves. */
const cells = (page) =>
  page.evaluate(() =>
    [...document.querySelectorAll("a.figure[data-table]")].map((link) => {
      link.dispatchEvent(new MouseEvent("mouseenter"));
      const what = new URLSearchParams(link.hash.split("?")[1]);
      return { text: link.textContent, table: link.dataset.table, ...Object.fromEntries(what) };
    }),
  );

/** The dimension and the value that a figure is cut by; none: the row of all. */
function cut({ cell }) {
  if (!cell) return [];
  const [by, ...value] = cell.split(":");
  return [by, value.join(":")];
}

/** The command line's question for a table of the page. */
const question = ({ column, from, to, last, as_of, position, known }, by) => [
  "kpi", "--site", SITE, "--time-zone", ZONE, "--columns", column,
  ...(known ? ["--known-at", known] : ["--as-of", rfc3339(as_of), "--known-at", position]),
  ...(last ? ["--last", `${Number(last) / 60e6}m`] : ["--from", rfc3339(from), "--to", rfc3339(to)]),
  ...(by ? ["--by", by] : []),
];

/** Holds a page and compares all its figures; says how many they were. */
export async function compare(page, centre) {
  await page.keyboard.press("p");
  await page.waitForSelector('[data-link="held"]');
  const all = await cells(page);
  await page.keyboard.press("p");
  return compareCells(centre, all);
}

/** Compares all figures of a page that stands still; says how many they were. */
export const compareAll = async (centre, page) => compareCells(centre, await cells(page));

async function compareCells(centre, all) {
  // One question for all columns and rows of a table.
  const tables = Map.groupBy(all, (cell) => [cell.table, cut(cell)[0], cell.from, cell.last, cell.as_of, cell.position].join());
  for (const group of tables.values()) {
    const columns = [...new Set(group.map((cell) => cell.column))].join(",");
    const answer = await centre.ask(question({ ...group[0], column: columns }, cut(group[0])[0]));
    for (const cell of group) {
      const [by, value] = cut(cell);
      const row = answer.rows.find((known) => !by || (known[by] ?? "") === value);
      const expected = row ? shown(cell.column, row) : "–";
      assert.equal(cell.text, expected, `${cell.table} ${cell.cell} ${cell.column} from ${cell.from} at ${cell.position}`);
    }
  }
  return all.length;
}
