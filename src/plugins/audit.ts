import { GatewayError } from '../protocol/errors.js'
import type { Plugin } from '../protocol/ports.js'
import type { CallRecord } from '../protocol/result.js'
import { refuseUnknownKeys } from '../protocol/suggest.js'
import { callData, changeData, contentData, type AuditChange } from './audit-entries.js'
import { AuditQueue, type AuditStart } from './audit-queue.js'
import { checkNumber, checkOptional, checkOptions } from './sinks.js'
import { weigh } from './weigh.js'

export type { AuditChange } from './audit-entries.js'

/** Options of {@link auditLog}. */
export interface AuditLogOptions {
  /** Also write prompts and answers; false. */
  readonly content?: boolean
  /** A file that would grow past this is rotated first, and the chain goes on in the next one; 256 MiB. */
  readonly maxBytes?: number
  /** Most entries held while the disk is slow; 10,000. */
  readonly maxBuffered?: number
}

/** A log that shows whether it was tampered with. */
export interface AuditLog extends Plugin {
  readonly name: 'audit'
  readonly content: boolean
  observe(record: CallRecord): void
  /** Writes down a change of keys, budgets, limits or credentials. Throws `invalid_request`. */
  change(entry: AuditChange): void
  flush(): Promise<void>
  close(): Promise<void>
  dropped(): number
  /** @internal What the gateway gives it. */
  start(parts: AuditStart): void
}

/** More in one call would not fit a line. */
const MAX_CONTENT_CHARS = 2 ** 20
const MAX_HELD_CHARS = 2 ** 25
const MAX_MARK = 64

class Log implements AuditLog {
  readonly name = 'audit'
  readonly content: boolean
  readonly #queue: AuditQueue

  constructor(queue: AuditQueue, content: boolean) {
    this.#queue = queue
    this.content = content
  }

  observe(record: CallRecord): void {
    const data = callData(record)
    const content = this.content ? contentData(record) : undefined
    if (content === undefined) return this.#queue.push('call', data)
    const chars = weigh(content, MAX_CONTENT_CHARS)
    // Who was here and what was decided is kept also where there is no place for what was said.
    if (chars > MAX_CONTENT_CHARS || this.#queue.chars + chars > MAX_HELD_CHARS) return this.#queue.push('call', data, { omitted: ['content'] })
    this.#queue.push('call', { ...data, content }, { chars })
  }

  change(entry: AuditChange): void {
    const { atMs, data } = changeData(entry)
    this.#queue.push('change', data, { atMs })
  }

  flush(): Promise<void> {
    return this.#queue.flush()
  }

  close(): Promise<void> {
    return this.#queue.close()
  }

  dropped(): number {
    return this.#queue.dropped
  }

  start(parts: AuditStart): void {
    if (typeof parts.mark !== 'string' || parts.mark === '' || parts.mark.length > MAX_MARK) throw new GatewayError('invalid_config', `An audit log needs a mark of 1 to ${MAX_MARK} characters to name its chain.`)
    if (this.#queue.started) throw new GatewayError('invalid_config', 'This audit log belongs to another gateway. Give each gateway auditLog(path) of its own; the path may be the same.')
    this.#queue.start(parts)
  }
}

/**
 * Appends a line of JSON for each call and each change, chained by hashes: `verifyAudit` of `sallyport/testing` finds a line
 * that was changed, removed, added or moved. Several processes may share a file: each writes a chain of its own. The file has
 * mode 0600 and its folder is made; a full one becomes `name.<time>.jsonl`, and none is ever deleted. Written off the path of
 * the call; an entry that cannot be kept is counted, here and on the next line. The chain has no key: who can write the whole
 * file can write a whole new chain, so keep the last hash where they cannot. Needs Node. Throws `invalid_config`.
 */
export function auditLog(path: string, options: AuditLogOptions = {}): AuditLog {
  if (typeof path !== 'string' || path === '' || path.includes('\0') || /[/\\]$/.test(path)) {
    throw new GatewayError('invalid_config', 'auditLog needs the path of a file, such as "logs/audit.jsonl".')
  }
  checkOptions(options, 'auditLog')
  refuseUnknownKeys(options, new Set(['content', 'maxBytes', 'maxBuffered']), 'auditLog')
  const { content = false, maxBytes = 256 * 1024 * 1024, maxBuffered = 10_000 } = options
  checkOptional(content, 'auditLog: content', 'boolean')
  checkNumber(maxBytes, 'auditLog: maxBytes', 1)
  checkNumber(maxBuffered, 'auditLog: maxBuffered', 1)
  return new Log(new AuditQueue(path, maxBytes, maxBuffered), content)
}
