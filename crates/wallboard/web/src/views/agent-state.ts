// What an agent does now, as one word with its mark and the instant since when.
import { ClockState, SlotState, type AgentState, type Slot } from "../gen/pegcount/v1/agents_pb";
import type { Text } from "../text/en";

export type StateWord = keyof Text["states"];

export interface Standing {
  word: StateWord;
  /** The away reason, or the queue; empty: none. */
  detail: string;
  /** Since when, microseconds UTC. */
  since: number;
  /** The style's class: states of one kind look alike. */
  kind: "ready" | "occupied" | "ringing" | "dialing" | "away" | "lost";
  mark: string;
}

const SLOTS: Partial<Record<SlotState, StateWord>> = {
  [SlotState.TALKING]: "talking",
  [SlotState.HELD]: "held",
  [SlotState.CONSULTING]: "consulting",
  [SlotState.CONFERENCED]: "conferenced",
  [SlotState.INTERRUPTED]: "interrupted",
  [SlotState.AFTER_CALL]: "after_call",
};

/** Of several conversations the newest tells most. */
function newest(slots: Slot[]): Slot | undefined {
  const busy = slots.filter((slot) => SLOTS[slot.state]);
  return busy.reduce<Slot | undefined>((best, slot) => (!best || slot.sinceUs > best.sinceUs ? slot : best), undefined);
}

export function standing(agent: AgentState): Standing {
  const since = Number(agent.clockSinceUs);
  const plain = (word: StateWord, kind: Standing["kind"], mark: string, detail = ""): Standing => ({ word, kind, mark, detail, since });
  switch (agent.clock) {
    case ClockState.READY: return plain("ready", "ready", "○");
    case ClockState.AWAY: return plain("away", "away", "△", agent.intent?.reason);
    case ClockState.LOST: return plain("lost", "lost", "✕");
    case ClockState.RINGING: return plain("ringing", "ringing", "◔");
    case ClockState.DIALING: return plain("dialing", "dialing", "◑");
    case ClockState.OCCUPIED:
    case ClockState.UNSIGNED: {
      const slot = newest(agent.slots);
      const word = (agent.clock === ClockState.UNSIGNED && "unsigned") || (slot && SLOTS[slot.state]) || "occupied";
      const mark = word === "after_call" ? "◐" : "●";
      return { word, kind: "occupied", mark, detail: slot?.queue ?? "", since: slot ? Number(slot.sinceUs) : since };
    }
    default: return plain("signed_out", "away", "–");
  }
}
