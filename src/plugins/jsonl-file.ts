import type { CallRecord } from '../protocol/result.js'
import { LogFile, torn, type Fs } from './log-file.js'

interface Line {
  readonly record: CallRecord
  readonly text: string
  readonly bytes: number
}

const DAY_MS = 86_400_000
const SWEEP_MS = 3_600_000
const STAMP = /^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2}\.\d{3})Z(?:-\d+)?$/

function timeOf(stamp: string): number {
  const [, year, month, day, hour, minute, second] = STAMP.exec(stamp) ?? []
  return Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`)
}

function newestMs(records: readonly CallRecord[]): number | undefined {
  const times = records.map(record => Date.parse(record.startedAt)).filter(Number.isFinite)
  return times.length === 0 ? undefined : times.reduce((a, b) => Math.max(a, b))
}

function lineOf(record: CallRecord): Line {
  let text: string
  try {
    text = `${JSON.stringify(record)}\n`
  } catch {
    // Metadata is the caller's and may hold what JSON cannot; one such record must not cost its batch.
    const { metadata: _, content: __, ...rest } = record
    text = `${JSON.stringify({ ...rest, omitted: ['metadata', 'content'] })}\n`
  }
  return { record, text, bytes: Buffer.byteLength(text) }
}

/** The file behind a sink: appends, rotates, sweeps. */
export class JsonlFile {
  readonly #file: LogFile
  readonly #maxBytes: number
  readonly #retainMs: number
  #last: Promise<void> = Promise.resolve()
  /** Those of a failed batch that are in the file: a second try leaves them out. */
  #written = new Set<CallRecord>()
  #sweptMs = -Infinity

  constructor(path: string, maxBytes: number, retainDays: number) {
    this.#file = new LogFile(path)
    this.#maxBytes = maxBytes
    this.#retainMs = retainDays * DAY_MS
  }

  /** One write after the other, whoever asks. */
  write(records: readonly CallRecord[]): Promise<void> {
    const done = this.#last.then(() => this.#append(records))
    this.#last = done.catch(() => undefined)
    return done
  }

  async #append(records: readonly CallRecord[]): Promise<void> {
    const fs = await import('node:fs/promises')
    const nowMs = newestMs(records)
    let lines: readonly Line[] = records.filter(record => !this.#written.has(record)).map(lineOf)
    while (lines.length > 0) lines = await this.#fill(fs, lines, nowMs)
    this.#written.clear()
    await this.#sweep(fs, nowMs)
  }

  /** Writes as many lines as the file has room for, or rotates it; gives the lines that are left. */
  async #fill(fs: Fs, lines: readonly Line[], nowMs: number | undefined): Promise<readonly Line[]> {
    const handle = await this.#file.open(fs)
    let fit = 0
    let ino: bigint
    try {
      const found = await handle.stat({ bigint: true })
      const size = Number(found.size)
      ino = found.ino
      let room = this.#maxBytes - size
      for (const { bytes } of lines) {
        // A line longer than a whole file gets a file of its own.
        if (bytes > room && (size > 0 || fit > 0)) break
        room -= bytes
        fit++
      }
      const text = lines.slice(0, fit).map(line => line.text).join('')
      // A line a crash or a full disk cut short must not swallow the next one.
      if (fit > 0) await handle.appendFile((await torn(handle, size)) ? `\n${text}` : text)
    } finally {
      await handle.close()
    }
    for (const { record } of lines.slice(0, fit)) this.#written.add(record)
    if (fit === 0) {
      await this.#file.rotate(fs, ino, nowMs)
      this.#sweptMs = -Infinity
    }
    return lines.slice(fit)
  }

  async #sweep(fs: Fs, nowMs: number | undefined): Promise<void> {
    if (nowMs === undefined || Math.abs(nowMs - this.#sweptMs) < SWEEP_MS) return
    const { folder, stem, extension } = this.#file
    const start = `${stem.slice(folder.length)}.`
    try {
      for (const name of await fs.readdir(folder === '' ? '.' : folder)) {
        if (!name.startsWith(start) || !name.endsWith(extension)) continue
        const stamp = name.slice(start.length, name.length - extension.length)
        if (timeOf(stamp) < nowMs - this.#retainMs) await fs.rm(`${folder}${name}`, { force: true })
      }
      this.#sweptMs = nowMs
    } catch {
      // The records are written: failing now would write them twice. The next batch sweeps again.
    }
  }
}
