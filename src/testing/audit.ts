import { AUDIT_LINE_BYTES, AUDIT_START, auditHash, auditLine, type AuditEntry } from '../protocol/audit.js'
import { GatewayError } from '../protocol/errors.js'
import { isObject, tryParseJson, type JsonObject } from '../protocol/json.js'

/** A place in a chain. Kept where nobody else can write, the hash of the last one proves all that came before. */
export interface AuditMark {
  readonly seq: number
  readonly at: string
  readonly hash: string
}
/** What was read of one chain. */
export interface AuditChainReport {
  readonly chain: string
  readonly entries: number
  /** Its end was written; where it was not, the process still runs, crashed, or the last lines were taken away. */
  readonly closed: boolean
  /** Entries that its writer could not keep. */
  readonly lost: number
  readonly first: AuditMark
  readonly last: AuditMark
}
/** Where a log is not as it was written. */
export interface AuditBreak {
  readonly path: string
  /** 1 for the first. */
  readonly line: number
  readonly why: string
}
/** What {@link verifyAudit} found. */
export interface AuditVerdict {
  readonly ok: boolean
  /** Lines that were read. */
  readonly lines: number
  /** In order of their beginning. */
  readonly chains: readonly AuditChainReport[]
  readonly firstBroken?: AuditBreak
}

/** A line as it was read, or why it could not be. */
type Read = { readonly text: string } | { readonly why: string }

/** What is kept of an entry: not what it tells, which may be long. */
type Link = Pick<AuditEntry, 'chain' | 'seq' | 'at' | 'kind' | 'prev' | 'hash'>
/** What one file holds of one chain. */
interface Segment {
  readonly file: File
  readonly line: number
  readonly first: Link
  last: Link
  entries: number
  lost: number
}
interface File {
  readonly path: string
  readonly segments: Map<string, Segment>
  lines: number
  firstAt: string | undefined
  broken: { readonly line: number; readonly why: string } | undefined
}

const NEWLINE = 10
const CHUNK = 65_536
const HASH = /^[0-9a-f]{64}$/
const KINDS: ReadonlySet<unknown> = new Set(['open', 'call', 'change', 'close'])
const TOO_LONG = { why: `it is longer than ${AUDIT_LINE_BYTES} bytes` }
const LINES = '(lines)'

const positive = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) > 0

function isEntry(value: unknown): value is AuditEntry & JsonObject {
  if (!isObject(value) || value['v'] !== 1 || !KINDS.has(value['kind'])) return false
  const { chain, seq, at, lost, prev, hash } = value
  const placed = typeof chain === 'string' && chain !== '' && positive(seq) && (lost === undefined || positive(lost))
  return placed && typeof at === 'string' && !Number.isNaN(Date.parse(at)) && [prev, hash].every(one => typeof one === 'string' && HASH.test(one))
}

/** The entry of a line that is as the log wrote it, or why it is not. */
function entryOf(read: Read): AuditEntry | string {
  if ('why' in read) return read.why
  const { text } = read
  const parsed = tryParseJson(text)
  if (parsed === undefined) return 'it is not JSON: it was cut short or changed'
  if (!isEntry(parsed)) return 'it is not an entry of version 1'
  if (auditHash(parsed) !== parsed.hash) return 'its hash does not fit: it was changed'
  if (auditLine(parsed) !== text) return 'it says what was written, but not as it was written'
  return parsed
}

/** Why `next` does not come after `last` in its chain. */
function gap(last: Link, next: Link): string | undefined {
  if (next.hash === last.hash) return `entry ${next.seq} of chain ${next.chain} stands here again`
  if (next.seq <= last.seq) return `entry ${next.seq} of chain ${next.chain} comes after entry ${last.seq}: out of order or twice`
  if (next.seq > last.seq + 1) return `entry ${next.seq} of chain ${next.chain} comes after entry ${last.seq}: what was between is missing or elsewhere`
  if (next.prev !== last.hash) return `entry ${next.seq} of chain ${next.chain} does not follow the entry before it: "prev" is another hash`
  if (last.kind === 'close') return `chain ${next.chain} goes on after its end`
  return next.kind === 'open' ? `chain ${next.chain} begins again` : undefined
}

function beginning(first: Link): string | undefined {
  if (first.seq !== 1) return `chain ${first.chain} has lost its beginning: entry ${first.seq} is the first one here`
  return first.kind === 'open' && first.prev === AUDIT_START ? undefined : `chain ${first.chain} does not begin as a chain does`
}

function take(file: File, read: Read): void {
  const line = ++file.lines
  // A writer that saw the line of another process half there ended it before its own; the chain shows what is missing.
  if ('text' in read && read.text === '') return
  const entry = entryOf(read)
  if (typeof entry === 'string') {
    file.broken ??= { line, why: entry }
    return
  }
  const { chain, seq, at, kind, prev, hash } = entry
  const link: Link = { chain, seq, at, kind, prev, hash }
  file.firstAt ??= at
  const segment = file.segments.get(chain)
  if (segment === undefined) {
    file.segments.set(chain, { file, line, first: link, last: link, entries: 1, lost: entry.lost ?? 0 })
    return
  }
  const why = gap(segment.last, link)
  if (why !== undefined) file.broken ??= { line, why }
  segment.last = link
  segment.entries++
  segment.lost += entry.lost ?? 0
}

async function* linesOf(path: string): AsyncGenerator<Read> {
  const { open } = await import('node:fs/promises')
  // Strict: bytes that are no text would all read as the same sign.
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  const handle = await open(path, 'r')
  try {
    let held: Uint8Array[] = []
    let length = 0
    const keep = (piece: Uint8Array): void => {
      length += piece.length
      // The rest of a line that is too long is passed over, not held.
      if (length <= AUDIT_LINE_BYTES) held.push(piece)
      else held = []
    }
    for (;;) {
      const chunk = new Uint8Array(CHUNK)
      const { bytesRead } = await handle.read(chunk, 0, CHUNK)
      if (bytesRead === 0) break
      let from = 0
      for (let end = chunk.indexOf(NEWLINE); end >= 0 && end < bytesRead; end = chunk.indexOf(NEWLINE, from)) {
        keep(chunk.subarray(from, end))
        yield textOf(held, length, decoder)
        held = []
        length = 0
        from = end + 1
      }
      if (from < bytesRead) keep(chunk.subarray(from, bytesRead))
    }
    if (length > 0) yield { why: 'the last line is cut short: it does not end with a newline' }
  } finally {
    await handle.close()
  }
}

function textOf(pieces: readonly Uint8Array[], length: number, decoder: TextDecoder): Read {
  if (length > AUDIT_LINE_BYTES) return TOO_LONG
  const bytes = new Uint8Array(length)
  let at = 0
  for (const piece of pieces) {
    bytes.set(piece, at)
    at += piece.length
  }
  try {
    return { text: decoder.decode(bytes) }
  } catch {
    return { why: 'it is not UTF-8' }
  }
}

async function* given(lines: AsyncIterable<string>): AsyncGenerator<Read> {
  for await (const text of lines) yield text.length > AUDIT_LINE_BYTES ? TOO_LONG : { text }
}

async function fileOf(path: string, lines: AsyncIterable<Read>): Promise<File> {
  const file: File = { path, segments: new Map(), lines: 0, firstAt: undefined, broken: undefined }
  for await (const read of lines) take(file, read)
  return file
}

const order = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

/** In the order they were written, whatever order they were given in. */
function inTime(files: readonly File[]): File[] {
  return [...files].sort((a, b) => order(a.firstAt ?? '', b.firstAt ?? '') || order(a.path, b.path))
}

/** Joins what the files hold of one chain; `broken` is told of each place where that does not fit. */
function joined(parts: readonly Segment[], broken: (at: Segment, why: string) => void): AuditChainReport {
  const [head, ...rest] = [...parts].sort((a, b) => a.first.seq - b.first.seq) as [Segment, ...Segment[]]
  const why = beginning(head.first)
  if (why !== undefined) broken(head, why)
  let tail = head
  for (const next of rest) {
    const between = gap(tail.last, next.first)
    if (between !== undefined) broken(next, between)
    tail = next
  }
  const sum = (of: (part: Segment) => number): number => parts.reduce((total, part) => total + of(part), 0)
  return {
    chain: head.first.chain,
    entries: sum(part => part.entries),
    closed: tail.last.kind === 'close',
    lost: sum(part => part.lost),
    first: markOf(head.first),
    last: markOf(tail.last),
  }
}

const markOf = ({ seq, at, hash }: Link): AuditMark => ({ seq, at, hash })

function verdictOf(files: readonly File[]): AuditVerdict {
  const chains = new Map<string, Segment[]>()
  for (const file of files) {
    for (const [chain, segment] of file.segments) {
      const parts = chains.get(chain)
      if (parts === undefined) chains.set(chain, [segment])
      else parts.push(segment)
    }
  }
  const broken = ({ file, line }: Segment, why: string): void => {
    if (file.broken === undefined || line < file.broken.line) file.broken = { line, why }
  }
  const reports = [...chains.values()].map(parts => joined(parts, broken)).sort((a, b) => order(a.first.at, b.first.at) || order(a.chain, b.chain))
  const first = files.find(file => file.broken !== undefined)
  return {
    ok: first === undefined,
    lines: files.reduce((sum, file) => sum + file.lines, 0),
    chains: reports,
    ...(first?.broken !== undefined && { firstBroken: { path: first.path, ...first.broken } }),
  }
}

/**
 * Reads an audit log and says whether it is as it was written. Takes its file or all its files, rotated ones in any order, or
 * its lines. Every changed byte is found, and so is every line that was removed, added, repeated or moved, with one exception
 * that no chain can see: lines taken away at the end. Such a chain has `closed: false`, and its `last` is not the mark that was
 * kept elsewhere. `lost` counts what the writer itself could not keep, which breaks nothing, as an empty line between two
 * entries does. Holds one line at a time; needs Node where it is given paths. Rejects where a file cannot be read.
 *
 * @example
 * const { ok, firstBroken } = await verifyAudit(['logs/audit.jsonl', 'logs/audit.20260301T120000.000Z.jsonl'])
 * if (!ok) console.error(firstBroken)
 */
export async function verifyAudit(paths: string | readonly string[] | AsyncIterable<string>): Promise<AuditVerdict> {
  if (typeof paths !== 'string' && Symbol.asyncIterator in paths) return verdictOf([await fileOf(LINES, given(paths))])
  const unique = new Set(typeof paths === 'string' ? [paths] : paths)
  if (unique.size === 0) throw new GatewayError('invalid_request', 'verifyAudit() was given no file: nothing would be verified. Give the paths of the log.', { origin: 'caller' })
  const files: File[] = []
  for (const path of unique) files.push(await fileOf(path, linesOf(path)))
  return verdictOf(inTime(files))
}
