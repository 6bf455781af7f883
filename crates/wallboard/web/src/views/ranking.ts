// Who stands where: ranks by one column, equal figures sharing theirs. Ratios are compared exactly, never by their decimals.
import type { KpiValue } from "../gen/pegcount/v1/kpi_pb";

export interface Ranked {
  key: string;
  /** 1 is the first; null: there is no figure to rank. */
  rank: number | null;
  /** Others have the same figure. */
  shared: boolean;
}

const parts = (value: KpiValue): [bigint, bigint] => [value.amount, value.denominator || 1n];

/** Below 0: the first is less. Denominators are positive. */
export function compared(one: KpiValue, other: KpiValue): number {
  const [[above, below], [otherAbove, otherBelow]] = [parts(one), parts(other)];
  const apart = above * otherBelow - otherAbove * below;
  return apart < 0n ? -1 : apart > 0n ? 1 : 0;
}

/** Ranks 1, 2, 2, 4: whoever is equal shares a rank, and the next one counts all before. Whoever has no figure comes last. */
export function ranking(values: Map<string, KpiValue | undefined>, highestFirst: boolean): Ranked[] {
  const collator = new Intl.Collator("en", { numeric: true });
  const all = [...values].sort(([a], [b]) => collator.compare(a, b));
  const there = all.flatMap(([key, value]) => (value && !value.absent ? [{ key, value }] : []));
  there.sort((a, b) => compared(a.value, b.value) * (highestFirst ? -1 : 1));
  let rank = 0;
  const ranked = there.map(({ key, value }, place): Ranked => {
    const [former, next] = [there[place - 1], there[place + 1]];
    const like = (neighbour: typeof former) => neighbour !== undefined && compared(neighbour.value, value) === 0;
    if (!like(former)) rank = place + 1;
    return { key, rank, shared: like(former) || like(next) };
  });
  const without = all.filter(([, value]) => !value || value.absent);
  return [...ranked, ...without.map(([key]): Ranked => ({ key, rank: null, shared: false }))];
}
