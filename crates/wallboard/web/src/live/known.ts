// As it was known at: the instant that the whole page means while it travels in time. It stands in the address (`known=`).
// Invariant: while it is set, whatever is asked is asked as it was known then, or is refused in words; a view needs nothing for it.
import { Code, ConnectError, type Interceptor } from "@connectrpc/connect";
import { createMemo, createRoot, createSignal, untrack, type Accessor } from "solid-js";
import type { ExplainKpiRequest, QueryKpiRequest } from "../gen/pegcount/v1/kpi_pb";
import { instantOf, route } from "../frame/route";
import { t } from "../text";

/** The instant, microseconds UTC; null: now. */
export const known: Accessor<number | null> = createRoot(() => createMemo(() => instantOf(route().what.get("known"))));

const [pending, setPending] = createSignal(0);
const [withoutPast, setWithoutPast] = createSignal(false);

/** How many questions about the past have no answer yet. */
export { pending };
/** Whether the view wants something of which there is only the present. */
export { withoutPast, setWithoutPast };

/** Counts as waiting for an answer until it is over. */
export async function during<T>(work: () => Promise<T>): Promise<T> {
  setPending((before) => before + 1);
  try {
    return await work();
  } finally {
    setPending((before) => before - 1);
  }
}

/** What is the same at all times, or says itself which time it means. */
const TIMELESS = new Set(["WhoAmI", "DescribeKpis", "ListDefinitions", "ListCorrections", "ListRecomputations", "WatchView"]);

/** Lets every question ask for what was known then; what has no past is not asked at all. */
export const asKnown: Interceptor = (next) => (request) => {
  const at = untrack(known);
  const { name } = request.method;
  if (at === null || TIMELESS.has(name)) return next(request);
  if (request.stream || (name !== "QueryKpi" && name !== "ExplainKpi")) {
    setWithoutPast(true);
    return Promise.reject(new ConnectError(untrack(t).travel.noPast, Code.Unimplemented));
  }
  const query = name === "QueryKpi" ? (request.message as QueryKpiRequest) : (request.message as ExplainKpiRequest).query;
  if (query && query.knownAt.case === undefined) query.knownAt = { case: "knownAtUs", value: BigInt(at) };
  return during(() => next(request));
};
