// hubspot-cards.cjs FOLDER: prints the modules of a card for a browser, as JSON: CommonJS by the
// names that they import each other by. HubSpot's own build does the like.
const { readFileSync, readdirSync } = require('node:fs');
const path = require('node:path');
const ts = require(path.resolve(__dirname, '../../target/npm/node_modules/typescript'));

const [folder] = process.argv.slice(2);
const compilerOptions = { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022, jsx: ts.JsxEmit.React, esModuleInterop: true };
const modules = {};
for (const name of readdirSync(folder).filter((file) => /\.tsx?$/.test(file))) {
  const source = readFileSync(path.join(folder, name), 'utf8');
  modules[`./${name.replace(/\.tsx?$/, '')}`] = ts.transpileModule(source, { compilerOptions }).outputText;
}
console.log(JSON.stringify(modules));
