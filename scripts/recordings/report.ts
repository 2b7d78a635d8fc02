import type { LineReport } from './run.js'

/** The reports of one file. */
export interface FileReport {
  readonly file: string
  readonly lines: readonly LineReport[]
}
interface Sum {
  readonly lines: number
  readonly deliveries: number
  readonly requests: number
  readonly right: number
  /** Of them, of lines that were played message by message. */
  readonly apart: number
  readonly wrong: number
  readonly unnatural: number
}

const COLUMNS = ['file', 'lines', 'deliveries', 'requests compared', 'right', 'of them message by message', 'wrong', 'not right by nature'] as const

/** Counts of deliveries; `lines` and `requests` besides. */
function sumOf(lines: readonly LineReport[]): Sum {
  const total = (of: (line: LineReport) => number): number => lines.reduce((sum, line) => sum + of(line), 0)
  const sum = { right: total(line => line.right), apart: total(line => (line.messages === undefined ? 0 : line.right)), wrong: total(line => line.wrong), unnatural: total(line => line.unnatural) }
  return { lines: lines.length, requests: total(line => line.requests), deliveries: sum.right + sum.wrong + sum.unnatural, ...sum }
}

function table(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]?.map((_, at) => Math.max(...rows.map(row => row[at]?.length ?? 0))) ?? []
  return rows.map(row => row.map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0))).join('  '))
}

function listed(title: string, entries: readonly string[]): string[] {
  return entries.length === 0 ? [] : ['', title, ...entries.map(entry => `  ${entry}`)]
}

/** How often each sentence occurs, with the number in front. */
function counted(sentences: readonly string[]): string[] {
  const counts = new Map<string, number>()
  for (const sentence of sentences) counts.set(sentence, (counts.get(sentence) ?? 0) + 1)
  return [...counts].sort(([, a], [, b]) => b - a).map(([sentence, count]) => `${String(count).padStart(3)} ${count === 1 ? 'line ' : 'lines'}  ${sentence}`)
}

function apartLine({ id, messages, right, wrong }: LineReport): string[] {
  return messages === undefined || wrong > 0 ? [] : [`${id}: ${messages} messages in each of ${right} deliveries; each is as it reads by itself, and laid over each other by block they are what the line expects`]
}

/** The whole report, the closing line last. */
export function reportOf(files: readonly FileReport[]): string {
  const all = files.flatMap(({ lines }) => lines)
  const rows = files.map(({ file, lines }) => {
    const sum = sumOf(lines)
    return [file, ...[sum.lines, sum.deliveries, sum.requests, sum.right, sum.apart, sum.wrong, sum.unnatural].map(String)]
  })
  const sum = sumOf(all)
  return [
    ...table([COLUMNS, ...rows]),
    ...listed('Requests that differ from the recorded one and are right by design:', counted(all.flatMap(line => line.allowed))),
    ...listed('Requests that are refused by design; their responses were asked for with a plain request:', all.flatMap(line => (line.refused === undefined ? [] : [`${line.id}: ${line.refused}`]))),
    ...listed('Right, message by message: several answers stand in one body, and each was played in an exchange of its own:', all.flatMap(apartLine)),
    ...listed('Not right by nature:', all.flatMap(line => line.reasons)),
    ...listed('Wrong:', all.flatMap(line => line.faults.map(fault => `${line.id}, ${fault}`))),
    '',
    `recordings: ${sum.lines} lines, ${sum.deliveries} deliveries, ${sum.right} right (${sum.apart} of them message by message), ${sum.wrong} wrong, ${sum.unnatural} not right by nature`,
  ].join('\n')
}
