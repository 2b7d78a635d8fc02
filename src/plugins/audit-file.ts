import type { FileHandle } from 'node:fs/promises'
import { codeOf, LogFile, torn, type Fs } from './log-file.js'

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

async function placeOf(handle: FileHandle): Promise<Place> {
  const { size, ino } = await handle.stat({ bigint: true })
  return { handle, size: Number(size), ino }
}

async function bytesAt(handle: FileHandle, from: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length)
  const { bytesRead } = await handle.read(bytes, 0, length, from)
  return bytes.subarray(0, bytesRead)
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
  readonly #file: LogFile
  readonly #maxBytes: number
  #failed: Batch | undefined

  constructor(path: string, maxBytes: number) {
    this.#file = new LogFile(path)
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
    const before = (await torn(place.handle, place.size)) ? [Uint8Array.of(NEWLINE)] : []
    return { ino: place.ino, from: place.size, bytes: Buffer.concat([...before, ...lines.slice(0, count)]), count }
  }

  async #place(fs: Fs, least: number, nowMs: number): Promise<Place> {
    const handle = await this.#file.open(fs)
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

  /** Whether the path is free for a new file, or was given one meanwhile. */
  async #rotated(fs: Fs, ino: bigint, nowMs: number): Promise<boolean> {
    try {
      await this.#file.rotate(fs, ino, nowMs)
      return true
    } catch {
      return false
    }
  }
}
