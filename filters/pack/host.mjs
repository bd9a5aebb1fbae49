// A host for our modules in Node: it answers as an Envoy would to the requests of the benchmark.
import fs from "node:fs";

// The configuration of the filter: a block of JSON in the rendered YAML.
export function configuration(rendered) {
  const lines = fs.readFileSync(rendered, "utf8").split("\n");
  const start = lines.findIndex((line) => line.trim() === "value: |") + 1;
  const indent = lines[start].search(/\S/);
  const end = lines.findIndex((line, number) => number > start && line.search(/\S/) < indent);
  return JSON.parse(lines.slice(start, end).join("\n"));
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
// A browser's request, as the host writes it.
function request(path, ...more) {
  const lines = [...browser, [":path", path], ...more].map((line) => line.map((part) => Buffer.from(part)));
  return { values: new Map(lines.map(([name, value]) => [name.toString(), value])), pairs: pairs(lines) };
}
const bearer = (subject) => ["authorization", `Bearer ${token(subject)}`];
export const plain = request("/catalog/oars");
// With a token of this subject.
export const withToken = (subject) => request("/orders/4711", bearer(subject));
export const requests = [
  request("/orders/4711?page=2"),
  plain,
  withToken("new"),
  request("/account/me", bearer("new")),
  request("/admin/users"),
];

function number(value) {
  const there = Buffer.alloc(8);
  there.writeBigInt64LE(BigInt(value));
  return there;
}
// A header map, or a list.
function pairs(lines) {
  const head = Buffer.alloc(4 + 8 * lines.length);
  head.writeUInt32LE(lines.length, 0);
  lines.flat().forEach((part, place) => head.writeUInt32LE(part.length, 4 + 4 * place));
  return Buffer.concat([head, ...lines.flat().flatMap((part) => [part, Buffer.from([0])])]);
}
const list = (values) => pairs(values.map((value) => [Buffer.from(value), Buffer.alloc(0)]));
const ANSWERED = [200, 0, 420, 310, 1_500_000].map(number);
const answered = list(ANSWERED);
// Of requests that came to a cluster.
const lists = new Map();
function forwarded(cluster) {
  if (!lists.has(cluster)) lists.set(cluster, list([...ANSWERED, cluster, "127.0.0.1:8080"]));
  return lists.get(cluster);
}
const VERIFIED = Buffer.from([8, 1]);

const OK = 0;
const NOT_FOUND = 1;
const REQUEST = 0;

// Starts a module with a configuration and returns what sends it a request. `more`: further functions of the host.
export function start(module, configured, more = {}) {
  const config = Buffer.from(JSON.stringify(configured));
  let exports;
  let current;
  let [view, there] = [];
  // A memory that has grown is another buffer.
  const memory = () => {
    if (!there?.length) [view, there] = [new DataView(exports.memory.buffer), Buffer.from(exports.memory.buffer)];
    return view;
  };
  const word = (place, value) => memory().setUint32(place, value, true);
  const text = (place, size) => memory() && there.toString("utf8", place, place + size);
  const give = (answer, place, size) => {
    const at = exports.proxy_on_memory_allocate(answer.length);
    word(place, at);
    word(size, answer.length);
    answer.copy(there, at);
    return OK;
  };
  let metrics = 0;
  const expressions = [];
  // Requests go to where the filter sends them, if it says it.
  let sentTo = "outbound|8080||orders";
  const env = {
    proxy_log(level, place, size) {
      if (level > 2) throw new Error(text(place, size));
      return OK;
    },
    proxy_get_buffer_bytes: (kind, start, size, place, length) => give(config, place, length),
    proxy_get_header_map_pairs: (map, place, size) => give(current.pairs, place, size),
    proxy_get_header_map_value(map, name, length, place, size) {
      const value = map === REQUEST && current.values.get(text(name, length));
      return value ? give(value, place, size) : NOT_FOUND;
    },
    proxy_replace_header_map_value(map, name, length, value, size) {
      if (map === REQUEST && text(name, length) === "x-outrigger-cluster") sentTo = text(value, size);
      return OK;
    },
    proxy_get_property: (path, length, place, size) =>
      text(path, length).endsWith("OUTRIGGER_VERSION") ? give(Buffer.from("1"), place, size) : NOT_FOUND,
    proxy_get_shared_data: () => NOT_FOUND,
    proxy_get_current_time_nanoseconds(place) {
      memory().setBigUint64(place, 1_800_000_000_000_000_000n, true);
      return OK;
    },
    proxy_define_metric(kind, name, size, id) {
      word(id, ++metrics);
      return OK;
    },
    proxy_call_foreign_function(name, size, argument, length, place, answer) {
      if (place === 0) return OK;
      const called = text(name, size);
      if (called === "expr_create") {
        const source = text(argument, length);
        const token = Buffer.alloc(4);
        const asksWhere = source.includes("upstream.address");
        token.writeUInt32LE(expressions.push(asksWhere ? () => forwarded(sentTo) : () => answered) - 1);
        return give(token, place, answer);
      }
      const result = called === "expr_evaluate" ? expressions[memory().getUint32(argument, true)]() : VERIFIED;
      return give(result, place, answer);
    },
    ...more,
  };
  const wasi_snapshot_preview1 = {
    random_get(place, size) {
      memory();
      there.fill(7, place, place + size);
      return OK;
    },
    clock_time_get(clock, precision, place) {
      memory().setBigUint64(place, 1_000_000n, true);
      return OK;
    },
  };
  // Every other function has nothing to say.
  const others = (known) => new Proxy(known, { get: (there, name) => there[name] ?? (() => OK) });
  const compiled = new WebAssembly.Module(fs.readFileSync(module));
  const imports = { env: others(env), wasi_snapshot_preview1: others(wasi_snapshot_preview1) };
  exports = new WebAssembly.Instance(compiled, imports).exports;
  exports._initialize();
  exports.proxy_on_context_create(1, 0);
  if (!exports.proxy_on_configure(1, config.length)) throw new Error(`${module}: the configuration is refused`);
  let stream = 1;
  return (request) => {
    current = request;
    exports.proxy_on_context_create(++stream, 1);
    exports.proxy_on_request_headers(stream, 0, 1);
    exports.proxy_on_response_headers?.(stream, 0, 0);
    exports.proxy_on_log?.(stream);
    exports.proxy_on_delete?.(stream);
  };
}
