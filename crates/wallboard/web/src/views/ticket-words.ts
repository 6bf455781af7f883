// What a ticket is, has to do and has behind it, in words and in order. Times are microseconds UTC.
import { TicketSeverity, TicketStatus, TicketTarget, TicketUrgency, type Ticket, type TicketDeadline } from "../gen/pegcount/v1/tickets_pb";
import { t } from "../text";
import type { Text } from "../text/en";

type Words = Text["tickets"];

/** The catalogue's word of a code of the contract: the code's name, in small letters. */
function word<Group extends "statuses" | "targets" | "severities" | "urgencies">(group: Group, codes: Record<number, string>, code: number): string {
  const name = codes[code]?.toLowerCase() ?? "";
  const words = t().tickets[group] as Record<string, string>;
  return words[name] ?? "–";
}

export const status = (code: TicketStatus): string => word("statuses", TicketStatus, code);
export const target = (code: TicketTarget): string => word("targets", TicketTarget, code);
export const severity = (code: TicketSeverity): string => word("severities", TicketSeverity, code);
export const urgency = (code: TicketUrgency): string => word("urgencies", TicketUrgency, code);

/** What happened, by the event's type; an unknown one by its own name. */
export function happened(type: string): string {
  const name = type.replace(/^ticket\./, "");
  return (t().tickets.events as Record<string, string>)[name] ?? name;
}

/** What became of a target. */
export const step = (name: string): string => (t().tickets.steps as Record<string, string>)[name] ?? name;

const runs = (one: TicketDeadline): boolean => one.fulfilledUs === undefined && one.withdrawnUs === undefined;

/** The target that is due first of those that run. */
export function nextDue(ticket: Ticket): TicketDeadline | undefined {
  const running = ticket.deadlines.filter((one) => runs(one) && one.dueUs !== undefined);
  return running.reduce<TicketDeadline | undefined>((best, one) => (!best || one.dueUs! < best.dueUs! ? one : best), undefined);
}

export type Fate = keyof Words["fates"];

/** How a target stands at an instant. */
export function fate(one: TicketDeadline, at: number): Fate {
  if (one.withdrawnUs !== undefined) return "withdrawn";
  const late = one.breached || (one.dueUs !== undefined && Number(one.dueUs) < (one.fulfilledUs === undefined ? at : Number(one.fulfilledUs)));
  if (one.fulfilledUs !== undefined) return late ? "late" : "met";
  if (late) return "breached";
  return one.dueUs === undefined ? "stands" : "runs";
}

/** A mark for each: never colour alone. */
export const FATE_MARKS: Record<Fate, string> = { met: "✓", late: "✗", breached: "⚠", runs: "◔", stands: "❚❚", withdrawn: "–" };
export const FATE_STYLES: Record<Fate, string> = { met: "ready", late: "lost", breached: "lost", runs: "occupied", stands: "away", withdrawn: "away" };

/** Targets that were missed, those that still run first. */
export const missed = (ticket: Ticket, at: number): TicketDeadline[] =>
  ticket.deadlines.filter((one) => ["breached", "late"].includes(fate(one, at))).sort((a, b) => Number(runs(b)) - Number(runs(a)));

const HOUR_US = 3_600_000_000;
/** Ages of the backlog: the first instant of each that is older. */
export const AGES = [1, 4, 24, 72, 168].map((hours) => hours * HOUR_US);

/** The place of an age among the columns, from 0: under an hour, under four, …, a week or more. */
export function ageOf(ticket: Ticket, at: number): number {
  const age = at - Number(ticket.openedUs);
  const place = AGES.findIndex((limit) => age < limit);
  return place < 0 ? AGES.length : place;
}

export const category = (ticket: Ticket): string => ticket.facts?.category ?? "";
