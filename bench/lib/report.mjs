import { cpus } from 'node:os'
import { DIRECT, FLOOR, OURS } from './clients.mjs'
import { METRICS, SOAK } from './plan.mjs'
import { median, spread } from './stats.mjs'

function figures(metric, name, samples) {
  const own = samples.get(name)?.get(metric.from)?.map(metric.of)
  if (own === undefined) return undefined
  const base = samples.get(metric.over ? DIRECT : FLOOR)?.get(metric.from)?.map(metric.of)
  if (!metric.times && !metric.over) return { value: median(own), absolute: median(own), rounds: own, ...(metric.slow !== undefined && base !== undefined && { floor: median(base) }) }
  if (base === undefined) return { value: undefined, absolute: median(own), rounds: own }
  // Within one round, so that a slow minute of the machine falls on both sides.
  const rounds = own.map((value, i) => (metric.times ? value / base[i] : value - base[i]))
  return { value: median(rounds), absolute: median(own), rounds }
}

function verdictOf(metric, { value, floor } = {}, { tolerance, quick }) {
  if (metric.bar === undefined) return undefined
  const kept = (quick ? metric.quick : undefined) ?? metric.bar
  const bound = metric.more ? kept / (1 + tolerance) : kept * (1 + tolerance)
  const within = limit => value !== undefined && (metric.more ? value >= limit : value <= limit)
  return { key: metric.key, says: metric.says, bar: metric.bar, more: metric.more === true, value, ok: within(metric.bar), tolerated: within(bound) || (quick === true && floor !== undefined && value <= metric.slow * floor) }
}

function soakOf(points) {
  if (points === undefined) return undefined
  const bytes = points.at(-1).heap - points[0].heap
  const calls = SOAK.segments * (SOAK.chats + SOAK.streams)
  const heaps = points.map(point => point.heap)
  const resources = points.map(point => point.resources)
  return { calls, bytes, bytesPerCall: bytes / calls, ok: bytes / calls <= SOAK.boundBytesPerCall, heaps, resources }
}

/** All of a run as plain data. */
export function summary({ clients, run, options }) {
  const rows = {}
  for (const { name, title } of clients) {
    const metrics = {}
    for (const metric of METRICS) {
      const found = run.failed.has(name) ? undefined : figures(metric, name, run.samples)
      if (found !== undefined) metrics[metric.key] = found
    }
    const soak = run.failed.has(name) ? undefined : soakOf(run.samples.get(name)?.get('soak')?.[0])
    rows[name] = { title, metrics, ...(soak !== undefined && { soak }), ...(run.failed.has(name) && { failed: run.failed.get(name) }) }
  }
  const bars = OURS.filter(name => rows[name] !== undefined && rows[name].failed === undefined).flatMap(name =>
    METRICS.flatMap(metric => {
      const verdict = verdictOf(metric, rows[name].metrics[metric.key], options)
      return verdict === undefined ? [] : [{ row: name, ...verdict }]
    }),
  )
  return { machine: machine(), options, rows, bars }
}

function machine() {
  const all = cpus()
  return { cpu: all[0]?.model.trim() ?? 'unknown', cores: all.length, platform: `${process.platform} ${process.arch}`, node: process.version, date: new Date().toISOString() }
}

const COLUMNS = METRICS.filter(metric => metric.hidden !== true && metric.line !== true)
const LINES = METRICS.filter(metric => metric.line === true)

function shown(metric, value) {
  if (value === undefined || Number.isNaN(value)) return '-'
  if (metric.over) return (value >= 0 ? '+' : '') + value.toFixed(2)
  if (metric.times) return value.toFixed(2)
  return value.toFixed(value < 100 ? 1 : 0)
}

function grid(lines) {
  const widths = lines[0].map((_, column) => Math.max(...lines.map(line => line[column].length)))
  return lines.map(line => line.map((cell, column) => (column === 0 ? cell.padEnd(widths[column]) : cell.padStart(widths[column]))).join('  ').trimEnd())
}

function floorLine({ rows }) {
  const metrics = rows[FLOOR]?.metrics ?? {}
  const parts = METRICS.filter(metric => metric.times && metrics[metric.key] !== undefined).map(metric => {
    const value = metrics[metric.key].absolute
    return `${metric.says} ${value.toFixed(value < 10 ? 2 : 0)} ${metric.unit}`
  })
  return `1.00 is: ${parts.join('; ')}`
}

function barLines({ bars, rows }) {
  return OURS.filter(name => rows[name] !== undefined).flatMap(name => {
    const { title, failed, metrics } = rows[name]
    if (failed !== undefined) return [`${title} was not measured.`]
    const lines = bars.filter(({ row }) => row === name).map(({ key, says, bar, more, value, ok, tolerated }) => {
      const metric = METRICS.find(other => other.key === key)
      const far = metric.times ? `rounds ±${(100 * spread(metrics[key]?.rounds ?? [])).toFixed(0)} %` : ''
      const word = ok ? 'ok' : tolerated ? 'over, within tolerance' : 'OVER'
      return [says, shown(metric, value), `${more ? '>=' : '<='} ${bar}`, word, far]
    })
    return [`${title} against the bars:`, ...grid(lines).map(line => `  ${line}`)]
  })
}

function ownLines({ rows }) {
  return Object.values(rows).flatMap(({ title, metrics }) =>
    LINES.flatMap(({ key, says, unit }) => {
      const { value, rounds } = metrics[key] ?? {}
      return value === undefined ? [] : [`${title}: ${says} ${value.toFixed(1)} ${unit}, rounds ±${(100 * spread(rounds)).toFixed(0)} %`]
    }),
  )
}

function soakLines({ rows }) {
  const measured = Object.values(rows).filter(({ soak }) => soak !== undefined)
  return measured.map(({ title, soak: { bytes, calls, bytesPerCall, ok } }) => {
    const more = `heap ${(bytes / 1024).toFixed(0)} KB more after ${calls} calls (${bytesPerCall.toFixed(1)} bytes per call)`
    return `${title}: ${more} ${ok ? 'ok' : 'GROWS'}`
  })
}

/** The same for a reader. */
export function text(result) {
  const { machine: on, rows } = result
  const table = [['client', ...COLUMNS.map(({ head }) => head)]]
  const notes = []
  for (const { title, metrics, failed } of Object.values(rows)) {
    table.push([title, ...COLUMNS.map(metric => shown(metric, metrics[metric.key]?.value))])
    if (failed !== undefined) notes.push(`${title}: ${failed}`)
  }
  const head = `${on.cpu}, ${on.cores} cores, ${on.platform}, Node ${on.node}, ${on.date}`
  const about = 'Ratios to global fetch + JSON.parse in the same run (calls/s: more is better); ms and KB are absolute;'
  return [head, about, '+p50 and +p99 are over keep-alive node:http.', '', ...grid(table), '', floorLine(result), '', ...barLines(result), ...ownLines(result), ...soakLines(result), ...notes].join('\n')
}

/** What `--check` holds against the run. */
export function problems({ rows, bars }) {
  const missing = [...OURS, FLOOR].filter(name => rows[name]?.failed !== undefined)
  return [
    ...missing.map(name => `${rows[name].title} could not be measured`),
    ...bars.filter(({ tolerated }) => !tolerated).map(({ row, says }) => `${rows[row].title}: ${says} misses its bar`),
    ...(rows.sallyport?.soak?.ok === false ? ['memory grows with the number of calls'] : []),
  ]
}
