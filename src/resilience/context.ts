import type { Clock, Headers, OpenContext, Opened, Wire } from '../protocol/ports.js'
import type { Secret } from '../protocol/secret.js'
import type { AttemptAbort } from './abort.js'
import type { AttemptSpec } from './attempt-spec.js'
import type { Watch } from './watch.js'

/** What an attempt hands to its upstream. A class: a literal with a getter in it is made the slow way, at each call. */
export class AttemptContext implements OpenContext {
  readonly wire: Wire
  readonly clock: Clock
  readonly secret?: Secret
  readonly headers?: Headers
  readonly onActivity: () => void

  constructor({ wire, clock, key, headers }: AttemptSpec, readonly abort: AttemptAbort, watch: Watch) {
    this.wire = wire
    this.clock = clock
    const onActivity = (): void => watch.active()
    this.onActivity = onActivity
    if (key?.secret !== undefined) this.secret = key.secret
    if (headers !== undefined) this.headers = headers
  }

  get signal(): AbortSignal {
    return this.abort.signal
  }
}

/** What `Upstream.open` resolved to, where it came too late to be taken. */
export function isOpened(value: unknown): value is Opened {
  return typeof value === 'object' && value !== null && 'close' in value && 'read' in value
}
