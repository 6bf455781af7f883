// Holds what a page shows against what `pegcount kpi` answers to the same question, cell by cell.
import assert from "node:assert/strict";
import { SITE, ZONE } from "./centre.mjs";
import { rfc3339, shown } from "./expected.mjs";

/** The figures of live tables, with what their links say about themselves. */
export const cells = (page) =>
  page.evaluate(() =>
    [...document.querySelectorAll("a.figure[data-table]")].map((link) => {
      link.dispatchEvent(new MouseEvent("mouseenter"));
      const what = new URLSearchParams(link.hash.split("?")[1]);
      return { text: link.textContent, table: link.dataset.table, row: link.dataset.row, ...Object.fromEntries(what) };
    }),
  );

/** The command line's question for a table of the page. */
const question = ({ row, column, from, to, last, as_of, position, known }, by) => [
  "kpi", "--site", SITE, "--time-zone", ZONE, "--columns", column,
  ...(known ? ["--known-at", known] : ["--as-of", rfc3339(as_of), "--known-at", position]),
  ...(last ? ["--last", `${Number(last) / 60e6}m`] : ["--from", rfc3339(from), "--to", rfc3339(to)]),
  ...(by && row ? ["--by", by] : []),
];

/** Compares all figures that stand still in the page; how many they were. */
export async function compareAll(centre, page, by) {
  const tables = Map.groupBy(await cells(page), (cell) => [cell.table, cell.from, cell.last, cell.as_of, cell.position].join());
  let compared = 0;
  // One question for all columns and rows of a table.
  for (const group of tables.values()) {
    const columns = [...new Set(group.map((cell) => cell.column))].join(",");
    const answer = await centre.ask(question({ ...group[0], column: columns }, by));
    for (const cell of group) {
      const row = answer.rows.find((known) => !cell.row || known[by] === cell.row);
      assert.equal(cell.text, row ? shown(cell.column, row) : "–", `${cell.table} ${cell.row} ${cell.column} at ${cell.known ?? cell.position}`);
      compared += 1;
    }
  }
  return compared;
}
