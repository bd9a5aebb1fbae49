// node hot.mjs INSTRUMENTED.wasm INSTRUMENTED.wat ENVOY.yaml: the functions that ordinary requests go through, a line each,
// in the order of their first call. The module is one that `wasm-opt --log-execution=env` was over; the host that it runs
// in here answers as an Envoy would to the requests of the benchmark.
import fs from "node:fs";

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

// The configuration of the filter: a block of JSON in the rendered YAML.
function configuration() {
  const lines = fs.readFileSync(rendered, "utf8").split("\n");
  const start = lines.findIndex((line) => line.trim() === "value: |") + 1;
  const indent = lines[start].search(/\S/);
  const end = lines.findIndex((line, number) => number > start && line.search(/\S/) < indent);
  const config = JSON.parse(lines.slice(start, end).join("\n"));
  config.decisionRecord = { filterState: true };
  return Buffer.from(JSON.stringify(config));
}

const base64url = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
const token = (subject) =>
  [
    base64url({ alg: "RS256", kid: "rs256", typ: "JWT" }),
    base64url({ iss: "https://issuer.example.com", sub: subject, aud: "shop", exp: 4_000_000_000 }),
    Buffer.alloc(256, 7).toString("base64url"),
  ].join(".");
const browser = [
  [":authority", "shop.example.com"],
  [":method", "GET"],
  [":scheme", "http"],
  ["user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"],
  ["accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"],
  ["accept-encoding", "gzip, deflate, br, zstd"],
  ["cookie", "session=5f0c1d7a9b2e; theme=dark"],
  ["x-tenant", "gold"],
  ["x-forwarded-for", "192.0.2.7"],
  ["x-request-id", "7d3c2a6e-4d2f-9b1c-a3f5-2b8c7d6e5f41"],
];
const bearer = (subject) => ["authorization", `Bearer ${token(subject)}`];
const requests = [
  [...browser, [":path", "/orders/4711?page=2"]],
  [...browser, [":path", "/catalog/oars"]],
  [...browser, [":path", "/orders/4711"], bearer("new")],
  [...browser, [":path", "/account/me"], bearer("new")],
  [...browser, [":path", "/admin/users"]],
];

const seen = [];
let tracing = false;
let current = requests[0];
let exports;
const memory = () => new DataView(exports.memory.buffer);
const bytes = (place, size) => Buffer.from(exports.memory.buffer, place, size);
const word = (place, value) => memory().setUint32(place, value, true);
function give(answer, place, size) {
  const there = exports.proxy_on_memory_allocate(answer.length);
  answer.copy(bytes(there, answer.length));
  word(place, there);
  word(size, answer.length);
  return 0;
}
const number = (value) => {
  const there = Buffer.alloc(8);
  there.writeBigInt64LE(BigInt(value));
  return there;
};
// A header map, or a list, as the host writes it.
function pairs(lines) {
  const head = Buffer.alloc(4 + 8 * lines.length);
  head.writeUInt32LE(lines.length, 0);
  lines.flat().forEach((part, place) => head.writeUInt32LE(part.length, 4 + 4 * place));
  return Buffer.concat([head, ...lines.flat().flatMap((part) => [part, Buffer.from([0])])]);
}
const ending = pairs(
  [number(200), number(0), number(420), number(310), number(1_500_000), "outbound|8080||orders", "127.0.0.1:8080"].map(
    (part) => [Buffer.from(part), Buffer.alloc(0)],
  ),
);
let metrics = 0;
const NOT_FOUND = 1;
const host = {
  log_execution: (place) => tracing && seen.push(place),
  proxy_log(level, place, size) {
    if (level > 2) throw new Error(bytes(place, size).toString());
    return 0;
  },
  proxy_get_buffer_bytes: (kind, start, size, place, length) => give(configuration(), place, length),
  proxy_get_header_map_pairs: (map, place, size) =>
    give(pairs(current.map((line) => line.map((part) => Buffer.from(part)))), place, size),
  proxy_get_header_map_value(map, name, length, place, size) {
    const line = map === 0 && current.find(([known]) => known === bytes(name, length).toString());
    return line ? give(Buffer.from(line[1]), place, size) : NOT_FOUND;
  },
  proxy_get_property: () => NOT_FOUND,
  proxy_get_shared_data: () => NOT_FOUND,
  proxy_get_current_time_nanoseconds(place) {
    memory().setBigUint64(place, 1_800_000_000_000_000_000n, true);
    return 0;
  },
  proxy_define_metric(kind, name, size, id) {
    word(id, ++metrics);
    return 0;
  },
  proxy_call_foreign_function(name, size, argument, length, place, answer) {
    const called = bytes(name, size).toString();
    const answers = { expr_create: Buffer.alloc(4, 1), expr_evaluate: ending, verify_signature: Buffer.from([8, 1]) };
    return place === 0 ? 0 : give(answers[called], place, answer);
  },
};
const wasi = {
  random_get(place, size) {
    bytes(place, size).fill(7);
    return 0;
  },
  clock_time_get(clock, precision, place) {
    memory().setBigUint64(place, 1_000_000n, true);
    return 0;
  },
};
// Every other function has nothing to say.
const others = (known) => new Proxy(known, { get: (there, name) => there[name] ?? (() => 0) });

const compiled = new WebAssembly.Module(fs.readFileSync(module));
exports = new WebAssembly.Instance(compiled, { env: others(host), wasi_snapshot_preview1: others(wasi) }).exports;
exports._initialize();
exports.proxy_on_context_create(1, 0);
if (!exports.proxy_on_configure(1, configuration().length)) throw new Error("the configuration is refused");
let stream = 1;
function go() {
  for (current of requests) {
    exports.proxy_on_context_create(++stream, 1);
    exports.proxy_on_request_headers(stream, current.length, 1);
    exports.proxy_on_response_headers?.(stream, 3, 0);
    exports.proxy_on_log?.(stream);
    exports.proxy_on_delete?.(stream);
  }
}
// What only the very first request needs is not hot; a token that was not seen before is.
go();
requests[2][requests[2].length - 1] = bearer("newer");
tracing = true;
go();
for (const name of new Set(seen.map((place) => owners.get(place)))) console.log(name);
