import type { OpenContext, Opened } from '../protocol/ports.js'
import type { AttemptAbort } from './abort.js'
import type { AttemptSpec } from './attempt.js'
import type { Watch } from './watch.js'

/** What an attempt hands to its upstream. */
export function contextOf({ wire, clock, key, headers }: AttemptSpec, abort: AttemptAbort, watch: Watch): OpenContext {
  return {
    wire,
    clock,
    abort,
    get signal() {
      return abort.signal
    },
    onActivity: () => watch.active(),
    ...(key?.secret !== undefined && { secret: key.secret }),
    ...(headers !== undefined && { headers }),
  }
}

/** What `Upstream.open` resolved to, where it came too late to be taken. */
export function isOpened(value: unknown): value is Opened {
  return typeof value === 'object' && value !== null && 'close' in value && 'read' in value
}
