import type { FileHandle } from 'node:fs/promises'
import type { CallRecord } from '../protocol/result.js'

type Fs = typeof import('node:fs/promises')
interface Line {
  readonly record: CallRecord
  readonly text: string
  readonly bytes: number
}

const DAY_MS = 86_400_000
const SWEEP_MS = 3_600_000
const STAMP = /^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2}\.\d{3})Z(?:-\d+)?$/
const NEWLINE = 10

// Without colons, which Windows does not allow in a name.
function stampOf(nowMs: number | undefined): string {
  return nowMs === undefined ? 'undated' : new Date(nowMs).toISOString().replace(/[-:]/g, '')
}

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

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && (error as NodeJS.ErrnoException).code === code
}

async function torn(handle: FileHandle, size: number): Promise<boolean> {
  if (size === 0) return false
  const last = new Uint8Array(1)
  await handle.read(last, 0, 1, size - 1)
  return last[0] !== NEWLINE
}

/** The file behind a sink: appends, rotates, sweeps. */
export class JsonlFile {
  readonly #path: string
  readonly #folder: string
  /** The path without its extension. */
  readonly #stem: string
  readonly #extension: string
  readonly #maxBytes: number
  readonly #retainMs: number
  #last: Promise<void> = Promise.resolve()
  /** Those of a failed batch that are in the file: a second try leaves them out. */
  #written = new Set<CallRecord>()
  #sweptMs = -Infinity

  constructor(path: string, maxBytes: number, retainDays: number) {
    const cut = Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')) + 1
    const dot = path.lastIndexOf('.')
    this.#path = path
    this.#folder = path.slice(0, cut)
    this.#stem = dot > cut ? path.slice(0, dot) : path
    this.#extension = path.slice(this.#stem.length)
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
    const handle = await this.#open(fs)
    let fit = 0
    try {
      const { size } = await handle.stat()
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
    if (fit === 0) await this.#rotate(fs, nowMs)
    return lines.slice(fit)
  }

  async #open(fs: Fs): Promise<FileHandle> {
    try {
      return await fs.open(this.#path, 'a+', 0o600)
    } catch (error) {
      if (!hasCode(error, 'ENOENT') || this.#folder === '') throw error
      await fs.mkdir(this.#folder, { recursive: true, mode: 0o700 })
      return fs.open(this.#path, 'a+', 0o600)
    }
  }

  async #rotate(fs: Fs, nowMs: number | undefined): Promise<void> {
    const stem = `${this.#stem}.${stampOf(nowMs)}`
    let target = `${stem}${this.#extension}`
    for (let n = 1; await exists(fs, target); n++) target = `${stem}-${n}${this.#extension}`
    await fs.rename(this.#path, target)
    this.#sweptMs = -Infinity
  }

  async #sweep(fs: Fs, nowMs: number | undefined): Promise<void> {
    if (nowMs === undefined || Math.abs(nowMs - this.#sweptMs) < SWEEP_MS) return
    const start = `${this.#stem.slice(this.#folder.length)}.`
    try {
      for (const name of await fs.readdir(this.#folder === '' ? '.' : this.#folder)) {
        if (!name.startsWith(start) || !name.endsWith(this.#extension)) continue
        const stamp = name.slice(start.length, name.length - this.#extension.length)
        if (timeOf(stamp) < nowMs - this.#retainMs) await fs.rm(`${this.#folder}${name}`, { force: true })
      }
      this.#sweptMs = nowMs
    } catch {
      // The records are written: failing now would write them twice. The next batch sweeps again.
    }
  }
}

async function exists(fs: Fs, path: string): Promise<boolean> {
  try {
    await fs.lstat(path)
    return true
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return false
    throw error
  }
}
