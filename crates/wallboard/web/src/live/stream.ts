// One stream for all that a view shows. It comes back by itself, with what it knows; a tab that slept does so at once. While the
// page is in the past, its tables are asked for once instead (`past.ts`), and the stream only says that the server is there.
// Invariant: a table that is shown is never older than what its token says.
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { batch, createEffect, createSignal, untrack, type Accessor } from "solid-js";
import type { AgentState } from "../gen/pegcount/v1/agents_pb";
import { QueryKpiRequestSchema, WatchKpiRequestSchema, type QueryKpiRequest } from "../gen/pegcount/v1/kpi_pb";
import { WatchViewRequestSchema, type AgentsUpdate, type ViewUpdate } from "../gen/pegcount/v1/wallboard_pb";
import { heard, heldAt } from "./clock";
import { known, setWithoutPast } from "./known";
import { keepOpen } from "./open";
import { askPast } from "./past";
import { wallboard, words } from "./rpc";
import { WatchedTable } from "./watched";

const PER_SECOND = 4;

/** A table of a view, drawn anew with each update unless it is held. */
export interface LiveTable {
  query: QueryKpiRequest;
  table: WatchedTable;
  /** Changes with each update that is shown. */
  version: Accessor<number>;
}

/** Agents as they are now, by id. */
export interface LiveAgents {
  states: Map<string, AgentState>;
  version: Accessor<number>;
}

export interface View {
  tables: LiveTable[];
  agents: LiveAgents;
  /** Refused for good, in the server's words; empty: it is not. */
  refused: Accessor<string>;
  /** It is as it was known at an instant of the past: agents' states are then left out, they have none. */
  past: boolean;
}

type Asked = MessageInitShape<typeof QueryKpiRequestSchema> & { lastUs?: bigint };

/** Fills a view until the surrounding owner goes: by a stream, or as it was known at the instant that the page is at. */
export function watchView(site: string, asked: Asked[], agents: boolean): View {
  const [refused, setRefused] = createSignal("");
  const bumps: (() => void)[] = [];
  const tables = asked.map((query): LiveTable => {
    const [version, setVersion] = createSignal(0);
    bumps.push(() => setVersion((before) => before + 1));
    return {
      query: create(QueryKpiRequestSchema, { ...query, site, $typeName: undefined }),
      table: new WatchedTable(query.lastUs !== undefined),
      version,
    };
  });
  const [agentsVersion, setAgentsVersion] = createSignal(0);
  const states = new Map<string, AgentState>();

  // While figures are held, what comes is let go: afterwards the stream begins again from what is shown.
  let missed = false;
  const told = (update: ViewUpdate) => {
    heard(Number(update.nowUs), update.speed);
    const { change } = update;
    if (heldAt() !== null) {
      missed ||= change.case !== undefined;
    } else if (change.case === "table" && change.value.update) {
      tables[change.value.table]?.table.take(change.value.update);
      bumps[change.value.table]?.();
    } else if (change.case === "agents") {
      lay(states, change.value);
      setAgentsVersion((before) => before + 1);
    }
  };
  const past = untrack(known) !== null;
  if (past) {
    setWithoutPast(agents);
    askPast(tables, (place) => bumps[place]?.(), setRefused);
  }
  const request = () =>
    create(WatchViewRequestSchema, {
      site,
      agents: agents && !past,
      tables: (past ? [] : tables).map(({ query, table }) =>
        create(WatchKpiRequestSchema, { query, maxPerSecond: PER_SECOND, resumeToken: table.resumeToken as Uint8Array<ArrayBuffer> }),
      ),
    });
  const again = keepOpen(
    (signal) => wallboard.watchView(request(), { signal }),
    (update) => batch(() => told(update)),
    (error) => setRefused(words(error)),
  );
  createEffect(() => {
    if (heldAt() === null && missed) {
      missed = false;
      again();
    }
  });
  return { tables, agents: { states, version: agentsVersion }, refused, past };
}

function lay(states: Map<string, AgentState>, update: AgentsUpdate): void {
  if (update.snapshot) states.clear();
  for (const agent of update.gone) states.delete(agent);
  for (const state of update.agents) states.set(state.agent, state);
}
