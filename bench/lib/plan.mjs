const EVERY_MS = 10

/** How much of everything, for `--quick` and for a full run. */
export function planOf(quick) {
  const paced = { kind: 'paced', chunks: quick ? 60 : 150, everyMs: EVERY_MS }
  const burst = { kind: 'burst', chunks: 4_000 }
  const short = { kind: 'burst', chunks: 8 }
  return {
    rounds: 5,
    // On a busy machine a run ends after fewer rounds, but not before the third.
    minRounds: 3,
    budgetMs: quick ? 40_000 : 270_000,
    coldRuns: 7,
    memoryRuns: quick ? 1 : 3,
    heldStreams: 200,
    watchdogMs: quick ? 180_000 : 900_000,
    /** Run by every client in every round, in this order; `freshAfter`: in a new process, after so many rounds of the same; `only`: by this client alone. */
    operations: [
      { name: 'at100', op: 'calls', concurrency: 100, count: quick ? 1_500 : 3_000 },
      { name: 'at1', op: 'calls', concurrency: 1, count: quick ? 400 : 1_000 },
      { name: 'paced', op: 'streams', shape: paced, concurrency: 50, repeat: 1, chunks: paced.chunks },
      { name: 'burst', op: 'streams', shape: burst, concurrency: 1, repeat: 5, chunks: burst.chunks, freshAfter: 3 },
      { name: 'burstWarm', op: 'streams', shape: burst, concurrency: 1, repeat: 5, chunks: burst.chunks },
      { name: 'first', op: 'first', shape: short, count: quick ? 80 : 150, chunks: short.chunks },
      { name: 'hit', op: 'hits', only: 'sallyport', count: 10_000, freshAfter: 3 },
    ],
    warmUp: [
      { op: 'calls', concurrency: 100, count: 6_000 },
      { op: 'calls', concurrency: 1, count: 300 },
      { op: 'streams', shape: burst, concurrency: 1, repeat: 25, chunks: burst.chunks },
      { op: 'streams', shape: short, concurrency: 20, repeat: 10, chunks: short.chunks },
      // A chunk at a time takes another way through a client than a burst; both are measured warm, for every client.
      { op: 'streams', shape: { kind: 'paced', chunks: 400, everyMs: 4 }, concurrency: 50, repeat: 1, chunks: 400 },
      { op: 'first', shape: short, count: 50, chunks: short.chunks },
    ],
    short,
  }
}

/** One column each. `of` reads the figure of a round; `times` makes it a ratio to the floor, `over` a difference to `node:http`; `hidden`: only in the JSON; `line`: a line of its own and not a column. `quick`: what `--check` holds a short run to, in which even `node:http` has .57 to .61 where a full one gives it .31. `slow`: so many times the floor's own are tolerated in a short run, for milliseconds say nothing in an hour in which the machine takes half as long again. */
export const METRICS = [
  { key: 'cpuAt100', head: 'CPU/call, 100', from: 'at100', of: r => r.cpuUs, times: true, bar: 0.35, unit: 'µs', says: 'CPU per call, 100 at once' },
  { key: 'cpuAt1', head: 'CPU/call, 1', from: 'at1', of: r => r.cpuUs, times: true, bar: 0.4, unit: 'µs', says: 'CPU per call, one at a time' },
  { key: 'rate', head: 'calls/s', from: 'at100', of: r => r.perSecond, times: true, bar: 2.5, more: true, unit: '/s', says: 'calls per second, 100 at once' },
  { key: 'chunkPaced', head: 'CPU/chunk, 50', from: 'paced', of: r => r.cpuUs, times: true, bar: 0.6, unit: 'µs', says: 'CPU per chunk, 50 streams' },
  { key: 'chunkBurst', head: 'burst', from: 'burst', of: r => r.cpuUs, times: true, bar: 0.7, unit: 'µs', says: 'CPU per chunk, burst' },
  { key: 'chunkBurstWarm', head: 'burst, warm', from: 'burstWarm', of: r => r.cpuUs, times: true, unit: 'µs', says: 'CPU per chunk, burst, after 100,000 chunks' },
  { key: 'firstChunk', head: '1st chunk', from: 'first', of: r => r.ms, times: true, bar: 0.5, quick: 0.58, unit: 'ms', says: 'time to the first chunk' },
  { key: 'importMs', head: 'import ms', from: 'cold', of: r => r.importMs, bar: 25, unit: 'ms', says: 'import' },
  { key: 'firstCallMs', head: '1st call ms', from: 'cold', of: r => r.firstCallMs, bar: 60, slow: 1.5, unit: 'ms', says: 'first call after it' },
  { key: 'streamKb', head: 'KB/stream', from: 'held', of: r => r.heapKb, bar: 24, unit: 'KB', says: 'memory of an open stream' },
  { key: 'streamRssKb', from: 'held', of: r => r.rssKb, hidden: true, unit: 'KB', says: 'resident memory of an open stream' },
  { key: 'addedP50Ms', head: '+p50 ms', from: 'at1', of: r => r.p50Ms, over: true, unit: 'ms', says: 'wall time over node:http, p50' },
  { key: 'addedP99Ms', head: '+p99 ms', from: 'at1', of: r => r.p99Ms, over: true, unit: 'ms', says: 'wall time over node:http, p99' },
  { key: 'hitUs', from: 'hit', of: r => r.cpuUs, line: true, unit: 'µs', says: 'CPU of an answer from the cache' },
]

/** Growth of the heap over these calls; one small object kept per call is five times the bound. */
export const SOAK = { segments: 5, chats: 9_500, streams: 500, boundBytesPerCall: 12 }
