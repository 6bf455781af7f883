// Who looks, and at which site.
import { createContext, useContext, type Accessor } from "solid-js";
import type { WhoAmIResponse } from "../gen/pegcount/v1/wallboard_pb";

export interface Place {
  who: WhoAmIResponse;
  site: string;
  /** The IANA zone of its days. */
  zone: string;
  /** Today's local date at the site, `yyyy-mm-dd`. */
  today: Accessor<string>;
}

export const PlaceContext = createContext<Place>();

export function usePlace(): Place {
  const place = useContext(PlaceContext);
  if (!place) throw new Error("a view is shown only where a site is chosen");
  return place;
}
