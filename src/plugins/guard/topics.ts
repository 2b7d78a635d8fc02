import { isObject } from '../../protocol/json.js'
import type { CallView, Plugin } from '../../protocol/ports.js'
import type { UpstreamRequest } from '../../protocol/request.js'
import { bad, checkGuard, Slow, Verdicts, type GuardOptions } from './guard.js'

/** Whether a request may be asked. `reason` is told to the caller: put nothing of the prompt into it. */
export type TopicVerdict = boolean | { readonly allowed: boolean; readonly reason?: string }
/** What decides; the signal is aborted when the time is up or the call has ended. */
export type TopicJudge = (request: UpstreamRequest, context: { readonly call: CallView; readonly signal: AbortSignal }) => TopicVerdict | Promise<TopicVerdict>

/** What {@link allowedTopics} takes beside its function. */
export interface AllowedTopicsOptions extends GuardOptions {
  /** The longest it may take to decide. Default 10,000. */
  readonly timeoutMs?: number
}

const LONGEST_MS = 600_000
const MAX_REASON = 200

/**
 * Lets through only the requests that a function of your own allows: a classifier, a list, another model. One that throws, takes
 * too long or answers with anything else refuses the call. Throws `invalid_config`; refuses with `refused`.
 *
 * @example
 * import { allowedTopics } from 'sallyport/guard'
 *
 * const guard = allowedTopics(async request => ({ allowed: request.messages.length < 50, reason: 'the conversation is too long' }), { timeoutMs: 2_000 })
 */
export function allowedTopics(judge: TopicJudge, options: AllowedTopicsOptions = {}): Plugin {
  if (typeof judge !== 'function') throw bad('allowedTopics() takes the function that decides first.')
  checkGuard(options, 'allowedTopics', ['timeoutMs'])
  const { timeoutMs = 10_000 } = options
  if (!Number.isSafeInteger(timeoutMs) || timeoutMs < 1 || timeoutMs > LONGEST_MS) throw bad(`allowedTopics(): timeoutMs must be a whole number from 1 to ${LONGEST_MS}.`)
  const verdicts = new Verdicts('allowedTopics', options)
  return {
    name: verdicts.name,
    open: call => ({
      request: async request => {
        let refusal: string | undefined
        try {
          refusal = refusalOf(await inTime(judge, request, call, timeoutMs))
        } catch (error) {
          verdicts.failed(call, 'request', error)
        }
        if (refusal !== undefined) throw verdicts.refused(call, 'request', refusal)
        return request
      },
    }),
  }
}

/** Why not, in words; nothing where it is allowed. Throws where it is no verdict. */
function refusalOf(verdict: unknown): string | undefined {
  const allowed = isObject(verdict) ? verdict['allowed'] : verdict
  if (typeof allowed !== 'boolean') throw new TypeError('the verdict is neither true nor false')
  if (allowed) return undefined
  const reason = isObject(verdict) ? verdict['reason'] : undefined
  return typeof reason === 'string' && reason !== '' ? reason.slice(0, MAX_REASON) : 'it is about something that is not allowed here'
}

/** Neither the timer nor the work outlives the call. */
function inTime(judge: TopicJudge, request: UpstreamRequest, call: CallView, timeoutMs: number): Promise<unknown> {
  const control = new AbortController()
  return new Promise((resolve, reject) => {
    const timer = call.clock.after(timeoutMs, () => {
      control.abort()
      reject(new Slow(`it took longer than ${timeoutMs} ms`))
    })
    const over = (): void => {
      timer.cancel()
      control.abort()
    }
    call.onEnd(over)
    const asked = async (): Promise<unknown> => judge(request, { call, signal: control.signal })
    asked().then(resolve, reject).finally(() => timer.cancel())
  })
}
