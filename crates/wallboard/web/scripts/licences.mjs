// Collects the licences of all packages of which anything got into the page, as one text beside it: the page's menu links to it.
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";

const NAMES = /^(licen[cs]e|copying|notice)(\.|-|$)/i;
/** For a package that names the Apache licence and ships no text: the same text, which this repository ships. */
const APACHE = join(import.meta.dirname, "../../../../LICENSE-APACHE");
/** A notice in a module's own head asks to be kept. */
const KEPT = /\/\*[^]*?\*\/|(?:^[ \t]*\/\/.*\n)+/gm;

/** The folder of the package that a module belongs to; undefined: it is our own. */
function packageOf(id) {
  const path = id.replace(/^\0/, "").replace(/\?.*$/, "");
  if (!path.includes("/node_modules/")) return undefined;
  let folder = dirname(path);
  for (; folder.includes("/node_modules/"); folder = dirname(folder)) {
    const manifest = join(folder, "package.json");
    if (existsSync(manifest) && JSON.parse(readFileSync(manifest, "utf8")).version) return folder;
  }
  return undefined;
}

/** What is asked to be kept in the heads of a package's modules. */
function heads(modules) {
  const comments = modules.flatMap((id) => readFileSync(id, "utf8").match(KEPT) ?? []);
  const asking = comments.filter((comment) => /Redistributions? (and use|of source)/i.test(comment));
  return [...new Set(asking.map((comment) => comment.replace(/^\s*(\/\/|\/?\*+\/?) ?/gm, "").trim()))];
}

function notice([folder, modules]) {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const files = readdirSync(folder).filter((file) => NAMES.test(file)).sort();
  const texts = files.map((file) => readFileSync(join(folder, file), "utf8").trim());
  if (!texts.length && /Apache-2\.0/.test(license ?? "")) texts.push(readFileSync(APACHE, "utf8").trim());
  if (!texts.length) throw new Error(`${name} ${version} (${license}) ships no licence: find its text before it is embedded`);
  texts.push(...heads(modules));
  return `${name} ${version}, ${license}\n\n${texts.join("\n\n")}\n`;
}

/** A plugin that writes `assets/licences.txt`. */
export function licences() {
  const folders = new Map();
  return {
    name: "licences",
    generateBundle(_, bundle) {
      for (const chunk of Object.values(bundle)) {
        for (const id of chunk.type === "chunk" ? chunk.moduleIds : (chunk.originalFileNames ?? [])) {
          const folder = packageOf(id);
          if (folder) folders.set(folder, [...(folders.get(folder) ?? []), id.replace(/^\0/, "").replace(/\?.*$/, "")]);
        }
      }
      const notices = [...folders].map(notice).sort();
      const head = "The wallboard's page is made of the work of others too. These are the licences of all that is embedded in it.\n";
      const line = `\n${"-".repeat(100)}\n\n`;
      this.emitFile({ type: "asset", fileName: "assets/licences.txt", source: [head, ...notices].join(line) });
    },
  };
}
