// The tables of a view as they were known at the instant that the page is at (`known.ts`): each is asked for once.
import { create } from "@bufbuild/protobuf";
import { onCleanup } from "solid-js";
import { KpiUpdateSchema, type QueryKpiRequest } from "../gen/pegcount/v1/kpi_pb";
import { signOut } from "../frame/session";
import { during } from "./known";
import { isForGood, isTokenRefused, kpis, words } from "./rpc";
import type { WatchedTable } from "./watched";

/** So long until it asks again where there was no answer, milliseconds. */
const AGAIN_MS = 1_000;

interface Asked {
  query: QueryKpiRequest;
  table: WatchedTable;
}

/** Asks for all tables until the surrounding owner goes; tells the place of each that was filled. */
export function askPast(tables: Asked[], filled: (place: number) => void, refuse: (words: string) => void): void {
  const attempt = new AbortController();
  const { signal } = attempt;
  onCleanup(() => attempt.abort());

  const fill = async ({ query, table }: Asked, place: number): Promise<void> => {
    while (!signal.aborted) {
      try {
        const { columns, rows, asOfUs, position, olderDefinitions } = await kpis.queryKpi(query, { signal });
        table.take(create(KpiUpdateSchema, { snapshot: true, columns, rows, asOfUs, position, olderDefinitions }));
        return filled(place);
      } catch (error) {
        if (signal.aborted) return;
        if (isTokenRefused(error)) return signOut(words(error));
        if (isForGood(error)) return refuse(words(error));
        await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
      }
    }
  };
  // The first one makes the server fold the log's first part; the others find that done.
  const [first, ...others] = tables;
  void during(async () => {
    if (first) await fill(first, 0);
    await Promise.all(others.map((table, place) => fill(table, place + 1)));
  });
}
