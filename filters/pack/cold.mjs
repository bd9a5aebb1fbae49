// node --no-liftoff --wasm-enforce-bounds-checks cold.mjs ENVOY.yaml NAME=MODULE.wasm...: what a request takes in each module,
// the host's side of it included, after the caches have been filled with other things, as an Envoy does between two requests.
// The modules take turns. As in Envoy, all code is optimised and every access to memory checked.
import { configuration, plain, start } from "./host.mjs";

// So much code runs and so much memory is read between two requests.
const CODE = 256 << 10;
const DATA = 512 << 10;
const ROUNDS = 6000;
// The longest waits are for something else on the machine.
const KEPT = 0.9;

const [rendered, ...named] = process.argv.slice(2);

// A WebAssembly function of `size` bytes of machine code, which nothing can make shorter.
function code(size) {
  const STEPS = 300;
  const BYTES_A_STEP = 12;
  const unsigned = (value) => {
    const bytes = [];
    for (; value > 127; value >>>= 7) bytes.push((value & 127) | 128);
    return [...bytes, value];
  };
  const signed = (value) => {
    const bytes = [];
    for (; value < -64 || value > 63; value >>= 7) bytes.push((value & 127) | 128);
    return [...bytes, value & 127];
  };
  const sized = (bytes) => [...unsigned(bytes.length), ...bytes];
  const section = (id, bytes) => [id, ...sized(bytes)];
  const I32 = 0x7f;
  const [GET, CONST, MUL, XOR, ROTL, CALL, END] = [0x20, 0x41, 0x6c, 0x73, 0x77, 0x10, 0x0b];
  const count = Math.ceil(size / STEPS / BYTES_A_STEP);
  const step = (number) => [CONST, ...signed(number * 7919 + 1), number % 2 ? MUL : XOR, CONST, 7, ROTL];
  const body = (parts) => sized([0, GET, 0, ...parts, END]);
  const steps = (of) => Array.from({ length: STEPS }, (_, number) => step(of * STEPS + number)).flat();
  const bodies = Array.from({ length: count }, (_, of) => body(steps(of)));
  bodies.push(body(bodies.flatMap((_, of) => [CALL, ...unsigned(of)])));
  const module = [
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [1, 0x60, 1, I32, 1, I32]),
    ...section(3, [...unsigned(count + 1), ...bodies.map(() => 0)]),
    ...section(7, [1, 1, 0x66, 0, ...unsigned(count)]),
    ...section(10, [...unsigned(count + 1), ...bodies.flat()]),
  ];
  return new WebAssembly.Instance(new WebAssembly.Module(new Uint8Array(module))).exports.f;
}

const run = code(CODE);
const data = new Int32Array(DATA / Int32Array.BYTES_PER_ELEMENT);
let sum = 0;
function forget() {
  const LINE = 64 / Int32Array.BYTES_PER_ELEMENT;
  for (let place = 0; place < data.length; place += LINE) sum += data[place]++;
  sum = run(sum | 0);
}

const config = { ...configuration(rendered), decisionRecord: { filterState: false } };
const modules = named.map((one) => {
  const [name, file] = one.split("=");
  return { name, send: start(file, config), times: [] };
});
const timed = (work) => {
  const start = performance.now();
  work();
  return (performance.now() - start) * 1000;
};
const WARM = 20_000;
for (const module of modules) {
  const many = () => timed(() => {
    for (let count = 0; count < WARM; count++) module.send(plain);
  });
  many();
  module.warm = many() / WARM;
}
for (let round = 0; round < ROUNDS; round++) {
  for (const { send, times } of modules) {
    forget();
    times.push(timed(() => send(plain)));
  }
}
const [first] = modules;
const widest = Math.max(...modules.map(({ name }) => name.length));
console.log(`${"module".padEnd(widest)}     warm     cold  above ${first.name}, µs a request`);
for (const { name, times, warm } of modules) {
  const mean = (times) => times.reduce((sum, time) => sum + time) / times.length;
  const kept = (times) => times.toSorted((one, other) => one - other).slice(0, times.length * KEPT);
  const cold = mean(kept(times));
  const above = cold - mean(kept(first.times));
  console.log(`${name.padEnd(widest)} ${[warm, cold, above].map((time) => time.toFixed(2).padStart(8)).join(" ")}`);
}
