import { isObject, tryParseJson } from '../../protocol/json.js'
import type { Adapter } from '../../protocol/ports.js'
import { MessagesDecoder } from '../anthropic/decode.js'
import { messagesBody } from '../anthropic/encode.js'
import { faultFrom as messagesFault } from '../anthropic/fault.js'
import { Notes } from '../common/notes.js'
import { withBearer } from '../common/credential.js'
import { urlOf } from '../common/url.js'
import { faultFrom as googleFault } from '../gemini/fault.js'
import { modelPath } from './place.js'

const VERSION = 'vertex-2023-10-16'

/** The model answers in its own words, what stands before it in Google's. */
function isModels(body: unknown): boolean {
  const parsed = typeof body === 'string' ? tryParseJson(body) : body
  return isObject(parsed) && (parsed['type'] === 'error' || (isObject(parsed['error']) && typeof parsed['error']['type'] === 'string'))
}

/** Claude behind rawPredict: the messages dialect, without the model in the body. */
export const claudeAdapter: Adapter = {
  dialect: 'anthropic',
  encode(request, target, wire) {
    const notes = new Notes()
    const { model: _, ...body } = messagesBody(request, target, wire, notes)
    const stream = wire === 'stream'
    return {
      call: {
        method: 'POST',
        url: urlOf(target, `${modelPath('anthropic', target.model)}:${stream ? 'streamRawPredict' : 'rawPredict'}`),
        headers: { 'content-type': 'application/json', accept: stream ? 'text/event-stream' : 'application/json', ...target.headers },
        body: JSON.stringify({ anthropic_version: VERSION, ...body }),
      },
      warnings: notes.list,
    }
  },
  authorize: withBearer,
  decode: ctx => new MessagesDecoder(ctx),
  fault: (status, headers, body, nowMs) => (isModels(body) ? messagesFault : googleFault)(body, { provider: 'google-vertex-anthropic', status, headers, nowMs }),
}
