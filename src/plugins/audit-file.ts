import type { FileHandle } from 'node:fs/promises'

type Fs = typeof import('node:fs/promises')
/** The file as it was found. */
interface Place {
  readonly handle: FileHandle
  readonly size: number
  readonly ino: bigint
}
/** A write that has begun. */
interface Batch {
  readonly ino: bigint
  /** The size of the file before it. */
  readonly from: number
  readonly bytes: Uint8Array
  /** How many lines it holds. */
  readonly count: number
}

const NEWLINE = 10

// Without colons, which Windows does not allow in a name.
const stampOf = (nowMs: number): string => new Date(nowMs).toISOString().replace(/[-:]/g, '')

function codeOf(error: unknown): string | undefined {
  return error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined
}

async function placeOf(handle: FileHandle): Promise<Place> {
  const { size, ino } = await handle.stat({ bigint: true })
  return { handle, size: Number(size), ino }
}

async function bytesAt(handle: FileHandle, from: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length)
  const { bytesRead } = await handle.read(bytes, 0, length, from)
  return bytes.subarray(0, bytesRead)
}

async function torn({ handle, size }: Place): Promise<boolean> {
  return size > 0 && (await bytesAt(handle, size - 1, 1))[0] !== NEWLINE
}

/** On the disk, where the file system has a way to say so. */
async function synced(handle: FileHandle): Promise<void> {
  try {
    await handle.sync()
  } catch (error) {
    if (codeOf(error) !== 'EINVAL' && codeOf(error) !== 'ENOTSUP') throw error
  }
}

/** The file of an audit log, which other processes may append to and rotate too. Opened for each write: nothing is left open. */
export class AuditFile {
  readonly #path: string
  readonly #folder: string
  /** The path without its extension. */
  readonly #stem: string
  readonly #extension: string
  readonly #maxBytes: number
  #failed: Batch | undefined

  constructor(path: string, maxBytes: number) {
    const cut = Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')) + 1
    const dot = path.lastIndexOf('.')
    this.#path = path
    this.#folder = path.slice(0, cut)
    this.#stem = dot > cut ? path.slice(0, dot) : path
    this.#extension = path.slice(this.#stem.length)
    this.#maxBytes = maxBytes
  }

  /**
   * Appends as many of the lines as the file has room for, at least one, in one write, and resolves to their number when they
   * are on the disk. After a rejection give the same lines again: what is there of them already is not written twice.
   */
  async write(lines: readonly Uint8Array[], nowMs: number): Promise<number> {
    const fs = await import('node:fs/promises')
    const place = await this.#place(fs, lines[0]?.length ?? 0, nowMs)
    try {
      const begun = await this.#begun(place)
      const batch = begun ?? { ...(await this.#batch(place, lines)), rest: undefined }
      this.#failed = batch
      let rest = batch.rest ?? batch.bytes
      while (rest.length > 0) rest = rest.subarray((await place.handle.write(rest)).bytesWritten)
      await synced(place.handle)
      this.#failed = undefined
      return batch.count
    } finally {
      await place.handle.close()
    }
  }

  /** The batch that failed, with what is missing of it, where the file goes on as that write began. */
  async #begun({ handle, size, ino }: Place): Promise<(Batch & { readonly rest: Uint8Array }) | undefined> {
    const failed = this.#failed
    if (failed === undefined || failed.ino !== ino || size < failed.from) return undefined
    const there = await bytesAt(handle, failed.from, Math.min(size - failed.from, failed.bytes.length))
    if (!there.every((byte, at) => byte === failed.bytes[at])) return undefined
    // A piece that somebody wrote behind cannot be completed any more.
    if (there.length < failed.bytes.length && failed.from + there.length < size) return undefined
    return { ...failed, rest: failed.bytes.subarray(there.length) }
  }

  async #batch(place: Place, lines: readonly Uint8Array[]): Promise<Batch> {
    let count = 0
    let room = this.#maxBytes - place.size
    for (const { length } of lines) {
      // The first one goes in whatever it weighs: a longer one than a whole file has a file of its own.
      if (count > 0 && length > room) break
      room -= length
      count++
    }
    // A line that a crash or a full disk cut short must not swallow the next one.
    const before = (await torn(place)) ? [Uint8Array.of(NEWLINE)] : []
    return { ino: place.ino, from: place.size, bytes: Buffer.concat([...before, ...lines.slice(0, count)]), count }
  }

  async #place(fs: Fs, least: number, nowMs: number): Promise<Place> {
    const handle = await this.#open(fs)
    try {
      const place = await placeOf(handle)
      const full = place.size > 0 && place.size + least > this.#maxBytes && this.#failed?.ino !== place.ino
      // Where it cannot be rotated it grows: better a long file than a lost entry.
      if (!full || !(await this.#rotated(fs, place.ino, nowMs))) return place
    } catch (error) {
      await handle.close()
      throw error
    }
    await handle.close()
    return this.#place(fs, least, nowMs)
  }

  async #open(fs: Fs): Promise<FileHandle> {
    try {
      return await fs.open(this.#path, 'a+', 0o600)
    } catch (error) {
      if (codeOf(error) !== 'ENOENT' || this.#folder === '') throw error
      await fs.mkdir(this.#folder, { recursive: true, mode: 0o700 })
      return fs.open(this.#path, 'a+', 0o600)
    }
  }

  /** Whether the path is free for a new file, or was given one meanwhile. */
  async #rotated(fs: Fs, ino: bigint, nowMs: number): Promise<boolean> {
    let target: string | undefined
    try {
      target = await this.#reserved(fs, nowMs)
      const now = await fs.stat(this.#path, { bigint: true })
      if (now.ino === ino) await fs.rename(this.#path, target)
      // Another process was first.
      else await fs.rm(target)
      return true
    } catch {
      if (target !== undefined) await fs.rm(target, { force: true }).catch(() => undefined)
      return false
    }
  }

  /** A name nobody has: made as an empty file, since a rename onto the file of another process would wipe it out. */
  async #reserved(fs: Fs, nowMs: number): Promise<string> {
    const stem = `${this.#stem}.${stampOf(nowMs)}`
    for (let n = 0; ; n++) {
      const target = `${stem}${n === 0 ? '' : `-${n}`}${this.#extension}`
      try {
        await (await fs.open(target, 'wx', 0o600)).close()
        return target
      } catch (error) {
        if (codeOf(error) !== 'EEXIST') throw error
      }
    }
  }
}
