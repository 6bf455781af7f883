// Which day is shown: a date in the address, one back, one on.
import type { JSX } from "solid-js";
import { addDays } from "../figures/zone";
import { go, link, route } from "../frame/route";
import { usePlace } from "../frame/site";
import { t } from "../text";

/** The date of the address, or today. */
export function useDate(): () => string {
  const { today } = usePlace();
  return () => {
    const asked = route().what.get("date") ?? "";
    return /^\d{4}-\d\d-\d\d$/.test(asked) && !Number.isNaN(Date.parse(asked)) ? asked : today();
  };
}

/** The address of the same view with something else. */
export function other(more: Record<string, string>): string {
  const what = new URLSearchParams(route().what);
  for (const [name, value] of Object.entries(more)) {
    if (value) what.set(name, value);
    else what.delete(name);
  }
  return link(route().site, route().view, what);
}

export function DayChoice(props: { date: string }): JSX.Element {
  const { today } = usePlace();
  const address = (date: string) => other({ date: date === today() ? "" : date });
  return (
    <nav class="day" aria-label={t().agent.day}>
      <a href={address(addDays(props.date, -1))} aria-label={t().agent.dayBefore}>◀</a>
      <label>
        <span class="unseen">{t().agent.day}</span>
        <input type="date" value={props.date} max={today()} onChange={(event) => event.currentTarget.value && go(address(event.currentTarget.value))} />
      </label>
      <a href={address(addDays(props.date, 1))} aria-label={t().agent.dayAfter}>▶</a>
    </nav>
  );
}
