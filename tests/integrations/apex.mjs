// apex.mjs PARSER FILE…: reads classes of Apex with @apexdevtools/apex-parser, as no program but
// Salesforce compiles them, and prints what it cannot read.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const [parser, ...files] = process.argv.slice(2);
const { ApexErrorListener, ApexParserFactory } = createRequire(import.meta.url)(parser);

let found = 0;
for (const file of files) {
  class Listener extends ApexErrorListener {
    apexSyntaxError(line, column, message) {
      found += 1;
      console.error(`${file}:${line}:${column}: ${message}`);
    }
  }
  const source = readFileSync(file, 'utf8');
  ApexParserFactory.createLexerAndParser(source, new Listener()).parser.compilationUnit();
}
process.exit(found === 0 && files.length > 0 ? 0 : 1);
