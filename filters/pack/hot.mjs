// node hot.mjs INSTRUMENTED.wasm INSTRUMENTED.wat ENVOY.yaml: the functions that ordinary requests go through, a line each,
// in the order of their first call. The module is one that `wasm-opt --log-execution=env` was over.
import fs from "node:fs";
import { configuration, requests, start, withToken } from "./host.mjs";

const [module, text, rendered] = process.argv.slice(2);

// Which function each instrumented place is in.
const owners = new Map();
{
  const lines = fs.readFileSync(text, "utf8").split("\n");
  const log = lines.map((line) => line.match(/"log_execution" \(func (\$\S+)/)).find((found) => found)[1];
  let name;
  for (const [number, line] of lines.entries()) {
    name = line.match(/^ \(func \$(\S+)/)?.[1] ?? name;
    if (line.includes(`(call ${log}`)) {
      owners.set(Number(`${line} ${lines[number + 1]}`.match(/i32\.const (-?\d+)/)[1]), name);
    }
  }
}

const seen = [];
let tracing = false;
const config = { ...configuration(rendered), decisionRecord: { filterState: true } };
const send = start(module, config, { log_execution: (place) => tracing && seen.push(place) });
// What only the very first request needs is not hot; a token that was not seen before is.
requests.forEach(send);
requests[2] = withToken("newer");
tracing = true;
requests.forEach(send);
for (const name of new Set(seen.map((place) => owners.get(place)))) console.log(name);
