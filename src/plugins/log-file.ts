import type { FileHandle } from 'node:fs/promises'

/** The module, which is loaded with the first write. */
export type Fs = typeof import('node:fs/promises')

const NEWLINE = 10

/** The code of the system, where it is the system's error. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined
}

/** A line that a crash or a full disk cut short: what is written next must not become a part of it. */
export async function torn(handle: FileHandle, size: number): Promise<boolean> {
  if (size === 0) return false
  const last = new Uint8Array(1)
  await handle.read(last, 0, 1, size - 1)
  return last[0] !== NEWLINE
}

// Without colons, which Windows does not allow in a name.
function stampOf(nowMs: number | undefined): string {
  return nowMs === undefined ? 'undated' : new Date(nowMs).toISOString().replace(/[-:]/g, '')
}

/** The place of a log on the disk, which other processes may write to and rotate too. Opened for each write: nothing is left open. */
export class LogFile {
  readonly path: string
  /** With its last slash; empty for the folder of the process. */
  readonly folder: string
  /** The path without its extension. */
  readonly stem: string
  readonly extension: string

  constructor(path: string) {
    const cut = Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')) + 1
    const dot = path.lastIndexOf('.')
    this.path = path
    this.folder = path.slice(0, cut)
    this.stem = dot > cut ? path.slice(0, dot) : path
    this.extension = path.slice(this.stem.length)
  }

  /** To append to; makes the file and its folder where they are missing. Other users of the machine cannot read them. */
  async open(fs: Fs): Promise<FileHandle> {
    try {
      return await fs.open(this.path, 'a+', 0o600)
    } catch (error) {
      if (codeOf(error) !== 'ENOENT' || this.folder === '') throw error
      await fs.mkdir(this.folder, { recursive: true, mode: 0o700 })
      return fs.open(this.path, 'a+', 0o600)
    }
  }

  /** Gives the file `ino` a name with the time in it, unless another process did so before. */
  async rotate(fs: Fs, ino: bigint, nowMs: number | undefined): Promise<void> {
    const target = await this.#reserved(fs, nowMs)
    try {
      if ((await fs.stat(this.path, { bigint: true })).ino === ino) return await fs.rename(this.path, target)
    } catch (error) {
      // Without a file at the path, another process was first.
      if (codeOf(error) !== 'ENOENT') {
        await fs.rm(target, { force: true }).catch(() => undefined)
        throw error
      }
    }
    await fs.rm(target, { force: true })
  }

  /** A name nobody has: made as an empty file, since a rename onto the file of another process would wipe it out. */
  async #reserved(fs: Fs, nowMs: number | undefined): Promise<string> {
    const stem = `${this.stem}.${stampOf(nowMs)}`
    for (let n = 0; ; n++) {
      const target = `${stem}${n === 0 ? '' : `-${n}`}${this.extension}`
      try {
        await (await fs.open(target, 'wx', 0o600)).close()
        return target
      } catch (error) {
        if (codeOf(error) !== 'EEXIST') throw error
      }
    }
  }
}
