// What definitions say of how long an agent may be away, talk, and work at the desk.
import { create } from "@bufbuild/protobuf";
import { Comparison, TargetLevel, AllowanceDefinitionSchema, type AllowanceDefinition, type Definition, type TargetDefinition } from "../gen/pegcount/v1/definitions_pb";
import { serverNow } from "../live/clock";
import { definitions } from "../live/rpc";
import type { Standing } from "./agent-state";

/** How a running time stands to its limit: near it, past a target for the average, or past what is allowed. */
export type Grade = "near" | "target" | "over";

/** A mark for each: never colour alone. */
export const GRADE_MARKS: Record<Grade, string> = { near: "◔", target: "▲", over: "⚠" };
export const GRADE_STYLES: Record<Grade, string> = { near: "warn", target: "warn", over: "bad" };

/** From this share of a limit on it is near. */
const NEAR = 0.8;

export interface Limit {
  /** Microseconds. */
  us: number;
  /** It is what an average should be, and no limit of a single one. */
  isTarget: boolean;
}

export interface Limits {
  /** Whether any allowance limits the time away altogether. */
  allows: boolean;
  /** Reasons that do not count against an allowance. */
  productive: Set<string>;
  /** What an agent of a team is allowed today; absent: all. */
  allowance(team: string): AllowanceDefinition | undefined;
  /** For how long a state may last; absent: for as long as it likes. */
  limit(standing: Standing, agent: string, team: string): Limit | undefined;
  /** A queue's service level threshold, microseconds; absent: the formula's. */
  threshold(queue: string): number | undefined;
}

/** The last one of each id that is in force by `at`. */
function inForce<Kind extends NonNullable<Definition["definition"]["case"]>>(known: Definition[], kind: Kind, at: number) {
  type Value = Extract<Definition["definition"], { case: Kind }>["value"];
  const of = known.filter((one) => one.definition.case === kind && Number(one.validFromUs) <= at);
  return of.sort((a, b) => Number(a.validFromUs - b.validFromUs)).map((one) => one.definition.value as Value);
}

/** A target's value as microseconds, if it says how long something should take at most. */
function longest(target: TargetDefinition): number | undefined {
  const atMost = target.comparison === Comparison.AT_MOST || target.comparison === Comparison.BELOW;
  return atMost && target.valueMillionths !== undefined ? Number(target.valueMillionths) : undefined;
}

/** The columns that say how long talk and desk work take on average. */
const AVERAGES = { talk: "aht_talk", desk: "after_call_average" } as const;
const DESK = new Set(["after_call"]);
const TALK = new Set(["talking", "held", "consulting", "conferenced", "interrupted"]);

export async function loadLimits(site: string, dayFrom: number): Promise<Limits> {
  const known = (await definitions.listDefinitions({ site })).definitions;
  const now = serverNow();
  const reasons = new Map(inForce(known, "reason", now).map((one) => [one.reason, one]));
  const queues = new Map(inForce(known, "queue", now).map((one) => [one.queue, one]));
  const targets = new Map(inForce(known, "target", now).map((one) => [one.target, one]));
  // The one in force when the day begins holds for the whole of it.
  const allowances = new Map(inForce(known, "allowance", dayFrom).map((one) => [one.team, one]));
  const allowance = (team: string) => allowances.get(team) ?? allowances.get("");

  const target = (column: string, queue: string, agent: string, team: string): Limit | undefined => {
    const of = [...targets.values()].filter((one) => one.column === column);
    const levels: [TargetLevel, string][] = [[TargetLevel.AGENT, agent], [TargetLevel.QUEUE, queue], [TargetLevel.TEAM, team], [TargetLevel.SITE, ""]];
    for (const [level, who] of levels) {
      const exact = of.find((one) => one.level === level && one.of === who && longest(one));
      const found = exact ?? of.find((one) => one.level === level && one.of === "" && longest(one));
      const us = found && longest(found);
      if (us) return { us, isTarget: true };
    }
    return undefined;
  };
  return {
    allows: [...allowances.values()].some((one) => one.totalUs !== undefined),
    productive: new Set([...reasons.values()].filter((one) => one.productive).map((one) => one.reason)),
    allowance,
    threshold: (queue) => Number(queues.get(queue)?.thresholdUs ?? 0n) || undefined,
    limit({ word, detail }, agent, team) {
      if (word === "away") {
        const own = (allowance(team) ?? create(AllowanceDefinitionSchema)).reasons.find((one) => one.reason === detail)?.longestUs;
        const us = Number(own ?? reasons.get(detail)?.longestUs ?? 0n);
        return us ? { us, isTarget: false } : undefined;
      }
      if (DESK.has(word)) {
        const timer = Number(queues.get(detail)?.afterCallTimerUs ?? 0n);
        return timer ? { us: timer, isTarget: false } : target(AVERAGES.desk, detail, agent, team);
      }
      return TALK.has(word) ? target(AVERAGES.talk, detail, agent, team) : undefined;
    },
  };
}

/** How so long a time stands to a limit. */
export function grade(us: number | null, limit: Limit | undefined): Grade | undefined {
  if (us === null || !limit) return undefined;
  if (us > limit.us) return limit.isTarget ? "target" : "over";
  return us > limit.us * NEAR ? "near" : undefined;
}
