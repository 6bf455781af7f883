// A sentence of the catalogue with figures in it, each still a link to its explanation.
import { For, type JSX } from "solid-js";

const MARK = (place: number): string => `\u0001${place}\u0001`;

export function Said(props: { words: (...figures: string[]) => string; figures: JSX.Element[] }): JSX.Element {
  const parts = () => props.words(...props.figures.map((_, place) => MARK(place))).split("\u0001");
  return <For each={parts()}>{(part, place) => (place() % 2 ? props.figures[Number(part)] : part)}</For>;
}
