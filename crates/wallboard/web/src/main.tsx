// The wallboard begins here.
import { render } from "solid-js/web";
import { App } from "./frame/App";
import { applyLook } from "./frame/look";
import "uplot/dist/uPlot.min.css";
import "./style.css";

const page = document.getElementById("page");
if (page) {
  render(() => {
    applyLook();
    return <App />;
  }, page);
}
