// Loads the extension's scripts, which are not modules, as a browser does: one after the other, in
// one world.
import { readFileSync } from "node:fs";
import { runInThisContext } from "node:vm";

const run = (name) => {
  const file = new URL(`../../integrations/browser-extension/${name}.js`, import.meta.url);
  runInThisContext(readFileSync(file, "utf8"), { filename: file.href });
};

/** Runs a script under the settings of a package, over those of the source's folder. */
export const load = (name, config = {}) => {
  run("config");
  Object.assign(globalThis.openChatConfig, config);
  run(name);
};
