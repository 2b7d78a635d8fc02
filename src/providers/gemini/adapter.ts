import type { EmbedCodec } from '../../protocol/embed.js'
import type { Adapter, HttpCall, Target } from '../../protocol/ports.js'
import type { Secret } from '../../protocol/secret.js'
import { withHeader } from '../common/credential.js'
import { urlOf } from '../common/url.js'
import { DIALECT } from './content.js'
import { GenerateDecoder } from './decode.js'
import { geminiEmbed } from './embed.js'
import { encode, type Server } from './encode.js'
import { faultFrom } from './fault.js'

/** What an adapter of the dialect is made of. */
export interface GenerateOptions {
  readonly server: Server
  /** Named in errors. */
  readonly provider: string
  authorize(call: HttpCall, secret: Secret): HttpCall
  probe?(target: Target): HttpCall
  readonly embed?: EmbedCodec
}

/** The key of the service, in a header. */
export function withApiKey(call: HttpCall, secret: Secret): HttpCall {
  return withHeader(call, 'x-goog-api-key', secret.reveal())
}

/** An adapter of the generateContent dialect. `encode` throws `invalid_request` for content the dialect has no form for. */
export function generateAdapter({ server, provider, authorize, probe, embed }: GenerateOptions): Adapter {
  return {
    dialect: DIALECT,
    encode: (request, target, wire) => encode(request, target, wire, server),
    authorize,
    decode: ctx => new GenerateDecoder(ctx),
    fault: (status, headers, body, nowMs) => faultFrom(body, { provider, status, headers, nowMs }),
    ...(probe !== undefined && { probe }),
    ...(embed !== undefined && { embed }),
  }
}

const SERVER: Server = {
  path: model => `/${/^(?:models|tunedModels)\//.test(model) ? '' : 'models/'}${model.split('/').map(encodeURIComponent).join('/')}`,
  callIds: () => true,
  // The first stable version has the subset only.
  jsonSchema: baseUrl => !/\/v1$/.test(baseUrl.split('?', 1)[0] ?? ''),
}

/** The server of the public API. */
export const geminiAdapter: Adapter = generateAdapter({
  server: SERVER,
  provider: 'google',
  authorize: withApiKey,
  embed: geminiEmbed,
  probe: target => ({ method: 'GET', url: `${urlOf(target, '/models')}${target.baseUrl.includes('?') ? '&' : '?'}pageSize=1`, headers: { accept: 'application/json', ...target.headers } }),
})
