import type { Post } from './plugins/alerts.js'
import type { Clock } from './protocol/ports.js'
import type { Transport } from './transport/types.js'

const TIMEOUT_MS = 10_000

/** Posts over the transport of a gateway; what the answer says is not read. */
export function postOver(transport: Transport, clock: Clock): Post {
  return async (url, headers, body) => {
    const ending = new AbortController()
    const timer = clock.after(TIMEOUT_MS, () => ending.abort())
    try {
      const answer = await transport.send({ method: 'POST', url, headers, body }, { signal: ending.signal, onActivity: () => undefined })
      answer.body.cancel()
      return answer.status
    } finally {
      timer.cancel()
    }
  }
}
